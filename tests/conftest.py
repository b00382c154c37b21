"""What holds for every test: properties are judged by what they find, never by how long a loaded machine takes."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.runs import Played

settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> "Played":
    """Two sessions of the blowout over the broker's wire with the real client library, played once for all tests."""
    from tests.runs import play  # noqa: PLC0415 - the environment of another client library has no whole run

    return play(tmp_path_factory.mktemp("flow"))
