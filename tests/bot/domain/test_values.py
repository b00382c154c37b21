"""Small value types: checks, instruments, ticks, fees, quotes, modes, commands, plans, readings, snapshots."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import checks
from bot.domain.command import Ack, AckStage, Challenge, Channel, Command, CommandName, Proof, Role
from bot.domain.errors import AlvhError, ConfigError, HistoryError, IllegalTransitionError, InvalidValueError
from bot.domain.events import TimerElapsed
from bot.domain.fees import FeeSchedule, up_to_cent
from bot.domain.instrument import RVX, SPX, VIX, Instrument, Kind, Right, Side, index
from bot.domain.market import DataType, ModelGreeks, Quote, Tick
from bot.domain.mode import TradingMode, strictest
from bot.domain.plan import Candidate
from bot.domain.readings import DispersionReading, Episode, SignalState
from bot.domain.snapshot import Standing
from bot.domain.ticks import TickTable
from tests.builders import (
    NOON,
    NOVEMBER,
    Scenery,
    a_future,
    a_plan,
    a_quote,
    an_intent,
    an_option,
    buys,
    spread_legs,
    vix_call,
)

NAIVE = datetime(2026, 10, 20, 12, 0)  # noqa: DTZ001 - a naive time is what these tests refuse


# checks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (checks.require_finite, 0.0, math.nan),
        (checks.require_finite, Decimal(-5), Decimal("Infinity")),
        pytest.param(checks.require_finite, 10**300, 10**400, id="an integer beyond any float"),
        (checks.require_positive, 1e-9, 0.0),
        (checks.require_positive, Decimal(1), math.inf),
        (checks.require_not_negative, 0.0, -1e-9),
        (checks.require_not_negative, Decimal(0), Decimal("NaN")),
        (checks.require_frac, 0.0, -1e-9),
        (checks.require_frac, 1.0, 1.0 + 1e-9),
        (checks.require_frac, 0.5, math.nan),
    ],
)
def test_numbers_outside_their_range_are_named(
    check: Callable[..., None], good: float | Decimal, bad: float | Decimal
) -> None:
    """The good one passes, the bad one is refused with its name."""
    check(size=good)
    with pytest.raises(InvalidValueError, match="size must"):
        check(size=bad)


def test_empty_texts_and_naive_times_are_named() -> None:
    """A text must not be empty, a moment must carry a zone."""
    checks.require_text(name="x")
    checks.require_aware(at=NOON)
    with pytest.raises(InvalidValueError, match="name must not be empty"):
        checks.require_text(name="")
    with pytest.raises(InvalidValueError, match="at must carry a time zone"):
        checks.require_aware(at=NAIVE)


def test_errors_say_what_to_do_next() -> None:
    """Every error is the project's own; a value error is one for Python as well."""
    assert issubclass(InvalidValueError, ValueError)
    assert issubclass(HistoryError, ConfigError)
    assert issubclass(IllegalTransitionError, AlvhError)


# instruments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "key"),
    [
        (RVX, "IND:RVX"),
        (a_future("VXM", date(2015, 6, 17)), "FUT:VXM:2015-06-17"),
        (vix_call("20", date(2015, 6, 17)), "OPT:VIX:2015-06-17:20:C"),
        (vix_call("20.0", date(2015, 6, 17)), "OPT:VIX:2015-06-17:20:C"),
        (an_option("22.5", right=Right.PUT), "OPT:VIX:2026-11-18:22.5:P"),
        (an_option("6800", trading_class="SPXW"), "OPT:SPXW:2026-11-18:6800:C"),
    ],
)
def test_an_instrument_is_named_by_what_it_is(instrument: Instrument, key: str) -> None:
    """The key is canonical: equal contracts have equal names, however their strike was written."""
    assert instrument.key == key


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": Kind.OPTION, "settlement": None, "last_trade": None}, "carry both dates"),
        ({"kind": Kind.OPTION, "last_trade": None}, "carry both dates"),
        ({"kind": Kind.INDEX}, "carry both dates"),
        ({"kind": Kind.OPTION, "strike": None}, "strike and right"),
        ({"kind": Kind.OPTION, "right": None}, "strike and right"),
        ({"kind": Kind.FUTURE}, "strike and right"),
        ({"kind": Kind.OPTION, "strike": Decimal(0)}, "strike must be positive"),
        ({"kind": Kind.OPTION, "strike": Decimal("NaN")}, "strike must be finite"),
        ({"kind": Kind.OPTION, "last_trade": date(2026, 11, 19)}, "after settling"),
        ({"kind": Kind.OPTION, "multiplier": 0}, "multiplier"),
        ({"kind": Kind.OPTION, "symbol": ""}, "symbol"),
    ],
)
def test_a_contract_that_could_not_exist_is_refused(changes: dict[str, object], words: str) -> None:
    """Options carry dates, strike and right; futures dates alone; indices nothing."""
    whole: dict[str, object] = {
        "symbol": "VIX",
        "trading_class": "VIX",
        "exchange": "CBOE",
        "settlement": NOVEMBER,
        "last_trade": date(2026, 11, 17),
        "strike": Decimal(20),
        "right": Right.CALL,
    }
    with pytest.raises(InvalidValueError, match=words):
        Instrument(**(whole | changes))  # type: ignore[arg-type]  # wrong values on purpose


