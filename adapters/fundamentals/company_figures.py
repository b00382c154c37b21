"""Makes quick ratios and cash flow per share from a company's facts, each with the day on which it became known.

How it works: on every day of a filing the figures are made from what was known then; a figure is told when it first can
be made and again whenever a later filing changes it. Flows of interim reports run from the start of the fiscal year, so
twelve months are the last year, plus this year so far, less the same stretch of the year before. What always holds:
only USD count, nothing is filled in, and a kind of figure that cannot be made at all is a `MissingFigure` with its
reason. Counts of shares are as filed: for some weeks after a split, until the next report, they disagree with adjusted
prices, and the operator should state the name's figures meanwhile. Funds from operations have no tag of their own and
come from the operator alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

from adapters.fundamentals.companyfacts import CompanyFacts, Fact, Period, Tag, as_known, read_company
from bot.domain.evidence import (
    CashFlowMeasure,
    CashFlowPerShare,
    Fundamentals,
    MissingFigure,
    QuickRatio,
    QuickRatioForm,
)

TAXONOMY: Final = "us-gaap"
USD: Final = "USD"
SHARES: Final = "shares"

Concept = tuple[Tag, ...]
"""Tags under which one figure is filed, the usual one first."""

CURRENT_ASSETS: Final[Concept] = ((TAXONOMY, "AssetsCurrent"),)
INVENTORY: Final[Concept] = ((TAXONOMY, "InventoryNet"),)
CURRENT_LIABILITIES: Final[Concept] = ((TAXONOMY, "LiabilitiesCurrent"),)
CASH: Final[Concept] = ((TAXONOMY, "CashAndCashEquivalentsAtCarryingValue"),)
INVESTMENTS: Final[Concept] = ((TAXONOMY, "ShortTermInvestments"), (TAXONOMY, "MarketableSecuritiesCurrent"))
RECEIVABLES: Final[Concept] = ((TAXONOMY, "AccountsReceivableNetCurrent"), (TAXONOMY, "ReceivablesNetCurrent"))
OPERATING_CASH_FLOW: Final[Concept] = (
    (TAXONOMY, "NetCashProvidedByUsedInOperatingActivities"),
    (TAXONOMY, "NetCashProvidedByUsedInOperatingActivitiesContinuingOperations"),
)
SHARE_COUNT: Final[Concept] = (
    ("dei", "EntityCommonStockSharesOutstanding"),
    (TAXONOMY, "CommonStockSharesOutstanding"),
)
BALANCE: Final = (CURRENT_ASSETS, INVENTORY, CURRENT_LIABILITIES, CASH, INVESTMENTS, RECEIVABLES)
NEEDED_BALANCE: Final = tuple(concept for concept in BALANCE if concept is not INVESTMENTS)
TAGS: Final = tuple(chain(*BALANCE, OPERATING_CASH_FLOW, SHARE_COUNT))

YEAR_DAYS: Final = range(350, 381)
"""Length of an annual flow: fiscal years have 52 or 53 weeks."""
SEAM_DAYS: Final = range(5)
"""From the end of a year to the start of the next: one day, allowing for slips of filers."""
FISCAL_SHIFT_DAYS: Final = 10
"""How far apart two stretches of neighbouring fiscal years may begin, or differ in length."""
SHARES_APART_DAYS: Final = 120
"""A count of shares farther than this from the end of the period is of another quarter."""

_Key = TypeVar("_Key")


def read_fundamentals(path: Path, symbol: str) -> Fundamentals:
    """Return all figures of a company's companyfacts file, with a reason for each kind that it does not give.

    Raises:
        ConfigError: The file is none of the SEC's; see `read_company`.
    """
    company = read_company(path, symbol, TAGS)
    flows, ratios = cash_flows_of(company), quick_ratios_of(company)
    missing = [
        *(
            ()
            if flows
            else (_missing(company, "cash flow per share", {OPERATING_CASH_FLOW: USD, SHARE_COUNT: SHARES}),)
        ),
        *(() if ratios else (_missing(company, "quick ratio", dict.fromkeys(NEEDED_BALANCE, USD)),)),
    ]
    return Fundamentals(cash_flows=flows, quick_ratios=ratios, missing=tuple(missing))


def quick_ratios_of(company: CompanyFacts) -> tuple[QuickRatio, ...]:
    """Return the quick ratios in either form that the balance sheets allow, in order of becoming known.

    ``(AssetsCurrent - InventoryNet) / LiabilitiesCurrent`` where inventory is stated, and
    ``(cash + short-term investments + receivables) / LiabilitiesCurrent`` where cash and receivables are;
    short-term investments that are not stated are none.

    Source: docs/methodology.md, M12.
    """

    def ratios_on(day: date) -> dict[tuple[QuickRatioForm, date], float]:
        known = {concept: _known(company, concept, USD, day) for concept in BALANCE}
        made = {}
        for period, liabilities in known[CURRENT_LIABILITIES].items():
            for form, liquid in _liquid_assets(known, period):
                if liabilities > 0.0 and liquid >= 0.0:
                    made[form, period[1]] = liquid / liabilities
        return made

    facts = _facts(company, BALANCE, USD)
    return tuple(
        QuickRatio(symbol=company.symbol, form=form, period_end=end, known_on=day, ratio=ratio)
        for (form, end), day, ratio in _as_they_became_known(facts, ratios_on)
    )


def cash_flows_of(company: CompanyFacts) -> tuple[CashFlowPerShare, ...]:
    """Return operating cash flow of twelve months per share, USD, in order of becoming known.

    Source: docs/methodology.md, M3.
    """

    def flows_on(day: date) -> dict[date, float]:
        counts = [_known(company, (tag,), SHARES, day) for tag in SHARE_COUNT]
        made = {}
        for end, flow in twelve_months(_known(company, OPERATING_CASH_FLOW, USD, day)).items():
            shares = _shares_near(counts, end)
            if shares is not None:
                made[end] = flow / shares
        return made

    facts = chain(_facts(company, (OPERATING_CASH_FLOW,), USD), _facts(company, (SHARE_COUNT,), SHARES))
    return tuple(
        CashFlowPerShare(
            symbol=company.symbol,
            measure=CashFlowMeasure.OPERATING_CASH_FLOW,
            period_end=end,
            known_on=day,
            usd=usd,
        )
        for end, day, usd in _as_they_became_known(facts, flows_on)
    )


def twelve_months(flows: Mapping[Period, float]) -> dict[date, float]:
    """Return flows of twelve months by their last day, from annual flows and those from the start of a fiscal year.

    A year itself where it was filed; else the year before, plus the stretch since, less the same stretch a year
    earlier. An end for which one of these is missing is left out.
    """
    spans = {(start, end): value for (start, end), value in flows.items() if start is not None}
    years = {span: value for span, value in spans.items() if _length(span) in YEAR_DAYS}
    made: dict[date, float] = {}
    for year, value in sorted(years.items()):
        for part, since in spans.items():
            follows = (part[0] - year[1]).days in SEAM_DAYS and _length(part) < YEAR_DAYS.start
            before = _same_stretch(part, year[0], spans) if follows else None
            if before is not None:
                made[part[1]] = value + since - before
    return made | {year[1]: value for year, value in years.items()}


def _length(span: tuple[date, date]) -> int:
    return (span[1] - span[0]).days + 1


def _same_stretch(part: tuple[date, date], start: date, spans: Mapping[tuple[date, date], float]) -> float | None:
    """The flow of the year before that begins with the year and is as long as a part of this one."""
    near = [
        (abs((span[0] - start).days), abs(_length(span) - _length(part)), value)
        for span, value in sorted(spans.items())
    ]
    fitting = [one for one in near if max(one[:2]) <= FISCAL_SHIFT_DAYS]
    return min(fitting, key=lambda one: one[:2])[2] if fitting else None


def _shares_near(counts: Iterable[Mapping[Period, float]], end: date) -> float | None:
    """The count nearest to the end of a period, from the cover of a report where it has one."""
    for by_period in counts:
        near = [
            (abs((moment - end).days), moment, count)
            for (_, moment), count in by_period.items()
            if abs((moment - end).days) <= SHARES_APART_DAYS and count > 0.0
        ]
        if near:
            return min(near)[2]
    return None


def _liquid_assets(
    known: Mapping[Concept, Mapping[Period, float]], period: Period
) -> Iterator[tuple[QuickRatioForm, float]]:
    assets, inventory = known[CURRENT_ASSETS].get(period), known[INVENTORY].get(period)
    if assets is not None and inventory is not None:
        yield QuickRatioForm.LESS_INVENTORY, assets - inventory
    cash, receivables = known[CASH].get(period), known[RECEIVABLES].get(period)
    if cash is not None and receivables is not None:
        yield QuickRatioForm.CASH_AND_RECEIVABLES, cash + known[INVESTMENTS].get(period, 0.0) + receivables


def _known(company: CompanyFacts, concept: Concept, unit: str, day: date) -> dict[Period, float]:
    """By period, under the usual tag where it was used for the period."""
    by_period: dict[Period, float] = {}
    for tag in reversed(concept):
        by_period |= as_known(company.facts(tag, unit), day)
    return by_period


def _facts(company: CompanyFacts, concepts: Iterable[Concept], unit: str) -> Iterator[Fact]:
    return (fact for concept in concepts for tag in concept for fact in company.facts(tag, unit))


def _as_they_became_known(
    facts: Iterable[Fact], figures_on: Callable[[date], Mapping[_Key, float]]
) -> Iterator[tuple[_Key, date, float]]:
    told: dict[_Key, float] = {}
    for day in sorted({fact.filed for fact in facts}):
        for key, figure in figures_on(day).items():
            if told.get(key) != figure:
                told[key] = figure
                yield key, day, figure


def _missing(company: CompanyFacts, figure: str, needed: Mapping[Concept, str]) -> MissingFigure:
    """Why a kind of figure cannot be made: another taxonomy, no such tag, another currency, or no fitting periods."""
    if TAXONOMY not in company.taxonomies:
        found = ", ".join(company.taxonomies) or "nothing"
        why = f"it files under {found}, expected {TAXONOMY}"
    else:
        why = "; ".join(filter(None, (_lack(company, concept, unit) for concept, unit in needed.items())))
    return MissingFigure(
        symbol=company.symbol, why=f"{company.symbol} has no {figure}: {why or 'its periods do not fit together'}"
    )


def _lack(company: CompanyFacts, concept: Concept, unit: str) -> str:
    """What a company lacks of one concept; empty where it has some of it."""
    if any(company.facts(tag, unit) for tag in concept):
        return ""
    found = sorted({other for tag in concept for other in company.units.get(tag, {})})
    names = " or ".join(name for _, name in concept)
    return f"{names} in {', '.join(found)}, expected {unit}" if found else f"no {names}"
