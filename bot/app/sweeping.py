"""GLOBAL_CANCEL on the shell's side: asks once more, then has the gateway cancel everybody's orders, and looks again.

How it works: the first command gets a word that only the second one repeats, within a minute and in the same halt. What
always holds: it is off unless the configuration allows it, it creates no order, and own orders are cancelled by their
ids besides.

Source: docs/risk-controls.md, 2.6.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.app.flattening import Flattener
from bot.app.link import LinkKeeper
from bot.app.shell import Shell

WORD_BYTES = 8
WORD_LIFE = timedelta(seconds=60)
LOOK_EVERY_S = 0.5


class Sweeper:
    """The two steps of a global cancel."""

    def __init__(self, *, shell: Shell, keeper: LinkKeeper, allowed: bool) -> None:
        """Take the parts; nothing was asked yet."""
        self._shell = shell
        self._keeper = keeper
        self.allowed = allowed
        self._word = ""
        self._epoch = -1
        self._until: datetime | None = None

    def ask_again(self, epoch: int) -> str:
        """Return the word that the second command must repeat."""
        self._word, self._epoch = self._shell.rng.token(WORD_BYTES).hex(), epoch
        self._until = self._shell.clock.now() + WORD_LIFE
        return self._word

    def word(self, epoch: int) -> str:
        """Return the word that counts now, empty where there is none."""
        in_time = self._until is not None and self._shell.clock.now() <= self._until
        return self._word if in_time and epoch == self._epoch else ""

    async def carried_out(self, key_id: str) -> tuple[str, ...]:
        """Cancel everything, then our own by their ids; returns which of ours may still live, or what failed."""
        self._word = ""
        engine, clock = self._shell.engine, self._shell.clock
        sent = engine.cancel_everything()
        self._shell.tell("global_cancel_sent", {"key_id": key_id, "sent": sent})
        engine.cancel_own()
        self._keeper.request()
        deadline = clock.now() + timedelta(seconds=self._shell.settings.kill_done_within_s)
        while engine.state.live_orders() and clock.now() < deadline:
            await clock.sleep(LOOK_EVERY_S)
            engine.cancel_rest()
        left = tuple(str(order.intent.intent_id) for order in engine.state.live_orders())
        return left if sent else (*left, "no frame left: the link to the gateway is closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """What a person may have done beyond a mode: the actions of section 2.6."""

    flattener: Flattener
    sweeper: Sweeper