def test_sides_have_a_sign_and_an_opposite() -> None:
    """A purchase adds, a sale takes."""
    assert [(side.sign, side.opposite) for side in Side] == [(1, Side.SELL), (-1, Side.BUY)]
    assert index("VVIX").exchange == "CBOE"


# ticks ------------------------------------------------------------------------------------------------------------

TICKS = TickTable()


@pytest.mark.parametrize(
    ("trading_class", "price", "increment"),
    [
        ("VIX", "2.99", "0.01"),
        ("VIX", "3.00", "0.05"),
        ("VIX", "-3.00", "0.05"),
        ("VIXW", "9.99", "0.01"),
        ("VX", "0", "0.05"),
        ("VXM", "20", "0.01"),
        ("SPX", "2.95", "0.05"),
        ("SPXW", "3", "0.10"),
    ],
)
def test_increments_depend_on_class_and_price(trading_class: str, price: str, increment: str) -> None:
    """The edge of a row belongs to the row above it; a negative price has the increment of its size."""
    assert TICKS.increment(trading_class, Decimal(price)) == Decimal(increment)


def test_a_combo_has_a_grid_of_its_own() -> None:
    """VIX spreads are priced in cents at any net price, SPX spreads in nickels; the coarsest of a mixture counts."""
    assert TICKS.increment_of(spread_legs(), Decimal("4.00")) == Decimal("0.01")
    mixed = (buys(vix_call(20)), buys(an_option(6800, trading_class="SPX")))
    assert TICKS.increment_of(mixed, Decimal("4.00")) == Decimal("0.05")
    assert TICKS.increment_of((buys(vix_call(20)),), Decimal("4.00")) == Decimal("0.05")


@pytest.mark.parametrize("legs", [(buys(an_option(20, trading_class="ABC")),), (buys(vix_call(20)), buys(a_future()))])
def test_what_has_no_known_grid_cannot_be_priced(legs: tuple[object, ...]) -> None:
    """An unknown class, or a combo of classes without a net grid, is an error."""
    with pytest.raises(InvalidValueError, match="tick known for"):
        TICKS.increment_of(legs, Decimal(1))  # type: ignore[arg-type]  # legs of a table


@given(cents=st.integers(-100_000, 100_000).map(lambda number: Decimal(number) / 1000))
def test_rounding_reaches_the_grid_on_its_own_side(cents: Decimal) -> None:
    """Rounded up or down, a price is on the grid, less than a tick away, and on the side that was asked for."""
    legs = spread_legs()
    above, below = TICKS.rounded_up(legs, cents), TICKS.rounded_down(legs, cents)
    assert TICKS.is_on_tick(legs, above)
    assert TICKS.is_on_tick(legs, below)
    assert 0 <= above - cents < TICKS.increment_of(legs, cents)
    assert 0 <= cents - below < TICKS.increment_of(legs, cents)


