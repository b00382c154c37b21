"""Fixtures: a test authority once, a broker for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.mqtt.mosquitto_broker import Credentials, Mosquitto


@pytest.fixture(scope="session")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    """Certificates and passwords for all tests."""
    return Credentials(tmp_path_factory.mktemp("credentials"))


@pytest.fixture
def unstarted(tmp_path: Path, credentials: Credentials) -> Iterator[Mosquitto]:
    """A broker that does not run yet."""
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    found = Mosquitto(folder, credentials)
    yield found
    found.stop()


@pytest.fixture
def broker(unstarted: Mosquitto) -> Mosquitto:
    """A broker that listens."""
    unstarted.start()
    return unstarted
