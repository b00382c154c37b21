"""The watcher's own ledger: journal against a session of its own at a simulated gateway over a real socket."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.ibkr.looker import positions_held
from adapters.journal.positions import positions_told
from adapters.journal.store import Owner, open_journal
from bot.compose.watchdog import ALARMED, Watch, Watcher
from bot.domain.errors import ConfigError, ConnectivityError, JournalError
from bot.domain.instrument import Instrument, Side
from bot.domain.orders import Fill, FillPart
from bot.ports import JournalRow
from config.loader import load
from config.settings import Profile, Settings
from simulator.gateway import FloorTime, Gateway
from simulator.opening import open_floor
from simulator.settings import SimulatorSettings
from tests.builders import ACCOUNT, CALENDAR, NOON, vix_call

FIRST_DAY = date(2026, 10, 19)
TODAY = "20261019"
WATCHER_ID = 118


def write(path: Path, *rows: JournalRow) -> None:
    """Append rows to a journal."""
    journal = open_journal(path, Owner(bot="main", profile="sim", account=ACCOUNT))
    journal.write(list(rows))
    journal.close()


def adopted(positions: Mapping[Instrument, int]) -> JournalRow:
    """The first comparison of the books."""
    facts = {"positions": [{"instrument": one, "quantity": count} for one, count in positions.items()]}
    return JournalRow(kind="books_reconciled", decision_id="", at=NOON, payload=facts)


def filled(exec_id: str, instrument: Instrument | None, side: Side, quantity: int) -> JournalRow:
    """One execution; without a contract the net of a combo."""
    fill = Fill(
        exec_id=exec_id,
        order_ref="i-1",
        perm_id=1,
        account=ACCOUNT,
        part=FillPart.COMBO if instrument is None else FillPart.LEG,
        instrument=instrument,
        side=side,
        quantity=quantity,
        price=Decimal(1),
        at=NOON,
    )
    return JournalRow(kind="order_filled", decision_id="", at=NOON, payload={"fill": fill})


@pytest.mark.control("C25")
def test_the_journals_positions_are_its_executions_since_the_first_comparison(tmp_path: Path) -> None:
    """An execution counts once, one from before the first comparison is in it already, a combo's net is none."""
    path, long, short = tmp_path / "journal.db", vix_call(20), vix_call(25)
    write(
        path,
        filled("before", long, Side.BUY, 3),
        adopted({long: 3}),
        filled("net", None, Side.BUY, 2),
        filled("a", long, Side.BUY, 2),
        filled("b", short, Side.SELL, 2),
        filled("a", long, Side.BUY, 2),
        filled("before", long, Side.BUY, 3),
        adopted({long: 99}),
    )
    assert positions_told(path, TODAY) == {"20261117 OPT VIX 20 C": 5, "20261117 OPT VIX 25 C": -2}
    assert positions_told(path, "20261118") == {}


@pytest.mark.parametrize("in_order", [True, False])
def test_the_second_ledger_takes_corrections_in_any_order(tmp_path: Path, *, in_order: bool) -> None:
    """The highest version counts, before and after the first comparison; what has five parts is never corrected."""
    path, call = tmp_path / "journal.db", vix_call(20)
    versions = [filled("a.b.01.01", call, Side.BUY, 2), filled("a.b.01.02", call, Side.BUY, 5)]
    write(
        path,
        filled("o.p.01.01", call, Side.BUY, 3),
        adopted({call: 3}),
        filled("o.p.01.02", call, Side.BUY, 4),
        *(versions if in_order else versions[::-1]),
        filled("c.d.01.01.01", call, Side.BUY, 10),
        filled("c.d.01.01.02", call, Side.BUY, 20),
    )
    assert positions_told(path, TODAY) == {"20261117 OPT VIX 20 C": 4 + 5 + 10 + 20}


def test_a_row_that_cannot_be_counted_is_an_error(tmp_path: Path) -> None:
    """An execution without a side makes no smaller position."""
    path = tmp_path / "journal.db"
    write(path, adopted({}), JournalRow(kind="order_filled", decision_id="", at=NOON, payload={"fill": {"x": 1}}))
    with pytest.raises(JournalError, match="cannot be counted"):
        positions_told(path, TODAY)