@pytest.mark.parametrize(
    "changes",
    [
        {"outright": {"VIX": ()}},
        {"outright": {"VIX": ((Decimal(1), Decimal("0.01")),)}},
        {"outright": {"VIX": ((Decimal(0), Decimal("0.01")), (Decimal(5), Decimal(1)), (Decimal(3), Decimal(2)))}},
        {"outright": {"VIX": ((Decimal(0), Decimal(0)),)}},
        {"combo": {"VIX": Decimal(0)}},
    ],
)
def test_a_tick_table_with_holes_is_refused(changes: dict[str, object]) -> None:
    """Rows ascend from zero and every increment is positive."""
    with pytest.raises(InvalidValueError, match="VIX"):
        TickTable(**changes)  # type: ignore[arg-type]  # wrong values on purpose


# fees -------------------------------------------------------------------------------------------------------------


def test_fees_are_counted_for_every_leg_and_contract() -> None:
    """Two legs at 1.30, three units: 7.80; an unlisted class pays the highest."""
    fees = FeeSchedule()
    assert fees.of_intent(an_intent(), 3) == Decimal("7.80")
    assert fees.of_legs((buys(a_future("VX"), 2),)) == Decimal("5.00")
    assert fees.of_contract("ABC", Kind.OPTION) == Decimal("1.50")
    assert fees.of_contract("ABC", Kind.FUTURE) == Decimal("3.00")


@pytest.mark.parametrize(("amount", "cents"), [("1.231", "1.24"), ("1.23", "1.23"), ("0", "0.00"), ("-1.239", "-1.23")])
def test_amounts_are_rounded_up_to_a_cent(amount: str, cents: str) -> None:
    """A cost is never understated."""
    assert up_to_cent(Decimal(amount)) == Decimal(cents)


@pytest.mark.parametrize(
    "changes", [{"per_contract_usd": {"VIX": Decimal(-1)}}, {"otherwise_option_usd": Decimal("NaN")}]
)
def test_negative_fees_are_refused(changes: dict[str, object]) -> None:
    """Nobody pays us for trading."""
    with pytest.raises(InvalidValueError, match="must"):
        FeeSchedule(**changes)  # type: ignore[arg-type]  # wrong values on purpose


# quotes and ticks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bid", "ask", "two_sided"),
    [
        (1.0, 1.1, True),
        (1.0, 1.0, True),
        (0.0, 0.1, True),
        (0.0, 0.0, False),
        (1.1, 1.0, False),
        (-0.1, 1.0, False),
        (None, 1.0, False),
        (1.0, None, False),
        (1.0, math.inf, False),
        (math.nan, 1.0, False),
    ],
)
def test_a_two_sided_quote(bid: float | None, ask: float | None, two_sided: bool) -> None:  # noqa: FBT001 - a table
    """Both sides present, finite, in order, and something is asked."""
    quote = a_quote(vix_call(20), bid, ask)
    assert quote.is_two_sided is two_sided
    assert isinstance(quote, Quote)


def test_middle_and_width_of_a_quote() -> None:
    """Half-way between the sides; not a number where a side is missing."""
    quote = a_quote(vix_call(20), 1.0, 1.5)
    assert (quote.mid, quote.width) == (1.25, 0.5)
    for one_sided in (a_quote(vix_call(20), None, 1.5), a_quote(vix_call(20), 1.5, None)):
        assert math.isnan(one_sided.mid)
        assert math.isnan(one_sided.width)


def test_a_tick_tells_what_it_holds() -> None:
    """For logs and failing tests."""
    assert repr(Tick(VIX.key, 18.5, 7, DataType.DELAYED)) == "Tick(IND:VIX 18.5 at 7 DELAYED)"


# modes and commands -----------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(TradingMode)))
def test_the_strictest_demand_holds(demands: list[TradingMode]) -> None:
    """No demand means NORMAL; otherwise the largest."""
    assert strictest(demands) is (max(demands) if demands else TradingMode.NORMAL)


def test_commands_tighten_loosen_or_ask() -> None:
    """No command does two of these."""
    tightening = {name for name in CommandName if name.only_tightens}
    loosening = {name for name in CommandName if name.loosens}
    assert tightening == {CommandName.KILL, CommandName.PAUSE, CommandName.REDUCE_ONLY}
    assert loosening == {
        CommandName.RESUME,
        CommandName.ARM,
        CommandName.APPROVE,
        CommandName.FLATTEN,
        CommandName.UNLOCK,
        CommandName.LIMIT,
        CommandName.GLOBAL_CANCEL,
        CommandName.OVERRIDE,
    }
    assert {name for name in CommandName if name.is_signed_always} == loosening - {CommandName.LIMIT} | {
        CommandName.VETO,
        CommandName.FLATTEN_PLAN,
    }


