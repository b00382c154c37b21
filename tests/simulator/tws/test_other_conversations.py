"""Contracts and the account as raw frames: exact field counts, what changes, what ends."""

import pytest
from floors import a_floor, a_future, an_open_floor
from pretend_client import PretendClient, a_client, bag, contract, place_order

from simulator.opening import OpenedFloor
from simulator.tws.desk import Desk

Frames = list[list[str]]


def seated(opened: OpenedFloor) -> PretendClient:
    """Return a connected client of a floor."""
    return a_client(Desk(opened.floor))


def look_up(opened: OpenedFloor, *contract_fields: object) -> Frames:
    """Ask for contract details under id 7."""
    return seated(opened).ask(9, 8, 7, *contract_fields, 0, "", "", "")


# Contracts


def test_contract_details_have_their_exact_length() -> None:
    """40 fields without security ids, then the end."""
    opened = a_floor()

    frames = look_up(opened, *contract(opened, a_future(opened)))

    assert [(frame[0], len(frame)) for frame in frames] == [("10", 40), ("52", 3)]
    row = frames[0]
    assert row[2:5] == ["VIX", "FUT", "20261118 08:00 US/Central"]
    assert (row[11], row[13], row[14]) == ("VXM", "0.01", "100")
    assert (row[17], row[31]) == ("1", "1")  # priceMagnifier and aggGroup are whole numbers


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ((0, "VIX", "FUT", "", "", "", "", "CFE", "", "", "", "VXM"), 10),
        ((0, "VIX", "OPT", "20261117", "20.0", "C", "100", "SMART", "", "USD", "", "VIX"), 1),
        ((0, "VIX", "OPT", "20261117", "20.0", "", "100", "SMART", "", "USD", "", "VIX"), 2),
        ((0, "", "OPT", "", "", "?", "", "", "", "", "VIX   261118C00020000", ""), 1),
        ((0, "VIX", "IND", "", "0.0", "0", "", "CBOE", "", "USD", "", ""), 1),
    ],
)
def test_contracts_are_found_by_what_is_stated(fields: tuple[object, ...], count: int) -> None:
    """Symbol, date, strike, right, class and local symbol narrow the answer; an empty field means any."""
    frames = look_up(a_floor(), *fields)

    assert [frame[0] for frame in frames] == ["10"] * count + ["52"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ((0, "VIX", "OPT", "20261117", "20.25", "C", "", "", "", "", "", ""), "200"),
        ((0, "", "", "", "", "", "", "", "", "", "", ""), "200"),
        ((99, "", "", "", "", "", "", "", "", "", "", ""), "200"),
        (tuple(bag()), "321"),
    ],
)
def test_a_look_up_without_an_answer_is_an_error(fields: tuple[object, ...], code: str) -> None:
    """An unknown strike, nothing stated and an unknown number are 200; a combo has no details."""
    assert [frame[2:4] for frame in look_up(a_floor(), *fields)] == [["7", code]]


def test_an_option_chain_has_one_row_per_exchange_and_class() -> None:
    """Every class of VIX options is told for SMART and CBOE, counts before dates and strikes, then the end."""
    client = seated(a_floor())

    frames = client.ask(78, 9, "VIX", "", "IND", 13455763)

    rows = [(frame[2], frame[4]) for frame in frames[:-1]]
    assert len(rows) == len(set(rows))
    assert {("SMART", "VIX"), ("CBOE", "VIX")} <= set(rows)
    row = frames[0]
    dates = int(row[6])
    assert len(row) == 8 + dates + int(row[7 + dates])
    assert frames[-1] == ["76", "9"]


def test_a_market_rule_tells_its_increments() -> None:
    """VIX options move by 0.01 below 3 points and by 0.05 from there on; an unknown rule is an error."""
    client = seated(a_floor())

    assert client.ask(91, 501) == [["93", "501", "2", "0.0", "0.01", "3.0", "0.05"]]
    assert client.ask(91, 9)[0][3] == "321"


# The account


