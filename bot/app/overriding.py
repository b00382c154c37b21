"""Carries out a granted override: puts it before the engine, which judges the order with the next decision."""

from datetime import timedelta

from bot.app.shell import Shell
from bot.domain.command import AckDetail, Command
from bot.domain.events import OverrideGranted
from bot.domain.overrides import Override
from risk.authority import Waive


def granted(shell: Shell, command: Command, waive: Waive, life_s: float) -> AckDetail:
    """Put an override before the engine and return what the ack tells of it.

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
        epoch=shell.engine.state.ground.epoch,
        digest=waive.digest,
    )
    shell.pump(OverrideGranted(at=now, override=override))
    rules = sorted(rule.value for rule in waive.rules)
    return {"intent": override.intent_id, "rules": rules, "until": override.until.isoformat()}