def _command(**changes: object) -> Command:
    whole: dict[str, object] = {
        "name": CommandName.KILL,
        "command_id": "c-1",
        "channel": Channel.MQTT,
        "proof": Proof.SIGNED,
        "received_at": NOON,
        "reason": "test",
        "roles": frozenset({Role.KILL}),
    }
    return Command(**(whole | changes))  # type: ignore[arg-type]  # test shorthand


def test_a_command_came_at_an_aware_time() -> None:
    """A naive receive time is refused; a command without seq, epoch or challenge proves nothing by itself."""
    command = _command()
    assert (command.seq_is_fresh, command.kill_epoch, command.challenge) == (False, -1, "")
    with pytest.raises(InvalidValueError, match="received_at"):
        _command(received_at=NAIVE)


def test_answers_are_values() -> None:
    """An ack names its command and stage; a challenge its epoch."""
    assert Ack(command_id="c-1", stage=AckStage.LATCHED).code == ""
    assert Challenge(epoch=3, value="ab", issued_at=NOON, expires_at=NOON).epoch == 3
    assert TimerElapsed(at=NOON) == TimerElapsed(at=NOON)


# plans, readings, snapshots ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("payoff", "ratio"), [(160.0, 0.5), (0.0, math.inf), (-5.0, math.inf)])
def test_cost_per_payoff(payoff: float, ratio: float) -> None:
    """What gains nothing is infinitely dear."""
    candidate = Candidate(
        name="x",
        legs=spread_legs(),
        limit=Decimal("0.80"),
        exposure_usd_per_point=11.0,
        cost_usd=Decimal(80),
        stress_payoff_usd=payoff,
        quantity=1,
    )
    assert candidate.cost_per_payoff == ratio


def test_a_plan_can_ask_for_other_orders() -> None:
    """The reason is added, the rest stays."""
    plan = a_plan(an_intent())
    other = plan.with_intents([], "nothing fits")
    assert (other.intents, other.reason, other.action) == ((), "test; nothing fits", plan.action)


def _reading(state: SignalState, why: str) -> DispersionReading:
    return DispersionReading(
        state=state,
        why=why,
        rvx=None,
        vix=None,
        spread=None,
        baseline=None,
        excess=None,
        baseline_sessions=0,
        episode=None,
    )


def test_a_reading_says_why_exactly_when_it_is_undefined() -> None:
    """Neither an undefined reading without words nor words without need."""
    assert _reading(SignalState.UNDEFINED, "no tick yet").why
    with pytest.raises(InvalidValueError, match="says why"):
        _reading(SignalState.UNDEFINED, "")
    with pytest.raises(InvalidValueError, match="says why"):
        _reading(SignalState.CALM, "because")
    with pytest.raises(InvalidValueError, match="peak_excess"):
        Episode(began_on=NOVEMBER, peak_excess=math.nan)


def test_a_snapshot_holds_what_a_release_compares() -> None:
    """Version, mode, reconciliation and locks."""
    snapshot = Scenery(condors=0).snapshot()
    assert snapshot.standing == Standing(book_version=1, mode=TradingMode.NORMAL, reconciling=False, locks={})
    assert snapshot.levels[SPX.key] == 6800.0
    assert snapshot.now.astimezone(UTC).tzinfo is UTC


@pytest.mark.parametrize("figures", [{"delta": float("nan"), "theta": -0.1}, {"delta": 0.4, "theta": float("inf")}])
def test_greeks_that_could_not_be_compared_are_refused(figures: dict[str, float]) -> None:
    """A figure of the broker's model that is no number never becomes a value; proper ones are kept as they are."""
    with pytest.raises(InvalidValueError, match="finite"):
        ModelGreeks(**figures)
    assert ModelGreeks(delta=0.4, theta=-0.1).delta == 0.4
