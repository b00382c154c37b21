"""The base sleeve built, rolled, rolled under stress, left alone, and held by the cost cap (M4)."""

from collections import Counter
from datetime import date
from decimal import Decimal
from functools import cache

from bot.domain.command import CommandName
from bot.domain.layer import Layer
from simulator.books import BookPlan, LayerSize
from tests.scenarios.staging import Act, Day, Journal, Row, Scene, history_of, staged

AUTO = {"ALVH_HEDGE__BASE__MAINTAIN_BASE": "auto"}
WITHOUT_BASE = BookPlan(layers=())
TARGETS = {"short": 16, "medium": 16, "long": 8}
"""Of the reference book of forty condors."""
NOVEMBER, DECEMBER = "2026-11-18", "2026-12-16"
AS_BOUGHT = (date(2026, 11, 18), date(2027, 2, 17), date(2027, 5, 18))
CAP_RULES = {"hedge_cost_cap_cohort", "hedge_cost_cap_book"}


def yes_at(*minutes: float) -> tuple[Act, ...]:
    """A person approves the last proposal at these minutes after the open."""
    return tuple(Act(minute=minute, doing=lambda hands: hands.answer(CommandName.APPROVE)) for minute in minutes)


def base_orders(journal: Journal) -> list[Row]:
    """The prepared orders for the base, in order."""
    return [row for row in journal.of("order_prepared") if row.facts["intent"]["purpose"].startswith("base_")]


def told(row: Row) -> tuple[str, str, int, str]:
    """Purpose, layer, calls and settlement of an order."""
    intent = row.facts["intent"]
    (leg,) = intent["legs"]
    return intent["purpose"], intent["layer"], intent["quantity"], leg["instrument"]["settlement"]


def bought_by_layer(journal: Journal) -> Counter[str]:
    """Calls bought for each layer less those sold."""
    held: Counter[str] = Counter()
    for row in base_orders(journal):
        purpose, layer, calls, _ = told(row)
        held[layer] += calls if purpose == "base_build" else -calls
    return held


@cache
def approved() -> Journal:
    """A quiet morning with condors and no base; a person says yes three times."""
    quiet = history_of(date(2026, 10, 19), Day(), Day())
    return staged(Scene(history=quiet, until_minute=45, book=WITHOUT_BASE, acts=yes_at(15, 20, 25)))


@cache
def rolled() -> Journal:
    """A quiet morning, twelve days before the short layer settles: the last session on or before the tenth day."""
    quiet = history_of(date(2026, 11, 5), Day(), Day())
    return staged(Scene(history=quiet, until_minute=20, book=BookPlan(vix_settlements=AS_BOUGHT), settings=AUTO))


@cache
def stressed() -> Journal:
    """A Thursday that blows out, and a Friday on which VIX jumps from 17 to 30 and the short layer is due.

    The layer holds half of its target. On Thursday morning a person is asked to build it up and does not answer; on
    Friday he says yes to the roll.
    """
    wide, jump = Day(spread=(9.0, 9.0)), Day(vix=(24.0, 30.0), spread=(9.0, 9.0))
    half = tuple(
        LayerSize(layer=layer, days=days, calls_per_ten=calls)
        for layer, days, calls in ((Layer.SHORT, 30, 2), (Layer.MEDIUM, 110, 4), (Layer.LONG, 220, 2))
    )
    return staged(
        Scene(
            history=history_of(date(2026, 11, 4), Day(), wide, jump),
            sessions=3,
            until_minute=40,
            book=BookPlan(layers=half, vix_settlements=AS_BOUGHT),
            acts=yes_at(24 * 60 + 15),
        )
    )


@cache
def at_the_stop(maintain: str) -> Journal:
    """The morning of the session two before the short layer's last trading day; nobody answers."""
    quiet = history_of(date(2026, 11, 12), Day(), Day())
    settings = {"ALVH_HEDGE__BASE__MAINTAIN_BASE": maintain}
    return staged(Scene(history=quiet, until_minute=30, book=BookPlan(vix_settlements=AS_BOUGHT), settings=settings))


@cache
def capped() -> Journal:
    """A book without a base that builds by itself, under a cap of 15 % with nothing spread over time."""
    quiet = history_of(date(2026, 10, 19), Day(), Day())
    settings = {**AUTO, "ALVH_RISK__AMORTISE": "none", "ALVH_RISK__MAX_HEDGE_COST_FRAC": "0.15"}
    return staged(Scene(history=quiet, until_minute=40, book=WITHOUT_BASE, settings=settings))


# built ------------------------------------------------------------------------------------------------------------


def test_a_book_without_a_base_is_asked_about_layer_by_layer() -> None:
    """Short, medium, long: each question comes after the one before was answered, filled, and used up."""
    story = ("proposal_made", "proposal_approved", "order_prepared", "order_completed")
    assert [row.kind for row in approved().of(*story)] == [*story] * 3
    assert [told(row)[1] for row in base_orders(approved())] == ["short", "medium", "long"]
    because = [facts["proposal"]["because"] for facts in approved().facts("proposal_made")]
    assert because[0] == "the short layer grows to its target; every purchase for the base is put before a person"


def test_the_layers_are_built_to_their_targets_and_no_further() -> None:
    """Sixteen, sixteen and eight calls beside forty condors, at the monthly settlements nearest to their days."""
    assert bought_by_layer(approved()) == TARGETS
    assert [told(row)[3] for row in base_orders(approved())] == [day.isoformat() for day in AS_BOUGHT]
    assert approved().plans()[-1].facts["besides"] == []
    assert approved().plans()[-1].facts["reason"] == "calm: the sleeve stands at its base"


