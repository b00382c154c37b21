"""Programs of four client libraries, each in its own environment, against `alvh gateway` as a process.

`make setup-clients` makes the environments, `make test-clients` runs this. The programs know nothing of the gateway but
its port; what they print is what is judged.
"""

from pathlib import Path
from typing import Any

import pytest
from gateway_process import Steps, a_gateway, walked

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

_OWN_BOOK = """
cash_usd = 500000.0

[[position]]
kind = "STK"
symbol = "QQQ"
quantity = 30
"""
_MASTER = ("--book", "mixed", "--master", "99")


@pytest.mark.parametrize("library", ["ib_async", "ib_insync"])
def test_a_program_of_the_asyncio_libraries_walks_through(library: str, tmp_path: Path) -> None:
    """Account, contracts, data, bars, all kinds of orders, books and several clients, as the library sees them."""
    with a_gateway(tmp_path) as port:
        steps = walked(library.replace("_", "-"), port, "ib_walk.py", library)

    assert steps["connect"]["version"] == 176
    assert_asked(steps)
    assert_data(steps)
    assert_orders(steps)
    assert_clients(steps)
    assert "done" in steps


def assert_asked(steps: Steps) -> None:
    """Account and contracts."""
    account, contracts = steps["account"], steps["contracts"]
    assert account["accounts"] == ["DU1234567"]
    assert float(account["net"]) > 0
    assert account["positions"] == account["portfolio"] != []
    assert account["now"].startswith("2026-10-19 14:0")
    assert contracts["vix"] > 0
    assert (contracts["futures"] > 2, contracts["hours"], contracts["rule"] != []) == (True, True, True)
    assert {tuple(row)[1] for row in contracts["chains"]} == {"SPX", "SPXW"}
    assert "SPY" in contracts["matches"]


def assert_data(steps: Steps) -> None:
    """Streams with greeks, snapshots, bars, and a scanner that is refused while the connection goes on."""
    stream = steps["stream"]
    assert 0 < stream["bid"] < stream["ask"]
    assert stream["moved"] is True
    assert 0.05 < stream["iv"] < 1.0
    assert 0.3 < stream["delta"] < 0.7
    assert (stream["gamma"] > 0, stream["vega"] > 0, stream["theta"] < 0) == (True, True, True)
    assert 0 < steps["snapshot"]["bid"] < steps["snapshot"]["ask"]
    history = steps["history"]
    assert (history["days"], history["minutes"] >= 30, history["head"]) == (10, True, True)
    assert (steps["realtime_bars"]["came"], steps["tick_by_tick"]["came"]) == (True, True)
    assert steps["scanner"] == {"step": "scanner", "codes": [162], "alive": True}


def assert_orders(steps: Steps) -> None:
    """What-if, change, cancel, market, bracket, OCA and algorithms."""
    assert steps["what_if"]["commission"] > 0
    assert float(steps["what_if"]["margin"]) > 0
    modify, market = steps["modify"], steps["market"]
    assert (modify["placed"], len(modify["changed"]), modify["cancelled"]) == ("Submitted", 1, "Cancelled")
    assert (market["status"], market["filled"], market["commission"] > 0) == ("Filled", 10.0, True)
    assert steps["bracket"]["statuses"][0] == "Submitted"
    assert steps["bracket"]["statuses"][2] == "PreSubmitted"
    assert steps["bracket"]["after"] == ["Cancelled"] * 3
    assert steps["oca"]["statuses"] == ["Submitted", "Submitted"]
    assert set(steps["algos"]["statuses"]) <= {"Submitted", "PreSubmitted"}
    assert (steps["pnl"]["spy"], steps["pnl"]["single"] > 0) == (10.0, True)
    assert (steps["books"]["executions"], "Filled" in steps["books"]["completed"]) == (1, True)


def assert_clients(steps: Steps) -> None:
    """The id in use, two clients at once, and the return with the order that stayed."""
    assert steps["id_in_use"]["codes"] == [326]
    assert "stays" in steps["several_clients"]["seen"]
    assert len(set(steps["several_clients"]["times"])) == 1
    assert steps["reconnect"] == {"step": "reconnect", "open": ["stays"], "fills": 1}
    assert steps["global_cancel"]["open"] == []


@pytest.mark.parametrize(("name", "version"), [("ibapi", 157), ("nautilus-ibapi", 176)])
def test_a_program_of_the_official_client_walks_through(name: str, version: int, tmp_path: Path) -> None:
    """The old official client speaks 157, the new one 176; both see the same gateway."""
    with a_gateway(tmp_path) as port:
        steps = walked(name, port, "ibapi_walk.py")

    assert (steps["connect"]["version"], steps["connect"]["account"]) == (version, "DU1234567")
    assert float(steps["account"]["net"]) > 0
    assert steps["contracts"]["chains"] == ["SPX", "SPXW"]
    data, orders = steps["data"], steps["orders"]
    assert (data["bid"] > 0, data["days"], data["scanner"]) == (True, 10, [162])
    assert (data["snapshot"], data["bars"], data["ticks"]) == (True, True, True)
    assert (orders["placed"], orders["changed"], orders["cancelled"]) == ("Submitted", True, "Cancelled")
    assert float(orders["margin"]) > 0
    assert steps["market"] == {"step": "market", "status": "Filled", "executions": 1, "commission": True}
    assert set(steps["algos"]["statuses"]) <= {"Submitted", "PreSubmitted"}
    assert steps["bracket"]["statuses"] == ["Submitted", "PreSubmitted"]
    assert steps["oca"]["status"] == "Submitted"
    assert (steps["books"]["single"], steps["books"]["completed"]) == (True, 2)
    assert steps["clients"] == {"step": "clients", "in_use": True, "seen": [11]}
    assert (steps["reconnect"]["open"], steps["reconnect"]["cancelled"]) == (6, True)


