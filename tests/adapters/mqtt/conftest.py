"""Fixtures: a test authority once; a broker, a halted bot and a hand at the broker for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.adapters.mqtt.bench_bot import BenchBot, until
from tests.adapters.mqtt.mosquitto_broker import Credentials, Mosquitto
from tests.adapters.mqtt.raw_operator import Hand, connected


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


@pytest_asyncio.fixture
async def bot(broker: Mosquitto, tmp_path: Path) -> AsyncIterator[BenchBot]:
    """A bot at its first boot, halted, with the channel up and the books compared."""
    async with BenchBot(tmp_path / "state", broker.settings()).living() as living:
        await until(lambda: living.lines.mqtt is not None and living.lines.mqtt.up.is_set())
        await until(lambda: living.rows("books_reconciled") != [])
        yield living


@pytest_asyncio.fixture
async def hand(broker: Mosquitto, bot: BenchBot) -> AsyncIterator[Hand]:
    """An operator with every role and no manners."""
    async with connected(broker) as client:
        found = Hand(client, bot, bot.new_operator())
        await found.listen()
        yield found
