"""Bounds on the forward from every strike, and whether two of them, or one and the future, leave money on the table.

How it works: a call bought and a put sold of one strike are the forward bought, at ``K + e^{rT} (C_ask - P_bid)``;
the other way round it is sold, at ``K + e^{rT} (C_bid - P_ask)``. The dearest sale is the greatest lower bound, the
cheapest purchase the least upper bound. Where the sale is dearer there is a box; where it is dearer than the future's
ask a conversion, and where the purchase is cheaper than its bid a reversal. What is told is information: the bot never
trades it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from bot.domain.instrument import Instrument, Kind
from bot.domain.snapshot import Snapshot
from bot.hedging.parity.board import ParityBoard, ParityFuture, ParityRow, parity_boards
from bot.hedging.parity.settings import ParitySettings

SLIPPAGE_WARNING: Final = (
    "on RUT expect slippage: its quotes are thin, and practice keeps conversions and reversals to SPX"
)


class ParityKind(StrEnum):
    """What could be locked in."""

    BOX = "box"  # the forward sold at one strike and bought at another
    CONVERSION = "conversion"  # the forward sold, the future bought
    REVERSAL = "reversal"  # the forward bought, the future sold


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A price in points at which the forward can be traded, and the strike that offers it."""

    points: float
    strike: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityFinding:
    """Money on the table beyond fees, ticks and doubt about the rate.

    Attributes:
        kind: What would be traded.
        trading_class: Of the options.
        settlement: Of all legs.
        strikes: Of the forward that is sold, then of the one that is bought; one strike beside a future.
        size: Units that the quotes in sight allow.
        edge_points: What is left of one unit after fees, in index points of today.
        edge_usd: The same for one unit, USD.
        words: All of it as a sentence, with the warning that belongs to RUT.
    """

    kind: ParityKind
    trading_class: str
    settlement: date
    strikes: tuple[float, ...]
    size: int
    edge_points: float
    edge_usd: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityReport:
    """The bounds of one settlement; without findings it is clean."""

    trading_class: str
    settlement: date
    lower: Bound  # the dearest sale
    upper: Bound  # the cheapest purchase
    strikes: int
    findings: tuple[ParityFinding, ...]
    words: str

    @property
    def is_clean(self) -> bool:
        """Nothing was found."""
        return not self.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParity:
    """A settlement that cannot be judged, and why."""

    trading_class: str
    settlement: date
    why: str


def watch_parity(
    snapshot: Snapshot, contracts: Iterable[Instrument], settings: ParitySettings
) -> tuple[ParityReport | NoParity, ...]:
    """Return what parity says of every settlement among the contracts, the nearest first.

    Args and what is left out as of `parity_boards`. Source: docs/methodology.md, M13.
    """
    return tuple(judge_parity(board, settings) for board in parity_boards(snapshot, contracts, settings))


def judge_parity(board: ParityBoard, settings: ParitySettings) -> ParityReport | NoParity:
    """Return the bounds of one board with what was found, or why it has none.

    Source: docs/methodology.md, M13.
    """
    if not board.rows:
        why = f"none of {board.left_out} strikes has fresh, live quotes on both sides of call and put"
        return NoParity(trading_class=board.trading_class, settlement=board.settlement, why=why)
    growth = math.exp(settings.rate * board.years)
    seller = max(board.rows, key=lambda row: (_sold_at(row, growth), -row.strike))
    buyer = min(board.rows, key=lambda row: (_bought_at(row, growth), row.strike))
    future = board.future
    beside = () if future is None else _beside_future(board, seller, buyer, future, settings)
    trades = (_box(board, seller, buyer, settings), *beside)
    findings = tuple(found for trade in trades if (found := _finding(board, trade, settings)) is not None)
    lower = Bound(points=_sold_at(seller, growth), strike=seller.strike)
    upper = Bound(points=_bought_at(buyer, growth), strike=buyer.strike)
    return ParityReport(
        trading_class=board.trading_class,
        settlement=board.settlement,
        lower=lower,
        upper=upper,
        strikes=len(board.rows),
        findings=findings,
        words=_words_of(board, lower, upper, findings),
    )


def _sold_at(row: ParityRow, growth: float) -> float:
    return row.strike + growth * (row.call_bid - row.put_ask)


def _bought_at(row: ParityRow, growth: float) -> float:
    return row.strike + growth * (row.call_ask - row.put_bid)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trade:
    """One unit of what could be traded: its gain before fees in points of today, and what stands against it."""

    kind: ParityKind
    strikes: tuple[float, ...]
    size: int
    gross: float
    fees_usd: Decimal
    tick: float  # the coarsest of its legs, points
    distance: float  # between the two prices that change hands at settlement, points: what interest works on


