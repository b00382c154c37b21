"""What the gate allows: frozen, validated, units in the names; some may be tightened alone, never loosened."""

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from bot.domain.checks import require_not_negative, require_positive
from bot.domain.errors import InvalidValueError

HIGHEST_COST_FRAC: Final = Decimal("0.40")
"""M9: the hedge may cost 40 % of the condor credit; configuration may lower this, never raise it."""
HIGHEST_MEAN_REVERSION_FRAC: Final = Decimal("0.02")
"""M11: the sleeve may lose 2 % of net liquidation in mean reversion; configuration may lower this, never raise it."""
HIGHEST_WORST_LOSS_FRAC: Final = Decimal("0.05")
"""M11: no plan may take the book beyond a loss of 5 % of net liquidation in any scenario; likewise never raised."""
HIGHEST_MARGIN_FRAC: Final = Decimal("0.80")
"""M11: of net liquidation; above it a bad day is a margin call. Configuration may set less, never more."""
HIGHEST_GROSS_LEVERAGE: Final = Decimal(4)
"""M11: times net liquidation, what Regulation T lends within a day. Configuration may set less, never more."""
HIGHEST_WING_RISE_FRAC: Final = 0.20
"""M8: a wing may grow by a fifth of its width at entry; configuration may lower this, never raise it."""
HIGHEST_LOSS_RISE_FRAC: Final = 0.20
"""M8: the maximum loss may grow by a fifth of that at entry; likewise never raised."""
LEAST_BREAK_EVEN_MOVES: Final = 1.0
"""M8: no order may bring a break-even inside one expected move to expiry; configuration may raise this, never lower."""
PERMITTED: Final = frozenset({"VIX", "VIXW", "VX", "VXM", "SPX", "SPXW"})
"""C14: the classes that this version knows how to judge; SPX and SPXW only as the roll of a wing."""
EXCHANGES: Final = frozenset({"BATS", "CBOE", "CFE"})
"""C14, C18: where the permitted contracts are listed; BATS lists VXX, CFE the futures."""
MOST_WORKING_ORDERS: Final = 20
"""C10: cancelling all of them must fit into half a second of the broker's message budget."""


HIGHEST_DAY_LOSS_FRAC: Final = Decimal("0.05")
"""C31: a day that takes a twentieth is no day of a hedged book; configuration may set less, never more."""
HIGHEST_WEEK_LOSS_FRAC: Final = Decimal("0.10")
"""C31: two such days; likewise."""
HIGHEST_DRAWDOWN_FRAC: Final = Decimal("0.20")
"""C31: a fifth lost needs a quarter to come back; likewise."""
HIGHEST_DAY_SLIPPAGE_FRAC: Final = Decimal("0.02")
"""C7: what a whole day may lose at most by default must never be lost to the spread alone; likewise."""
HIGHEST_SENSITIVITY_FRAC: Final = Decimal("0.05")
"""C13, C31: one point must not take more than a day may at most; configuration may set less, never more."""
MOST_REPEATS_PER_DAY: Final = 20
"""C12: half the orders of a day; more of one pattern is a loop, not a plan. Configuration may set less, never more."""


