"""Claims about hedge positions that the bot found instead of bought."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.found import FoundSleeve
from bot.domain.instrument import Instrument, Kind, Right, Side
from bot.domain.layer import Layer
from bot.domain.ledger import first_seen
from bot.domain.orders import IntentId, Leg
from bot.domain.portfolio import Cohort, Lot, Position, Provenance

TODAY = date(2026, 10, 19)
SETTLEMENT = date(2026, 11, 18)
CALL = Instrument(
    kind=Kind.OPTION,
    symbol="VIX",
    trading_class="VIX",
    exchange="CBOE",
    multiplier=100,
    settlement=SETTLEMENT,
    last_trade=date(2026, 11, 17),
    strike=Decimal(20),
    right=Right.CALL,
)
FUTURE = Instrument(
    kind=Kind.FUTURE,
    symbol="VIX",
    trading_class="VX",
    exchange="CFE",
    multiplier=1000,
    settlement=SETTLEMENT,
    last_trade=SETTLEMENT,
)
COHORT = Cohort(
    trading_class="SPXW",
    settlement=date(2026, 12, 4),
    opened_on=date(2026, 10, 5),
    credit_usd=Decimal(6800),
    maximum_loss_usd=Decimal(18200),
    provenance=Provenance.OPERATOR,
)


def sleeve(*stated: Lot) -> FoundSleeve:
    """A sleeve whose layers end at 70 and 165 days."""
    return FoundSleeve(
        stated=stated, layer_of=lambda days: Layer.SHORT if days <= 70 else Layer.MEDIUM if days <= 165 else Layer.LONG
    )


def stated(units: int) -> Lot:
    """A stated lot of calls."""
    return Lot(
        lot_id=IntentId("mine"),
        layer=Layer.MEDIUM,
        legs=(Leg(instrument=CALL, side=Side.BUY),),
        units_bought=units,
        units_open=units,
        cost_usd=Decimal(100) * units,
        recovered_usd=Decimal(0),
        bought_on=date(2026, 9, 1),
        expires_on=SETTLEMENT,
    )


def held(quantity: int, cost: str | None = "160.5", instrument: Instrument = CALL) -> Position:
    """A position with the broker's average cost."""
    return Position(instrument=instrument, quantity=quantity, average_cost_usd=None if cost is None else Decimal(cost))


def test_an_unstated_position_counts_at_the_brokers_average_cost() -> None:
    """Ten calls at 160.50 each are a lot of 1,605, estimated, in the short layer, from the first day of the condors."""
    (lot,) = sleeve().lots([held(10)], [COHORT], TODAY)
    assert (lot.cost_usd, lot.provenance, lot.layer) == (Decimal("1605.0"), Provenance.ESTIMATED, Layer.SHORT)
    assert (lot.units_open, lot.bought_on, lot.expires_on) == (10, date(2026, 10, 5), SETTLEMENT)


def test_a_found_future_has_an_entry_price_and_no_premium() -> None:
    """The broker's average cost of a future is its value at entry: the lot costs nothing but knows the price."""
    (lot,) = sleeve().lots([held(2, "18850", FUTURE)], [], TODAY)
    assert (lot.cost_usd, lot.entry_price, lot.bought_on) == (Decimal(0), Decimal("18.85"), TODAY)


def test_what_is_no_long_hedge_is_no_lot() -> None:
    """Short contracts, puts, other classes, settled ones and positions without a cost are left out."""
    put = replace(CALL, right=Right.PUT)
    spxw = replace(CALL, symbol="SPX", trading_class="SPXW", strike=Decimal(6000), last_trade=SETTLEMENT)
    rows = [held(-3), held(4, instrument=put), held(5, instrument=spxw), held(6, None, FUTURE)]
    assert sleeve().lots(rows, [COHORT], TODAY) == ()
    assert sleeve().lots([held(3)], [COHORT], SETTLEMENT) == ()


@given(st.integers(1, 50), st.integers(0, 50))
def test_stated_and_estimated_lots_together_are_what_is_held(said: int, quantity: int) -> None:
    """A statement covers at most what is held, and the rest is estimated: no contract counts twice, none is lost."""
    positions = [held(quantity)] if quantity else []
    lots = sleeve(stated(said)).lots(positions, [COHORT], TODAY)
    assert sum(lot.units_open for lot in lots) == quantity
    assert lots[0].units_open == min(said, quantity)
    assert lots[0].cost_usd == Decimal(100) * said


def test_a_found_lot_keeps_the_layer_of_the_day_it_was_found() -> None:
    """Calls found 100 days before settlement are of the medium layer, also at 30 days; unknown ones are found today."""
    found_on = date(2026, 8, 10)
    (kept,) = sleeve().lots([held(10)], [COHORT], TODAY, {CALL.key: found_on})
    (fresh,) = sleeve().lots([held(10)], [COHORT], TODAY, {})
    assert (kept.layer, fresh.layer) == (Layer.MEDIUM, Layer.SHORT)


def test_a_position_is_first_seen_once() -> None:
    """What was known keeps its day, what is new has today's, and what has gone is forgotten."""
    known = {CALL.key: date(2026, 8, 10), "gone": date(2026, 8, 1)}
    assert first_seen(known, [held(10), held(1, instrument=FUTURE)], TODAY) == {  # type: ignore[arg-type]  # a key
        CALL.key: date(2026, 8, 10),
        FUTURE.key: TODAY,
    }
