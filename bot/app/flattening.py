"""FLATTEN on the shell's side: proposes the plan, takes the signed one to the engine, watches it to its end.

How it works: a plan is worked out from books that have just been compared, told and kept until its time is over or the
halt is another one. Signed, it becomes the engine's mandate, and from then on every plan of the engine is the mandate's
next orders. What always holds: at the end nothing of it works any more, the books have been compared, and what is still
held is named; the bot stays halted.

Source: docs/risk-controls.md, 2.6.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.app.link import LinkKeeper
from bot.app.shell import Shell
from bot.domain.command import AckDetail, Command
from bot.domain.events import BooksReconciled, FlattenEnded, FlattenSigned
from bot.domain.fees import FeeSchedule
from bot.domain.flattening import FlatPart, FlattenPlan, Mandate, signed_legs
from bot.domain.instrument import InstrumentKey
from bot.domain.portfolio import Position
from bot.domain.snapshot import Snapshot
from bot.hedging.flatten.planning import flat_parts
from bot.hedging.flatten.settings import FlattenSettings
from bot.hedging.settings import HedgeSettings
from bot.ports import CommandLink
from bot.valuation import Unvalued, Valuer
from risk.reducing import worst_in_a_fall
from risk.stress import StressSettings, book_stress

PLAN_BYTES = 16
LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a signed plan ended: what is still held of it, and why it was left."""

    left: tuple[str, ...]
    why: str


class Flattener:
    """One plan at a time, from its proposal to its end."""

    def __init__(
        self,
        *,
        shell: Shell,
        link: CommandLink,
        keeper: LinkKeeper,
        hedge: HedgeSettings,
        settings: FlattenSettings,
        fees: FeeSchedule,
    ) -> None:
        """Take the parts; there is no plan yet."""
        self._shell = shell
        self._link = link
        self._keeper = keeper
        self._hedge = hedge
        self._settings = settings
        self._fees = fees
        self._plan: FlattenPlan | None = None
        self._compared = asyncio.Event()
        shell.pump.hear(BooksReconciled, lambda _event: self._compared.set())

    def waiting(self, epoch: int) -> str:
        """Return the digest of the plan that may be signed now, empty where there is none."""
        plan = self._plan
        if plan is None or plan.epoch != epoch or self._shell.clock.now() > plan.expires_at:
            return ""
        return plan.digest

    def propose(self, epoch: int, *, keep: bool = False) -> AckDetail:
        """Work out a plan from the books as they are, keep it to be signed, and tell it.

        With ``keep`` the plan that waits already is told once more, so that a second person signs the very same.
        """
        if keep and self._plan is not None and self.waiting(epoch):
            return plan_facts(self._plan)
        now = self._shell.clock.now()
        snapshot = self._shell.engine.state.snapshot(now)
        valuer = Valuer(snapshot, self._hedge.valuation)
        found = flat_parts(snapshot, valuer, self._hedge, self._settings, self._fees)
        self._plan = plan = FlattenPlan(
            plan_id=self._shell.rng.token(PLAN_BYTES).hex(),
            epoch=epoch,
            made_at=now,
            expires_at=now + timedelta(seconds=self._settings.plan_life_s),
            parts=found.parts,
            left_out=found.left_out,
            loss_in_a_fall_usd=_loss_in_a_fall(snapshot, valuer, ()),
            loss_after_usd=_loss_in_a_fall(snapshot, valuer, found.parts),
        )
        self._shell.tell("flatten_planned", {"digest": plan.digest, "plan": plan})
        facts = plan_facts(plan)
        self._link.publish("flatten", facts)
        return facts

    def sign(self, command: Command) -> None:
        """Give the engine the plan that was signed; it can be signed once."""
        plan, now = self._plan, self._shell.clock.now()
        self._plan = None
        if plan is None:
            return
        mandate = Mandate(
            plan=plan,
            key_id=command.key_id,
            signed_at=now,
            until=now + timedelta(seconds=self._settings.within_s),
            most_tries=self._settings.most_tries,
        )
        self._shell.pump(FlattenSigned(at=now, mandate=mandate, reason=command.reason))

    async def carried_out(self) -> Ended:
        """Return when all that was signed is sold, or nothing more can be done for it."""
        state, clock = self._shell.engine.state, self._shell.clock
        last = state.mandate
        while (mandate := state.mandate) is not None:
            last = mandate
            is_late = clock.now() > mandate.until
            if not mandate.works and (is_late or self._is_over(mandate)):
                break
            if is_late:
                self._cancel(mandate)
            await clock.sleep(LOOK_EVERY_S)
        if last is None:
            return Ended(left=(), why="it never began: the halt is another one")
        await self._compare()
        ended = self._ending(last, superseded=state.mandate is None)
        self._shell.pump(FlattenEnded(at=clock.now(), digest=last.plan.digest, left=ended.left, why=ended.why))
        return ended

    def _is_over(self, mandate: Mandate) -> bool:
        return all(mandate.is_spent(part) or not self._held(part) for part in mandate.plan.parts)

    def _held(self, part: FlatPart) -> int:
        """Units of a part that lots still hold."""
        mirrored = {(key, -ratio) for key, ratio in signed_legs(part.legs)}
        lots = self._shell.engine.state.snapshot(self._shell.clock.now()).book.lots
        return sum(lot.units_open for lot in lots if lot.layer is part.layer and signed_legs(lot.legs) == mirrored)

    def _cancel(self, mandate: Mandate) -> None:
        for order in mandate.orders:
            if order.may_fill and order.cancel_requested_at is None:
                self._shell.engine.cancel(order)

    async def _compare(self) -> None:
        """Compare the books once more; what the broker does not answer in time shows as what is left."""
        self._compared.clear()
        self._keeper.request()
        waited = 0.0
        while not self._compared.is_set() and waited < self._shell.settings.compare_within_s:
            await self._shell.clock.sleep(LOOK_EVERY_S)
            waited += LOOK_EVERY_S

    def _ending(self, mandate: Mandate, *, superseded: bool) -> Ended:
        left = [f"{units} of {part.words}" for part in mandate.plan.parts if (units := self._held(part))]
        if not self._compared.is_set():
            left.append("the broker's books could not be compared")
        if superseded:
            return Ended(left=tuple(left), why="a later command has ended it")
        return Ended(
            left=tuple(left), why="what is left could not be sold at the signed prices" if left else "all sold"
        )


