"""Carries out a granted override: puts it before the engine, and tells what the next decision made of it."""

from datetime import timedelta
from typing import Final

from bot.app.shell import Shell
from bot.domain.command import AckDetail, Command
from bot.domain.events import OverrideGranted
from bot.domain.overrides import Override
from risk.authority import Waive

JUDGED_WITHIN: Final = timedelta(seconds=10)
"""A decision follows at once, after the one that is being written; whoever signed waits no longer for the answer."""
LOOK_EVERY_S: Final = 0.05


def granted(shell: Shell, command: Command, waive: Waive, life_s: float) -> Override:
    """Put an override before the engine and return it.

    Args:
        shell: The engine with its pump and clock.
        command: Who signed, and why.
        waive: The order and its rules, as they were judged.
        life_s: Seconds for which it counts, unless a decision uses it up before.

    Source: docs/risk-controls.md, C15.
    """
    now = shell.clock.now()
    override = Override(
        refusal=waive.refusal,
        rules=waive.rules,
        key_id=command.key_id,
        reason=command.reason,
        until=now + timedelta(seconds=life_s),
        epoch=command.kill_epoch,
        digest=waive.digest,
    )
    shell.pump(OverrideGranted(at=now, override=override))
    return override


async def outcome_of(shell: Shell, override: Override) -> AckDetail:
    """Wait for the judgement under an override and return what its ack tells."""
    deadline = shell.clock.now() + JUDGED_WITHIN
    while shell.engine.state.waivers.override is override and shell.clock.now() < deadline:
        await shell.clock.sleep(LOOK_EVERY_S)
    return {
        "intent": override.intent_id,
        "rules": sorted(rule.value for rule in override.rules),
        "until": override.until.isoformat(),
        "outcome": _words(shell, override),
    }


def _words(shell: Shell, override: Override) -> str:
    state = shell.engine.state
    if state.waivers.override is override:
        return "not judged yet"
    if state.order(override.intent_id) is not None:
        return "let through"
    return "not let through: see the last refusal in the status, or override_expired in the log"
