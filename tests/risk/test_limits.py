"""What limits can be set, and what can only be tightened."""

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


@pytest.mark.parametrize(
    ("name", "highest"), [("max_mean_reversion_loss_frac", Decimal("0.02")), ("max_worst_loss_frac", Decimal("0.05"))]
)
def test_a_loss_limit_may_be_lowered_but_not_raised(name: str, highest: Decimal) -> None:
    """Half the methodology's limit is accepted, a hair above it refused with the reason."""
    assert getattr(RiskLimits(**{name: highest / 2}), name) == highest / 2  # type: ignore[arg-type]  # a name as text
    with pytest.raises(InvalidValueError, match=f"{name} may be lowered, never raised above {highest}"):
        RiskLimits(**{name: highest + Decimal("0.0001")})  # type: ignore[arg-type]  # likewise


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
    with pytest.raises(InvalidValueError, match=name):
        RiskLimits(**{name: value})  # type: ignore[arg-type]  # wrong values on purpose


def test_only_known_classes_can_be_permitted() -> None:
    """The gate cannot judge VXX, so nobody can permit it."""
    with pytest.raises(InvalidValueError, match="VXX"):
        RiskLimits(permitted_classes=frozenset({"VIX", "VXX"}))


def test_an_empty_account_name_is_refused() -> None:
    """An empty name in the allowlist would match an account that nobody named."""
    with pytest.raises(InvalidValueError, match="accounts"):
        RiskLimits(accounts=frozenset({""}))
