"""The comparison of variants in words and figures: a table, what it rests on, and the same for programs."""

from collections.abc import Mapping
from typing import Any, Final

from bot.domain.schedule import NEW_YORK
from bot.report.evidence.results import Results
from bot.report.evidence.settings import ComparisonSettings
from bot.report.evidence.variants import Comparison, Drawdown, NoComparison, Outcome, Variant
from bot.report.irr import CapitalBase, Irr

HEADINGS: Final = ("", *(variant.value for variant in Variant))
NOTHING: Final = "-"
NO_FORECAST: Final = (
    "An independent study of the daily closes found no reliable lead of the signal over VIX, VX futures or SPY at 5, "
    "10 and 21 sessions (138 episodes). So this is a disciplined resizing rule with a cost cap, not a forecast: an "
    "overlay that earned something here says nothing of the next episode, and one that cost something did what hedges "
    "do. The two confirmations from prices are correlated 0.5 and weak."
)
ONE_RUN: Final = (
    "One run holds all three: our orders do not move the market, so the book without the overlay is the book less what "
    "the overlay was worth and brought."
)


def table_of(comparison: Comparison, settings: ComparisonSettings) -> list[tuple[str, ...]]:
    """Return the rows of the table: a name, then one text for each variant in the order of `Variant`."""
    outcomes = [comparison.outcomes[variant] for variant in Variant]
    hedged = [NOTHING, *(signed_usd(one.hedge_usd) for one in outcomes[1:])]
    overlay = [NOTHING, NOTHING, signed_usd(comparison.overlay_usd)]
    tail = f"sessions with SPX at {settings.tail_move_frac:.0%} or lower ({len(comparison.tail_days)}), USD together"
    return [
        ("profit or loss, USD", *(signed_usd(one.result_usd) for one in outcomes)),
        ("of it the hedge: brought (+) or cost (-), USD", *hedged),
        ("of that the overlay alone, USD", *overlay),
        ("fees in it, USD", *(f"{one.fees_usd:,.2f}" for one in outcomes)),
        ("worst drawdown, USD", *(_drawdown(one.drawdown, comparison) for one in outcomes)),
        (tail, *(signed_usd(one.tail_usd) if comparison.tail_days else NOTHING for one in outcomes)),
        ("as part of the capital, not per year", *(_share(one.result_usd, comparison) for one in outcomes)),
        ("rate of return, per year (XIRR)", *(_rate(one) for one in outcomes)),
    ]


def grounds_of(results: Results, comparison: Comparison) -> list[str]:
    """Return what the figures rest on, one sentence or two each."""
    told = [
        _sessions(results, comparison),
        ONE_RUN,
        f"Options count at the middle of their quotes, futures by their gains of each day. {_beginning(results)}",
        _capital(comparison),
    ]
    if comparison.account_usd is not None and comparison.unexplained_usd is not None:
        told.append(
            f"The broker's net liquidation changed by {signed_usd(comparison.account_usd)} USD; the three parts leave "
            f"{signed_usd(comparison.unexplained_usd)} of it unexplained: other marks and moments, interest, deposits, "
            "positions outside the three parts."
        )
    if results.moved:
        told.append(
            f"Positions that came or went without an execution ({results.moved}), by expiry or by a transfer, did so "
            "at their last known middle."
        )
    return told


def summary_rows(comparison: Comparison | NoComparison) -> list[tuple[str, str]]:
    """Return what the terminal's table tells of the comparison."""
    if isinstance(comparison, NoComparison):
        return [("variants compared", comparison.why)]
    outcomes = [comparison.outcomes[variant] for variant in Variant]
    return [
        ("result: no hedge / base / base + overlay, USD", " / ".join(signed_usd(one.result_usd) for one in outcomes)),
        ("worst drawdown, likewise, USD", " / ".join(f"{one.drawdown.usd:,.2f}" for one in outcomes)),
    ]


