"""What each part of the book is worth and has brought in cash, read from the rows of a journal in their order.

How it works: a sample tells contracts and their middles part by part; executions and fees between two samples belong
to the part whose order they filled. Futures have no value of their own: what they gained from sample to sample counts
as cash, as they are settled daily. What came or went without an execution, by expiry or by a transfer, enters or leaves
at its last middle and is counted. What always holds: the first counted sample is where everything begins, at its
middles; a sample in which anything held has no middle is left out and counted.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from bot.domain.corrections import number_of, root_of
from bot.domain.instrument import Instrument, Kind, Right, Side
from bot.domain.layer import Layer
from bot.domain.ledger import trade_date
from bot.domain.orders import Purpose
from bot.domain.parts import Part, part_of_class, part_of_order

Facts = Mapping[str, Any]
Place = tuple[Part, str]
"""A contract in a part."""

FUTURE: Final = f"{Kind.FUTURE.value}:"
"""How the key of a future begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One part at a moment, USD.

    Attributes:
        worth_usd: Of its options at their middles; negative for what is owed.
        cash_usd: Received less paid since the first counted sample, fees and what futures gained included.
        fees_usd: The fees in it, positive.
    """

    worth_usd: float
    cash_usd: float
    fees_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One counted sample; ``spx`` in index points, ``account_usd`` the broker's net liquidation, None if untold."""

    at: datetime
    spx: float
    account_usd: float | None
    parts: Mapping[Part, Standing]

    @property
    def day(self) -> date:
        """The session's day, New York."""
        return trade_date(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """Contracts of one kind in one part, signed, and what one is worth, USD."""

    quantity: int = 0
    each_usd: float = 0.0

    @property
    def usd(self) -> float:
        return self.quantity * self.each_usd


_NOTHING: Final = _Held()


@dataclass(slots=True)
class Results:
    """Takes rows in their order; ``ends`` holds the last counted sample of each session.

    ``counted``, ``left_out`` and ``without`` count samples: those that say everything, those that lack a middle or the
    level of SPX, and those of journals that were written before samples told what is held. ``moved`` counts positions
    that came or went without an execution. ``capital_usd`` is the largest maximum loss of the condors in any sample.
    """

    first: Moment | None = None
    ends: dict[date, Moment] = field(default_factory=dict)
    counted: int = 0
    left_out: int = 0
    without: int = 0
    moved: int = 0
    capital_usd: float = 0.0
    _parts: dict[str, Part] = field(default_factory=dict)  # of own orders, by intent
    _latest: dict[tuple[str, str, str], Facts] = field(default_factory=dict)  # of what may be corrected
    _filled: dict[str, Part | None] = field(default_factory=dict)  # whose execution it was, by its id
    _charged: dict[str, Decimal] = field(default_factory=dict)  # by execution
    _each: dict[str, float] = field(default_factory=dict)  # last known worth of one contract, by its key
    _held: Mapping[Place, _Held] = field(default_factory=dict)  # in the last counted sample
    _traded: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))  # since then
    _cash: defaultdict[Part, float] = field(default_factory=lambda: defaultdict(float))
    _fees: defaultdict[Part, float] = field(default_factory=lambda: defaultdict(float))

    def take(self, at: datetime, kind: str, facts: Facts) -> None:
        """Take one row in; those that say nothing of worth or cash change nothing."""
        match kind:
            case "sample_taken":
                self._sample(at, facts)
            case "order_prepared":
                self._prepared(facts["intent"])
            case "order_filled":
                self._fill(facts["fill"])
            case "commission_booked":
                self._charge(str(facts["exec_id"]), Decimal(str(facts["commission_usd"])))
            case "books_reconciled":
                for exec_id, usd in facts.get("commissions", {}).items():
                    self._charge(exec_id, Decimal(str(usd)))

    def _sample(self, at: datetime, facts: Facts) -> None:
        told = facts.get("holdings")
        if told is None:
            self.without += 1
            return
        held: dict[Place, _Held] = {}
        lacks = facts.get("spx") is None
        for part, contracts in told.items():
            for key, one in contracts.items():
                lacks = lacks or one["each_usd"] is None
                if one["each_usd"] is not None:
                    self._each[key] = float(one["each_usd"])
                    held[Part(part), key] = _Held(quantity=int(one["quantity"]), each_usd=self._each[key])
        if lacks:
            self.left_out += 1
            return
        self.counted += 1
        self._count(at, facts, held)

    def _count(self, at: datetime, facts: Facts, held: Mapping[Place, _Held]) -> None:
        """Bring the parts to a sample that says everything; the first one is where they begin."""
        if self.first is None:
            self._cash.clear()
            self._fees.clear()
        else:
            for place in {*self._held, *held, *self._traded}:
                self._step(place, self._held.get(place, _NOTHING), held.get(place, _NOTHING))
        self._held = held
        self._traded.clear()
        account = facts.get("net_liquidation_usd")
        now = Moment(
            at=at,
            spx=float(facts["spx"]),
            account_usd=None if account is None else float(account),
            parts={part: self._standing(part) for part in Part},
        )
        self.first = self.first or now
        self.ends[now.day] = now
        self.capital_usd = max(self.capital_usd, float(facts["maximum_loss_usd"]))

    def _step(self, place: Place, before: _Held, now: _Held) -> None:
        part, key = place
        stray = now.quantity - before.quantity - self._traded.get(place, 0)
        if stray:
            self.moved += 1
            self._cash[part] -= stray * self._each[key]
        if key.startswith(FUTURE):
            self._cash[part] += now.usd - before.usd

    def _standing(self, part: Part) -> Standing:
        worth = sum(
            held.usd for (whose, key), held in self._held.items() if whose is part and not key.startswith(FUTURE)
        )
        return Standing(worth_usd=worth, cash_usd=self._cash[part], fees_usd=self._fees[part])

    def _prepared(self, intent: Facts) -> None:
        layer = Layer(intent.get("layer", Layer.OVERLAY))  # early journals know no other layer
        self._parts[str(intent["intent_id"])] = part_of_order(Purpose(intent["purpose"]), layer)

    def _fill(self, fill: Facts) -> None:
        """Book one execution once; the net of a combo moves nothing, because its legs do."""
        exec_id, contract = str(fill["exec_id"]), fill["instrument"]
        if exec_id in self._filled:
            return
        part = self._parts.get(str(fill["order_ref"]))
        if part is None and contract is not None:
            part = part_of_class(str(contract["trading_class"]))
        self._filled[exec_id] = part
        if part is None or not self._is_latest(exec_id, fill):
            return
        self._pay_fee(part, self._charged.get(exec_id, Decimal(0)))
        if contract is not None:
            instrument = _instrument(contract)
            each = float(Decimal(str(fill["price"])) * instrument.multiplier)
            contracts = Side(fill["side"]).sign * int(fill["quantity"])
            self._trade(part, instrument.key, contracts, each)
            self._each.setdefault(instrument.key, each)

    def _trade(self, part: Part, key: str, contracts: int, each_usd: float) -> None:
        self._cash[part] -= contracts * each_usd
        self._traded[part, key] += contracts

    def _is_latest(self, exec_id: str, fill: Facts) -> bool:
        """Return whether an execution counts; what it corrects is undone, its fee as well."""
        root, contract = root_of(exec_id), fill["instrument"]
        if not root or contract is None:
            return True
        key = (root, _instrument(contract).key, str(fill["side"]))
        before = self._latest.get(key)
        if before is not None and number_of(str(before["exec_id"])) > number_of(exec_id):
            self._filled[exec_id] = None
            return False
        self._latest[key] = fill
        if before is not None:
            self._undo(before)
        return True

    def _undo(self, fill: Facts) -> None:
        """Take back what an execution moved and cost: it was corrected."""
        exec_id = str(fill["exec_id"])
        part, self._filled[exec_id] = self._filled[exec_id], None
        if part is not None:
            self._pay_fee(part, -self._charged.get(exec_id, Decimal(0)))
            instrument = _instrument(fill["instrument"])
            each = float(Decimal(str(fill["price"])) * instrument.multiplier)
            self._trade(part, instrument.key, -Side(fill["side"]).sign * int(fill["quantity"]), each)

    def _charge(self, exec_id: str, usd: Decimal) -> None:
        """Take what an execution cost; said before the execution, it is paid with it."""
        more = usd - self._charged.get(exec_id, Decimal(0))
        self._charged[exec_id] = usd
        part = self._filled.get(exec_id)
        if part is not None:
            self._pay_fee(part, more)

    def _pay_fee(self, part: Part, usd: Decimal) -> None:
        self._cash[part] -= float(usd)
        self._fees[part] += float(usd)


def _instrument(told: Facts) -> Instrument:
    """Return a contract as the journal tells it."""
    return Instrument(
        kind=Kind(told["kind"]),
        symbol=told["symbol"],
        trading_class=told["trading_class"],
        exchange=told["exchange"],
        multiplier=int(told["multiplier"]),
        settlement=_day(told.get("settlement")),
        last_trade=_day(told.get("last_trade")),
        strike=None if told.get("strike") is None else Decimal(told["strike"]),
        right=None if told.get("right") is None else Right(told["right"]),
    )


def _day(told: str | None) -> date | None:
    return None if told is None else date.fromisoformat(told)
