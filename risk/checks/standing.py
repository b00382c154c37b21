"""Locks, reconciliation and the trading mode: judged last, and again in the step that sends."""

from dataclasses import dataclass
from typing import Final

from bot.domain.decision import Checked, Rule
from bot.domain.locks import ACCOUNT_LOCK
from bot.domain.mode import TradingMode
from bot.domain.orders import OrderIntent, Purpose
from risk.reducing import reducing
from risk.scene import Scene


@dataclass(frozen=True, slots=True)
class Locks:
    """Fails when the account or a leg is locked, or when an addition meets SPX positions that fit no condor (M8).

    Control: C28, C34.
    Standard: RTS 6 17(1); 34-70694.
    Unit: locked contracts.
    Limits: none.
    """

    rule: Rule = Rule.LOCKS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the locks."""
        book = scene.snapshot.book
        if not book.locks and not book.unmatched:
            return UNLOCKED
        names = (ACCOUNT_LOCK, *(leg.instrument.key for leg in intent.legs))
        found = [f"{name}: {book.locks[name]}" for name in names if name in book.locks]
        if book.unmatched and not scene.closes_only(intent):
            found.append(f"{len(book.unmatched)} SPX option positions fit no condor: sizing is locked")
        return UNLOCKED._replace(passed=False, found="; ".join(found)) if found else UNLOCKED


UNLOCKED: Final = Checked.holds(rule=Rule.LOCKS, passed=True, found="none", limit="none")


FROZEN: Final = "frozen around a restart of the gateway"
"""What the rule of compared books finds then."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Fails while the broker's books and ours are being compared, and around a restart of the gateway.

    Control: C24, C29.
    Standard: RTS 6 17(3).
    Unit: agreement of the books.
    Limits: none.
    """

    rule: Rule = Rule.RECONCILED

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:  # noqa: ARG002 - every check has this signature
        """Judge whether the book can be believed."""
        return scene.once(_agreed)


def _agreed(scene: Scene) -> Checked:
    reconciling = scene.snapshot.reconciling
    why = FROZEN if scene.snapshot.is_frozen else "reconciling"
    return Checked.holds(
        rule=Rule.RECONCILED, passed=not reconciling, found=why if reconciling else "agreed", limit="agreed"
    )


@dataclass(frozen=True, slots=True)
class ModeAllows:
    """NORMAL lets everything through; REDUCE_ONLY what reduces the risk of the whole book; HALT a signed plan alone.

    Buying calls or a call spread within the cost cap reduces, and so does buying back what is held short. Selling the
    hedge does not, unwinding, rolling and harvesting included, and neither does a future or a wider wing.

    Source: docs/risk-controls.md, section 2.3.

    Control: C1, C3.
    Standard: RTS 6 12(1); FIA 2015 1.11.
    Unit: trading mode.
    Limits: none.
    """

    rule: Rule = Rule.TRADING_MODE

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the order under the effective mode."""
        if intent.purpose is Purpose.FLATTEN:
            return self._under_a_mandate(intent, scene)
        by_mode = scene.once(_by_mode)
        if scene.snapshot.mode is not TradingMode.REDUCE_ONLY:
            return by_mode
        judged = reducing(intent, scene)
        return by_mode._replace(passed=judged.passed, note=judged.why)

    def _under_a_mandate(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Section 2.6: only in HALT, and only what a person has signed, no more of it and at no worse price."""
        snapshot = scene.snapshot
        mandate = snapshot.mandate
        signed = mandate is not None and mandate.allows(intent, epoch=snapshot.kill_epoch, now=snapshot.now)
        passed = signed and snapshot.mode is TradingMode.HALT
        note = "" if signed else "no signed plan to flatten covers this order"
        return Checked.holds(
            rule=self.rule, passed=passed, found=snapshot.mode.name, limit="HALT, under a signed plan", note=note
        )


def _by_mode(scene: Scene) -> Checked:
    mode, limit = scene.snapshot.mode, "NORMAL, or REDUCE_ONLY for what reduces"
    return Checked.holds(rule=Rule.TRADING_MODE, passed=mode is TradingMode.NORMAL, found=mode.name, limit=limit)
