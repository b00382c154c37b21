"""Looks after locks and legs: what should end by itself and does not is handed to a person, once."""

from datetime import timedelta

from bot.app.shell import Shell
from bot.domain.events import LockEscalated
from bot.domain.imbalance import Imbalance, LegsImbalanced
from bot.domain.orders import IntentId


class LockKeeper:
    """Judged now and then by whoever keeps the time; it takes no lock away."""

    def __init__(self, shell: Shell) -> None:
        """Take what it works with."""
        self._shell = shell
        self._told: set[IntentId] = set()  # whose missing leg a person was told of
        self._locked: set[IntentId] = set()

    def judge(self) -> None:
        """Latch each lock that has held for longer than its time, and lock combos whose legs do not match (L5, I8)."""
        self._escalate()
        found = self._shell.engine.state.imbalances(self._shell.clock.now())
        for imbalance in found:
            self._judge_legs(imbalance)
        known = {imbalance.intent_id for imbalance in found}
        self._told &= known
        self._locked &= known

    def _escalate(self) -> None:
        now, patience = self._shell.clock.now(), self._shell.settings.lock_escalated_s
        for lock in self._shell.engine.state.locks.passing:
            if now - lock.since >= timedelta(seconds=patience):
                why = f"{lock.why}; not settled within {patience:.0f} s"
                self._shell.pump(LockEscalated(at=now, lock=lock.name, why=why))

    def _judge_legs(self, imbalance: Imbalance) -> None:
        now, settings = self._shell.clock.now(), self._shell.settings
        age, name = now - imbalance.since, imbalance.intent_id
        if age >= timedelta(seconds=settings.legs_alert_s) and name not in self._told:
            self._told.add(name)
            self._shell.tell("legs_imbalanced", {"intent_id": name, "missing": imbalance.words})
        if age >= timedelta(seconds=settings.legs_lock_s) and name not in self._locked:
            self._locked.add(name)
            self._shell.pump(LegsImbalanced(at=now, imbalance=imbalance))