def facts_of(
    results: Results, comparison: Comparison | NoComparison, settings: ComparisonSettings
) -> Mapping[str, Any]:
    """Return the comparison for programs: USD, fractions, dates as text."""
    samples = {"counted": results.counted, "left_out": results.left_out, "without_holdings": results.without}
    if isinstance(comparison, NoComparison):
        return {"why_none": comparison.why, "samples": samples}
    return {
        "days": [day.isoformat() for day in comparison.days],
        "samples": samples,
        "moved_without_execution": results.moved,
        "capital_usd": comparison.capital_usd,
        "capital_base": CapitalBase.MAXIMUM_LOSS.value,
        "tail_move_frac": settings.tail_move_frac,
        "tail_days": [day.isoformat() for day in comparison.tail_days],
        "overlay_usd": _rounded(comparison.overlay_usd),
        "account_change_usd": _rounded(comparison.account_usd),
        "unexplained_usd": _rounded(comparison.unexplained_usd),
        "variants": {
            variant.name.lower(): _outcome_facts(comparison.outcomes[variant], comparison) for variant in Variant
        },
    }


def _outcome_facts(outcome: Outcome, comparison: Comparison) -> Mapping[str, Any]:
    irr, drawdown = outcome.irr, outcome.drawdown
    return {
        "result_usd": round(outcome.result_usd, 2),
        "result_frac": comparison.frac_of_capital(outcome.result_usd),
        "hedge_usd": round(outcome.hedge_usd, 2),
        "fees_usd": round(outcome.fees_usd, 2),
        "worst_drawdown_usd": round(drawdown.usd, 2),
        "worst_drawdown_frac": comparison.frac_of_capital(drawdown.usd),
        "drawdown_since": drawdown.since.isoformat(),
        "drawdown_until": drawdown.until.isoformat(),
        "tail_days_usd": round(outcome.tail_usd, 2),
        "irr": irr.rate if isinstance(irr, Irr) else None,
        "irr_words": irr.words if isinstance(irr, Irr) else irr.why,
        "curve_usd": [round(usd, 2) for usd in outcome.curve_usd],
    }


def _rounded(usd: float | None) -> float | None:
    return None if usd is None else round(usd, 2)


def signed_usd(usd: float) -> str:
    """Return an amount with its sign, none before nothing.

    >>> signed_usd(1234.5), signed_usd(-0.001)
    ('+1,234.50', '0.00')
    """
    text = f"{usd:+,.2f}"
    return text[1:] if not text.strip("+-0.") else text


def _drawdown(drawdown: Drawdown, comparison: Comparison) -> str:
    if drawdown.usd <= 0.0:
        return "none"
    frac = comparison.frac_of_capital(drawdown.usd)
    share = "" if frac is None else f", {frac:.1%} of the capital"
    return f"{drawdown.usd:,.2f}{share}, {drawdown.since} to {drawdown.until}"


def _share(usd: float, comparison: Comparison) -> str:
    frac = comparison.frac_of_capital(usd)
    return NOTHING if frac is None else f"{frac:+.1%}"


def _rate(outcome: Outcome) -> str:
    return f"{outcome.irr.rate:+.1%}" if isinstance(outcome.irr, Irr) else outcome.irr.why


def _sessions(results: Results, comparison: Comparison) -> str:
    return (
        f"{len(comparison.days)} sessions from {comparison.days[0]} to {comparison.days[-1]}, each up to its last "
        f"counted sample; {results.counted} samples counted, {results.left_out + results.without} left out because "
        "something held had no good quote, SPX had no level, or they do not say what was held."
    )


def _beginning(results: Results) -> str:
    if results.first is None:
        return ""
    begun = f"{results.first.at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"
    return (
        f"Condors and hedges found at the start enter at their middles of the first counted sample ({begun} New York), "
        "not at what was once paid for them."
    )


def _capital(comparison: Comparison) -> str:
    if comparison.capital_usd <= 0.0:
        return "No condors were held: there is no capital to measure fractions and rates on."
    return (
        f"Capital is {comparison.capital_usd:,.2f} USD, the largest maximum loss of the condors as frozen at entry, "
        "paid in at the beginning and back at the end. Not margin: that follows the broker's rules and the market of "
        "each day, and one book would seem to earn more on a quiet day than on a bad one. The condors' profit or loss "
        "counts on its session, the hedge's premiums, fees and proceeds on theirs."
    )
