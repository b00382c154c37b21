"""``alvh run``: the bot itself, simulated, on paper or live."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bot.cli.params import DAY, FILE, FOLDER, SPEED
from bot.compose.options import Outcome, RunOptions
from bot.compose.outputs import Outputs
from bot.compose.running import run_bot


@click.command()
@click.option("--profile", type=click.Choice(["sim", "paper", "live"]), default="sim", show_default=True)
@click.option("--config", type=FILE, help="Your own TOML file, laid over profile and method.")
@click.option(
    "--method",
    type=click.Choice(["conservative", "balanced", "literal"]),
    help="Numbers of the methodology, whatever your file says; balanced where nothing says anything.",
)
@click.option("--scenario", default="blowout", show_default=True, help="Named scenario of profile sim.")
@click.option("--history", type=FOLDER, help="Folder of daily SYMBOL.csv files instead of a scenario.")
@click.option("--play", type=FOLDER, help="Folder of a recording instead of a scenario.")
@click.option("--start", type=DAY, help="First day; of the scenario, or of the history's window.")
@click.option("--end", type=DAY, help="Last day of the history's window.")
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True)
@click.option("--sessions", type=click.IntRange(1, 250), default=5, show_default=True, help="Sessions of a scenario.")
@click.option("--realtime", is_flag=True, help="Profile sim in real time, against a gateway in another process.")
@click.option("--gateway", metavar="HOST:PORT", help="The gateway of --realtime; without it an own one is started.")
@click.option("--speed", type=SPEED, default=1.0, show_default=True, help="Of --realtime.")
@click.option("--tick-s", type=click.IntRange(1, 30), default=15, show_default=True, help="Seconds between indices.")
@click.option("--state", type=FOLDER, help="State folder: journal, latch, keys.")
@click.option("--record", type=FOLDER, help="Write the ticks that reach the bot to Parquet files in this folder.")
@click.option("--confirm-limits", metavar="HASH", help="Start with limits that are looser than at the last start.")
@click.option("--dry-run", is_flag=True, help="Decide and record, send nothing.")
@click.option("--out", type=FOLDER, default=Path("out"), show_default=True, help="Log, report, and sim's state.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON on stdout.")
def run(*, as_json: bool, **chosen: Any) -> int:
    """Run the bot; ends with a summary and the path of the HTML report."""
    options = RunOptions(**chosen)
    console = Console(stderr=True)
    outputs = Outputs(_folder_for(options), console)
    try:
        outcome = run_bot(options, outputs)
    finally:
        outputs.close()
    if as_json:
        click.echo(_as_json(outcome))
    else:
        _show(outcome)
    return outcome.exit_code


def _folder_for(options: RunOptions) -> Path:
    """A fresh folder for a simulated run, so that an earlier run's journal is never continued by accident."""
    base = options.out or Path("out")
    if options.profile != "sim" or options.realtime:
        return base
    number = 1
    while (base / f"run-{number:03d}").exists():
        number += 1
    return base / f"run-{number:03d}"


def _show(outcome: Outcome) -> None:
    console = Console()
    table = Table(title="alvh run", show_header=False, title_justify="left")
    for name, value in outcome.summary:
        table.add_row(name, value)
    console.print(table)
    console.print(f"ended: {outcome.why}", highlight=False)
    if outcome.report is not None:
        console.print(f"report: {outcome.report}", highlight=False, soft_wrap=True)


def _as_json(outcome: Outcome) -> str:
    facts = {
        "exit_code": outcome.exit_code,
        "why": outcome.why,
        "report": None if outcome.report is None else str(outcome.report),
        "summary": dict(outcome.summary),
        "variants": outcome.variants,
    }
    return json.dumps(facts)
