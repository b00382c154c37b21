"""The worlds in which the plan wants whatever a step says, mostly nonsense: the gate must hold against any planner."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

from bot.domain.instrument import Right, Side
from bot.domain.orders import IntentId, Leg, OrderIntent, Purpose
from bot.domain.plan import HedgePlan, PlanAction
from bot.domain.readings import Signal
from bot.domain.snapshot import Snapshot
from bot.hedging.planning import NewId, Planner
from bot.hedging.settings import HedgeSettings
from tests.builders import FEES, NOVEMBER, a_future, a_plan, an_intent, an_option, buys, mirrored, sells, vix_call
from tests.machine.ground import STRIKES
from tests.machine.world import World


class Wishes(Planner):
    """Wants what the step says, once."""

    def __init__(self) -> None:
        """Want nothing."""
        super().__init__(HedgeSettings(), FEES)
        self.wanted: list[OrderIntent] = []

    def plans(self, snapshot: Snapshot, signal: Signal, decision_id: Any, new_id: NewId) -> Iterator[HedgePlan]:
        """Yield the wishes with fresh ids, or hold."""
        del snapshot, signal
        wanted, self.wanted = self.wanted, []
        orders = [replace(one, intent_id=IntentId(new_id()), decision_id=decision_id) for one in wanted]
        action = PlanAction.INCREASE if orders else PlanAction.HOLD
        yield replace(a_plan(*orders, action=action), decision_id=decision_id)


class WishingWorld(World):
    """A bot whose planner wants what the step says."""

    def _planned_by(self) -> Planner:
        self.wishes = Wishes()
        return self.wishes

    # steps: what the plan wants -----------------------------------------------------------------------------------

    def want_spread(self, chance: Random) -> None:
        """The plan wants call spreads at about the price at which they fill."""
        low, high = sorted(chance.sample(STRIKES, 2))
        legs = (buys(vix_call(low)), sells(vix_call(high)))
        self._want(legs, chance, Purpose.OVERLAY_BUILD, chance.choice((1, 1, 2, 3, 8, 50)))

    def want_call(self, chance: Random) -> None:
        """The plan wants single calls, often those that a spread is short of."""
        purpose = chance.choice((Purpose.OVERLAY_BUILD, Purpose.BASE_BUILD))
        short = [key for key in self.sleeve if self.venue.held.get(key, 0) < 0]
        if short and chance.random() < 0.6:
            key = chance.choice(short)
            self._want((buys(self.sleeve[key]),), chance, purpose, -self.venue.held[key])
            return
        self._want((buys(vix_call(chance.choice(STRIKES))),), chance, purpose, chance.choice((1, 2, 5)))

    def want_future(self, chance: Random) -> None:
        """The plan wants futures."""
        self._want((buys(a_future(chance.choice(("VX", "VXM")))),), chance, Purpose.OVERLAY_BUILD, 1)

    def want_sale(self, chance: Random) -> None:
        """The plan wants to sell what some earlier order bought, perhaps more of it than is left."""
        bought = [one for one in self.venue.orders.values() if one.filled and one.intent.purpose.buys_hedge]
        if bought:
            order = chance.choice(bought)
            sale = Purpose.BASE_EXIT if order.intent.purpose is Purpose.BASE_BUILD else Purpose.OVERLAY_UNWIND
            self._want(mirrored(order.intent.legs), chance, sale, chance.choice((1, 1, order.filled, order.filled + 1)))

    def want_roll(self, chance: Random) -> None:
        """The plan wants a wing farther out, or nearer."""
        right = chance.choice(tuple(Right))
        condor = self.scenery.opening.condors[0]
        old = condor.long_put if right is Right.PUT else condor.long_call
        new = chance.choice([one for one in self.wings.values() if one.right is right])
        legs = (sells(old), buys(new)) if chance.random() < 0.8 else (sells(new), buys(old))
        self._want(legs, chance, Purpose.WING_ROLL, chance.choice((1, 2, 3)))

    def want_nonsense(self, chance: Random) -> None:
        """The plan wants what must never leave: naked, upside down, off the grid, not to be had."""
        low, high = sorted(chance.sample(STRIKES, 2))
        odd = vix_call(low, NOVEMBER, trading_class="VIXW")
        legs = chance.choice(
            (
                (sells(vix_call(low)),),
                (sells(vix_call(low)), buys(vix_call(high))),
                (buys(vix_call(low)), sells(vix_call(high), 2)),
                (buys(an_option(low, right=Right.PUT)),),
                (sells(a_future("VXM")),),
                (buys(odd),),
            )
        )
        self._want(legs, chance, chance.choice(tuple(Purpose)), chance.choice((1, 3, 10**6)), off_grid=True)

    def want_two(self, chance: Random) -> None:
        """The plan wants two orders at once, perhaps both in one contract."""
        self.want_spread(chance)
        wanted = list(self.wishes.wanted)
        chance.choice((self.want_call, self.want_spread, self.want_sale))(chance)
        self.wishes.wanted = [*wanted, *self.wishes.wanted]
        self._decide()

    def _want(
        self, legs: Sequence[Leg], chance: Random, purpose: Purpose, quantity: int, *, off_grid: bool = False
    ) -> None:
        net = 0.0
        for leg in legs:
            quote = self.fair.get(leg.instrument.key)
            bid, ask = (0.1, 0.2) if quote is None else (quote.bid or 0.0, quote.ask or 0.0)
            net += leg.signed_ratio * (ask if leg.side is Side.BUY else bid)
        tick = Decimal("0.05") if legs[0].instrument.trading_class in ("VX", "SPXW") else Decimal("0.01")
        limit = (Decimal(repr(round(net, 2))) / tick).to_integral_value() * tick
        limit += chance.choice((0, 0, 0, 1, -3)) * tick
        if off_grid:
            limit += Decimal("0.003")
        wish = an_intent(legs, quantity=quantity, limit=str(limit), purpose=purpose, exposure=0.0)
        self.wishes.wanted = [wish]
        self.counts["orders wanted"] += 1
        self._decide()
