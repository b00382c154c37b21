"""From bytes to a command with its proof; what is not even a message is dropped and counted.

What always holds: no exception leaves `command_of`; a command that tightens is never dropped for its age, order or
repetition; one that loosens has its sequence number on disk before anybody acts on it.
"""

from collections import Counter
from datetime import UTC, datetime

from adapters.control.envelope import Envelope, Value, envelope_of, is_signed_by, parsed
from adapters.control.keys import KeyRing, OperatorKey
from bot.domain.command import Channel, Command, CommandName, Proof
from bot.domain.errors import InvalidValueError
from bot.ports import Clock

LONGEST_REASON = 200
LONGEST_ID = 64


class Verifier:
    """Knows the keys, the bot's name and the account's hash."""

    def __init__(self, *, ring: KeyRing, bot: str, account_hash: str, clock: Clock) -> None:
        """Take what signatures are judged by."""
        self._ring = ring
        self._bot = bot
        self._account_hash = account_hash
        self._clock = clock
        self.dropped: Counter[str] = Counter()

    def command_of(self, name: str, payload: bytes, channel: Channel, *, retained: bool = False) -> Command | None:
        """Return the command in a message, or None when it is dropped.

        Args:
            name: The last part of the topic, or the socket's verb: what is asked for.
            payload: The message as it came.
            channel: The way it came.
            retained: The broker had kept it.
        """
        try:
            wanted = CommandName(name)
        except ValueError:
            self.dropped["unknown command"] += 1
            return None
        if not payload:
            self.dropped["empty"] += 1  # clearing a retained message
            return None
        try:
            fields, signature = parsed(payload)
        except InvalidValueError:
            self.dropped["malformed"] += 1
            return None
        return self._judged(wanted, fields, signature, channel, retained=retained)

    def _judged(
        self, wanted: CommandName, fields: dict[str, Value], signature: str, channel: Channel, *, retained: bool
    ) -> Command | None:
        try:
            envelope = envelope_of(fields)
        except InvalidValueError:  # JSON, but no envelope: an unsigned switch of a dashboard lands here
            return self._unproved(wanted, channel, retained)
        key = self._ring.find(envelope.key_id)
        right = (envelope.bot, envelope.account_hash, envelope.cmd) == (self._bot, self._account_hash, wanted.value)
        if key is None or not right or not is_signed_by(fields, signature, key.verifier()):
            return self._unproved(wanted, channel, retained, envelope.id)
        return self._signed(wanted, envelope, key, channel, retained=retained)

    def _signed(
        self, wanted: CommandName, envelope: Envelope, key: OperatorKey, channel: Channel, *, retained: bool
    ) -> Command | None:
        fresh = envelope.seq > self._ring.last_seq(key.key_id)
        if wanted.loosens and fresh:
            try:
                self._ring.take_seq(key.key_id, envelope.seq)
            except OSError:
                self.dropped["sequence number not writable"] += 1
                if wanted is not CommandName.LIMIT:
                    return None
                fresh = False  # a tighter limit needs no sequence number, a looser one is refused without
        return Command(
            name=wanted,
            command_id=envelope.id[:LONGEST_ID],
            channel=channel,
            proof=Proof.SIGNED,
            received_at=self._clock.host_now(),
            reason=envelope.reason[:LONGEST_REASON],
            key_id=key.key_id,
            roles=key.roles,
            seq=envelope.seq,
            seq_is_fresh=fresh,
            issued_at=_moment(envelope.iat),
            expires_at=_moment(envelope.exp),
            kill_epoch=envelope.kill_epoch,
            challenge=envelope.challenge,
            retained=retained,
            args=envelope.args,
        )

    def _unproved(
        self,
        wanted: CommandName,
        channel: Channel,
        retained: bool,  # noqa: FBT001 - two callers
        command_id: str = "",
    ) -> Command:
        """Return a command without proof; its id, if it names one, only says where the refusal is sent."""
        self.dropped["unproved"] += 1
        return Command(
            name=wanted,
            command_id=command_id[:LONGEST_ID],
            channel=channel,
            proof=Proof.UNPROVED,
            received_at=self._clock.host_now(),
            reason="signature bad, missing or of an unknown key",
            retained=retained,
        )


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