def test_a_purchase_tells_its_delta_and_what_else_was_looked_at() -> None:
    """The notes name held, due, target and delta; the candidates are the watched calls, each with its fate."""
    (plan, *_) = approved().plans("maintain")
    assert plan.facts["notes"][0].endswith("its target is 16, 16 to be bought")
    assert "forward delta 0." in plan.facts["notes"][1]
    assert len(plan.facts["candidates"]) >= 5
    assert any(one["rejected"].startswith("its forward delta is too far") for one in plan.facts["candidates"])


def test_what_the_base_waits_for_is_on_record() -> None:
    """While a layer cannot be bought yet, the overlay's own record says why."""
    besides = [words for row in approved().plans() for words in row.facts["besides"]]
    waiting = {words.partition(", but not now: ")[2] or words.partition("; ")[2] for words in besides}
    assert "the calls of its settlement are being looked up" in waiting
    assert "paced: no increase in the first and last 10 minutes of a session" in waiting
    assert "proposed: waits for a person" in waiting


# rolled -----------------------------------------------------------------------------------------------------------


def test_a_roll_buys_first_and_sells_then() -> None:
    """Sixteen December calls are bought, and only when they are there the sixteen of November go."""
    assert [told(row) for row in base_orders(rolled())] == [
        ("base_build", "short", 16, DECEMBER),
        ("base_exit", "short", 16, NOVEMBER),
    ]
    story = ("order_prepared", "order_completed")
    assert [row.kind for row in rolled().of(*story)] == [*story] * 2
    assert rolled().plans("exit")[0].facts["reason"] == "the short layer is rolled: what is due has been replaced"


def test_a_roll_under_way_does_not_double_the_base() -> None:
    """Between purchase and sale both are held, and the base counts one of them."""
    before, after = (rolled().plans(action)[0].facts["base_usd_per_point"] for action in ("maintain", "exit"))
    assert 0.5 * before < after < 1.2 * before


def test_under_stress_the_base_is_replaced_one_for_one_and_not_built_up() -> None:
    """While the episode lasts eight calls make way for eight, although the layer's target is sixteen."""
    assert [told(row) for row in base_orders(stressed())] == [
        ("base_build", "short", 8, DECEMBER),
        ("base_exit", "short", 8, NOVEMBER),
    ]
    asking, plan = stressed().plans("maintain")  # refused until the broker has said what it binds
    assert asking.facts["notes"] == plan.facts["notes"]
    assert plan.facts["reason"] == "the short layer is rolled one for one while the episode lasts"
    assert "each due one is replaced while the episode lasts, 8 to be bought" in plan.facts["notes"][0]


def test_under_stress_the_frozen_base_and_the_overlays_ceiling_stay() -> None:
    """VIX has nearly doubled and the layer was rolled: the base of M2 is the figure of the episode's beginning."""
    wide = [row.facts for row in stressed().plans() if row.facts["signal"]["state"] == "blowout"]
    bases = {facts["base_usd_per_point"] for facts in wide[1:]}
    assert len(bases) == 1
    assert all(facts["held_usd_per_point"] <= 0.20 * facts["base_usd_per_point"] for facts in wide)
    assert stressed().units("order_prepared", "overlay_build")


def test_a_layer_that_nobody_renewed_goes_at_its_stop_without_asking() -> None:
    """Two sessions before the last trading day it is sold, and a person is asked for what takes its place."""
    journal = at_the_stop("propose")
    assert [told(row) for row in base_orders(journal)] == [("base_exit", "short", 16, NOVEMBER)]
    assert journal.plans("exit")[0].facts["reason"] == "the short layer nears its last trading day"
    (asked,) = journal.facts("proposal_made")
    assert [order["purpose"] for order in asked["proposal"]["orders"]] == ["base_build"]


def test_a_base_that_the_operator_keeps_is_left_alone() -> None:
    """With off nothing is bought, sold or asked, not even at the stop."""
    journal = at_the_stop("off")
    assert journal.of("order_prepared", "order_refused", "proposal_made") == []
    assert all(row.facts["besides"] == [] for row in journal.plans())


# held by the cap --------------------------------------------------------------------------------------------------


def test_the_cost_cap_stops_a_build_and_what_was_bought_stays() -> None:
    """As much as fits is bought; the rest is refused by the two rules of the cap, and nothing is sold.

    Beside them stands that the broker was not asked: it is not, because no answer would help.
    """
    held = bought_by_layer(capped())
    assert held["short"] == TARGETS["short"]
    assert 0 < held["medium"] < TARGETS["medium"]
    assert held["long"] == 0
    assert {told(row)[0] for row in base_orders(capped())} == {"base_build"}
    failures = [[one for one in facts["checks"] if not one["passed"]] for facts in capped().facts("order_refused")]
    beyond = [checks for checks in failures if {check["rule"] for check in checks} >= CAP_RULES]
    assert [{check["rule"] for check in checks} - CAP_RULES for checks in beyond[1:]] == [{"margin_preview"}] * (
        len(beyond) - 1
    )
    for checks in beyond:
        over = [check for check in checks if check["rule"] in CAP_RULES]
        assert all(Decimal(check["found"]) > Decimal(check["limit"]) for check in over)
    assert len(capped().of("margin_previewed")) == len({row.decision_id for row in base_orders(capped())})
