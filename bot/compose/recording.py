"""Recorders put where they listen: before a simulated floor, or before the bot's market data."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from adapters.recordings.port import PortRecorder
from adapters.recordings.tape import Tape
from adapters.recordings.writer import begin_recording
from bot.domain.errors import ConfigError
from bot.domain.recording import Door, RecordedWorld, RecordingHead
from bot.ports import Clock, MarketData, Sink
from simulator.opening import OpenedFloor
from simulator.ports import TradingFloor
from simulator.recording import RecordingFloor
from simulator.world.recorded import Recording


class RecordedPort(Protocol):
    """What stands before a bot's sink and market data."""

    def sink(self, onward: Sink) -> Sink:
        """A sink that hands every event on."""
        ...

    def before(self, inner: MarketData) -> MarketData:
        """Market data that asks another one."""
        ...


class _NotRecorded:
    """Nothing stands before them."""

    def sink(self, onward: Sink) -> Sink:
        """Return the sink itself."""
        return onward

    def before(self, inner: MarketData) -> MarketData:
        """Return the market data itself."""
        return inner


@contextmanager
def recorded_port(folder: Path | None, began_at: datetime, clock: Clock) -> Iterator[RecordedPort]:
    """Record a bot's market data into a folder for as long as it runs; without a folder nothing is recorded.

    Raises:
        ConfigError, RefusedStartError: As `begin_recording`.
    """
    if folder is None:
        yield _NotRecorded()
        return
    tape = Tape(begin_recording(folder, RecordingHead(began_at=began_at, door=Door.PORT)))
    recorder = PortRecorder(tape, clock)
    try:
        yield recorder
    finally:
        recorder.close()


@contextmanager
def recorded_floor(
    folder: Path | None, opened: OpenedFloor, played: Recording | None, began_at: datetime
) -> Iterator[TradingFloor | None]:
    """Record a floor into a folder for as long as it is served; without a folder nothing stands before it.

    Args:
        folder: Where to.
        opened: A floor that has not moved yet.
        played: The recording that it plays, if it does.
        began_at: When its clock begins.

    Raises:
        ConfigError: As `begin_recording`, or what is played was recorded at a bot's port.
        RefusedStartError: As `begin_recording`.
    """
    if folder is None:
        yield None
        return
    tape = Tape(begin_recording(folder, _head(opened, played, began_at)))
    try:
        yield RecordingFloor(opened.floor, opened.source.prior, tape)
    finally:
        tape.close()


def _head(opened: OpenedFloor, played: Recording | None, began_at: datetime) -> RecordingHead:
    if played is not None:
        if played.head.world is None:
            raise ConfigError("--record with --play: this recording was made at a bot, there is nothing new to record")
        return replace(played.head, began_at=began_at)
    universe, model = opened.universe, opened.floor.market.model
    world = RecordedWorld(
        first=universe.first,
        last=universe.last,
        spx=universe.spx_bounds,
        rut=opened.source.rut_bounds,
        seed=model.noise_seed,
        step_s=opened.source.path(0).step_s,
        night_step_s=model.night_step_s,
    )
    return RecordingHead(began_at=began_at, door=Door.FLOOR, world=world)
