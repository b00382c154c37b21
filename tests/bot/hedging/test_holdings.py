"""What each part of a book holds: every contract once, at the middle of its quote, what is unknown as unknown (M15)."""

from datetime import datetime, time

from bot.domain.instrument import InstrumentKey, share
from bot.domain.parts import Part
from bot.domain.schedule import NEW_YORK
from bot.domain.snapshot import Snapshot
from bot.hedging.holdings import Holdings, holdings_of
from bot.hedging.settings import HedgeSettings
from bot.valuation import Valuer
from tests.builders import NOVEMBER, Scenery, a_book, a_future, a_lot, a_quote, an_option, buys, sells, vix_call

SCENERY = Scenery(condors=10)
SHORT_BASE = SCENERY.opening.base[0]


def held_in(snapshot: Snapshot) -> Holdings:
    """The holdings of a snapshot."""
    return holdings_of(snapshot, Valuer(snapshot, HedgeSettings().valuation))


def quantities(holdings: Holdings, part: Part) -> dict[InstrumentKey, int]:
    """Contracts of a part."""
    return {key: one.quantity for key, one in holdings[part].items()}


def test_a_contract_in_base_and_overlay_counts_once_in_each() -> None:
    """The base holds its own calls, the overlay's short leg in the same strike is taken out of the position."""
    legs = (buys(vix_call(30)), sells(SHORT_BASE.instrument))
    book = SCENERY.book(lots=[a_lot(legs, units=2)])
    assert book.quantity(SHORT_BASE.instrument.key) == SHORT_BASE.quantity - 2
    holdings = held_in(SCENERY.snapshot(book=book))
    assert quantities(holdings, Part.BASE)[SHORT_BASE.instrument.key] == SHORT_BASE.quantity
    assert quantities(holdings, Part.OVERLAY) == {vix_call(30).key: 2, SHORT_BASE.instrument.key: -2}


def test_parts_whose_contracts_offset_each_other_are_both_told() -> None:
    """Where the position is flat, the base is long what the overlay is short."""
    legs = (buys(vix_call(30)), sells(SHORT_BASE.instrument))
    book = SCENERY.book(lots=[a_lot(legs, units=SHORT_BASE.quantity)])
    assert SHORT_BASE.instrument.key not in book.positions
    holdings = held_in(SCENERY.snapshot(book=book))
    assert quantities(holdings, Part.BASE)[SHORT_BASE.instrument.key] == SHORT_BASE.quantity
    assert quantities(holdings, Part.OVERLAY)[SHORT_BASE.instrument.key] == -SHORT_BASE.quantity


def test_a_contract_is_worth_the_middle_of_its_quote_and_a_future_its_price() -> None:
    """Points times multiplier in USD: 1.25 points of a call are 125, 19.5 of VX 19,500."""
    call, future, bare = vix_call(40), a_future("VX"), an_option(6000, NOVEMBER, trading_class="SPXW")
    book = a_book(positions={call: 3, future: -1, bare: -2})
    quotes = {
        call.key: a_quote(call, 1.20, 1.30),
        future.key: a_quote(future, 19.45, 19.55),
        bare.key: a_quote(bare, 5.00, 5.40),
    }
    holdings = held_in(SCENERY.snapshot(book=book, quotes=quotes))
    assert {key: one.each_usd for key, one in holdings[Part.BASE].items()} == {call.key: 125.0, future.key: 19_500.0}
    assert {key: one.each_usd for key, one in holdings[Part.CONDORS].items()} == {bare.key: 520.0}


def test_shares_of_a_volatility_product_are_base_at_their_price() -> None:
    """A hundred of VXX at 42.50: a share is worth its middle."""
    vxx = share("VXX", "BATS")
    snapshot = SCENERY.snapshot(book=a_book(positions={vxx: 100}), quotes={vxx.key: a_quote(vxx, 42.49, 42.51)})
    one = held_in(snapshot)[Part.BASE][vxx.key]
    assert (one.quantity, one.each_usd) == (100, 42.5)


def test_what_is_not_quoted_well_is_held_at_an_unknown_worth() -> None:
    """A contract without a bid keeps its quantity and has no figure."""
    call = vix_call(40)
    snapshot = SCENERY.snapshot(book=a_book(positions={call: 3}), quotes={call.key: a_quote(call, None, 1.30)})
    one = held_in(snapshot)[Part.BASE][call.key]
    assert (one.quantity, one.each_usd) == (3, None)


def test_what_has_settled_is_gone_whatever_the_book_still_lists() -> None:
    """On the morning of its settlement a VIX call is gone, an SPXW option only at four in the afternoon."""
    call, option = vix_call(40), an_option(6000, NOVEMBER, trading_class="SPXW")
    book = a_book(positions={call: 3, option: 1}, lots=[a_lot((buys(call),), units=1)])
    for hour, left in ((time(9, 29), (1, 1, 1)), (time(9, 30), (0, 0, 1)), (time(16, 0), (0, 0, 0))):
        at = datetime.combine(NOVEMBER, hour, tzinfo=NEW_YORK)
        holdings = held_in(SCENERY.snapshot(book=book, now=at))
        assert (len(holdings[Part.BASE]), len(holdings[Part.OVERLAY]), len(holdings[Part.CONDORS])) == left


def test_other_positions_are_in_no_part() -> None:
    """A RUT option and what it is worth belong to nobody's curve."""
    other = an_option(2500, NOVEMBER, trading_class="RUT")
    assert all(not contracts for contracts in held_in(SCENERY.snapshot(book=a_book(positions={other: 1}))).values())
