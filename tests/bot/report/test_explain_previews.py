"""The broker's what-if in words: why an order waited for it, and what it said where it was used."""

from dataclasses import replace
from decimal import Decimal

from bot.domain.decision import Checked, Rule
from tests.bot.report.explained_texts import text
from tests.bot.report.explaining_rows import a_blowout, an_order_for, decided, plan_of, refused

TOLD = "the broker says 2000.00 USD of this order"


def words_of(check: Checked) -> str:
    """A refusal of one order with this check alone, explained."""
    order = an_order_for()
    verdict = replace(refused(order), checks=(check,))
    return " ".join(text(decided(plan_of(order), verdict, signal=a_blowout())).split())


def test_an_order_that_waited_says_for_what() -> None:
    """The refusal names the rule, and that the broker was not asked."""
    unasked = Checked.failed(rule=Rule.MARGIN_PREVIEW, note="the broker has not been asked what it binds")
    assert "margin preview: the broker has not been asked what it binds" in words_of(unasked)


def test_the_figure_that_counted_stands_beside_what_the_broker_said() -> None:
    """As found, limit and headroom in USD, with the broker's own figure in the note."""
    use = Checked.at_most(rule=Rule.MARGIN_USE, found=Decimal(251_000), limit=Decimal(250_000), note=TOLD)
    assert f"margin use: found 251,000.00, limit 250,000.00, headroom -1,000.00 USD ({TOLD})" in words_of(use)
