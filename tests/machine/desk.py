"""The operator's desk of the state machine: the real judgement, carried out as `bot/app/desk.py` does, without acks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Protocol

from bot.domain.command import Challenge, Command, HalfSigned, Proof
from bot.domain.events import (
    LimitChanged,
    LockLifted,
    ModeDemanded,
    OverrideGranted,
    ProposalAnswered,
    RestraintsLifted,
)
from bot.domain.mode import DemandSource, TradingMode
from bot.domain.orders import DecisionId, Unknown
from bot.domain.overrides import Override
from bot.engine import Engine
from risk import authority
from risk.authority import (
    AuthorityRules,
    AwaitKey,
    ChangeLimit,
    Decide,
    Denial,
    Denied,
    Judgement,
    Loosen,
    Seconded,
    Situation,
    Tighten,
    Unlock,
    Waive,
)
from risk.limit_changes import limits_hash
from tests.fakes import FakeClock, FakeLatch

CHALLENGE_LIFE = timedelta(minutes=5)


class Keeper(Protocol):
    """Whoever compares the books and keeps the flag."""

    engine: Engine
    clock: FakeClock
    latch: FakeLatch


@dataclass(frozen=True, slots=True)
class Books:
    """What the last comparison found; ``at`` is None before the first of a process."""

    at: datetime | None = None
    differences: int = 0


class Desk:
    """Of one process: what was challenged and half signed is forgotten by the next one."""

    def __init__(self, bot: Keeper, rules: AuthorityRules, numbers: "count[int]") -> None:
        """Take the bot; ``numbers`` make challenges that never come twice."""
        self._bot, self._rules, self._numbers = bot, rules, numbers
        self.books = Books()
        self.half: HalfSigned | None = None
        self.renew()

    def renew(self) -> None:
        """Draw a new challenge for the present epoch."""
        now = self._bot.clock.host_now()
        value = f"challenge-{next(self._numbers)}"
        self.challenge = Challenge(
            epoch=self._bot.latch.epoch, value=value, issued_at=now, expires_at=now + CHALLENGE_LIFE
        )

    def beat(self) -> None:
        """A heartbeat: a challenge whose time is over is drawn anew."""
        if self._bot.clock.host_now() >= self.challenge.expires_at:
            self.renew()

    def judged(self, command: Command) -> Judgement:
        """What the real rules say of a command."""
        return authority.judge(command, self._situation(), self._rules)

    def would_refuse(self, command: Command) -> bool:
        """Nothing is done about it."""
        return isinstance(self.judged(command), Denied)

    def would_wait(self, command: Command) -> bool:
        """It is the first signature of two."""
        return isinstance(self.judged(command), AwaitKey)

    def carry_out(self, command: Command, judgement: Judgement) -> None:
        """Do what was judged."""
        match judgement:
            case Tighten():
                self._tighten(judgement)
            case Denied():
                if command.name.loosens and command.proof is Proof.SIGNED:
                    self.renew()
            case AwaitKey():
                self.half = HalfSigned(command=command, until=self._bot.clock.host_now() + CHALLENGE_LIFE)
                self.renew()
            case Seconded(first=first, judgement=agreed):
                self.half = None
                self.carry_out(command.beside(first), agreed)
            case Loosen(mode=mode):
                self._loosen(command, mode)
            case _:
                self._grant(command, judgement)

    def _tighten(self, judgement: Tighten) -> None:
        latch = self._bot.latch
        if not judgement.proved and latch.mode >= judgement.mode:
            return
        latch.tighten(judgement.mode, "machine")
        self.demand()
        if judgement.cancel_own:
            self._bot.engine.cancel_own()

    def demand(self) -> None:
        """Tell the engine what the latch says; what was half signed is over."""
        self.half = None
        latch, now = self._bot.latch, self._bot.clock.now()
        source = DemandSource.LATCH
        self._bot.engine.receive(
            ModeDemanded(at=now, source=source, mode=latch.mode, cause="machine", epoch=latch.epoch)
        )
        self.renew()

    def _loosen(self, command: Command, mode: TradingMode) -> None:
        bot = self._bot
        if bot.latch.loosen(mode, "machine", epoch=command.kill_epoch):
            sources = bot.engine.state.restraints.stricter_than(mode)
            if sources:
                now, key, why = bot.clock.now(), command.key_id, command.reason
                bot.engine.receive(RestraintsLifted(at=now, sources=sources, key_id=key, reason=why))
            self.demand()

    def _grant(self, command: Command, judgement: Judgement) -> None:
        engine, now, key, why = self._bot.engine, self._bot.clock.now(), command.key_id, command.reason
        renews = True
        match judgement:
            case Decide(proposal_id=name, approved=approved):
                answer = DecisionId(name)
                engine.receive(ProposalAnswered(at=now, proposal_id=answer, approved=approved, key_id=key, reason=why))
                renews = approved
            case Unlock(lock=lock):
                engine.receive(LockLifted(at=now, lock=lock, key_id=key, reason=why))
            case Waive():
                override = Override(
                    refusal=judgement.refusal,
                    rules=judgement.rules,
                    key_id=key,
                    reason=why,
                    until=now + timedelta(seconds=self._rules.override_life_s),
                    epoch=command.kill_epoch,
                    digest=judgement.digest,
                )
                engine.receive(OverrideGranted(at=now, override=override))
            case ChangeLimit(limits=limits, change=change):
                engine.take_limits(limits)
                engine.receive(
                    LimitChanged(
                        at=now,
                        name=change.name,
                        before=change.before,
                        after=change.after,
                        is_looser=change.is_looser,
                        key_id=key or command.channel.value,
                        reason=why,
                        hash=limits_hash(limits),
                    )
                )
                renews = change.is_looser
        if renews:
            self.renew()

    def waits_for_books(self, judgement: Judgement) -> bool:
        """The books were compared too long ago: the desk compares, and judges the same command anew."""
        return isinstance(judgement, Denied) and judgement.code is Denial.NOT_RECONCILED

    def _situation(self) -> Situation:
        bot, state, now = self._bot, self._bot.engine.state, self._bot.clock.now()
        waiting, restraints = state.proposals.waiting(now), state.restraints
        return Situation(
            host_now=bot.clock.host_now(),
            now=now,
            kill_epoch=bot.latch.epoch,
            mode=max(bot.latch.mode, restraints.mode),
            challenge=self.challenge,
            unknown_orders=sum(isinstance(order.state, Unknown) for order in state.live_orders()),
            reconciled_at=self.books.at,
            differences=self.books.differences,
            journal_writable=True,
            proposal_id="" if waiting is None else waiting.proposal_id,
            locks=frozenset(state.standing().locks),
            is_disabled=restraints.of(DemandSource.REPEATS) is not None,
            refusals=state.waivers.refusals,
            may_override=state.mode is TradingMode.NORMAL and not state.reconciling,
            override_waits=state.waivers.override is not None,
            limits=bot.engine.limits,
            half_signed=self.half,
        )
