"""VXX and SVXY held beside the sleeve: measured, counted everywhere, and never a reason to hedge more (M4)."""

from functools import cache

from bot.domain.instrument import Kind
from simulator.books import BookPlan, StatedPosition
from tests.scenarios.staging import ROOMY_DELTA, Journal, Scene, staged, wide_morning


def shares(symbol: str, quantity: int) -> BookPlan:
    """Condors and base with shares beside them."""
    stated = StatedPosition(kind=Kind.STOCK, symbol=symbol, trading_class=symbol, quantity=quantity)
    return BookPlan(stated=(stated,), short_delta=ROOMY_DELTA)


@cache
def blown_out(symbol: str = "", quantity: int = 0) -> Journal:
    """The second session of `blowout` from ten to eleven, up to after its increase."""
    book = shares(symbol, quantity) if symbol else BookPlan(short_delta=ROOMY_DELTA)
    return staged(Scene(scenario="blowout", from_minute=80, until_minute=155, book=book))


def last_sample(journal: Journal) -> dict[str, float]:
    """The figures of the last picture that was taken."""
    names = ("products_usd_per_point", "base_usd_per_point", "delta_usd_per_spx_percent", "cost_usd", "gross_usd")
    facts = journal.facts("sample_taken")[0]
    return {name: float(facts[name]) for name in names}


def test_a_product_is_measured_when_the_bot_starts() -> None:
    """A year of the broker's closes gives a positive slope for VXX and a negative one for SVXY, in words."""
    (vxx,) = blown_out("VXX", 300).facts("products_measured")
    (svxy,) = blown_out("SVXY", 200).facts("products_measured")
    assert vxx["products"][0]["per_vix_point"] > 0.02
    assert svxy["products"][0]["per_vix_point"] < -0.01
    assert vxx["words"][0].startswith("VXX moved by +")


def test_a_long_product_counts_in_delta_and_cost_and_not_in_the_base() -> None:
    """VXX makes the book shorter and the hedge dearer; base, target and order are those of the book without it."""
    plain, held = last_sample(blown_out()), last_sample(blown_out("VXX", 300))
    assert held["products_usd_per_point"] > 200
    assert held["base_usd_per_point"] == plain["base_usd_per_point"]
    assert held["delta_usd_per_spx_percent"] < plain["delta_usd_per_spx_percent"] - 200
    assert held["cost_usd"] > plain["cost_usd"] + 1000
    assert held["gross_usd"] > plain["gross_usd"] + 5000
    assert blown_out("VXX", 300).units("order_prepared") == blown_out().units("order_prepared")


def test_a_short_product_makes_base_and_order_smaller() -> None:
    """SVXY loses with VIX: it is taken off the base, and a smaller overlay is bought."""
    plain, held = last_sample(blown_out()), last_sample(blown_out("SVXY", 200))
    taken = held["base_usd_per_point"] - plain["base_usd_per_point"]
    assert abs(taken - held["products_usd_per_point"]) < 1e-6
    assert taken < -100
    assert sum(blown_out("SVXY", 200).units("order_prepared")) < sum(blown_out().units("order_prepared"))
    assert held["cost_usd"] == plain["cost_usd"]


def test_an_increase_says_what_the_products_do() -> None:
    """The plan's notes name their exposure and whether it was taken off the base."""
    for symbol, quantity, words in (("VXX", 300, "no part of the base"), ("SVXY", 200, "taken off the base")):
        notes = blown_out(symbol, quantity).plans("increase")[0].facts["notes"]
        assert notes[-1].startswith("the volatility products held move by ")
        assert notes[-1].endswith(words)
    assert not any("volatility products" in note for note in blown_out().plans("increase")[0].facts["notes"])


def test_a_product_that_cannot_be_measured_stops_the_sizing() -> None:
    """VIX stood still for half a year: nobody knows what VXX does, and the blowout is held with that reason."""
    journal = staged(Scene(history=wide_morning(), until_minute=30, book=shares("VXX", 1)))
    (measured,) = journal.facts("products_measured")
    assert measured["words"] == ["VXX: its answer to VIX is unknown: VIX or SPX stood still"]
    wide = [row.facts for row in journal.plans() if row.facts["signal"]["state"] == "blowout"]
    assert {facts["reason"] for facts in wide} == {
        "the sleeve cannot be valued: STK:VXX: its answer to VIX is unknown: VIX or SPX stood still"
    }
    assert journal.of("order_prepared", "order_refused") == []