def names_in(folder: Path) -> set[str]:
    """The files of a folder."""
    return {path.name for path in folder.iterdir()}


@dataclass(frozen=True)
class Scene:
    """A gateway with its opening book, and the settings that lead to it."""

    settings: Settings
    positions: Mapping[Instrument, int]


@asynccontextmanager
async def gateway() -> AsyncIterator[Scene]:
    """Serve a simulated gateway on a free port."""
    opens_at = CALENDAR.next_session(FIRST_DAY - timedelta(days=1)).opens_at
    time = FloorTime(asyncio.get_running_loop().time, opens_at + timedelta(minutes=1))
    opened = open_floor(SimulatorSettings(start=FIRST_DAY, account=ACCOUNT), CALENDAR, clock=time.now)
    server = Gateway(opened.floor, port=0, time=time)
    await server.start()
    running = asyncio.create_task(server.run())
    settings = load(Profile.SIM, None, {}).settings
    broker = replace(settings.broker, port=server.port, account=ACCOUNT)
    rules = replace(settings.watchdog, ledger_every_s=0.05)
    try:
        positions = {one.instrument: one.quantity for one in opened.floor.positions()}
        yield Scene(settings=replace(settings, broker=broker, watchdog=rules), positions=positions)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await server.stop()


@pytest.mark.control("C25")
async def test_both_ledgers_name_every_contract_alike(tmp_path: Path) -> None:
    """What the opening book holds is found under the same names by journal and broker: options and shares alike."""
    async with gateway() as scene:
        write(tmp_path / "journal.db", adopted(scene.positions))
        held = await positions_held(scene.settings.broker, WATCHER_ID, 10.0, TODAY)
        assert held == positions_told(tmp_path / "journal.db", TODAY)
        assert len(held) == len(scene.positions) > 5


async def test_a_gateway_that_is_away_is_no_position_at_all() -> None:
    """Nobody at the port is an error, never an empty book."""
    broker = replace(load(Profile.SIM, None, {}).settings.broker, port=9)
    with pytest.raises(ConnectivityError, match="no positions"):
        await positions_held(broker, WATCHER_ID, 5.0, TODAY)


@pytest.mark.control("C25")
async def test_a_corrupted_ledger_is_caught_and_calls(tmp_path: Path) -> None:
    """A contract that the broker does not hold: two looks, an alarm, both commands, exit code 13."""
    lines: list[str] = []
    left = tmp_path / "left"
    command = f"{sys.executable} -c 'import sys,pathlib; pathlib.Path(sys.argv[1]+sys.argv[2]).touch()' {left}"
    async with gateway() as scene:
        write(
            tmp_path / "journal.db", adopted(scene.positions), filled("x", vix_call(20, date(2027, 3, 17)), Side.BUY, 7)
        )
        watch = Watch(
            profile="sim", ledger=True, state=tmp_path, on_alarm=command, cut=f"{command}-cut", exit_on_alarm=True
        )
        code = await asyncio.wait_for(Watcher(watch, scene.settings, tmp_path, lines.append).run(), 30)
    told = [json.loads(line) for line in lines]
    assert (code, told[0]["danger"], told[0]["over"]) == (ALARMED, "ledger", False)
    assert "OPT VIX 20 C: 7 by the journal, 0 at the broker" in told[0]["words"]
    assert names_in(tmp_path) >= {"leftledger", "left-cutledger"}


@pytest.mark.parametrize("name", ["on_alarm", "cut"])
async def test_a_command_that_could_not_be_run_is_refused_at_the_start(tmp_path: Path, name: str) -> None:
    """A quote that is never closed is told when the watch begins, not found at the alarm that it would have called."""
    settings = load(Profile.SIM, None, {}).settings
    rules = replace(settings.watchdog, **{name: "call 'the desk"})
    with pytest.raises(ConfigError, match=f"watchdog.{name} is no command"):
        Watcher(Watch(), replace(settings, watchdog=rules), tmp_path, print)
