"""Chooses how a run is carried out: virtual time, rehearsal in real time, paper or live."""

from bot.compose.options import Outcome, RunOptions
from bot.compose.outputs import Outputs
from bot.compose.realtime import run_realtime
from bot.compose.simulated import run_simulated
from bot.domain.errors import ConfigError


def run_bot(options: RunOptions, outputs: Outputs) -> Outcome:
    """Run as asked.

    Raises:
        ConfigError: Options that do not go together.
    """
    if options.play is not None and options.start is not None:
        raise ConfigError("--play takes no --start: the recording is played from its beginning")
    if options.profile == "sim" and not options.realtime:
        if options.gateway is not None:
            raise ConfigError("--gateway belongs to --realtime; in virtual time the gateway runs inside the process")
        return run_simulated(options, outputs)
    if options.profile != "sim" and (options.history is not None or options.play is not None or options.realtime):
        raise ConfigError(f"--history, --play and --realtime belong to profile sim, not to {options.profile}")
    return run_realtime(options, outputs)
