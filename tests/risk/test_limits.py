"""What limits can be set, and what can only be tightened."""

from dataclasses import fields
from decimal import Decimal

import pytest

from bot.domain.errors import InvalidValueError
from risk.limits import RiskLimits


def test_defaults_are_the_methodologys() -> None:
    """The numbers of the methodology hold where nobody sets others."""
    limits = RiskLimits()
    assert (limits.max_hedge_cost_frac, limits.neutrality_band_frac) == (Decimal("0.40"), 0.05)
    assert (limits.neutrality_de_minimis_frac, limits.neutrality_step_frac) == (0.10, 0.50)
    assert (limits.max_mean_reversion_loss_frac, limits.max_worst_loss_frac) == (Decimal("0.02"), Decimal("0.05"))
    assert (limits.max_margin_frac, limits.max_gross_leverage) == (Decimal("0.50"), Decimal(2))
    assert limits.future_margin_frac == Decimal("0.50")
    assert (limits.max_wing_rise_frac, limits.max_loss_rise_frac, limits.break_even_moves) == (0.20, 0.20, 1.0)
    assert (limits.max_day_loss_frac, limits.max_week_loss_frac) == (Decimal("0.02"), Decimal("0.04"))
    assert (limits.max_drawdown_frac, limits.max_day_slippage_frac) == (Decimal("0.10"), Decimal("0.005"))
    assert (limits.max_repeats_per_day, limits.max_options, limits.max_futures) == (5, 2000, 40)
    assert (limits.max_instruments, limits.permitted_exchanges) == (40, {"BATS", "CBOE", "CFE"})
    assert limits.permitted_classes == {"VIX", "VIXW", "VX", "VXM", "SPX", "SPXW"}


def test_the_cost_cap_may_be_lowered_but_not_raised() -> None:
    """A cap below 40 % is accepted, one above it refused with the reason."""
    assert RiskLimits(max_hedge_cost_frac=Decimal("0.10")).max_hedge_cost_frac == Decimal("0.10")
    with pytest.raises(InvalidValueError, match=r"max_hedge_cost_frac may be lowered, never raised above 0\.40"):
        RiskLimits(max_hedge_cost_frac=Decimal("0.4001"))


HIGHEST: dict[str, Decimal] = {
    "max_hedge_cost_frac": Decimal("0.40"),
    "max_mean_reversion_loss_frac": Decimal("0.02"),
    "max_worst_loss_frac": Decimal("0.05"),
    "max_margin_frac": Decimal("0.80"),
    "max_gross_leverage": Decimal(4),
    "future_margin_frac": Decimal(1),
    "max_day_loss_frac": Decimal("0.05"),
    "max_week_loss_frac": Decimal("0.10"),
    "max_drawdown_frac": Decimal("0.20"),
    "max_vega_frac": Decimal("0.05"),
    "max_vix_delta_frac": Decimal("0.05"),
    "max_day_slippage_frac": Decimal("0.02"),
    "max_repeats_per_day": Decimal(20),
    "max_working_orders": Decimal(20),
    "max_wing_rise_frac": Decimal("0.2"),
    "max_loss_rise_frac": Decimal("0.2"),
    "neutrality_band_frac": Decimal(1),
    "neutrality_de_minimis_frac": Decimal(1),
    "neutrality_step_frac": Decimal(1),
    "max_displayed_frac": Decimal(1),
    "max_open_interest_frac": Decimal(1),
}
"""What no configuration may go beyond: docs/methodology.md and docs/risk-controls.md."""
NUMBERS = [field.name for field in fields(RiskLimits) if type(field.default) in (int, float, Decimal)]
MAY_BE_ZERO = [
    *("neutrality_de_minimis_frac", "neutrality_step_frac", "closing_orders_reserve"),
    *("session_edge_minutes", "last_trade_cutoff_minutes", "expiry_guard_sessions"),
]
"""Limits that may allow, or keep away, nothing at all."""


def limits_with(name: str, value: Decimal | float) -> RiskLimits:
    """The defaults with one number changed, in the type of its limit."""
    return RiskLimits(**{name: type(getattr(RiskLimits(), name))(value)})


def refusal_of(name: str, value: Decimal | float) -> str:
    """Why a value is no limit, empty where it is one."""
    try:
        limits = limits_with(name, value)
    except InvalidValueError as error:
        return str(error)
    assert getattr(limits, name) == type(getattr(RiskLimits(), name))(value)
    return ""


def test_a_limit_may_be_lowered_but_not_raised_beyond_its_highest() -> None:
    """Half of the highest and the highest itself are accepted, the next above it is refused with the reason."""
    for name, highest in HIGHEST.items():
        next_above = 1 if name in ("max_repeats_per_day", "max_working_orders") else Decimal("0.0001")
        said = refusal_of(name, highest + next_above)
        assert (refusal_of(name, highest / 2), refusal_of(name, highest)) == ("", ""), name
        assert said.startswith(f"{name} may be lowered, never raised above {highest}"), name