class Amortise(StrEnum):
    """How a lot's cost is spread over time (M9)."""

    STRAIGHT_LINE = "straight_line"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """The limits of the gate; the comment names the row of docs/risk-controls.md or docs/methodology.md.

    ``accounts`` is the allowlist of account names: without one, every order is refused.
    """

    accounts: frozenset[str] = frozenset()  # C23
    permitted_classes: frozenset[str] = PERMITTED  # C14
    permitted_exchanges: frozenset[str] = EXCHANGES  # C14, C18: of listing; an order reaches those that list it
    permit_vxx_shares: bool = False  # C14, M5: shares of VXX may be bought for the overlay; selling them always may
    max_hedge_cost_frac: Decimal = HIGHEST_COST_FRAC  # C20, M9: of the condor credit
    amortise: Amortise = Amortise.STRAIGHT_LINE  # M9
    neutrality_band_frac: float = 0.05  # M10: of the condors' maximum loss, per +1 % SPX
    neutrality_de_minimis_frac: float = 0.10  # M10: of the band, for the overlay's own delta
    neutrality_step_frac: float = 0.50  # M10: of the band, by which a step on the way may leave it
    max_mean_reversion_loss_frac: Decimal = HIGHEST_MEAN_REVERSION_FRAC  # M11: of net liquidation, for the sleeve
    max_worst_loss_frac: Decimal = HIGHEST_WORST_LOSS_FRAC  # M11: of net liquidation, for the book in any scenario
    max_margin_frac: Decimal = Decimal("0.50")  # C31, M11: of net liquidation; requirements double in a bad month
    max_gross_leverage: Decimal = Decimal(2)  # C31, M11: times net liquidation; Regulation T's overnight measure
    max_day_loss_frac: Decimal = Decimal("0.02")  # C31: of net liquidation as the day began; a bad day of a hedged book
    max_week_loss_frac: Decimal = Decimal("0.04")  # C31: as the ISO week began; two bad days
    max_drawdown_frac: Decimal = Decimal("0.10")  # C31: of the highest; five bad days, and a person looks
    max_options_per_settlement: int = 1000  # C31: held long or short; ten orders of the largest size
    max_options: int = 2000  # C31: of all settlements; twice as many
    max_futures_per_settlement: int = 20  # C31: VX, a VXM counts a tenth; 20,000 USD per point of their price
    max_futures: int = 40  # C31: of all settlements; twice as many
    max_instruments: int = (
        40  # C18: contracts of the sleeve; layers and spreads of a few strikes, no more than one surveys
    )
    max_vega_frac: Decimal = Decimal("0.01")  # C13, C31: of net liquidation, per volatility point of VIX options
    max_vix_delta_frac: Decimal = Decimal("0.02")  # C13, C31: of net liquidation, per point of VIX; a day's loss
    max_day_slippage_frac: Decimal = Decimal("0.005")  # C7: as the day began; a quarter of what a day may lose
    max_repeats_per_day: int = 5  # C12: executions of one pattern; a plan that builds in steps needs fewer
    future_margin_frac: Decimal = Decimal("0.50")  # M11: of a future's value; exchanges ask a third, brokers up to half
    require_preview: bool = False  # C31: an order that adds waits for the broker's what-if; every profile says true
    preview_life_s: float = 60.0  # C31: a what-if that old is asked anew; requirements move within minutes
    max_wing_rise_frac: float = HIGHEST_WING_RISE_FRAC  # M8: of the wing's width at entry
    max_loss_rise_frac: float = HIGHEST_LOSS_RISE_FRAC  # M8: of the condors' maximum loss at entry
    break_even_moves: float = LEAST_BREAK_EVEN_MOVES  # M8: expected moves to expiry that a break-even stays away
    straddle_reach_frac: float = 0.005  # M8: of the forward: a straddle struck farther away prices more than the move
    collar_frac: Decimal = Decimal("0.20")  # C7: of the middle
    future_collar_frac: Decimal = Decimal("0.02")  # C7: 0.40 points at 20
    collar_ticks: int = 4  # C7: for cheap contracts, where a fraction is less than the grid
    max_contracts_per_leg: int = 100  # C9: quantity times ratio
    max_shares_per_order: int = 1_000  # C9: a share moves by about a USD per point of VIX, a contract by ten and more
    max_order_value_usd: Decimal = Decimal(50_000)  # C8: limit times multiplier times quantity
    max_displayed_frac: float = 1.0  # C13: of the displayed size of each leg
    max_open_interest_frac: float = 0.10  # C13: of the contracts open in each leg; more is a market of one's own
    max_orders_per_day: int = 40  # C10: sent, in New York's day
    closing_orders_reserve: int = 40  # C10: on top, for orders that close alone, so that a day never traps the book
    max_working_orders: int = MOST_WORKING_ORDERS  # C10
    verdict_lifetime_s: float = 5.0  # a verdict that old is judged anew
    session_edge_minutes: float = 10.0  # M14: no new order this soon after the open or before the close
    last_trade_cutoff_minutes: float = 60.0  # C24: before a contract's last trade
    expiry_guard_sessions: int = 2  # C24: nothing is bought from the second session before the last trading day on

    def __post_init__(self) -> None:
        """Reject limits that are none, and those that must not be loosened."""
        require_positive(
            max_hedge_cost_frac=self.max_hedge_cost_frac,
            neutrality_band_frac=self.neutrality_band_frac,
            max_mean_reversion_loss_frac=self.max_mean_reversion_loss_frac,
            max_worst_loss_frac=self.max_worst_loss_frac,
            max_margin_frac=self.max_margin_frac,
            max_gross_leverage=self.max_gross_leverage,
            future_margin_frac=self.future_margin_frac,
            preview_life_s=self.preview_life_s,
            max_day_loss_frac=self.max_day_loss_frac,
            max_week_loss_frac=self.max_week_loss_frac,
            max_drawdown_frac=self.max_drawdown_frac,
            max_options_per_settlement=self.max_options_per_settlement,
            max_options=self.max_options,
            max_futures_per_settlement=self.max_futures_per_settlement,
            max_futures=self.max_futures,
            max_instruments=self.max_instruments,
            max_vega_frac=self.max_vega_frac,
            max_vix_delta_frac=self.max_vix_delta_frac,
            max_day_slippage_frac=self.max_day_slippage_frac,
            max_repeats_per_day=self.max_repeats_per_day,
            collar_frac=self.collar_frac,
            future_collar_frac=self.future_collar_frac,
            collar_ticks=self.collar_ticks,
            max_contracts_per_leg=self.max_contracts_per_leg,
            max_shares_per_order=self.max_shares_per_order,
            max_order_value_usd=self.max_order_value_usd,
            max_displayed_frac=self.max_displayed_frac,
            max_open_interest_frac=self.max_open_interest_frac,
            max_orders_per_day=self.max_orders_per_day,
            max_working_orders=self.max_working_orders,
            verdict_lifetime_s=self.verdict_lifetime_s,
        )
        require_not_negative(
            neutrality_de_minimis_frac=self.neutrality_de_minimis_frac,
            neutrality_step_frac=self.neutrality_step_frac,
            closing_orders_reserve=self.closing_orders_reserve,
            session_edge_minutes=self.session_edge_minutes,
            last_trade_cutoff_minutes=self.last_trade_cutoff_minutes,
            expiry_guard_sessions=self.expiry_guard_sessions,
        )
        _at_most("max_hedge_cost_frac", self.max_hedge_cost_frac, HIGHEST_COST_FRAC)
        _at_most("max_mean_reversion_loss_frac", self.max_mean_reversion_loss_frac, HIGHEST_MEAN_REVERSION_FRAC)
        _at_most("max_worst_loss_frac", self.max_worst_loss_frac, HIGHEST_WORST_LOSS_FRAC)
        _at_most("max_margin_frac", self.max_margin_frac, HIGHEST_MARGIN_FRAC)
        _at_most("max_gross_leverage", self.max_gross_leverage, HIGHEST_GROSS_LEVERAGE)
        self._require_account_limits()
        _at_most("future_margin_frac", self.future_margin_frac, Decimal(1))
        _at_most("max_working_orders", Decimal(self.max_working_orders), Decimal(MOST_WORKING_ORDERS))
        self._require_wing_limits()
        for name in ("neutrality_band_frac", "neutrality_de_minimis_frac", "neutrality_step_frac"):
            _at_most(name, Decimal(repr(getattr(self, name))), Decimal(1))
        for name in ("max_displayed_frac", "max_open_interest_frac"):
            _at_most(name, Decimal(repr(getattr(self, name))), Decimal(1))
        unknown = self.permitted_classes - PERMITTED
        if unknown:
            raise InvalidValueError(f"permitted_classes must be among {sorted(PERMITTED)}, also held {sorted(unknown)}")
        odd = sorted(one for one in self.permitted_exchanges if not one.isalnum())
        if odd:
            raise InvalidValueError(f"permitted_exchanges must be letters and digits each, found {odd}")
        if "" in self.accounts:
            raise InvalidValueError("accounts must not hold an empty name")

    def _require_account_limits(self) -> None:
        """Reject limits of loss, slippage and repetition that are looser than any may be."""
        _at_most("max_day_loss_frac", self.max_day_loss_frac, HIGHEST_DAY_LOSS_FRAC)
        _at_most("max_week_loss_frac", self.max_week_loss_frac, HIGHEST_WEEK_LOSS_FRAC)
        _at_most("max_drawdown_frac", self.max_drawdown_frac, HIGHEST_DRAWDOWN_FRAC)
        for name in ("max_vega_frac", "max_vix_delta_frac"):
            _at_most(name, getattr(self, name), HIGHEST_SENSITIVITY_FRAC)
        _at_most("max_day_slippage_frac", self.max_day_slippage_frac, HIGHEST_DAY_SLIPPAGE_FRAC)
        _at_most("max_repeats_per_day", Decimal(self.max_repeats_per_day), Decimal(MOST_REPEATS_PER_DAY))

    def _require_wing_limits(self) -> None:
        """Reject limits of the condor book that are none, or looser than the methodology's (M8)."""
        require_positive(
            max_wing_rise_frac=self.max_wing_rise_frac,
            max_loss_rise_frac=self.max_loss_rise_frac,
            straddle_reach_frac=self.straddle_reach_frac,
        )
        _at_most("max_wing_rise_frac", Decimal(repr(self.max_wing_rise_frac)), Decimal(repr(HIGHEST_WING_RISE_FRAC)))
        _at_most("max_loss_rise_frac", Decimal(repr(self.max_loss_rise_frac)), Decimal(repr(HIGHEST_LOSS_RISE_FRAC)))
        if not LEAST_BREAK_EVEN_MOVES <= self.break_even_moves < math.inf:
            raise InvalidValueError(
                f"break_even_moves may be raised, never lowered below {LEAST_BREAK_EVEN_MOVES}, was "
                f"{self.break_even_moves}"
            )


def _at_most(name: str, value: Decimal, highest: Decimal) -> None:
    if value > highest:
        raise InvalidValueError(f"{name} may be lowered, never raised above {highest}, was {value}")
