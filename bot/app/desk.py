"""The operator's desk: every command is judged, carried out and answered; a kill waits for nobody.

How it works: a tightening command sets the latch's flag first, then the engine's mode, then writes the cancel frames,
all in one synchronous step; the disk and the acks follow. A loosening command is judged against the present epoch,
challenge and books; a comparison of the books is made first where the last one is too old.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime, timedelta

from bot.app.challenges import CHALLENGE_LIFE, Challenges
from bot.app.guards import Guards
from bot.app.limiting import LimitSetter
from bot.app.line_loss import LineLoss
from bot.app.link import LinkKeeper
from bot.app.overriding import granted, outcome_of
from bot.app.proposals import proposal_facts
from bot.app.second_key import SecondKey
from bot.app.shell import Shell
from bot.app.statement import Asked, DeskFacts, Identity, heartbeat_facts, state_facts, status_facts
from bot.app.sweeping import Actions
from bot.app.watching import Watch
from bot.domain.command import Ack, AckDetail, AckStage, Channel, Command, CommandName, Proof, Told
from bot.domain.events import (
    BooksAgreed,
    BooksReconciled,
    LockLifted,
    ModeDemanded,
    ProposalAnswered,
    RestraintsLifted,
)
from bot.domain.mode import RESTRAINTS, DemandSource, TradingMode
from bot.domain.orders import DecisionId, Unknown
from bot.domain.overrides import Override
from bot.domain.proposal import Proposal
from bot.hedging.condor.settings import CondorSettings
from bot.ports import CommandLink, JournalRow, Latch
from risk.authority import (
    Answer,
    AskAgain,
    AuthorityRules,
    AwaitKey,
    CancelEverything,
    ChangeLimit,
    Decide,
    Denial,
    Denied,
    Flatten,
    Judgement,
    Loosen,
    Seconded,
    Situation,
    Tighten,
    Unlock,
    Waive,
    judge,
)

UNPROVED_ALERT_EVERY = timedelta(minutes=15)
"""docs/risk-controls.md, 3.4: a stranger's kills alert once in a quarter of an hour, however many there are."""


