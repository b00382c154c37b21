"""The steps that all worlds of the state machine share: the exchange, link, process, commands, quotes and time."""

import json
import math
from dataclasses import fields, replace
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from bot.domain.events import (
    DataFeedChanged,
    LinkLost,
    LinkRestored,
    ModeDemanded,
    OrderDoubted,
    SessionClosed,
    TimerElapsed,
)
from bot.domain.instrument import Side
from bot.domain.market import DataType
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import BrokerStatus, FillPart, Purpose
from tests.builders import (
    CALENDAR,
    NOON,
    an_account,
    ns,
    vix_call,
)
from tests.machine.ground import EVENING, FLIGHT_S, LATE, SETTLE_S, STRIKES, Ground, die
from tests.machine.operators import KEYS, Wish
from tests.machine.strictness import Picture
from tests.machine.venue import VenueOrder


class World(Ground):
    """A bot at an exchange, and the steps that change them."""

    last_day = date(2026, 10, 30)

    def _decide(self) -> None:
        self.engine.receive(TimerElapsed(at=self.clock.now()))

    # steps: the exchange ------------------------------------------------------------------------------------------

    def arrive(self, chance: Random) -> None:
        """Frames on their way arrive."""
        del chance
        self._land(0.0)

    def _land(self, least_s: float = FLIGHT_S) -> None:
        """What has been on its way for so long arrives."""
        now = self.clock.now()
        for order in self.venue.may_trade():
            if not order.arrived and (now - order.at).total_seconds() >= least_s:
                self.venue.arrive(order, now)

    def trade(self, chance: Random) -> None:
        """Some units of an order trade at its limit or better."""
        order = self._some_order(chance)
        if order is not None:
            units = chance.randint(1, order.remaining)
            better = chance.choice((0, 0, 1, 2)) * Decimal("0.01") * (0 if order.intent.is_future else 1)
            self.venue.trade(order, units, order.intent.limit - better, self.clock.now())
            self.counts["units traded"] += units

    def correct(self, chance: Random) -> None:
        """The exchange corrects an execution of a single contract: another price, or one contract more or less."""
        own = [fill for fill in self.venue.fills if fill.part is FillPart.WHOLE and fill.order_ref in self.venue.orders]
        if not own:
            return
        fill = chance.choice(own)
        room = self.venue.orders[fill.order_ref].remaining
        units = min(max(1, fill.quantity + chance.choice((0, 0, -1, 1))), fill.quantity + room)
        price = max(Decimal("0.05"), fill.price + chance.choice((0, -1, 1, 4)) * Decimal("0.05"))
        later = self.venue.correct(fill, units, price, self.clock.now())
        if units != fill.quantity:
            self.oracle.corrected.add(fill.order_ref)
        self.counts["corrected in size"] += later.quantity != fill.quantity

    def end_order(self, chance: Random) -> None:
        """The exchange cancels or rejects what is left of an order, asked or not."""
        order = self._some_order(chance)
        if order is not None:
            status = BrokerStatus.REJECTED if order.filled == 0 and chance.random() < 0.3 else BrokerStatus.CANCELLED
            self.venue.end(order, status, self.clock.now())

    def say_again(self, chance: Random) -> None:
        """The exchange repeats an execution, or says something unclear of an order."""
        if self.venue.fills and chance.random() < 0.5:
            fill = chance.choice(self.venue.fills)
            self.venue.trade_again(fill, self.clock.now())
        elif self.venue.orders:
            order = chance.choice(tuple(self.venue.orders.values()))
            doubt = OrderDoubted(at=self.clock.now(), order_ref=order.intent.intent_id, code=399, text="?")
            self.venue.say(doubt)

    def _some_order(self, chance: Random) -> VenueOrder | None:
        working = [order for order in self.venue.may_trade() if order.arrived]
        return chance.choice(working) if working else None

    def deliver(self, chance: Random) -> None:
        """Some of what is on the wire arrives, in any order."""
        for _ in range(chance.randint(1, 4)):
            if self.venue.wire:
                place = 0 if chance.random() < 0.7 else chance.randrange(len(self.venue.wire))
                self._hear(self.venue.wire.pop(place))

    def _hear(self, event: Any) -> None:
        fill = getattr(event, "fill", None)
        if fill is not None and fill.exec_id not in self.counted:
            self._count(fill)
            if not fill.order_ref and fill.key in self.sleeve:
                self.foreign.add(fill.key)
                self.locked.add(fill.key)
        self.engine.receive(event)

    def trade_by_hand(self, chance: Random) -> None:
        """A person at a terminal buys a call, or closes a condor; or a position changes that nothing explains."""
        kind = chance.random()
        if kind < 0.4:
            call = vix_call(chance.choice(STRIKES))
            self.venue.trade_foreign(call, Side.BUY, 1, Decimal("1.00"), self.clock.now())
        elif kind < 0.6 and self.condors and not self._wings_moved():
            self.condors -= 1
            for leg, side in zip(self.scenery.opening.condors[0].legs, _CLOSING, strict=True):
                self.venue.trade_foreign(leg, side, 1, Decimal("3.00"), self.clock.now())
        elif self.unexplained:
            self._explain()
        elif kind < 0.8:
            self.unexplained.append(chance.choice(tuple(self.sleeve)))
            self.venue.held[self.unexplained[0]] = self.venue.held.get(self.unexplained[0], 0) + 1
        self.counts["by hand"] += 1

    def _explain(self) -> None:
        """What changed without a trade is put right by whoever did it."""
        while self.unexplained:
            self.venue.held[self.unexplained.pop()] -= 1

    def _wings_moved(self) -> bool:
        return any(order.intent.purpose is Purpose.WING_ROLL for order in self.venue.orders.values())

    # steps: link, process, mode -------------------------------------------------------------------------------------

    def lose_link(self, chance: Random) -> None:
        """The link breaks; what was on the wire is lost."""
        del chance
        self.venue.wire.clear()
        self.venue.is_up, self.agreed = False, False
        self.engine.receive(LinkLost(at=self.clock.now(), why="machine"))

    def restore_link(self, chance: Random) -> None:
        """The link is back; the books are not compared yet."""
        if not self.venue.is_up:
            self.venue.is_up, self.agreed = True, False
            self.engine.receive(LinkRestored(at=self.clock.now(), why="machine"))
            if chance.random() < 0.8:
                self.reconcile(chance)

    def crash(self, chance: Random) -> None:
        """The process dies: now, while the journal writes, or right after a frame has left; and starts again."""
        when = chance.random()
        if when < 0.4:
            self._restart()
        elif when < 0.7:
            self.disk.meanwhile.append(die)
        else:
            self.on_submit = "died"

    def doom_next_frame(self, chance: Random) -> None:
        """The next frame is lost, or its transport breaks before or after it left, or it is there at once."""
        self.on_submit = chance.choice(("lost", "never left", "left in doubt", "at once"))

    def kill(self, chance: Random) -> None:
        """A kill arrives: at once, or while the journal writes a decision."""
        if chance.random() < 0.5:
            self._kill()
        else:
            self.disk.meanwhile.append(self._kill)

    def _kill(self) -> None:
        self.latch.tighten(TradingMode.HALT, "machine")
        self.desk.demand()
        self.engine.cancel_own()

    def reduce_only(self, chance: Random) -> None:
        """REDUCE_ONLY is latched."""
        del chance
        self.latch.tighten(TradingMode.REDUCE_ONLY, "machine")
        self.desk.demand()

    def restrain(self, chance: Random) -> None:
        """The bot asks something of itself: a limit of losses or slippage was passed, or one pattern came too often."""
        source = chance.choice((DemandSource.LOSSES, DemandSource.SLIPPAGE, DemandSource.REPEATS))
        mode = TradingMode.HALT if source is DemandSource.REPEATS else TradingMode.REDUCE_ONLY
        self.restrained[source] = mode
        self.engine.receive(ModeDemanded(at=self.clock.now(), source=source, mode=mode, cause="machine"))
        if mode is TradingMode.HALT:
            self._kill()

    def command(self, chance: Random) -> None:
        """Somebody says something, in good order or not; where two keys are asked for, a second one mostly follows."""
        if (
            self.state.mode is not TradingMode.NORMAL and chance.random() < 0.7
        ):  # who wants to resume waits for the books
            self.clock.pass_s(SETTLE_S + 1)
            self._land()
            self.restore_link(chance)
            if chance.random() < 0.5:
                self._explain()
            self.reconcile(chance)
        self.desk.beat()
        wish, faults = self.people.wish(self, chance), self.people.faults(chance)
        key = chance.choice(tuple(KEYS))
        self._say(wish, key, faults, chance)
        if self.people.keys_required > 1 and not faults and chance.random() < 0.85:
            second = key if chance.random() < 0.15 else chance.choice([one for one in KEYS if one != key])
            self._say(wish, second, self.people.faults(chance, 0.15), chance)

    def _say(self, wish: Wish, key: str, faults: frozenset[str], chance: Random) -> None:
        said = self.people.command(wish, key, faults, self.desk, self)
        judgement = self.desk.judged(said)
        if self.desk.waits_for_books(judgement) and chance.random() < 0.8:
            self.reconcile(chance)
            judgement = self.desk.judged(said)
        leave = self.people.leave(wish, said, faults, self.desk, self)
        if leave is not None:
            self.strict.give(leave, self.clock.now())
            self.counts[f"leave: {leave.kind}"] += 1
        self.counts["commands spoilt"] += bool(faults)
        self.desk.carry_out(said, judgement)
        held = self.state.restraints
        self.restrained = {source: mode for source, mode in self.restrained.items() if held.of(source) is not None}
        for lock in self.locked - self.state.standing().locks.keys():
            self.locked.discard(lock)
            self.foreign.discard(lock)

    def change_feed(self, chance: Random) -> None:
        """Market data as a whole becomes unusable, or usable again and its guard lets go."""
        self.feed_usable = chance.random() < 0.8
        now = self.clock.now()
        self.engine.receive(DataFeedChanged(at=now, usable=self.feed_usable, why="machine"))
        if self.feed_usable:
            source = DemandSource.MARKET_DATA
            self.engine.receive(ModeDemanded(at=now, source=source, mode=TradingMode.NORMAL, cause="machine"))

    # steps: market and time -----------------------------------------------------------------------------------------

    def spoil_quote(self, chance: Random) -> None:
        """A contract's quote becomes one on which nothing may stand."""
        key = chance.choice(tuple(self.watched))
        good = replace(self.fair[key], at_ns=ns(self.clock.now()))  # type: ignore[index]  # keys are text
        bad = chance.choice(
            (
                {"data_type": DataType.FROZEN},
                {"data_type": DataType.DELAYED},
                {"bid": None},
                {"ask": None},
                {"bid": math.nan},
                {"ask": math.inf},
                {"bid": (good.ask or 1.0) + 1.0},
                {"ask": (good.ask or 1.0) * 5},
                {"bid": -1.0},
                {"bid": 0.0, "ask": 0.0},
                {"at_ns": good.at_ns - 10**13},
                {"at_ns": good.at_ns - 10**12},
                {"at_ns": good.at_ns - 2 * 10**12},
            )
        )
        self._quote(replace(good, **bad), key)  # type: ignore[arg-type]  # a table of faults

    def spoil_account(self, chance: Random) -> None:
        """The account's values become doubtful, or good again."""
        good = self.venue.account()
        self._report(
            chance.choice(
                (
                    good,
                    good,
                    an_account(ready=False),
                    an_account(account="U999"),
                    an_account(-1),
                    replace(good, initial_margin_usd=None),
                    replace(good, gross_position_usd=Decimal(10) ** 15),
                )
            )
        )

    def pass_time(self, chance: Random) -> None:
        """Time passes; orders are tended; sometimes the night."""
        self.clock.pass_s(chance.choice((1, 5, 15, 40, 70, 300, 900, 900)))
        if chance.random() < 0.04:
            self._evening()
        self._land()
        is_late = self.clock.now().timetz() >= LATE
        if chance.random() < (0.3 if is_late else 0.02):
            self._night()
        self.engine.tend_orders()
        if chance.random() < 0.8:
            self.refresh(chance)

    def _evening(self) -> None:
        """It is a few minutes before the close all of a sudden."""
        now = self.clock.now()
        if now.timetz() < EVENING:
            self.clock.at = datetime.combine(now.date(), EVENING)

    def _night(self) -> None:
        """The next session is at its noon, where there is one more."""
        if self.clock.now().date() >= self.last_day:
            return
        session = self.state.session
        if session is not None:
            self.engine.receive(SessionClosed(at=self.clock.now(), session=session))
            self.quotes.clear()
        following = CALENDAR.next_session(self.clock.now().date())
        self.clock.at = datetime.combine(following.day, NOON.timetz())
        self._land()
        self._open()

    def step(self, name: str, chance: Random) -> None:
        """Carry out one step by name, let the bot work, and judge."""
        self.counts[name] += 1
        getattr(self, name)(chance)
        self._work()
        self.disk.verify()
        self.counts["steps in NORMAL"] += self.state.mode is TradingMode.NORMAL
        now = self.clock.now()
        orders = [order for ref in self.venue.orders if (order := self.state.order(ref)) is not None]
        self.oracle.after_step(self.state.snapshot(now).book, orders, self.told)
        self._judge_strictness()

    def _judge_strictness(self) -> None:
        rows = [(row.kind, json.loads(row.payload)) for row in self.disk.rows[self.seen_rows :] if row.kind in SIGNED]
        self.seen_rows = len(self.disk.rows)
        limits = self.engine.limits
        picture = Picture(
            latch=self.latch.mode,
            demanded=self.state.demand(DemandSource.LATCH),
            restraints=self.state.restraints,
            locks=self.state.locks,
            limits={one.name: getattr(limits, one.name) for one in fields(limits)},
        )
        self.strict.after_step(picture, rows)


SIGNED = frozenset({"override_granted", "proposal_approved"})
"""Rows of which each needs a leave of its own."""
_CLOSING = (Side.SELL, Side.BUY, Side.BUY, Side.SELL)
