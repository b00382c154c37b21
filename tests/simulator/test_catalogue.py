"""What is listed by name: every share and pair has a price, a tick and a proper number, and orders in dollars only."""

import pytest
from floors import DAY, an_open_floor, an_order, listened

from bot.domain.instrument import Kind
from simulator.catalogue import BY_CLASS, BY_NUMBER, NAMED, Named
from simulator.details import market_rule
from simulator.venue import OrderChanged

_OPENED = an_open_floor()
_TRADED = [each for each in NAMED if each.instrument.kind is not Kind.INDEX]


@pytest.mark.parametrize("listed", _TRADED, ids=lambda each: each.instrument.trading_class)
def test_what_is_traded_by_name_is_priced_within_its_tick(listed: Named) -> None:
    """The world prices each share and pair, and its quote stands on the ticks of its market rule."""
    quote = _OPENED.floor.quote(listed.instrument)
    [(_, tick)] = market_rule(_OPENED.universe.listing(listed.instrument, DAY).market_rule_ids[0])

    assert quote.bid is not None
    assert quote.ask is not None
    assert 0 < quote.bid < quote.ask
    assert (quote.bid % tick, quote.ask % tick) == (0, 0)


def test_numbers_are_told_once() -> None:
    """No two names share a number."""
    assert len(BY_NUMBER) == len(NAMED)


@pytest.mark.parametrize("listed", [each for each in NAMED if each.isin], ids=lambda each: each.isin)
def test_an_isin_carries_its_check_digit(listed: Named) -> None:
    """Letters count as two digits, every second digit from the right doubles, and all sum up to tens (ISO 6166)."""
    digits = [int(one) for letter in listed.isin for one in str(int(letter, 36))]
    doubled = [one * (2 if place % 2 else 1) for place, one in enumerate(reversed(digits))]

    assert sum(sum(divmod(one, 10)) for one in doubled) % 10 == 0


def test_what_is_paid_in_another_currency_is_told_and_not_traded() -> None:
    """The account keeps its books in dollars: USD.JPY has a quote, an order for it is refused with the reason."""
    yen = BY_CLASS[Kind.CASH, "USD.JPY"].instrument
    opened = an_open_floor()
    heard = listened(opened)

    opened.floor.place(an_order(yen, limit="150", quantity=20_000))

    [refused] = heard.of(OrderChanged)
    assert (refused.code, "is paid in JPY" in refused.reason) == (201, True)
