"""Opening books by name and from files."""

from decimal import Decimal
from pathlib import Path

import pytest
from floors import CALENDAR, DAY, OPENS_AT

from bot.domain.errors import ConfigError, InvalidValueError
from bot.domain.instrument import Kind
from simulator.books import StatedPosition
from simulator.named_books import BOOKS, book_named
from simulator.opening import OpenedFloor, open_floor
from simulator.settings import SimulatorSettings

STATED = """
cash_usd = 250000

[[position]]
kind = "STK"
symbol = "AAPL"
quantity = 100
price = 251.5

[[position]]
kind = "OPT"
symbol = "SPX"
class = "SPXW"
expiry = 2026-11-20
strike = 6500
right = "P"
quantity = -3

[[position]]
kind = "FUT"
symbol = "VIX"
class = "VX"
expiry = "2026-11-18"
quantity = 2
price = 19.1
"""


def opened_with(text: str) -> OpenedFloor:
    """Return a floor that holds a named book."""
    settings = SimulatorSettings(scenario="calm", start=DAY, sessions=1, book=book_named(text))
    return open_floor(settings, CALENDAR)


def test_the_mixed_book_is_the_condor_book_with_two_hundred_shares() -> None:
    """SPY is held beside condors and sleeve, and net liquidation is what it is without them."""
    condor, mixed = (opened_with(name) for name in ("condor", "mixed"))
    for opened in (condor, mixed):
        opened.floor.advance(OPENS_AT)

    shares = [each for each in mixed.floor.positions() if each.instrument.kind is Kind.STOCK]

    assert [(each.instrument.symbol, each.quantity) for each in shares] == [("SPY", 200)]
    assert len(mixed.floor.positions()) == len(condor.floor.positions()) + 1
    worth = [each.floor.account_state().net_liquidation_usd for each in (condor, mixed)]
    assert worth[0] == pytest.approx(worth[1], abs=Decimal("0.01"))


def test_the_flat_book_is_cash() -> None:
    """Nothing is held."""
    assert opened_with("flat").floor.positions() == ()


def test_a_file_states_cash_and_positions(tmp_path: Path) -> None:
    """Prices are entries where stated; a future takes no cash."""
    path = tmp_path / "book.toml"
    path.write_text(STATED)

    floor = opened_with(str(path)).floor
    held = {each.instrument.trading_class: each for each in floor.positions()}

    assert {name: each.quantity for name, each in held.items()} == {"AAPL": 100, "SPXW": -3, "VX": 2}
    assert held["AAPL"].average_cost_usd == Decimal("251.5")
    assert held["VX"].average_cost_usd == Decimal(19100)
    assert floor.account_state().cash_usd == Decimal(250_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cash_usd = 1\nbonds = 2", "unknown key 'bonds'"),
        ("", "cash_usd is missing; add"),
        ("cash_usd = 'much'", "cash_usd must be a number"),
        ("cash_usd = -1", "cash_usd must be a number"),
        ("cash_usd = true", "cash_usd must be a number"),
        ("cash_usd = 1\nposition = 3", r"written as \[\[position\]\]"),
        ("cash_usd = 1\nposition = [3]", "position 1: expected a table"),
        ("cash_usd = 1\n[[position]]\nkind = 'STK'\nsymbol = 'SPY'\nquantity = 0", "quantity must be a whole number"),
        ("cash_usd = 1\n[[position]]\nkind = 'STK'\nsymbol = 'SPY'\nquantity = 1.5", "quantity must be a whole number"),
        (
            "cash_usd = 1\n[[position]]\nkind = 'BOND'\nsymbol = 'SPY'\nquantity = 1",
            "kind must be one of STK, OPT, FUT",
        ),
        ("cash_usd = 1\n[[position]]\nkind = 'STK'\nquantity = 1", "symbol must be text"),
        ("cash_usd = 1\n[[position]]\nkind = 'FUT'\nsymbol = 'VIX'\nquantity = 1\nexpiry = 'soon'", "YYYY-MM-DD"),
        ("cash_usd = 1\n[[position]]\nkind = 'STK'\nsymbol = 'SPY'\nquantity = 1\nright = 'X'", "one of C, P"),
        ("cash_usd = 1\n[[position]]\ncolour = 'red'", "position 1: unknown key 'colour'"),
        ("cash_usd", "is not TOML"),
    ],
)
def test_a_file_that_makes_no_book_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """The error names the file, the position and what was expected."""
    path = tmp_path / "book.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=words) as refused:
        book_named(str(path))

    assert "book.toml" in str(refused.value)


def test_a_name_or_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The error lists the names."""
    with pytest.raises(ConfigError, match=", ".join(BOOKS)):
        book_named("butterfly")
    with pytest.raises(ConfigError, match="cannot be read"):
        book_named(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (StatedPosition(kind=Kind.STOCK, symbol="XYZ", trading_class="XYZ", quantity=1), "none is listed"),
        (StatedPosition(kind=Kind.FUTURE, symbol="VIX", trading_class="VX", quantity=1), "expiries are 2026-10-21"),
        (StatedPosition(kind=Kind.OPTION, symbol="SPX", trading_class="SPXW", quantity=1), "needs expiry, strike"),
    ],
)
def test_a_position_in_what_is_not_listed_is_refused(position: StatedPosition, words: str) -> None:
    """The error says what there is."""
    plan = book_named("flat")
    settings = SimulatorSettings(scenario="calm", start=DAY, sessions=1, book=type(plan)(condors=0, stated=(position,)))

    with pytest.raises(InvalidValueError, match=words):
        open_floor(settings, CALENDAR)
