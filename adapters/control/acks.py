"""The bot's signed answer to a command, and how an operator's tool checks it."""

from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adapters.control.envelope import Value, is_signed_by, parsed, signed
from bot.domain.command import Ack, AckStage
from bot.domain.errors import InvalidValueError

LARGEST_ACK_BYTES: Final = 65_536
"""Q8: what the broker of messages carries from the bot; the answer to STATUS holds every limit."""


def signed_ack(ack: Ack, key: Ed25519PrivateKey, at: datetime) -> bytes:
    """Return an ack as it travels: canonical JSON with the bot's signature."""
    detail: dict[str, Value] = {
        name: [dict(one) if isinstance(one, dict) else one for one in held] if isinstance(held, list) else held
        for name, held in ack.detail.items()
    }
    fields: dict[str, Value] = {
        "id": ack.command_id,
        "stage": ack.stage.value,
        "code": ack.code,
        "detail": detail,
        "at": at.isoformat(),
    }
    return signed(fields, key)


def ack_of(payload: bytes, key: Ed25519PublicKey) -> Ack | None:
    """Return the ack in a message when the bot signed it, else None."""
    try:
        fields, signature = parsed(payload, LARGEST_ACK_BYTES)
        if not is_signed_by(fields, signature, key):
            return None
        detail = fields["detail"]
        return Ack(
            command_id=str(fields["id"]),
            stage=AckStage(str(fields["stage"])),
            code=str(fields["code"]),
            detail=detail if isinstance(detail, dict) else {},  # type: ignore[arg-type]  # shown, never acted upon
        )
    except (InvalidValueError, KeyError, ValueError):
        return None
