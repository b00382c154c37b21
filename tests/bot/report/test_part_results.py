"""What each part is worth and has brought in cash, from rows made by hand (M15)."""

import pytest

from bot.domain.instrument import SPY
from bot.domain.parts import Part
from bot.report.evidence.results import Results, Standing
from tests.bot.report.compared_rows import (
    BASE_CALL,
    CONDOR,
    FUTURE,
    OVERLAY_CALL,
    Rows,
    plain,
    session_day,
    two_sessions,
)
from tests.builders import vix_call


def at_end(results: Results) -> dict[Part, Standing]:
    """The parts at the last counted sample."""
    return dict(results.ends[max(results.ends)].parts)


def test_premiums_proceeds_and_fees_are_the_cash_of_the_part_that_traded() -> None:
    """The overlay has paid 200, received 240 and paid fees of 6; the others have moved no cash."""
    parts = at_end(two_sessions().results())
    assert parts[Part.OVERLAY] == Standing(worth_usd=0.0, cash_usd=34.0, fees_usd=6.0)
    assert parts[Part.BASE] == Standing(worth_usd=800.0, cash_usd=0.0, fees_usd=0.0)
    assert parts[Part.CONDORS] == Standing(worth_usd=-12_000.0, cash_usd=0.0, fees_usd=0.0)


def test_the_session_ends_with_its_last_counted_sample() -> None:
    """A later sample in which something has no middle, or SPX no level, is left out and counted."""
    rows = Rows().sample(base={BASE_CALL: (1, 100.0)}).sample(base={BASE_CALL: (1, 110.0)})
    rows.sample(base={BASE_CALL: (1, None)}).sample(base={BASE_CALL: (1, 120.0)}, spx=None)
    results = rows.results()
    assert at_end(results)[Part.BASE].worth_usd == 110.0
    assert (results.counted, results.left_out, results.without) == (2, 2, 0)


def test_what_a_future_gains_is_cash_of_its_day() -> None:
    """Bought at 19.50, marked at 20.00, sold at 20.50: 500 by the first session, 1,000 by the second, worth nothing."""
    rows = Rows().sample().trade(FUTURE, 1, "19.50").sample(overlay={FUTURE: (1, 20_000.0)})
    rows.on(1).trade(FUTURE, -1, "20.50").sample()
    results = rows.results()
    ends = [results.ends[session_day(number)].parts[Part.OVERLAY] for number in (0, 1)]
    assert [(end.worth_usd, end.cash_usd) for end in ends] == [(0.0, 500.0), (0.0, 1000.0)]


def test_a_future_found_at_the_start_earns_from_its_first_middle_on() -> None:
    """What it had gained before is not the run's."""
    results = Rows().sample(base={FUTURE: (2, 18_000.0)}).on(1).sample(base={FUTURE: (2, 17_900.0)}).results()
    assert at_end(results)[Part.BASE].cash_usd == -200.0


def test_what_goes_without_an_execution_goes_at_its_last_middle() -> None:
    """Condors expire after a sample that was left out but knew their middle: nothing is lost or won by their going."""
    rows = Rows().sample(condors={CONDOR: (-10, 1000.0)}).sample(condors={CONDOR: (-10, 40.0)}, spx=None)
    results = rows.on(1).sample().results()
    assert at_end(results)[Part.CONDORS] == Standing(worth_usd=0.0, cash_usd=-400.0, fees_usd=0.0)
    assert results.moved == 1


def test_a_future_that_settles_keeps_what_it_gained() -> None:
    """Two thousand gained up to its last middle, whether sold or settled."""
    results = Rows().sample(base={FUTURE: (1, 18_000.0)}).sample(base={FUTURE: (1, 20_000.0)}).on(1).sample().results()
    assert at_end(results)[Part.BASE].cash_usd == 2000.0
    assert results.moved == 1


def test_what_was_traded_and_is_gone_goes_at_its_last_middle_else_at_its_price() -> None:
    """An execution is no middle: it counts as one only for what no sample has ever shown."""
    rows = Rows().sample(base={BASE_CALL: (4, 150.0)})
    rows.trade(BASE_CALL, 1, "1.70", layer="short").trade(OVERLAY_CALL, 2, "0.90")
    parts = at_end(rows.on(1).sample().results())
    assert parts[Part.BASE].cash_usd == -170.0 + 5 * 150.0
    assert parts[Part.OVERLAY].cash_usd == 0.0


def test_what_comes_without_an_execution_comes_at_its_middle() -> None:
    """A transfer into the account is no gain."""
    results = Rows().sample().sample(base={BASE_CALL: (3, 150.0)}).results()
    assert at_end(results)[Part.BASE] == Standing(worth_usd=450.0, cash_usd=-450.0, fees_usd=0.0)


