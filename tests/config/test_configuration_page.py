"""docs/configuration.md names every key with its default, and none besides."""

import re
from pathlib import Path

from config.settings import Settings
from tests.config.config_keys import keys_of

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_lists_every_key_with_its_default_and_a_meaning() -> None:
    """The table is the section classes' own: a key, default or meaning that is missing or stale is named here."""
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    assert [(key, default) for key, default, _ in rows] == list(keys_of(Settings))
    assert [key for key, _, meaning in rows if len(meaning) < 3] == []
