"""The page of a run: what the rows say, nothing that a stranger wrote as markup, the same for the same journal."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.report.page import page_of, summary_of
from bot.report.story import SERIES, Story, Told, gather
from tests.bot.report.compared_rows import two_sessions

BEGIN = datetime(2026, 10, 20, 14, 0, tzinfo=UTC)
EVIL = "<script>alert('x')</script>\"&"
LEG = {
    "side": "BUY",
    "ratio": 1,
    "instrument": {"trading_class": "VIX", "settlement": "2026-11-18", "strike": "21", "right": "C"},
}
INTENT = {"intent_id": "11111111-2222", "purpose": "overlay_build", "quantity": 3, "limit": "0.90", "legs": [LEG]}
CHECKS = [
    {"rule": "account", "passed": True, "found": None, "limit": None, "note": ""},
    {"rule": "order_size", "passed": False, "found": 120, "limit": 100, "note": EVIL},
]


def told(minute: int, kind: str, decision: str = "", **facts: Any) -> Told:
    """One row."""
    return Told(at=BEGIN + timedelta(minutes=minute), kind=kind, decision_id=decision, facts=facts)


def sample(minute: int, **figures: float | None) -> Told:
    """One sample, every figure 1 unless told otherwise."""
    return told(minute, "sample_taken", **{**dict.fromkeys(SERIES, 1.0), **figures})


def planned(minute: int, state: str, decision: str, excess: float | None = 0.5) -> Told:
    """One decision."""
    candidate = {"name": EVIL, "quantity": 3, "cost_usd": "91.3", "exposure_usd_per_point": 13.0, "rejected": ""}
    return told(
        minute,
        "hedge_planned",
        decision,
        signal={"state": state, "excess": excess},
        action="increase",
        reason=EVIL,
        candidates=[candidate],
    )


def a_run() -> list[Told]:
    """A short run with an order, a refusal, a kill and hostile words."""
    fill = {"exec_id": "e", "order_ref": "11111111-2222", "part": "combo", "instrument": None}
    fill |= {"side": "BUY", "quantity": 3, "price": "0.89"}
    return [
        told(0, "bot_started", profile="sim", version="0.1.0", config_hash="abc"),
        told(0, "session_opened", day="2026-10-20"),
        sample(1, overlay_usd_per_point=0.0, cost_usd=10.0),
        planned(2, "calm", "d-1", None),
        planned(3, "undefined", "d-2"),
        planned(4, "blowout", "d-3"),
        told(4, "order_prepared", "d-3", intent=INTENT, checks=CHECKS[:1]),
        told(4, "order_refused", "d-3", intent=INTENT, checks=CHECKS),
        told(5, "order_sent", "d-3", intent_id="11111111-2222", why=""),
        told(6, "order_filled", "d-3", fill=fill),
        told(6, "order_completed", "d-3", intent_id="11111111-2222", why=""),
        told(7, "order_rejected", "", intent_id="33333333-4444", why=EVIL),
        sample(8, overlay_usd_per_point=30.0, cost_usd=1234.5),
        told(9, "kill_latched", cause=EVIL),
        told(10, "mode_resumed", mode="NORMAL"),
        told(10, "books_reconciled", positions=[LEG], commissions={"e": "1"}, differences={}),
        sample(11, overlay_usd_per_point=20.0, cost_usd=None),
        told(12, "bot_stopped", exit_code=0, why="stopped"),
    ]


def test_the_story_counts_marks_and_remembers() -> None:
    """Marks at changes of signal, trades, kill and resume; UNDEFINED is no change; figures last and largest."""
    story = gather(a_run())
    marks = [mark.label for mark in story.marks]
    assert marks == ["CALM", "BLOWOUT", "overlay bought", "KILL", "resume"]
    assert (story.last("cost_usd"), story.largest("overlay_usd_per_point")) == (1234.5, 30.0)
    assert all(len(values) == len(story.times) == 3 for values in story.series.values())
    assert story.ended == {"exit_code": 0, "why": "stopped"}


def test_the_summary_states_the_figures() -> None:
    """The numbers of the run as the page and the terminal show them."""
    summary = dict(summary_of(gather(a_run())))
    assert summary["sessions"] == "1"
    assert summary["decisions written"] == "3"
    assert summary["orders sent / filled / refused"] == "1 / 1 / 1"
    assert summary["kills / resumes"] == "1 / 1"
    assert summary["overlay now / largest, USD per VIX point"] == "20.00 / 30.00"
    assert summary["hedge cost as the cap counts it, USD"] == "1,234.50"
    assert summary["ended"] == "stopped"


def test_nothing_that_a_stranger_wrote_is_markup() -> None:
    """Broker's and operator's words, reasons, candidates and notes are escaped wherever they appear."""
    page = page_of(gather(a_run()))
    assert "<script" not in page
    assert "alert(" in page
    assert page.count("&lt;script&gt;") >= 5


def test_the_page_stands_alone_with_four_pictures() -> None:
    """No address to fetch, no script, no frame: only namespaces name the web."""
    page = page_of(gather(a_run()))
    assert page.count("<svg") == 4
    assert re.findall(r"(?:src|href|action)\s*=\s*(?![\"']?#)[^\s>]*", page) == []
    assert "url(http" not in page
    assert "@import" not in page
    for word in ("<script", "<link", "<iframe", "<img", "<object"):
        assert word not in page


def test_the_same_journal_is_the_same_page() -> None:
    """Byte for byte, so that two runs of one seed can be compared."""
    assert page_of(gather(a_run())) == page_of(gather(a_run()))


def test_a_decision_shows_its_orders_and_checks() -> None:
    """Time in New York, state with excess, the orders of this decision, and why one was refused."""
    page = page_of(gather(a_run()))
    assert "2026-10-20 10:04:00" in page
    assert "blowout, excess +50%" in page
    assert "prepared; refused; sent; filled; completed" in page
    assert "order_size: found 120, limit 100" in page
    assert "BUY 3 at 0.89 (combo)" in page
    assert "VIX 2026-11-18 21C" in page


CUT: list[tuple[Sequence[Told], str]] = [
    ([], "still running or cut off"),
    (a_run()[:1], "still running or cut off"),
    (a_run()[:9], "still running or cut off"),
    ([sample(0, **dict.fromkeys(SERIES))], "still running or cut off"),
    ([told(0, "something_unheard_of", x=1)], "still running or cut off"),
]


@pytest.mark.parametrize(("rows", "ended"), CUT)
def test_a_journal_that_breaks_off_still_makes_a_page(rows: Sequence[Told], ended: str) -> None:
    """Empty, cut off after any step, or with samples that knew nothing: a page that says so."""
    story: Story = gather(rows)
    page = page_of(story)
    assert ended in page
    assert page.count("<svg") == (4 if story.times else 0)


def test_every_beginning_of_a_run_makes_a_page() -> None:
    """A run may be cut off after each row."""
    rows = a_run()
    for end in range(len(rows)):
        assert summary_of(gather(rows[:end]))


def test_no_dollar_sign_is_read_as_a_formula() -> None:
    """A label with dollar signs is drawn as it stands instead of stopping the report."""
    rows = [sample(0), planned(1, "$\\frac{$", "d-1"), sample(2)]
    assert page_of(gather(rows)).count("<svg") == 4


def test_the_page_tells_what_the_hedge_was_worth() -> None:
    """A table of the three variants, their curves as a picture of their own, and that none of it is a forecast."""
    page = page_of(gather(two_sessions().told))
    section = page[page.index("What the hedge was worth") : page.index("Spread of RVX over VIX")]
    assert section.count("<svg") == 1
    for words in ("no hedge", "base sleeve", "base and overlay", "-1,766.00", "tail days", "not a forecast"):
        assert words in section
    assert dict(summary_of(gather(two_sessions().told)))["result: no hedge / base / base + overlay, USD"] == (
        "-2,000.00 / -1,800.00 / -1,766.00"
    )


def test_an_earlier_journal_says_what_its_samples_lack() -> None:
    """No table and no picture, the reason instead; the plain words stay."""
    page = page_of(gather(a_run()))
    assert "No comparison: 3 samples do not say what was held" in page
    assert "no reliable lead" in page
