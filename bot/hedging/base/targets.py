"""What each layer of the base should hold, where its calls are bought, and what is to be bought now."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bot.domain.layer import Layer
from bot.domain.portfolio import Book
from bot.domain.readings import SignalState
from bot.domain.schedule import SessionCalendar
from bot.domain.shifts import Offered
from bot.domain.snapshot import Snapshot
from bot.hedging.base.settings import MaintainBase
from bot.hedging.base.standing import LayerStanding, standings_of
from bot.hedging.settings import HedgeSettings, LayerSettings
from bot.hedging.temporal.rolling import roll_day
from bot.hedging.temporal.settings import TemporalSettings
from bot.pricing import DAYS_PER_YEAR, vix_exposure

CONDORS_OF_A_BASE = 10
"""M4 states its layers for every ten condors."""
OPTION_MULTIPLIER = 100
"""USD per point of a VIX option (docs/contracts.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One layer with what it should hold, in calls, and what is to be bought for it.

    Attributes:
        standing: What it holds.
        target: What it should hold.
        missing: To be bought now; while the base is frozen one for each due call, else up to the target.
        frozen: An episode lasts: due calls are replaced, nothing is built up.
        settlement: Where a purchase goes; None where no monthly one fits.
    """

    standing: LayerStanding
    target: int
    missing: int
    frozen: bool
    settlement: date | None

    @property
    def layer(self) -> Layer:
        """Which layer."""
        return self.standing.layer

    @property
    def is_covered(self) -> bool:
        """The fresh calls stand for the due ones."""
        return self.standing.is_covered(self.target, frozen=self.frozen)

    @property
    def words(self) -> str:
        """The figures in one sentence."""
        standing = self.standing
        aim = "each due one is replaced while the episode lasts" if self.frozen else f"its target is {self.target}"
        return (
            f"the {self.layer} layer holds {standing.fresh} calls that stay and {standing.due_calls} that are due; "
            f"{aim}, {self.missing} to be bought"
        )


def target_calls(layer: LayerSettings, condors: int, rate: float) -> int:
    """Return how many calls a layer should hold beside so many condors; half a call counts as one, none without any.

    A layer that is stated as an exposure holds as many calls as come nearest to it. A call is taken at what it is when
    it is bought as the layer says, so that a market that moves never changes the number.

    Args:
        layer: Its numbers.
        condors: Of all cohorts together.
        rate: Interest per year, for the discount in an exposure.

    >>> from bot.domain.layer import Layer
    >>> from bot.hedging.settings import HedgeSettings
    >>> layers = HedgeSettings().layers
    >>> [target_calls(layers[layer], 14, 0.04) for layer in (Layer.SHORT, Layer.MEDIUM, Layer.LONG)]
    [6, 6, 3]

    Source: docs/methodology.md, M2 and M4.
    """
    if condors <= 0:
        return 0
    if layer.exposure_usd_per_point > 0.0:
        return math.floor(layer.exposure_usd_per_point / call_usd_per_point(layer, rate) + 0.5)
    return (2 * layer.calls_per_ten_condors * condors + CONDORS_OF_A_BASE) // (2 * CONDORS_OF_A_BASE)


def call_usd_per_point(layer: LayerSettings, rate: float) -> float:
    """Return the exposure of one call bought as a layer says, USD per +1.00 point of spot VIX.

    >>> from bot.domain.layer import Layer
    >>> from bot.hedging.settings import HedgeSettings
    >>> round(call_usd_per_point(HedgeSettings().layers[Layer.SHORT], 0.04), 1)
    26.2

    Source: docs/methodology.md, M2.
    """
    discount = math.exp(-rate * layer.days / DAYS_PER_YEAR)
    delta = discount * layer.forward_delta
    return vix_exposure(quantity=1, multiplier=OPTION_MULTIPLIER, delta=delta, days=layer.days)


def layer_settlement(
    layer: Layer, offered: Iterable[Offered], today: date, settings: HedgeSettings, calendar: SessionCalendar
) -> date | None:
    """Return the monthly settlement nearest to a layer's days, the earlier one of two as near; None without any.

    One at which a purchase would be due at once is none.

    Source: docs/methodology.md, M4.
    """
    days, temporal = settings.layers[layer].days, settings.temporal
    fitting = (one.day for one in offered if one.is_monthly and _stays(layer, one.day, today, temporal, calendar))
    return min(fitting, key=lambda day: (abs((day - today).days - days), day), default=None)


def _stays(layer: Layer, day: date, today: date, temporal: TemporalSettings, calendar: SessionCalendar) -> bool:
    return today < roll_day(layer, day, temporal, calendar)


def base_is_frozen(state: SignalState, *, in_episode: bool) -> bool:
    """Return whether an episode lasts, during which layers are rolled and not built up.

    Source: docs/methodology.md, M2.
    """
    return state is SignalState.BLOWOUT or (state is SignalState.UNDEFINED and in_episode)


def needs_of(
    book: Book,
    offered: Iterable[Offered],
    today: date,
    settings: HedgeSettings,
    calendar: SessionCalendar,
    *,
    frozen: bool,
) -> tuple[Need, ...]:
    """Return the layers that are configured with what each needs, the nearest first.

    Args:
        book: Condors, lots and orders.
        offered: Settlements that can be bought.
        today: New York date.
        settings: The layers and their rolls.
        calendar: Sessions and holidays.
        frozen: As `base_is_frozen` says.

    Source: docs/methodology.md, M4.
    """
    condors = sum(condor.count for condor in book.condors)
    listed = tuple(offered)
    needs = []
    for standing in standings_of(book, today, settings.temporal, calendar):
        layer = settings.layers.get(standing.layer)
        target = 0 if layer is None else target_calls(layer, condors, settings.valuation.rate)
        missing = 0 if layer is None else standing.missing(target, frozen=frozen)
        settlement = layer_settlement(standing.layer, listed, today, settings, calendar) if missing else None
        needs.append(Need(standing=standing, target=target, missing=missing, frozen=frozen, settlement=settlement))
    return tuple(needs)


def wanted_settlements(
    snapshot: Snapshot, today: date, settings: HedgeSettings, calendar: SessionCalendar
) -> dict[date, Layer]:
    """Return the settlements whose calls are needed now, each with its layer; none where the operator keeps the base.

    Source: docs/methodology.md, M4.
    """
    if settings.base.maintain_base is MaintainBase.OFF:
        return {}
    reading = snapshot.dispersion
    frozen = base_is_frozen(reading.state, in_episode=reading.episode is not None)
    needs = needs_of(snapshot.book, snapshot.offered, today, settings, calendar, frozen=frozen)
    return {need.settlement: need.layer for need in needs if need.missing and need.settlement is not None}
