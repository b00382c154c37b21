"""The group of all commands."""

import click

from bot.cli.explain import explain
from bot.cli.gateway import gateway
from bot.cli.history import history
from bot.cli.journal import journal
from bot.cli.keys import keys
from bot.cli.operator import (
    approve,
    arm,
    flatten,
    global_cancel,
    kill,
    limit,
    override,
    pause,
    reduce_only,
    resume,
    status,
    unlock,
    veto,
)
from bot.cli.report import report
from bot.cli.run import run
from bot.cli.signal import signal
from bot.cli.volindex import volindex
from bot.cli.watchdog import watchdog
from bot.compose.guard import version


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="alvh")
def alvh() -> None:
    """Resizes a VIX hedge sleeve over an SPX iron condor book at Interactive Brokers, unattended."""


for command in (
    *(run, kill, pause, reduce_only, resume, arm, status, approve, veto, flatten, unlock, limit, override),
    *(global_cancel, keys),
    *(gateway, signal, report, explain, journal, volindex, history, watchdog),
):
    alvh.add_command(command)
