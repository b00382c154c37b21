"""How operator commands are received."""

from dataclasses import dataclass
from pathlib import Path

from bot.domain.checks import require_positive


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSettings:
    """The local paths and what a command may weigh."""

    kill_file_poll_s: float = 0.5  # the file KILL in the state folder is looked for this often
    envelope_life_s: int = 30  # of commands that the operator's tool signs
    global_cancel: bool = False  # whether `alvh global-cancel` is heeded: it hits manual orders and other programs' too
    keys_file: Path | None = None  # public keys of the operators; None: keys.json in the state folder

    def __post_init__(self) -> None:
        """Reject periods of zero."""
        require_positive(kill_file_poll_s=self.kill_file_poll_s, envelope_life_s=self.envelope_life_s)
