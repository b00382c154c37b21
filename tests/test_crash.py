"""Kill -9 at journalled steps against a gateway in another process's shoes: no order twice, and the bot goes on."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.compose.worlds import WorldOptions, world_of
from simulator.floor import Floor
from simulator.gateway import FloorTime, Gateway
from simulator.tws.desk import Told

ROOT = Path(__file__).parents[1]
SPEED = 10
INTO_SESSION = timedelta(hours=3)
PATIENCE_S = 60.0
HEAD_LENGTH = 300  # characters of a row that a failure shows
ROUNDING = 2  # units by which a moved market may change the whole target while it is being bought
CONFIG = """
[signal]
dwell_s = 30.0
half_life_s = 20.0
"""
STEPS = [
    ("order_sent", "before"),  # the frame has left and nothing says so
    *(
        pytest.param(kind, when, marks=pytest.mark.slow)
        for kind, when in (
            ("order_prepared", "after"),  # nothing has left: the order must not be lost for ever
            ("order_filled", "after"),  # booked, not yet acted upon
            *(("order_prepared", "before"), ("order_sent", "after"), ("order_filled", "before")),
            *(("order_completed", "before"), ("order_completed", "after"), ("books_reconciled", "before")),
            *(("books_reconciled", "after"), ("session_opened", "before"), ("session_opened", "after")),
        )
    ),
]


@asynccontextmanager
async def blown_out_gateway() -> AsyncIterator[tuple[Gateway, Floor]]:
    """A gateway whose floor stands three hours into the session of the blowout: the spread is wide already."""
    world = world_of(
        WorldOptions(
            scenario="blowout", history=None, start=None, end=None, sessions=5, seed=7, tick_s=15, account="DU1234567"
        )
    )
    begins = world.sessions()[1].opens_at + INTO_SESSION
    time = FloorTime(asyncio.get_running_loop().time, begins, SPEED)
    floor = world.open(time).floor
    gateway = Gateway(floor, "127.0.0.1", 0, time=time)
    gateway.advance(begins)
    await gateway.start()
    serving = asyncio.ensure_future(gateway.run())
    try:
        yield gateway, floor
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await gateway.stop()


class Bot:
    """One bot with a state folder that survives its lives."""

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        self.state = folder / "state"
        self._folder = folder
        self._port = gateway.port
        (folder / "test.toml").write_text(CONFIG)

    async def start(self, *crash: str) -> asyncio.subprocess.Process:
        """Begin a life; with a kind and a moment it ends by its own hand."""
        program = ["-m", "tests.crashing_bot", *crash] if crash else ["-m", "bot"]
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *program,
            *("run", "--realtime", "--gateway", f"127.0.0.1:{self._port}", "--speed", str(SPEED)),
            *("--state", str(self.state), "--config", str(self._folder / "test.toml")),
            *("--out", str(self._folder / "out"), "--json"),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    def told(self, kind: str) -> list[dict[str, object]]:
        """Return the facts of all journal rows of a kind."""
        path = self.state / "journal.db"
        if not path.exists():
            return []
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            found = connection.execute("SELECT payload FROM rows WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            connection.close()
        return [json.loads(payload) for (payload,) in found]

    async def has_told(self, life: asyncio.subprocess.Process, kind: str, count: int) -> None:
        """Wait until the journal holds so many rows of a kind."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while len(self.told(kind)) < count:
            if life.returncode is not None or asyncio.get_running_loop().time() > deadline:
                pytest.fail(f"no {kind}; the journal's last rows: {self.last_rows()}")
            await asyncio.sleep(0.2)

    async def stands_at_target(self, life: asyncio.subprocess.Process, known_plans: int) -> None:
        """Wait until a new plan holds because the overlay stands at its target."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while asyncio.get_running_loop().time() < deadline:
            plans = self.told("hedge_planned")
            if len(plans) > known_plans and "stands at its target" in str(plans[-1]["reason"]):
                return
            if life.returncode is not None:
                out, err = await life.communicate()
                pytest.fail(f"the bot ended with {life.returncode}: {out.decode()} {err.decode()[-2000:]}")
            await asyncio.sleep(0.2)
        pytest.fail(f"the overlay did not reach its target; the journal's last rows: {self.last_rows()}")

    def last_rows(self, count: int = 25) -> list[tuple[int, str, str, str]]:
        """Return number, moment, kind and the head of the facts of the journal's last rows, for a failure to show."""
        connection = sqlite3.connect(f"file:{self.state / 'journal.db'}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT seq, at, kind, payload FROM rows ORDER BY seq DESC LIMIT ?", (count,))
            return [(seq, at, kind, _head(payload)) for seq, at, kind, payload in rows.fetchall()[::-1]]
        finally:
            connection.close()


def _head(payload: str) -> str:
    """The reason of a row where it has one, else the beginning of its facts."""
    return str(json.loads(payload).get("reason") or payload[:HEAD_LENGTH])


async def end_of(life: asyncio.subprocess.Process) -> int | None:
    """Wait for a life to end and return its code; a life that goes on fails the test."""
    await asyncio.wait_for(life.communicate(), PATIENCE_S)
    return life.returncode


def judge(gateway: Gateway, floor: Floor) -> None:
    """The gateway's ledger: no order reference twice, and together no more was bought than one overlay needs."""
    placed = [row for row in gateway.ledger() if row.told is Told.PLACE and row.order is not None]
    refs = [row.order_ref for row in placed]
    assert len(refs) == len(set(refs))
    assert all(refs)
    filled = [(one.order.order_ref, one.quantity) for one, _ in floor.executions() if not one.is_leg]
    whole = max(row.order.quantity for row in placed if row.order is not None)  # one order asks for the whole target
    assert 1 <= sum(quantity for _, quantity in filled) <= whole + ROUNDING, f"more than one overlay: {filled}"


@pytest.mark.parametrize(("kind", "when"), STEPS)
async def test_a_killed_bot_goes_on_without_a_second_order(tmp_path: Path, kind: str, when: str) -> None:
    """Killed right before or after a journalled step and started again, the bot reaches one overlay, once."""
    async with blown_out_gateway() as (gateway, floor):
        bot = Bot(tmp_path, gateway)
        assert await end_of(await bot.start(kind, when)) == -signal.SIGKILL
        known_plans = len(bot.told("hedge_planned"))
        second = await bot.start()
        try:
            await bot.stands_at_target(second, known_plans)
        finally:
            if second.returncode is None:
                second.send_signal(signal.SIGTERM)
        assert await end_of(second) == 0
        judge(gateway, floor)


@pytest.mark.slow
async def test_a_resume_that_never_reached_the_journal_is_no_resume(tmp_path: Path) -> None:
    """Killed between the latch's file and the journal's row, the bot comes back halted and sends nothing."""
    async with blown_out_gateway() as (gateway, _):
        bot = Bot(tmp_path, gateway)
        assert await end_of(await bot.start("mode_demanded:NORMAL", "before")) == -signal.SIGKILL
        compared = len(bot.told("books_reconciled"))
        second = await bot.start()
        await bot.has_told(second, "books_reconciled", compared + 1)
        second.send_signal(signal.SIGTERM)
        assert await end_of(second) != 0
        assert bot.told("mode_demanded")[-1]["mode"] == "HALT"
        assert not [row for row in gateway.ledger() if row.told is Told.PLACE]