def _box(board: ParityBoard, seller: ParityRow, buyer: ParityRow, settings: ParitySettings) -> _Trade:
    growth = math.exp(settings.rate * board.years)
    return _Trade(
        kind=ParityKind.BOX,
        strikes=(seller.strike, buyer.strike),
        size=min(seller.short_size, buyer.long_size),
        gross=(_sold_at(seller, growth) - _bought_at(buyer, growth)) / growth,
        fees_usd=4 * settings.fees.of_contract(board.trading_class, Kind.OPTION),
        tick=_coarsest(board, (*_short_prices(seller), *_long_prices(buyer)), settings),
        distance=abs(seller.strike - buyer.strike),
    )


def _beside_future(
    board: ParityBoard, seller: ParityRow, buyer: ParityRow, future: ParityFuture, settings: ParitySettings
) -> tuple[_Trade, ...]:
    """Return conversion and reversal, each pair against as many futures as have its multiplier; none where none do.

    The future's daily margin is taken to bear no interest.
    """
    futures, rest = divmod(board.multiplier, future.multiplier)
    if rest or not futures:
        return ()
    growth = math.exp(settings.rate * board.years)
    option_fee = settings.fees.of_contract(board.trading_class, Kind.OPTION)
    fees_usd = 2 * option_fee + futures * settings.fees.of_contract(future.trading_class, Kind.FUTURE)
    own_tick = float(settings.ticks.increment(future.trading_class, Decimal(repr(future.ask))))
    conversion = _Trade(
        kind=ParityKind.CONVERSION,
        strikes=(seller.strike,),
        size=min(seller.short_size, future.ask_size // futures),
        gross=(_sold_at(seller, growth) - future.ask) / growth,
        fees_usd=fees_usd,
        tick=max(own_tick, _coarsest(board, _short_prices(seller), settings)),
        distance=abs(seller.strike - future.ask),
    )
    reversal = _Trade(
        kind=ParityKind.REVERSAL,
        strikes=(buyer.strike,),
        size=min(buyer.long_size, future.bid_size // futures),
        gross=(future.bid - _bought_at(buyer, growth)) / growth,
        fees_usd=fees_usd,
        tick=max(own_tick, _coarsest(board, _long_prices(buyer), settings)),
        distance=abs(buyer.strike - future.bid),
    )
    return conversion, reversal


def _finding(board: ParityBoard, trade: _Trade, settings: ParitySettings) -> ParityFinding | None:
    """Return a finding where the gain exceeds fees, ticks and doubt about the rate, and quotes have a size."""
    fees = float(trade.fees_usd) / board.multiplier
    doubt = settings.rate_doubt * board.years * trade.distance
    if trade.size < 1 or not trade.gross > fees + settings.margin_ticks * trade.tick + doubt:
        return None
    edge = trade.gross - fees
    at = " and ".join(f"{strike:g}" for strike in trade.strikes)
    words = (
        f"{trade.kind} of {board.trading_class} {board.settlement} at {at}: {edge:.2f} points "
        f"({edge * board.multiplier:.0f} USD) a unit after fees, {trade.size} in sight"
    )
    return ParityFinding(
        kind=trade.kind,
        trading_class=board.trading_class,
        settlement=board.settlement,
        strikes=trade.strikes,
        size=trade.size,
        edge_points=edge,
        edge_usd=edge * board.multiplier,
        words=f"{words}; {SLIPPAGE_WARNING}" if board.trading_class.startswith("RUT") else words,
    )


def _short_prices(row: ParityRow) -> tuple[float, float]:
    return row.call_bid, row.put_ask


def _long_prices(row: ParityRow) -> tuple[float, float]:
    return row.call_ask, row.put_bid


def _coarsest(board: ParityBoard, prices: Iterable[float], settings: ParitySettings) -> float:
    """Return the coarsest increment among some option prices, points."""
    return max(float(settings.ticks.increment(board.trading_class, Decimal(repr(price)))) for price in prices)


def _words_of(board: ParityBoard, lower: Bound, upper: Bound, findings: Sequence[ParityFinding]) -> str:
    bounds = (
        f"{board.trading_class} {board.settlement}: the forward sells at {lower.points:.2f} ({lower.strike:g}) and "
        f"costs {upper.points:.2f} ({upper.strike:g}), {len(board.rows)} strikes"
    )
    told = "; ".join(finding.words for finding in findings)
    if told:
        return f"{bounds}; {told}"
    crossed = ", crossed by no more than fees, ticks and rate" if lower.points > upper.points else ""
    return f"{bounds}{crossed}: clean"