def plan_facts(plan: FlattenPlan) -> AckDetail:
    """Return a plan as the operator's tool shows it."""
    return {
        "digest": plan.digest,
        "parts": [part.words for part in plan.parts],
        "left_out": list(plan.left_out),
        "cost_usd": str(plan.cost_usd),
        "loss_in_a_fall_usd": _usd(plan.loss_in_a_fall_usd),
        "loss_after_usd": _usd(plan.loss_after_usd),
        "expires": plan.expires_at.isoformat(),
    }


def _usd(amount: float | None) -> str:
    return "unknown" if amount is None else f"{amount:.2f}"


def _loss_in_a_fall(snapshot: Snapshot, valuer: Valuer, parts: tuple[FlatPart, ...]) -> float | None:
    """R_down of the book after some parts are sold, USD, None where it cannot be valued."""
    stress = book_stress(_without(snapshot.book.positions, parts), valuer, StressSettings())
    return None if isinstance(stress, Unvalued) else worst_in_a_fall(stress.outcomes)


def _without(
    positions: Mapping[InstrumentKey, Position], parts: tuple[FlatPart, ...]
) -> Mapping[InstrumentKey, Position]:
    quantities = {key: position.quantity for key, position in positions.items()}
    contracts = {key: position.instrument for key, position in positions.items()}
    for part in parts:
        for leg in part.legs:
            key = leg.instrument.key
            contracts[key] = leg.instrument
            quantities[key] = quantities.get(key, 0) + leg.signed_ratio * part.units
    return {
        key: Position(instrument=contracts[key], quantity=quantity) for key, quantity in quantities.items() if quantity
    }
