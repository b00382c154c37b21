"""Which weekly settlements are liquid enough to buy: judged on a few quotes at the money, asked for now and then (M6).

How it works: a weekly settlement has no monthly future, so that its forward comes from put-call parity. A few pairs of
call and put are asked for by snapshot. Where all of their quotes are as good as those of anything that is bought, and
they tell a forward, the settlement is offered; else it is not, and the reason is said. What always holds: what nobody
asked about, or what gave no answer, is not offered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from bot.domain.instrument import VIX, Instrument, InstrumentKey
from bot.domain.ledger import trade_date
from bot.domain.market import Quote
from bot.domain.snapshot import Snapshot
from bot.hedging.settings import HedgeSettings
from bot.hedging.universe import PAIRS, WEEKLY_CLASS, Listed, pairs_near, settlements_of
from bot.valuation import Unvalued, Valuer


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklySample:
    """A weekly settlement with the options whose quotes tell whether it can be bought."""

    settlement: date
    options: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekliesFound:
    """The settlements that can be bought, and why the others cannot."""

    liquid: frozenset[date] = frozenset()
    refused: Mapping[date, str] = field(default_factory=dict)


def weekly_samples(listed: Listed, snapshot: Snapshot, settings: HedgeSettings) -> tuple[WeeklySample, ...]:
    """Return what to ask about: the weekly settlements within the reach of a purchase, the nearest first.

    At most ``settings.shifting.most_weeklies`` of them; none while no level of VIX says where the money is.

    Source: docs/methodology.md, M6.
    """
    vix = snapshot.levels.get(VIX.key) or snapshot.previous_closes.get(VIX.key)
    if vix is None:
        return ()
    shifting, today = settings.shifting, trade_date(snapshot.now)
    first, last = (today + timedelta(days=days) for days in (shifting.days_range[0], shifting.later_days_range[1]))
    within = [day for day in sorted(settlements_of(listed.options, WEEKLY_CLASS)) if first <= day <= last]
    samples = (
        WeeklySample(settlement=day, options=tuple(pairs_near(listed.options, day, vix, PAIRS)))
        for day in within[: shifting.most_weeklies]
    )
    return tuple(sample for sample in samples if sample.options)


def weeklies_found(
    samples: Sequence[WeeklySample], quotes: Mapping[InstrumentKey, Quote], snapshot: Snapshot, settings: HedgeSettings
) -> WeekliesFound:
    """Return which settlements are liquid by their quotes: two-sided and no wider than M5 allows, every one of them.

    Args:
        samples: What was asked about.
        quotes: The answers.
        snapshot: The moment at which they are judged.
        settings: What counts as a good quote.

    Source: docs/methodology.md, M5 and M6.
    """
    refused = {
        sample.settlement: why for sample in samples if (why := _fault(sample.options, quotes, snapshot, settings))
    }
    return WeekliesFound(
        liquid=frozenset(sample.settlement for sample in samples if sample.settlement not in refused), refused=refused
    )


def _fault(
    options: Sequence[Instrument], quotes: Mapping[InstrumentKey, Quote], snapshot: Snapshot, settings: HedgeSettings
) -> str:
    """Why a settlement cannot be bought, empty when it can."""
    moment = replace(
        snapshot,
        quotes={**snapshot.quotes, **quotes},
        universe={**snapshot.universe, **{one.key: one for one in options}},
    )
    valuer = Valuer(moment, settings.valuation)
    for found in (*map(valuer.quote, options), *(valuer.value(one) for one in options[:1])):
        if isinstance(found, Unvalued):
            return found.reason
    return ""
