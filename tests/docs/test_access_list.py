"""The access list that ships for Mosquitto lets an operator say all that there is to say."""

import re
from pathlib import Path

from bot.domain.command import CommandName

ACL = Path(__file__).parents[2] / "config" / "deploy" / "mosquitto" / "acl"


def test_an_operator_may_write_every_command() -> None:
    """A command that the list forgets would be dropped by the broker of messages without a word."""
    (block,) = re.findall(r"^user operator-anna\n(.*?)\n\n", ACL.read_text(), re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^topic write alvh/main/cmd/([a-z-]+)$", block, re.MULTILINE)) == set(CommandName)