def test_no_number_below_zero_or_without_end_is_a_limit() -> None:
    """Whichever limit it is: below zero nothing is ever allowed, and what is no number compares with nothing."""
    for name in NUMBERS:
        is_whole = isinstance(getattr(RiskLimits(), name), int)
        for value in (-1,) if is_whole else (-1, Decimal("NaN"), Decimal("Infinity")):
            assert refusal_of(name, value).startswith(f"{name} "), (name, value)


def test_zero_is_a_limit_only_where_nothing_is_a_choice() -> None:
    """A step without grace or an edge of no minutes may be meant; a limit that refuses every order is a mistake."""
    assert [name for name in NUMBERS if not refusal_of(name, 0).startswith(f"{name} ")] == MAY_BE_ZERO


def test_the_least_distance_of_a_break_even_is_allowed_and_said() -> None:
    """Exactly one expected move is accepted; less is refused with what is the least."""
    assert RiskLimits(break_even_moves=1.0).break_even_moves == 1.0
    with pytest.raises(
        InvalidValueError, match=r"^break_even_moves may be raised, never lowered below 1\.0, was 0\.9$"
    ):
        RiskLimits(break_even_moves=0.9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_hedge_cost_frac", Decimal("NaN")),
        ("max_hedge_cost_frac", Decimal("Infinity")),
        ("max_hedge_cost_frac", Decimal(0)),
        ("max_hedge_cost_frac", Decimal(-1)),
        ("neutrality_band_frac", float("nan")),
        ("neutrality_band_frac", 1.5),
        ("neutrality_de_minimis_frac", 2.0),
        ("neutrality_step_frac", -0.1),
        ("max_mean_reversion_loss_frac", Decimal(0)),
        ("max_worst_loss_frac", Decimal("NaN")),
        ("max_margin_frac", Decimal(0)),
        ("max_margin_frac", Decimal("0.81")),
        ("max_gross_leverage", Decimal("NaN")),
        ("max_gross_leverage", Decimal("4.01")),
        ("future_margin_frac", Decimal("1.01")),
        ("max_wing_rise_frac", 0.0),
        ("max_wing_rise_frac", 0.21),
        ("max_loss_rise_frac", 0.25),
        ("max_loss_rise_frac", -0.1),
        ("break_even_moves", 0.99),
        ("break_even_moves", float("inf")),
        ("straddle_reach_frac", float("nan")),
        ("collar_frac", Decimal(0)),
        ("future_collar_frac", Decimal(0)),
        ("collar_ticks", 0),
        ("max_contracts_per_leg", 0),
        ("max_order_value_usd", Decimal("NaN")),
        ("max_displayed_frac", 1.1),
        ("max_orders_per_day", 0),
        ("closing_orders_reserve", -1),
        ("max_working_orders", 21),
        ("max_day_loss_frac", Decimal("0.0501")),
        ("max_day_loss_frac", Decimal("NaN")),
        ("max_week_loss_frac", Decimal("0.1001")),
        ("max_week_loss_frac", Decimal(0)),
        ("max_drawdown_frac", Decimal("0.2001")),
        ("max_drawdown_frac", Decimal(-1)),
        ("max_day_slippage_frac", Decimal("0.0201")),
        ("max_day_slippage_frac", Decimal("Infinity")),
        ("max_repeats_per_day", 0),
        ("max_repeats_per_day", 21),
        ("max_options_per_settlement", 0),
        ("max_options", -1),
        ("max_futures_per_settlement", 0),
        ("max_futures", 0),
        ("max_instruments", 0),
        ("permitted_exchanges", frozenset({"CBOE", ""})),
        ("permitted_exchanges", frozenset({"CBOE,CFE"})),
        ("max_vega_frac", Decimal("0.0501")),
        ("max_vega_frac", Decimal("NaN")),
        ("max_vix_delta_frac", Decimal("0.0501")),
        ("max_vix_delta_frac", Decimal(0)),
        ("verdict_lifetime_s", float("inf")),
        ("preview_life_s", 0.0),
        ("session_edge_minutes", -1.0),
        ("last_trade_cutoff_minutes", float("nan")),
        ("expiry_guard_sessions", -1),
    ],
)
def test_a_limit_that_is_none_is_refused(name: str, value: object) -> None:
    """Limits that are not finite, not positive, or looser than allowed never come into being."""
    with pytest.raises(InvalidValueError, match=f"^{name} "):
        RiskLimits(**{name: value})  # type: ignore[arg-type]  # wrong values on purpose


def test_only_known_classes_can_be_permitted() -> None:
    """The gate cannot judge VXX, so nobody can permit it."""
    with pytest.raises(
        InvalidValueError, match=r"^permitted_classes must be among \[.*'VIX'.*\], also held \['VXX'\]$"
    ):
        RiskLimits(permitted_classes=frozenset({"VIX", "VXX"}))


def test_an_empty_account_name_is_refused() -> None:
    """An empty name in the allowlist would match an account that nobody named."""
    with pytest.raises(InvalidValueError, match=r"^accounts must not hold an empty name$"):
        RiskLimits(accounts=frozenset({""}))