def test_executions_before_the_first_counted_sample_are_its_past() -> None:
    """Everything begins at the middles of the first sample that says everything; a fee told later is still paid."""
    rows = Rows().trade(OVERLAY_CALL, 2, "1.00", fee="3.00").sample(overlay={OVERLAY_CALL: (2, None)})
    rows.sample(overlay={OVERLAY_CALL: (2, 90.0)}).add("commission_booked", exec_id="e-1", commission_usd="3.50")
    rows.on(1).sample(overlay={OVERLAY_CALL: (2, 95.0)})
    assert at_end(rows.results())[Part.OVERLAY] == Standing(worth_usd=190.0, cash_usd=-0.5, fees_usd=0.5)


def test_an_execution_and_its_fee_count_once_in_whatever_order_they_are_told() -> None:
    """Told again after a restart, the fee before the execution and once more by the broker's books."""
    rows = Rows().sample().add("commission_booked", exec_id="e-1", commission_usd="1.50")
    rows.trade(OVERLAY_CALL, 1, "1.00").add("books_reconciled", commissions={"e-1": "1.50"})
    repeated = rows.told[-2]
    rows.add(repeated.kind, **repeated.facts).sample(overlay={OVERLAY_CALL: (1, 100.0)})
    assert at_end(rows.results())[Part.OVERLAY] == Standing(worth_usd=100.0, cash_usd=-101.5, fees_usd=1.5)


@pytest.mark.parametrize("in_order", [True, False])
def test_a_correction_takes_the_place_of_the_first_execution(*, in_order: bool) -> None:
    """One call at 1.20 with a fee of 2 instead of two at 1.00 with a fee of 3, in whatever order the two are told."""
    first, second = (2, "1.00", "3.00", "a.b.01.01"), (1, "1.20", "2.00", "a.b.01.02")
    rows = Rows().sample()
    for contracts, price, fee, exec_id in (first, second) if in_order else (second, first):
        rows.trade(OVERLAY_CALL, contracts, price, fee=fee, exec_id=exec_id)
    rows.sample(overlay={OVERLAY_CALL: (1, 120.0)})
    results = rows.results()
    assert at_end(results)[Part.OVERLAY] == Standing(worth_usd=120.0, cash_usd=-122.0, fees_usd=2.0)
    assert results.moved == 0


def test_the_net_of_a_combo_moves_nothing_because_its_legs_do() -> None:
    """A spread at 0.59 is its legs at 1.02 and 0.43; what the broker charges on the net is a fee all the same."""
    rows = (
        Rows().sample().add("order_prepared", intent={"intent_id": "c", "purpose": "overlay_build", "layer": "overlay"})
    )
    legs = (("combo", None, "BUY", "0.59"), ("leg", vix_call(22), "BUY", "1.02"), ("leg", vix_call(27), "SELL", "0.43"))
    for number, (part, instrument, side, price) in enumerate(legs):
        fill = {"exec_id": f"x-{number}", "order_ref": "c", "part": part, "side": side, "quantity": 9, "price": price}
        rows.add("order_filled", fill={**fill, "instrument": None if instrument is None else plain(instrument)})
    rows.add("commission_booked", exec_id="x-0", commission_usd="0.25")
    rows.sample(overlay={vix_call(22): (9, 102.0), vix_call(27): (-9, 43.0)})
    standing = at_end(rows.results())[Part.OVERLAY]
    assert standing.worth_usd == 9 * 59.0
    assert standing.cash_usd == pytest.approx(-9 * 59.0 - 0.25)


@pytest.mark.parametrize(
    ("layer", "part"), [("short", Part.BASE), ("long", Part.BASE), ("overlay", Part.OVERLAY), (None, Part.BASE)]
)
def test_an_execution_belongs_to_the_layer_of_its_order(layer: str | None, part: Part) -> None:
    """A stranger's VIX call is base, as everything of the hedge that the bot did not buy for the overlay."""
    rows = Rows().sample().trade(OVERLAY_CALL, 1, "1.00", layer=layer)
    rows.sample(**{part.value: {OVERLAY_CALL: (1, 100.0)}})  # type: ignore[arg-type]  # the name of a part
    parts = at_end(rows.results())
    assert {each: one.cash_usd for each, one in parts.items() if one.cash_usd} == {part: -100.0}


def test_a_strangers_condors_are_condors_and_his_shares_nobodys() -> None:
    """A credit of 5 points is 500; shares change no part."""
    rows = Rows().sample().trade(CONDOR, -1, "5.00", layer=None).trade(SPY, 100, "680.00", layer=None)
    parts = at_end(rows.sample(condors={CONDOR: (-1, 500.0)}).results())
    assert {each: one.cash_usd for each, one in parts.items()} == {
        Part.CONDORS: 500.0,
        Part.BASE: 0.0,
        Part.OVERLAY: 0.0,
    }


def test_a_journal_of_an_earlier_version_has_no_results() -> None:
    """Samples that do not say what was held are counted and give no moment."""
    results = Rows().add("sample_taken", spx=6800.0).add("sample_taken", spx=6800.0).results()
    assert (results.first, results.without, results.counted) == (None, 2, 0)
