"""What must never happen, in arithmetic of its own: it reads the exchange's ledger and never the bot's figures.

How it works: `before_send` judges each frame at the instant at which it leaves; `after_step` compares the bot's books
with the truth and watches how orders move. Nothing here uses `risk`, `bot.books` or `bot.domain.ledger`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from decimal import Decimal
from fractions import Fraction

from bot.domain.decision import Approved, Rule, Verdict
from bot.domain.instrument import SPX, VIX, Kind, Right, Side
from bot.domain.market import DataType, Quote
from bot.domain.orders import Cancelled, Filled, Order, OrderIntent, Purpose, Rejected
from bot.domain.portfolio import AccountValues, Book
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from tests.machine.falls import Falls, paid_usd, reduces
from tests.machine.venue import COMMISSION_USD, BrokenLedgerError, Trade, Venue, VenueOrder

CAP = Fraction(2, 5)
FEES = {"VIX": Fraction(13, 10), "VX": Fraction(5, 2), "VXM": Fraction(6, 5), "SPXW": Fraction(7, 5)}
"""USD per contract and side."""
FUTURE_USD = {"VX": 1000, "VXM": 100}
OPTION_USD, VIX_QUARTER, LEAST_BETA = 100, Fraction(1, 4), Fraction(1, 2)
SOONEST, LATEST = time(9, 40), time(16, 5)
OLDEST_S = 900.0
MOST_WORKING, MOST_A_DAY = 20, 80
DEAD = (Filled, Cancelled, Rejected)


@dataclass(slots=True)
class Circumstances:
    """What the world knows of the moment of a send, from its own books."""

    now: datetime
    quotes: Mapping[str, Quote]
    account: AccountValues | None
    killed: bool
    reduce_only: bool
    link_up: bool
    agreed: bool
    locked: Iterable[str]
    written: Iterable[str]
    vix: float
    cap: Fraction  # of the credit, as a command has set it


@dataclass(slots=True)
class Oracle:
    """The judge; ``credit_usd`` is what all condors brought in, never less than what the bot may count."""

    venue: Venue
    credit_usd: Fraction
    sent_on: dict[object, int] = field(default_factory=lambda: defaultdict(int))
    seen: dict[str, Order] = field(default_factory=dict)
    corrected: set[str] = field(default_factory=set)  # orders of which an execution was corrected to another size
    judged: int = 0

    def before_send(self, approved: Approved, at: Circumstances) -> None:
        """Judge one frame: the exchange has not taken it yet."""
        self.judged += 1
        intent = approved.intent
        self._require("I2", intent.intent_id in at.written, "its intent is not on disk")
        self._require("I4", not at.killed, "a kill is latched")
        self._require("I5", at.link_up and at.agreed, "the books were not compared since the link broke")
        self._require("I20", not set(at.locked) & {leg.instrument.key for leg in intent.legs}, "a leg is locked")
        self._require("I14", at.account is not None and at.account.ready, "the account is not known")
        self._quotes(intent, at)
        self._form(intent)
        local = at.now.astimezone(NEW_YORK)
        self._require("I9", SOONEST <= local.time() < LATEST and local.weekday() < 5, f"sent at {local}")
        self.sent_on[local.date()] += 1
        self._require("I10", self.sent_on[local.date()] <= MOST_A_DAY, "too many orders today")
        self._require("I10", len(self.venue.may_trade()) < MOST_WORKING, "too many orders at work")
        mine = {leg.instrument.key for leg in intent.legs}
        other = {leg.instrument.key for one in self.venue.may_trade() for leg in one.intent.legs}
        self._require("I22", not mine & other, "another order works in the same contract")
        if at.reduce_only:
            buys_calls = intent.legs[0].side is Side.BUY and not intent.is_future
            self._require("I7", buys_calls and intent.purpose is not Purpose.WING_ROLL, "sent in REDUCE_ONLY")
        if not intent.purpose.sells_hedge:
            self._cap(intent, at)

    def after_review(self, snapshot: Snapshot, verdicts: Iterable[Verdict], fair: Mapping[str, Quote]) -> int:
        """I7, both ways: what REDUCE_ONLY lets through reduces, and what it alone refuses does not.

        Returns:
            How many verdicts could be judged: every quote behind them is a good one, and the case is clear.
        """
        judged, pending = 0, [(one.intent, one.remaining) for one in snapshot.book.orders.values() if one.may_fill]
        for verdict in verdicts:
            against = {one.rule for one in verdict.checks if not one.passed}
            if not against - {Rule.TRADING_MODE}:
                reduces = self._reduces(verdict.intent, pending, snapshot, fair)
                judged += reduces is not None
                self._require("I7", against or reduces is not False, f"let through: {verdict.intent}")
                self._require("I7", not against or reduces is not True, f"refused: {verdict.intent}")
            if isinstance(verdict, Approved):
                pending.append((verdict.intent, verdict.intent.quantity))
        return judged

    @staticmethod
    def _reduces(
        intent: OrderIntent, pending: list[tuple[OrderIntent, int]], snapshot: Snapshot, fair: Mapping[str, Quote]
    ) -> bool | None:
        held = [(one.instrument, one.quantity) for one in snapshot.book.positions.values()]
        ordered = [leg.instrument for one in (intent, *(order for order, _ in pending)) for leg in one.legs]
        keys = {one.key for one in (*(instrument for instrument, _ in held), *ordered)}
        keys |= {key for key in fair if key.startswith("FUT:VX:")}
        now_s = snapshot.now.timestamp()
        for key in keys:
            shown, good = snapshot.quotes.get(key), fair.get(key)
            as_it_should = shown is not None and good is not None and replace(shown, at_ns=good.at_ns) == good
            if not as_it_should or shown is None or now_s - shown.at_ns / 1e9 > OLDEST_S:
                return None
        if not {SPX.key, VIX.key} <= snapshot.levels.keys():
            return None  # no index has ticked in this session yet: nothing can be worked out
        falls = Falls(fair, snapshot.levels[SPX.key], snapshot.levels[VIX.key], snapshot.now)
        smiles = [instrument for instrument, _ in held if instrument.symbol == "SPX"]
        before = falls.of(held, smiles)
        for order, units in pending:
            gains = falls.of(((leg.instrument, leg.signed_ratio * units) for leg in order.legs), smiles)
            before = [total + min(0.0, gain) for total, gain in zip(before, gains, strict=True)]
        change = falls.of(((leg.instrument, leg.signed_ratio * intent.quantity) for leg in intent.legs), smiles)
        middle = sum(leg.signed_ratio * (fair[leg.instrument.key].mid) for leg in intent.legs)
        fee = sum((FEES[leg.instrument.trading_class] * leg.ratio for leg in intent.legs), Fraction(0))
        return reduces(before, change, paid_usd(intent, middle, float(fee * intent.quantity)))

    def _quotes(self, intent: OrderIntent, at: Circumstances) -> None:
        for leg in intent.legs:
            quote = at.quotes.get(leg.instrument.key)
            self._require("I6", quote is not None, f"no quote of {leg.instrument.key}")
            assert quote is not None  # for the type checker's sake
            age = at.now.timestamp() - quote.at_ns / 1e9
            self._require("I6", quote.data_type is DataType.LIVE and -1.0 <= age <= OLDEST_S, f"not live: {quote}")
            bid, ask = quote.bid, quote.ask
            unbid = intent.purpose.sells_hedge and ask is not None and 0 < ask <= 0.10
            sound = bid is not None and ask is not None and 0 < bid <= ask < 1e6
            self._require("I6", sound or unbid, f"not two-sided: {quote}")

    def _form(self, intent: OrderIntent) -> None:
        leg = intent.legs[0]
        name = leg.instrument.trading_class
        coarse = Decimal("0.05") if name in ("VX", "SPXW") else Decimal("0.01")
        self._require("I13", intent.limit % coarse == 0, f"limit {intent.limit} is off the grid of {name}")
        if intent.purpose.buys_hedge:
            self._require("I13", intent.limit > 0, "a purchase pays")

    def _cap(self, intent: OrderIntent, at: Circumstances) -> None:
        """I3, by the exchange's own ledger: what was paid, what may still be paid, and this order."""
        spent = self.spent_usd(self.venue.trades)
        working = sum((worst_usd(one.intent, one.remaining, at.vix) for one in self._unsettled()), Fraction(0))
        charge = spent + working + worst_usd(intent, intent.quantity, at.vix)
        if intent.purpose is Purpose.WING_ROLL:
            return  # it lowers the credit instead
        cap = min(CAP, at.cap)
        self._require(
            "I3", charge <= cap * self.credit_usd, f"{float(charge):.2f} of {float(cap * self.credit_usd):.2f} USD"
        )

    def _unsettled(self) -> list[VenueOrder]:
        return [one for one in self.venue.may_trade() if one.intent.purpose is not Purpose.WING_ROLL]

    @staticmethod
    def spent_usd(trades: Iterable[Trade]) -> Fraction:
        """Return what all lots cost: what was sold less what it brought, what is left; no gain pays for another lot."""
        lots: dict[str, list[Fraction | int]] = {}
        shapes: dict[str, frozenset[tuple[str, int]]] = {}
        for trade in trades:
            intent, units = trade.intent, trade.units
            if intent.purpose is Purpose.WING_ROLL:
                continue
            shape = frozenset((leg.instrument.key, leg.signed_ratio) for leg in intent.legs)
            paid = Fraction(trade.price) * OPTION_USD * units if not intent.is_future else Fraction(0)
            fee = Fraction(COMMISSION_USD) * units * sum(leg.ratio for leg in intent.legs)
            if intent.purpose.buys_hedge:
                lot = lots.setdefault(intent.intent_id, [0, 0, Fraction(0), Fraction(0)])  # bought, open, cost, back
                shapes[intent.intent_id] = shape
                lot[0], lot[1], lot[2] = lot[0] + units, lot[1] + units, lot[2] + paid + fee
                continue
            mirrored = frozenset((key, -ratio) for key, ratio in shape)
            each = (-paid - fee) / units
            for name, lot in lots.items():
                taken = min(units, int(lot[1])) if shapes[name] == mirrored else 0
                units -= taken
                lot[1], lot[3] = lot[1] - taken, lot[3] + each * taken
        total = Fraction(0)
        for bought, left, cost, back in lots.values():
            sold = Fraction(cost) * (Fraction(bought) - left) / bought
            total += max(Fraction(0), sold - back) + max(Fraction(0), Fraction(cost) - sold)
        return total

    def after_step(self, book: Book, orders: Iterable[Order], known: Mapping[str, int]) -> None:
        """Compare the books after a step.

        Args:
            book: As the bot sees it.
            orders: Every order of the bot's.
            known: Contracts that the account holds as far as the bot was told.
        """
        held = {key: position.quantity for key, position in book.positions.items()}
        told = {key: quantity for key, quantity in known.items() if quantity}
        self._require("I12", held == told, f"the book holds {held}, it was told {told}")
        for order in orders:
            self._moves(order)
        self._covered()

    def _moves(self, order: Order) -> None:
        ref = order.intent.intent_id
        before = self.seen.get(ref)
        truth = self.venue.orders.get(ref)
        self._require("I11", 0 <= order.filled <= order.intent.quantity, f"{ref} filled {order.filled}")
        self._require("I11", order.filled <= (truth.most_filled if truth else 0), f"{ref} filled more than it traded")
        if before is not None:
            corrected = order.filled != before.filled and ref in self.corrected
            self._require("I11", corrected or order.filled >= before.filled, f"{ref}: the filled quantity fell")
            revived = isinstance(before.state, DEAD) and type(before.state) is not type(order.state)
            grown = order.filled > before.filled
            self._require("I11", corrected or not revived or grown, f"{ref} came back to life")
        if truth is not None and truth.remaining and truth.arrived:
            self._require("I20", not isinstance(order.state, DEAD), f"{ref} works, the bot believes it dead")
        self.seen[ref] = order

    def _covered(self) -> None:
        """I8 at the exchange: each short option has a long one that bounds it."""
        ladders: dict[tuple[str, object, object], list[tuple[Decimal, int]]] = defaultdict(list)
        for key, quantity in self.venue.held.items():
            one = self.venue.instruments[key]
            if one.kind is Kind.OPTION and quantity:
                outward = one.symbol == "SPX" and one.right is Right.CALL
                strike = one.strike or Decimal(0)
                ladders[one.trading_class, one.settlement, one.right].append((-strike if outward else strike, quantity))
        for group, rungs in ladders.items():
            running = 0
            for _, quantity in sorted(rungs):
                running += quantity
                self._require("I8", running >= 0, f"naked short in {group}")

    @staticmethod
    def _require(invariant: str, holds: bool, what: str) -> None:  # noqa: FBT001 - the claim itself
        if not holds:
            raise BrokenLedgerError(f"{invariant}: {what}")


def worst_usd(intent: OrderIntent, units: int, vix: float) -> Fraction:
    """Return the least that an order costs when all of it fills at its limit, USD: a bound from below for futures."""
    fee = sum((FEES[leg.instrument.trading_class] * leg.ratio for leg in intent.legs), Fraction(0)) * units
    if not intent.is_future:
        return max(Fraction(0), Fraction(intent.limit) * OPTION_USD * units + fee)
    if intent.purpose.sells_hedge:
        return fee
    point = FUTURE_USD[intent.legs[0].instrument.trading_class]
    return fee + point * units * VIX_QUARTER * Fraction(vix) * LEAST_BETA
