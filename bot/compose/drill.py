"""The built-in operator of a simulated run: arms the bot, and drills a kill and a resume, through the real verifier."""

from dataclasses import dataclass
from datetime import timedelta

from adapters.control.envelope import Envelope, PrivateKey, signed
from adapters.control.memory_link import MemoryLink
from bot.domain.command import AckStage, CommandName
from bot.domain.schedule import Session
from bot.ports import Clock, Ids

KEY_ID = "built-in-operator"
ARM_AFTER_S = 1.0
KILL_AFTER = timedelta(minutes=90)
RESUME_AFTER = timedelta(minutes=110)
"""After the open of the session that is drilled: 11:00 and 11:20 New York."""
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A person at the other end of the line, with a throw-away key."""

    link: MemoryLink
    key: PrivateKey
    clock: Clock
    ids: Ids
    bot: str
    account_hash: str
    key_id: str = KEY_ID

    async def arm(self) -> AckStage:
        """End the halt of the first boot, as soon as there is a challenge to answer."""
        return await self._loosen(CommandName.ARM, "first start of a simulated run")

    async def drill(self, session: Session) -> None:
        """Kill during a session and resume twenty minutes later."""
        await self._sleep_until(session, KILL_AFTER)
        self.send(CommandName.KILL, "drill: does everything stop?")
        await self._sleep_until(session, RESUME_AFTER)
        await self._loosen(CommandName.RESUME, "drill: everything stopped, going on")

    def send(self, name: CommandName, reason: str, **loosening: int | str) -> str:
        """Sign and deliver one command; returns its id."""
        now = int(self.clock.host_now().timestamp())
        envelope = Envelope(
            bot=self.bot,
            account_hash=self.account_hash,
            cmd=name.value,
            id=self.ids.new_id(),
            key_id=self.key_id,
            seq=self.clock.now_ns() // 1_000_000,
            iat=now,
            exp=now + 30,
            kill_epoch=int(loosening.get("epoch", -1)),
            challenge=str(loosening.get("challenge", "")),
            reason=reason,
        )
        self.link.deliver(name.value, signed(envelope.fields(), self.key))
        return envelope.id

    async def _loosen(self, name: CommandName, reason: str) -> AckStage:
        """Answer the present challenge until the bot grants it: the books may not have been compared yet."""
        stage = AckStage.REFUSED
        waited = 0.0
        while stage is not AckStage.DONE and waited < PATIENCE_S:
            await self.clock.sleep(ARM_AFTER_S)
            waited += ARM_AFTER_S
            told, state = self.link.retained.get("challenge"), self.link.retained.get("state", {})
            if told is None or state.get("reconciling", True):
                continue  # nothing to answer yet, or the books were not compared yet
            sent = self.send(name, reason, epoch=int(str(told["epoch"])), challenge=str(told["challenge"]))
            stage = await self._answer_to(sent)
        return stage

    async def _answer_to(self, command_id: str) -> AckStage:
        waited = 0.0
        while waited < PATIENCE_S:
            for ack in reversed(self.link.acks):
                if ack.command_id == command_id:
                    return ack.stage
            await self.clock.sleep(0.5)
            waited += 0.5
        return AckStage.REFUSED

    async def _sleep_until(self, session: Session, after: timedelta) -> None:
        await self.clock.sleep(max(0.0, (session.opens_at + after - self.clock.now()).total_seconds()))
