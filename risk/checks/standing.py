"""Locks, reconciliation and the trading mode: judged last, and again in the step that sends."""

from dataclasses import dataclass

from bot.domain.decision import Checked, Rule
from bot.domain.mode import TradingMode
from bot.domain.orders import OrderIntent
from risk.scene import Scene

ACCOUNT_LOCK = "account"


@dataclass(frozen=True, slots=True)
class Locks:
    """Fails when the account or a leg is locked, or when an addition meets SPX positions that fit no condor (M8)."""

    rule: Rule = Rule.LOCKS

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the locks."""
        book = scene.snapshot.book
        names = (ACCOUNT_LOCK, *(leg.instrument.key for leg in intent.legs))
        found = [f"{name}: {book.locks[name]}" for name in names if name in book.locks]
        if book.unmatched and not scene.closes_only(intent):
            found.append(f"{len(book.unmatched)} SPX option positions fit no condor: sizing is locked")
        return Checked.holds(
            rule=self.rule, passed=not found, found="; ".join(found) if found else "none", limit="none"
        )


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Fails while the broker's books and ours are being compared."""

    rule: Rule = Rule.RECONCILED

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:  # noqa: ARG002 - every check has this signature
        """Judge whether the book can be believed."""
        reconciling = scene.snapshot.reconciling
        return Checked.holds(
            rule=self.rule, passed=not reconciling, found="reconciling" if reconciling else "agreed", limit="agreed"
        )


@dataclass(frozen=True, slots=True)
class ModeAllows:
    """NORMAL lets everything through; HALT nothing; REDUCE_ONLY only what surely reduces.

    An order reduces when no scenario gets worse by more than its premium (docs/risk-controls.md, section 2.3). That
    needs the whole book under a grid of scenarios. Until that is worked out here, the one order of which it is certain
    passes: buying back contracts held short. Selling the hedge never reduces, unwinding included.
    """

    rule: Rule = Rule.TRADING_MODE

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:
        """Judge the order under the effective mode."""
        mode = scene.snapshot.mode
        reduces = mode is TradingMode.REDUCE_ONLY and scene.buys_back(intent)
        return Checked.holds(
            rule=self.rule,
            passed=mode is TradingMode.NORMAL or reduces,
            found=mode.name,
            limit="NORMAL, or REDUCE_ONLY for buying back",
        )