@pytest.mark.parametrize("library", ["ib_async", "ib_insync"])
def test_a_program_of_the_asyncio_libraries_asks_for_the_rest(library: str, tmp_path: Path) -> None:
    """Clocks, ticks, bars that go on, depth, options, combos, filters, the account, and whose orders an id hears of."""
    with a_gateway(tmp_path, *_MASTER) as port:
        steps = walked(library.replace("_", "-"), port, "ib_more.py", library)

    assert_clock(steps["clock"])
    found = steps["looking_up"]
    assert (found["anywhere"], found["same"], found["unknown"], found["found"]) == (1, True, False, ["INTC"])
    assert (found["pairs"], found["yen"]) == ([True] * 7, 201)
    bars, depth, past, options = steps["updating_bars"], steps["depth"], steps["past_ticks"], steps["options"]
    assert (bars["first"] >= 60, bars["more"] >= 2, bars["new"]) == (True, True, True)
    assert depth["bids"] == sorted(depth["bids"], reverse=True)
    assert depth["asks"] == sorted(depth["asks"])
    assert 0 < depth["bids"][0] < depth["asks"][0]
    assert depth["exchanges"] > 0
    assert steps["tick_by_tick"]["kinds"] == ["TickByTickAllLast", "TickByTickMidPoint"]
    assert past["counts"] == {"TRADES": 20, "BID_ASK": 20, "MIDPOINT": 20}
    assert (past["in_time"], past["sessions"] > 0) == (True, True)
    assert all(-0.7 < delta < -0.3 for delta in options["deltas"])
    assert (options["sides"], options["interest"] > 0, 0.05 < options["implied"] < 1.0) == ([True] * 2, True, True)
    assert_executions(steps)
    account = steps["account"]
    assert (account["portfolio"] > 1, account["position"], account["pnl_single"] > 0) == (True, 203.0, True)
    assert_ids(steps)
    assert (steps["scanner"]["rows"], steps["scanner"]["parameters"]) == (0, "<?xml")
    assert "done" in steps


@pytest.mark.parametrize("name", ["ibapi", "nautilus-ibapi"])
def test_a_program_of_the_official_client_asks_for_the_rest(name: str, tmp_path: Path) -> None:
    """The same with the old and the new official client, as their callbacks tell it."""
    with a_gateway(tmp_path, *_MASTER) as port:
        steps = walked(name, port, "ibapi_more.py")

    assert_clock(steps["clock"])
    streams, options = steps["streams"], steps["options"]
    assert streams["first"] >= 60
    assert (streams["updated"], streams["depth"], streams["exchanges"], streams["ticks"]) == (*[True] * 3, [True] * 3)
    assert (steps["past"]["counts"], steps["past"]["head"]) == ([20, 20, 20], True)
    samples = steps["samples"]
    assert (samples["snapshot"], samples["rules"], samples["pair"]) == (True, [True, True], True)
    assert samples["refused"] == [[162], [10276]]
    implied, delta, *_, under = options["model"]
    assert (0.05 < implied < 1.0, -0.7 < delta < -0.3, under > 1000) == (True, True, True)
    assert [options[what] for what in ("interest", "snapshot", "snapshot_greeks", "implied")] == [True] * 4
    assert_executions(steps)
    assert [steps["account"][what] for what in ("spy", "ready", "same", "values")] == [True] * 4
    assert_ids(steps)
    assert "done" in steps


def assert_clock(clock: dict[str, Any]) -> None:
    """Ten in New York of the first day; the session is that day's and the last bar is of this minute."""
    assert clock["local"] == "2026-10-19 10"
    assert clock["session"] == "20261019:0930-20261019:1600"
    assert 0 <= clock["bar_age_s"] <= 120
    assert clock["zone"] == "US/Eastern"


def assert_executions(steps: Steps) -> None:
    """A combo fills by its legs, filters keep what fits, a fill bears the gateway's time, a far limit rests."""
    assert (steps["combo"]["status"], steps["combo"]["kinds"]) == ("Filled", ["BAG", "OPT", "OPT"])
    executions = steps["executions"]
    assert executions["counts"] == {"symbol": 1, "side": 0, "client": 0, "time": 0}
    assert executions["time"] == "20261019 10"
    assert executions["resting"] == "Submitted"


def assert_ids(steps: Steps) -> None:
    """The master hears of another's order, others do not and cannot cancel it; a global cancel reaches it."""
    ids = steps["ids"]
    assert (ids["master"], ids["other"], ids["zero"]) == (["watched"], [], [])
    assert ids["codes"] == [135]
    assert steps["global_cancel"]["status"] == "Cancelled"


def test_an_account_opens_with_each_kind_of_book(tmp_path: Path) -> None:
    """Flat, the condors with their calls, shares beside them, or what a file says: a client sees the positions."""
    stated = tmp_path / "own.toml"
    stated.write_text(_OWN_BOOK)
    found = {}
    for book in ("flat", "condor", "mixed", str(stated)):
        with a_gateway(tmp_path, "--book", book) as port:
            found[book] = walked("ib-async", port, "ib_book.py", "ib_async")["book"]

    condor = {"OPT SPXW": 160.0, "OPT VIX": 40.0}
    assert [found[book]["held"] for book in ("flat", "condor", "mixed")] == [{}, condor, {**condor, "STK SPY": 200.0}]
    assert found[str(stated)]["held"] == {"STK QQQ": 30.0}
    assert all(book["worth"] > 0 for book in found.values())
    assert found["flat"]["worth"] == found["flat"]["cash"]