def test_account_updates_end_with_the_account() -> None:
    """Values, holdings of twenty fields, the time, then the end; AccountReady is among the values."""
    opened = an_open_floor()

    frames = seated(opened).ask(6, 2, 1, "DU1234567")

    numbers = [frame[0] for frame in frames]
    assert numbers == sorted(numbers, key=["6", "7", "8", "54"].index)
    assert {len(frame) for frame in frames if frame[0] == "7"} == {20}
    values = {(frame[2], frame[4]): frame[3] for frame in frames if frame[0] == "6"}
    assert values["AccountReady", ""] == "true"
    state = opened.floor.account_state()
    assert float(values["NetLiquidation", "USD"]) == float(state.net_liquidation_usd)
    assert float(values["FullInitMarginReq", "USD"]) == float(state.init_margin_usd)
    assert float(values["InitMarginReq", "USD"]) == float(state.init_margin_usd)
    assert float(values["MaintMarginReq", "USD"]) == float(state.maint_margin_usd)
    assert float(values["ExcessLiquidity", "USD"]) == float(state.excess_liquidity_usd)
    assert float(values["GrossPositionValue", "USD"]) == float(state.gross_position_usd)


def test_holdings_add_up_to_what_the_account_is_worth() -> None:
    """Cash plus the worth of all options told is net liquidation, to the cent."""
    opened = an_open_floor()

    frames = seated(opened).ask(6, 2, 1, "")

    worth = sum(float(frame[15]) for frame in frames if frame[0] == "7")
    values = {(frame[2], frame[4]): frame[3] for frame in frames if frame[0] == "6"}
    assert float(values["TotalCashValue", "USD"]) + worth == pytest.approx(
        float(values["NetLiquidation", "USD"]), abs=0.02
    )


def test_later_updates_tell_only_what_moved() -> None:
    """After a fill the account is told again, without the values that stayed."""
    opened = an_open_floor()
    client = seated(opened)
    client.ask(6, 2, 1, "")

    frames = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))

    keys = [frame[2] for frame in frames if frame[0] == "6"]
    assert "TotalCashValue" in keys
    assert "AccountCode" not in keys
    assert frames[-1][0] == "54"


def test_updates_stop_when_they_are_switched_off() -> None:
    """A fill tells no values any more."""
    opened = an_open_floor()
    client = seated(opened)
    client.ask(6, 2, 1, "")
    client.ask(6, 2, 0, "")

    frames = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))

    assert not {frame[0] for frame in frames} & {"6", "7", "8", "54"}


def test_the_updates_of_many_accounts_carry_their_request() -> None:
    """73 rows of eight fields, then 74; after the cancel nothing follows."""
    opened = an_open_floor()
    client = seated(opened)

    frames = client.ask(76, 1, 31, "DU1234567", "", 0)
    client.ask(77, 1, 31)

    assert {(frame[0], len(frame)) for frame in frames} == {("73", 8), ("74", 3)}
    assert frames[-1] == ["74", "1", "31"]
    later = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))
    assert "73" not in {frame[0] for frame in later}


def test_a_summary_tells_the_chosen_values() -> None:
    """Only the tags asked for, seven fields each, then 64; changes follow until cancelled."""
    opened = an_open_floor()
    client = seated(opened)

    frames = client.ask(62, 1, 33, "All", "NetLiquidation,BuyingPower")

    assert [(frame[4], len(frame)) for frame in frames[:-1]] == [("NetLiquidation", 7), ("BuyingPower", 7)]
    assert frames[-1] == ["64", "1", "33"]
    later = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))
    assert {frame[4] for frame in later if frame[0] == "63"} <= {"NetLiquidation", "BuyingPower"}


def test_positions_are_told_until_cancelled() -> None:
    """Sixteen fields with an empty exchange; after the cancel a fill tells none."""
    opened = an_open_floor()
    client = seated(opened)

    frames = client.ask(61, 1)
    client.ask(64, 1)

    assert len(frames) == len(opened.floor.positions()) + 1
    assert {(len(frame), frame[10]) for frame in frames[:-1]} == {(16, "")}
    later = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))
    assert "61" not in {frame[0] for frame in later}


@pytest.mark.parametrize(("message", "req_id"), [((6, 2, 1, "DU999"), "-1"), ((76, 1, 31, "DU999", "", 0), "31")])
def test_an_account_that_is_not_here_is_refused(message: tuple[object, ...], req_id: str) -> None:
    """Nothing is told of another account, now or after a fill."""
    opened = an_open_floor()
    client = seated(opened)

    assert [frame[2:4] for frame in client.ask(*message)] == [[req_id, "321"]]
    later = client.ask(*place_order(1, contract(opened, a_future(opened)), limit="30.0"))
    assert not {frame[0] for frame in later} & {"6", "73"}
