"""The account is ours, its values are there and possible."""

from dataclasses import dataclass
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from bot.domain.orders import OrderIntent
from bot.domain.portfolio import AccountValues
from bot.domain.worth import LARGEST_ACCOUNT_USD
from risk.scene import Scene


@dataclass(frozen=True, slots=True)
class AccountAllowed:
    """Fails unless the account is on the allowlist, its values are ready, and its net liquidation is above zero.

    Control: C23.
    Standard: house rule; 15c3-5(c)(1).
    Unit: an account.
    Limits: accounts.
    """

    rule: Rule = Rule.ACCOUNT

    def check(self, intent: OrderIntent, scene: Scene) -> Checked:  # noqa: ARG002 - every check has this signature
        """Judge the account, whatever the order."""
        return scene.once(_judged)


def _judged(scene: Scene) -> Checked:
    fault = account_fault(scene)
    return Checked.holds(
        rule=Rule.ACCOUNT, passed=not fault, found=fault or "allowed", limit="allowed, ready, above zero", note=fault
    )


def account_fault(scene: Scene) -> str:
    """Return why nothing may be ordered for the account, empty where something may."""
    account = scene.snapshot.book.account
    if account is not None and account.account not in scene.limits.accounts:
        return "the account is not on the allowlist"
    return values_fault(account)


def values_fault(account: AccountValues | None) -> str:
    """Return why no limit can be worked out from an account's values, empty where they are there and possible."""
    if account is None:
        return "the account's values are not known"
    if not account.ready:
        return "the broker says that its account values are not ready"
    if not Decimal(0) < account.net_liquidation_usd <= LARGEST_ACCOUNT_USD:
        return "the net liquidation value is impossible"
    if not abs(account.cash_usd) <= LARGEST_ACCOUNT_USD:
        return "the cash is impossible"
    return ""
