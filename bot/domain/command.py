"""Operator commands as values: what was asked, by whom, and how well it was proved."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bot.domain.checks import require_aware


class CommandName(StrEnum):
    """The commands of this version; the value is the last part of the MQTT topic."""

    KILL = "kill"
    PAUSE = "pause"
    REDUCE_ONLY = "reduce-only"
    RESUME = "resume"
    ARM = "arm"
    APPROVE = "approve"
    VETO = "veto"
    FLATTEN_PLAN = "flatten-plan"  # asks for the plan that a FLATTEN signs
    FLATTEN = "flatten"
    UNLOCK = "unlock"
    LIMIT = "limit"  # tightens or loosens, by its value and the one in force
    GLOBAL_CANCEL = "global-cancel"
    OVERRIDE = "override"
    STATUS = "status"
    PING = "ping"

    @property
    def only_tightens(self) -> bool:
        """Replaying such a command can stop the bot, never start it."""
        return self in (CommandName.KILL, CommandName.PAUSE, CommandName.REDUCE_ONLY)

    @property
    def loosens(self) -> bool:
        """Such a command needs role, signature, seq, epoch, challenge, freshness and a reason.

        LIMIT is among them: one that tightens needs less, and only the bot knows which it is.
        """
        return self in (
            CommandName.RESUME,
            CommandName.ARM,
            CommandName.APPROVE,
            CommandName.FLATTEN,
            CommandName.UNLOCK,
            CommandName.LIMIT,
            CommandName.GLOBAL_CANCEL,
            CommandName.OVERRIDE,
        )

    @property
    def is_signed_always(self) -> bool:
        """Such a command is nothing without its envelope, on the bot's own host as well."""
        asks_for_a_key = self in (CommandName.VETO, CommandName.FLATTEN_PLAN)
        return asks_for_a_key or (self.loosens and self is not CommandName.LIMIT)


class Channel(StrEnum):
    """The way a command came in."""

    MQTT = "mqtt"
    LOCAL_SOCKET = "local_socket"
    KILL_FILE = "kill_file"
    SIGNAL = "signal"
    IN_MEMORY = "in_memory"


class Proof(StrEnum):
    """What the verifier found about the sender."""

    SIGNED = "signed"  # known key, valid signature, right bot and account
    LOCAL = "local"  # file permission or peer credentials of this host
    UNPROVED = "unproved"  # bad, missing or unknown signature


class Role(StrEnum):
    """What a key may do."""

    KILL = "kill"
    RESUME = "resume"
    RISK = "risk"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One operator command after the signature check and before any judgement of authority."""

    name: CommandName
    command_id: str
    channel: Channel
    proof: Proof
    received_at: datetime  # host clock, never a gateway-offset clock
    reason: str
    key_id: str = ""
    roles: frozenset[Role] = frozenset()
    seq: int = 0  # strictly rising per key
    seq_is_fresh: bool = False  # above the last one stored for this key
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    kill_epoch: int = -1
    challenge: str = ""
    retained: bool = False
    args: Mapping[str, str | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reject naive times."""
        require_aware(received_at=self.received_at)

    @property
    def asks(self) -> str:
        """What is asked for, in one line."""
        return " ".join((self.name.value, *(str(value) for _, value in sorted(self.args.items()))))

    def beside(self, first: "Command") -> "Command":
        """Return this command as signed by two: both keys and both reasons stand in whatever is written of it."""
        return replace(
            self,
            key_id=f"{first.key_id} and {self.key_id}",
            reason=f"{first.key_id}: {first.reason}; {self.key_id}: {self.reason}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfSigned:
    """A loosening command that was complete in itself and waits for a second key."""

    command: Command
    until: datetime  # by the host's clock

    def __post_init__(self) -> None:
        """Reject a naive time."""
        require_aware(until=self.until)

    def waits(self, *, epoch: int, now: datetime) -> bool:
        """Return whether it still waits: in time, and no halt has come since."""
        return now <= self.until and self.command.kill_epoch == epoch

    def is_completed_by(self, second: Command) -> bool:
        """Return whether another key asks for the same; the same key twice is not two."""
        first = self.command
        same = (first.name, dict(first.args)) == (second.name, dict(second.args))
        return same and first.key_id != second.key_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A one-time number that a loosening command must repeat; 128 bits, hexadecimal, lifetime five minutes."""

    epoch: int
    value: str
    issued_at: datetime
    expires_at: datetime


class AckStage(StrEnum):
    """How far a command has come; success is the bot's own signed ack, never the transport's."""

    LATCHED = "LATCHED"
    ACCEPTED = "ACCEPTED"  # what was signed is being carried out
    CANCELS_SENT = "CANCELS_SENT"
    DONE = "DONE"
    ESCALATED = "ESCALATED"
    REFUSED = "REFUSED"


Told = str | int | bool | list[str] | list[dict[str, str]]
"""One thing that an ack tells; a table is a list of rows, every cell text: a signed message has no fractions."""
AckDetail = dict[str, Told]
"""What an ack tells beside its stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The bot's answer to one command."""

    command_id: str
    stage: AckStage
    code: str = ""  # reason code of a refusal
    detail: Mapping[str, Told] = field(default_factory=dict)
