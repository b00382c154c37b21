"""The topics of one bot: commands below ``cmd/`` come in, everything else goes out."""

import re
from dataclasses import dataclass

from bot.domain.checks import require_text
from bot.domain.errors import InvalidValueError

ROOT = "alvh"
PROBE = "probe"
UNNAMED = "unnamed"
"""Where acks of commands go that carry no usable id of their own."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """Names below ``alvh/<bot>/``; nothing that a stranger wrote becomes part of a topic.

    >>> Topics(bot="main").ack("7f3a"), Topics(bot="main").ack("#"), Topics(bot="main").name_of("alvh/main/cmd/kill")
    ('alvh/main/ack/7f3a', 'alvh/main/ack/unnamed', 'kill')
    """

    bot: str

    def __post_init__(self) -> None:
        """Reject a bot whose name would change what a topic means."""
        require_text(bot=self.bot)
        if not _PLAIN.fullmatch(self.bot):
            raise InvalidValueError(f"bot must be letters, digits, - and _ to be part of a topic, was {self.bot!r}")

    @property
    def commands(self) -> str:
        """The one subscription of the bot."""
        return f"{ROOT}/{self.bot}/cmd/#"

    @property
    def availability(self) -> str:
        """``online`` or, as last will, ``offline``; retained."""
        return self.below("availability")

    @property
    def acks(self) -> str:
        """What an operator's tool subscribes to."""
        return self.below("ack/#")

    def command(self, name: str) -> str:
        """Return where a command is sent to."""
        return f"{ROOT}/{self.bot}/cmd/{name}"

    def ack(self, command_id: str) -> str:
        """Return where the answer to a command is sent to."""
        return self.below(f"ack/{command_id if _PLAIN.fullmatch(command_id) else UNNAMED}")

    def below(self, topic: str) -> str:
        """Return a topic of this bot, for example of ``state``."""
        return f"{ROOT}/{self.bot}/{topic}"

    def name_of(self, topic: str) -> str:
        """Return the command's name in a topic, empty where it is none of this bot's."""
        prefix = f"{ROOT}/{self.bot}/cmd/"
        return topic.removeprefix(prefix) if topic.startswith(prefix) else ""