class Desk:
    """Judges and carries out operator commands."""

    def __init__(
        self,
        *,
        shell: Shell,
        latch: Latch,
        link: CommandLink,
        keeper: LinkKeeper,
        actions: Actions,
        rules: AuthorityRules,
        identity: Identity,
        condors: CondorSettings | None = None,
    ) -> None:
        """Take the parts; nothing is published before `open`."""
        self._shell = shell
        self._clock = shell.clock
        self._latch = latch
        self._link = link
        self._keeper = keeper
        self._flattener, self._sweeper = actions.flattener, actions.sweeper
        self._rules = rules
        self._identity = identity
        self._condors = condors or CondorSettings()
        self._challenges = Challenges(shell, link, lambda: latch.epoch)
        self._reconciled_at: datetime | None = None
        self._differences = 0
        self._jobs: set[asyncio.Task[None]] = set()
        self._watch = Watch(shell, Guards(shell, keeper), halt=self.halt)
        self._loss = LineLoss(
            shell, self._watch.guards, requires_link=identity.requires_link, halt=self.halt, is_halted=self._is_halted
        )
        self._second = SecondKey(shell, CHALLENGE_LIFE)
        self._limits = LimitSetter(shell, lambda command, detail: self._ack(command, AckStage.DONE, detail))
        self._unproved_at: datetime | None = None
        self._last_kill: tuple[str, str, int] = ("", "", -1)  # name, id, epoch: a repetition is only answered again
        self._has_asked = False  # a proposal waited at the last heartbeat
        self._cancelling = False  # killed: whatever of ours still works is cancelled as soon as it can be
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        shell.pump.hear(BooksReconciled, self._on_reconciled)
        shell.pump.hear(BooksAgreed, self._on_reconciled)
        shell.pump.hear(ModeDemanded, self._on_demanded)

    # commands --------------------------------------------------------------------------------------------------

    def receive(self, command: Command) -> None:
        """Take one command in the loop's thread; a kill has latched and written its cancels when this returns."""
        judgement = judge(command, self._situation(), self._rules)
        match judgement:
            case Tighten():
                self._tighten(command, judgement)
            case Denied(code=Denial.NOT_RECONCILED):
                self._start(self._compare_then_judge(command))
            case _:
                self._answer(command, judgement)

    def latched_elsewhere(self, command: Command, epoch: int) -> None:
        """The guard thread has latched on its own (the loop was stalled, or a local kill): catch up with it."""
        now_epoch = max(epoch, self._latch.epoch)  # another kill may have come between
        self._carry_out_kill(command, now_epoch, cancel_own=command.name is CommandName.KILL, mode=self._latch.mode)

    def halt(self, cause: str) -> None:
        """An automatic latch of HALT with the cancelling of own orders."""
        epoch = self._latch.tighten(TradingMode.HALT, cause)
        self._demand(TradingMode.HALT, cause, epoch)
        self._cancelling = True
        self._shell.engine.cancel_own()
        self._start(self._persist())

    def _tighten(self, command: Command, judgement: Tighten) -> None:
        if not judgement.proved and not self._heeds_stranger(command, judgement.mode):
            return
        known = (command.name, command.command_id, self._latch.epoch)
        if judgement.proved and command.command_id and self._last_kill == known:
            self._start(self._answer_again(command))
            return
        cause = f"{command.name.value} by {command.key_id or command.channel.value}: {command.reason}"
        epoch = self._latch.tighten(judgement.mode, cause)
        self._carry_out_kill(command, epoch, cancel_own=judgement.cancel_own, mode=self._latch.mode)

    def _heeds_stranger(self, command: Command, mode: TradingMode) -> bool:
        """An unproved kill tightens at most to REDUCE_ONLY, never advances an epoch, and alerts once in a while."""
        now = self._clock.now()
        if self._unproved_at is None or now - self._unproved_at >= UNPROVED_ALERT_EVERY:
            self._unproved_at = now
            self._shell.tell("command_unproved", {"command": command.name, "channel": command.channel})
        return self._latch.mode < mode

    async def _answer_again(self, command: Command) -> None:
        """The operator's tool repeats a kill until it is answered: the same kill, not a new one."""
        await self._latch.persist()
        live = self._shell.engine.state.live_orders()
        epoch, mode = self._latch.epoch, self._latch.mode.name
        self._ack(command, AckStage.LATCHED, {"epoch": epoch, "mode": mode, "working": len(live)})

    def _carry_out_kill(self, command: Command, epoch: int, *, cancel_own: bool, mode: TradingMode) -> None:
        self._demand(mode, self._latch.cause, epoch)
        if command.proof is not Proof.UNPROVED:  # else a stranger could take a kill's id before it arrives
            self._last_kill = (command.name, command.command_id, epoch)
        self._cancelling = self._cancelling or cancel_own
        cancelled = self._shell.engine.cancel_own() if cancel_own else ()
        self._shell.tell(
            "kill_latched" if mode is TradingMode.HALT else "mode_latched",
            {
                "command": command.name,
                "command_id": command.command_id,
                "key_id": command.key_id,
                "channel": command.channel,
                "mode": mode.name,
                "epoch": epoch,
                "cancels_sent": list(cancelled),
            },
        )
        self._start(self._confirm(command, epoch, cancelled, cancel_own=cancel_own))

    async def _confirm(self, command: Command, epoch: int, cancelled: Sequence[str], *, cancel_own: bool) -> None:
        """After the flag: disk, ack, then wait for the broker to confirm that our orders are dead."""
        await self._latch.persist()
        self._challenges.renew()
        live = self._shell.engine.state.live_orders()
        self._ack(command, AckStage.LATCHED, {"epoch": epoch, "mode": self._latch.mode.name, "working": len(live)})
        if cancelled:
            self._ack(command, AckStage.CANCELS_SENT, {"ids": list(cancelled)})
        deadline = self._clock.now() + timedelta(seconds=self._shell.settings.kill_done_within_s)
        while cancel_own and self._clock.now() < deadline and self._shell.engine.state.live_orders():
            self._shell.engine.cancel_rest()
            await self._clock.sleep(0.2)
        left = [str(order.intent.intent_id) for order in self._shell.engine.state.live_orders()] if cancel_own else []
        self._ack(command, AckStage.ESCALATED if left else AckStage.DONE, {"left": left, "epoch": epoch})

    async def _compare_then_judge(self, command: Command) -> None:
        """The books were compared too long ago for a resume: compare now, then judge the same command anew."""
        before = self._reconciled_at
        self._keeper.request()
        deadline = self._clock.now() + timedelta(seconds=self._rules.freshness_s / 2)
        while self._reconciled_at == before and self._clock.now() < deadline:
            await self._clock.sleep(0.1)
        self._answer(command, judge(command, self._situation(), self._rules))

    def _answer(self, command: Command, judgement: Judgement) -> None:
        match judgement:
            case Answer() if command.name is CommandName.FLATTEN_PLAN:
                self._ack(command, AckStage.DONE, self._plan())
            case Answer():
                self._tell_status(command)
            case Denied():
                self._refuse(command, judgement.code, judgement.why)
            case Tighten():
                self._tighten(command, judgement)
            case AwaitKey():
                self._await_key(command)
            case Seconded(first=first, judgement=agreed):
                self._second.void()
                self._carry_out(command.beside(first), agreed)
            case _:
                self._carry_out(command, judgement)

    def _carry_out(self, command: Command, judgement: Judgement) -> None:
        """What a person may do was granted; most of it has used the challenge up."""
        match judgement:
            case Loosen(mode=mode):
                self._challenges.spend()  # single use, from this instant on
                self._start(self._loosen(command, mode))
            case Decide():
                self._decide(command, judgement)
            case Flatten():
                self._challenges.spend()
                self._start(self._flatten(command))
            case AskAgain():
                word = self._sweeper.ask_again(self._latch.epoch)
                self._challenges.renew()
                self._ack(command, AckStage.ACCEPTED, {"confirm": word})
            case CancelEverything():
                self._challenges.spend()
                self._start(self._sweep(command))
            case Unlock(lock=lock):
                self._unlock(command, lock)
            case Waive():
                override = granted(self._shell, command, judgement, self._rules.override_life_s)
                self._challenges.renew()
                self._start(self._tell_outcome(command, override))
            case ChangeLimit():
                self._limits.change(command, judgement)
                if judgement.change.is_looser:
                    self._challenges.renew()

    def _await_key(self, command: Command) -> None:
        """One key has signed; the second must answer a challenge of its own."""
        detail = self._second.take(command)
        self._challenges.renew()
        self._publish_state()
        self._ack(command, AckStage.ACCEPTED, detail)

    def _refuse(self, command: Command, code: Denial, why: str = "") -> None:
        said = {"why": why} if why else {}
        facts = {"command": command.name, "command_id": command.command_id, "code": code}
        self._shell.tell("command_refused", {**facts, **said})
        self._link.acknowledge(Ack(command_id=command.command_id, stage=AckStage.REFUSED, code=code.value, detail=said))
        if command.name.loosens and command.proof is Proof.SIGNED:
            self._challenges.renew()  # a bad signature uses nothing up, a good one does, accepted or not

    def _decide(self, command: Command, decision: Decide) -> None:
        """Put a person's answer before the engine; an approval has used the challenge up."""
        answered = ProposalAnswered(
            at=self._clock.now(),
            proposal_id=DecisionId(decision.proposal_id),
            approved=decision.approved,
            key_id=command.key_id,
            reason=command.reason,
        )
        self._shell.pump(answered)
        if decision.approved:
            self._challenges.renew()
        self._publish_state()
        self._ack(command, AckStage.DONE, {"proposal": decision.proposal_id, "approved": decision.approved})

    async def _flatten(self, command: Command) -> None:
        """Carry out a signed plan and answer at its beginning and its end; the challenge is used up."""
        self._flattener.sign(command)
        self._challenges.renew()
        self._ack(command, AckStage.ACCEPTED, {"epoch": self._latch.epoch})
        ended = await self._flattener.carried_out()
        stage = AckStage.ESCALATED if ended.left else AckStage.DONE
        self._ack(command, stage, {"left": list(ended.left), "why": ended.why, "epoch": self._latch.epoch})

    def _plan(self) -> AckDetail:
        """The plan to flatten, made anew unless one key has signed the present one."""
        epoch = self._latch.epoch
        return self._flattener.propose(epoch, keep=self._second.keeps_the_plan(epoch))

    async def _sweep(self, command: Command) -> None:
        self._challenges.renew()
        left = await self._sweeper.carried_out(command.key_id)
        self._ack(command, AckStage.ESCALATED if left else AckStage.DONE, {"left": list(left)})

    def _unlock(self, command: Command, lock: str) -> None:
        at = self._clock.now()
        self._shell.pump(LockLifted(at=at, lock=lock, key_id=command.key_id, reason=command.reason))
        self._challenges.renew()
        self._publish_state()
        self._ack(command, AckStage.DONE, {"lock": lock})

    async def _tell_outcome(self, command: Command, override: Override) -> None:
        """Answer an override with what became of its order."""
        self._ack(command, AckStage.DONE, await outcome_of(self._shell, override))

    def told(self, row: JournalRow) -> None:
        """Hear of a committed row: a proposal goes out by itself, a changed limit is answered."""
        self._limits.told(row)
        proposal = row.payload.get("proposal")
        if row.kind == "proposal_made" and isinstance(proposal, Proposal):
            self._link.publish(f"proposal/{proposal.proposal_id}", proposal_facts(proposal))
            self._publish_state()

    def _waiting(self) -> Proposal | None:
        """The proposal that waits for an answer."""
        return self._shell.engine.state.proposals.waiting(self._clock.now())

    async def _loosen(self, command: Command, mode: TradingMode) -> None:
        cause = f"{command.name.value} by {command.key_id}: {command.reason}"
        if not self._latch.loosen(mode, cause, epoch=command.kill_epoch):
            self._refuse(command, Denial.EPOCH)
            return
        await self._latch.persist()
        epoch = self._latch.epoch
        if epoch != command.kill_epoch:  # a kill came while the disk was written: it stands
            self._refuse(command, Denial.EPOCH)
            return
        self._cancelling = False
        mode = self._latch.mode  # a REDUCE_ONLY that came meanwhile stands
        self._lift(command, mode)
        self._demand(mode, self._latch.cause, epoch)
        self._shell.tell(
            "mode_resumed",
            {"command_id": command.command_id, "key_id": command.key_id, "mode": mode.name, "reason": command.reason},
        )
        self._challenges.renew()
        self._ack(command, AckStage.DONE, {"mode": self._latch.mode.name, "epoch": epoch})

    def _lift(self, command: Command, mode: TradingMode) -> None:
        """What the bot has asked of itself and is stricter than the mode that was resumed ends with it."""
        sources = self._shell.engine.state.restraints.stricter_than(mode)
        if sources:
            lifted = RestraintsLifted(
                at=self._clock.now(), sources=sources, key_id=command.key_id, reason=command.reason
            )
            self._shell.pump(lifted)

    def _on_demanded(self, event: object) -> None:
        """The bot asked something of itself: who operates it sees that, with the challenge that a resume needs."""
        if isinstance(event, ModeDemanded) and event.source in RESTRAINTS:
            self._publish_state()
            self._challenges.renew()

    # state -----------------------------------------------------------------------------------------------------

    @property
    def guards(self) -> Guards:
        """What holds the bot back while a cause is there."""
        return self._watch.guards

    def open(self) -> None:
        """Tell the engine what the latch says and publish the first state and challenge."""
        self._demand(self._latch.mode, self._latch.cause, self._latch.epoch)
        self._challenges.renew()

    def channel_changed(self, *, up: bool) -> None:
        """The command link came up or was lost; long losses tighten by themselves."""
        self._loss.changed(up=up)
        if up:
            self._publish_state()
            self._challenges.publish()
        self._shell.tell("command_link_changed", {"up": up})

    async def run(self) -> None:
        """Heartbeat, expiring challenges and the loss of the command link, for ever."""
        while True:
            await self._clock.sleep(self._shell.settings.heartbeat_s)
            self._link.publish("heartbeat", heartbeat_facts(self._identity, self._clock.now(), self._mode()))
            self._tell_expiry()
            self._challenges.renew_if_expired()
            self._loss.judge()
            self._watch.judge()

    def _tell_expiry(self) -> None:
        """A proposal that nobody answered leaves the state that the operators' tools show."""
        waits = self._waiting() is not None
        if self._has_asked and not waits:
            self._publish_state()
        self._has_asked = waits

    def state_facts(self) -> AckDetail:
        """What STATUS answers and what `state` shows."""
        desk = DeskFacts(
            differences=self._differences,
            awaits_key=self._second.words(self._latch.epoch),
            proposal="" if (waiting := self._waiting()) is None else waiting.proposal_id,
        )
        return state_facts(self._shell, self._identity, self._latch, self._condors, desk)

    def _tell_status(self, command: Command) -> None:
        """Answer at once, whatever is broken: nothing is awaited, and what cannot be worked out says so (C30)."""
        asked = Asked(reconciled_at=self._reconciled_at, latch_cause=self._latch.cause)
        facts: AckDetail = {**self.state_facts(), **status_facts(self._shell, asked)}
        if command.channel is Channel.LOCAL_SOCKET:  # asked every few seconds by a watchdog: no row for each
            self._link.acknowledge(Ack(command_id=command.command_id, stage=AckStage.DONE, detail=facts))
        else:
            self._ack(command, AckStage.DONE, facts)

    def _is_halted(self) -> bool:
        return self._latch.mode is TradingMode.HALT

    def _mode(self) -> TradingMode:
        return self._shell.engine.state.mode

    def _situation(self) -> Situation:
        state, waiting = self._shell.engine.state, self._waiting()
        orders, restraints = state.live_orders(), state.restraints
        return Situation(
            host_now=self._clock.host_now(),
            now=self._clock.now(),
            kill_epoch=self._latch.epoch,
            mode=max(self._latch.mode, restraints.mode),
            challenge=self._challenges.current,
            unknown_orders=sum(isinstance(order.state, Unknown) for order in orders),
            reconciled_at=self._reconciled_at,
            differences=self._differences,
            journal_writable=True,  # a journal that fails stops the bot at once
            proposal_id="" if waiting is None else waiting.proposal_id,
            flatten_digest=self._flattener.waiting(self._latch.epoch),
            allows_global_cancel=self._sweeper.allowed,
            global_cancel_word=self._sweeper.word(self._latch.epoch),
            locks=frozenset(state.standing().locks),
            clock_agrees=state.demand(DemandSource.HOST_CLOCK) is TradingMode.NORMAL,
            is_disabled=restraints.of(DemandSource.REPEATS) is not None,
            refusals=state.waivers.refusals,
            may_override=state.mode is TradingMode.NORMAL and not state.reconciling,
            override_waits=state.waivers.override is not None,
            limits=self._shell.engine.limits,
            half_signed=self._second.half_signed,
        )

    def _on_reconciled(self, event: object) -> None:
        if isinstance(event, BooksAgreed):
            self._reconciled_at, self._differences = event.at, 0
        elif isinstance(event, BooksReconciled):
            self._reconciled_at = event.at
            self._differences = len(event.differences)
            if self._cancelling:
                self._shell.engine.cancel_rest()
            self._publish_state()

    def _demand(self, mode: TradingMode, cause: str, epoch: int) -> None:
        self._second.void()  # whatever the latch says anew, what one key has signed before is over
        event = ModeDemanded(at=self._clock.now(), source=DemandSource.LATCH, mode=mode, cause=cause, epoch=epoch)
        self._shell.pump(event)
        self._publish_state()

    def _publish_state(self) -> None:
        self._link.publish("state", self.state_facts(), retain=True)

    def _ack(self, command: Command, stage: AckStage, detail: Mapping[str, Told]) -> None:
        self._link.acknowledge(Ack(command_id=command.command_id, stage=stage, detail=detail))
        self._shell.tell("command_acknowledged", {"command_id": command.command_id, "stage": stage})

    async def _persist(self) -> None:
        await self._latch.persist()
        self._challenges.renew()

    def _start(self, job: Coroutine[None, None, None]) -> None:
        """Run what needs the disk or the broker beside everything else; a latch that cannot be written ends the bot."""
        task = asyncio.get_running_loop().create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self.failed.done():
            self.failed.set_exception(error)

    def close(self) -> None:
        """End what still waits for the disk or the broker; the bot stops."""
        for job in tuple(self._jobs):
            job.cancel()
