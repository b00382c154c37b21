"""The one-time number that a loosening command must repeat: drawn, published, spent, drawn anew (3.5)."""

from collections.abc import Callable
from datetime import timedelta

from bot.app.shell import Shell
from bot.domain.command import Challenge
from bot.ports import CommandLink

CHALLENGE_BYTES = 16
CHALLENGE_LIFE = timedelta(minutes=5)
"""docs/risk-controls.md, 3.5: 128 bits, single use, five minutes."""


class Challenges:
    """At most one is good at a time; it is published always, because a limit may be loosened in any mode."""

    def __init__(self, shell: Shell, link: CommandLink, epoch: Callable[[], int]) -> None:
        """Take where it is published, and whom to ask for the present epoch; none is drawn before `renew`."""
        self._shell = shell
        self._link = link
        self._epoch = epoch
        self.current: Challenge | None = None

    def spend(self) -> None:
        """It was answered: from this instant on nothing answers it again."""
        self.current = None

    def renew(self) -> None:
        """Draw a new one for the present epoch and publish it."""
        now = self._shell.clock.host_now()
        self.current = Challenge(
            epoch=self._epoch(),
            value=self._shell.rng.token(CHALLENGE_BYTES).hex(),
            issued_at=now,
            expires_at=now + CHALLENGE_LIFE,
        )
        self.publish()

    def renew_if_expired(self) -> None:
        """Draw a new one where the present one's time is over."""
        if self.current is not None and self._shell.clock.host_now() >= self.current.expires_at:
            self.renew()

    def publish(self) -> None:
        """Tell it again: the line to the operators is back."""
        challenge = self.current
        if challenge is None:
            return
        facts = {
            "epoch": challenge.epoch,
            "challenge": challenge.value,
            "issued": challenge.issued_at.isoformat(),
            "expires": challenge.expires_at.isoformat(),
        }
        self._link.publish("challenge", facts, retain=True)
