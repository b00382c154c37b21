"""``alvh volindex``: the 30-day volatility index of an option board."""

import json
from pathlib import Path

import click

from bot.cli.params import FILE
from bot.compose.boards import TermInput, index_of_file


@click.command()
@click.argument("board", type=FILE)
@click.option("--minutes-near", type=float, required=True, help="Minutes to the settlement of the near term.")
@click.option("--minutes-next", type=float, required=True, help="Minutes to the settlement of the next term.")
@click.option("--rate-near", type=float, required=True, help="Interest to it, continuous, a fraction per year.")
@click.option("--rate-next", type=float, required=True, help="Interest to the next one, likewise.")
@click.option("--json", "as_json", is_flag=True, help="Print every figure in full precision as JSON.")
def volindex(
    *,
    board: Path,
    minutes_near: float,
    minutes_next: float,
    rate_near: float,
    rate_next: float,
    as_json: bool,
) -> None:
    """Print the index of BOARD, a CSV file with the columns term,strike,call_bid,call_ask,put_bid,put_ask.

    The column term holds near or next; the two settlements must enclose thirty days. Every figure on the way is
    printed: T in years, forward F, strike K0 at or below it, the sum of contributions before the factor 2/T, variance
    sigma2, and the weight of each term.
    """
    found = index_of_file(
        board,
        TermInput(minutes=minutes_near, rate=rate_near),
        TermInput(minutes=minutes_next, rate=rate_next),
    )
    if as_json:
        click.echo(json.dumps(found.facts(), allow_nan=False))
        return
    for line in found.lines():
        click.echo(line)
