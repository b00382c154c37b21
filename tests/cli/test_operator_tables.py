"""What an operator reads: the status as lines and tables, and an override from the command line to the signature."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.clock import SystemClock, SystemIds
from adapters.control.acks import signed_ack
from adapters.control.envelope import parsed
from adapters.control.operator_key import OperatorIdentity
from adapters.control.operator_line import Sending
from bot.cli.operator import _show
from bot.compose.operating import DONE, REFUSED, OperatorTool
from bot.compose.telling import lines_of, refused_words, tables_of
from bot.domain.command import Ack, AckStage, CommandName
from tests.builders import NOON
from tests.cli.conftest import Alvh

BOT, ANNA = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
REFUSED_ORDER = {
    "intent": "0e06fe8a-31a1",
    "digest": "d" * 64,
    "age_s": "12",
    "purpose": "overlay_build",
    "quantity": "14",
    "order_limit": "0.59",
    "legs": "+1 OPT:VIX:2026-11-18:23:C, -1 OPT:VIX:2026-11-18:28:C",
    "overridable": "vix_delta",
}
REASON = {
    "intent": "0e06fe8a-31a1",
    "rule": "vix_delta",
    "found": "875.30",
    "limit": "680.10",
    "headroom": "-195.20",
    "note": "USD per point of VIX",
    "overridable": "yes",
}
LIMITS = [
    {
        "limit": "max_vix_delta_frac",
        "scope": "long",
        "stated": "0.034 % of net liquidation",
        "unit": "USD per point of VIX",
        "bound": "most",
        "figure": "680.10",
        "use": "758.77",
        "headroom": "-78.67",
        "near": "near",
        "note": "",
    },
    {"limit": "max_options", "figure": "2000", "use": "40", "headroom": "1960", "unit": "contracts", "stated": "2000"},
    {"limit": "break_even_moves", "bound": "least", "figure": "1.0", "use": "1.1600", "headroom": "0.1600"},
    {"limit": "max_vega_frac", "stated": "1 % of net liquidation", "use": "unknown: no quote"},
    {"limit": "collar_ticks", "use": "per order", "stated": "or 4 ticks from it", "note": ""},
]
FACTS: dict[str, Any] = {
    "mode": "NORMAL",
    "demands": [],
    "locks": ["a: b", "c: d"],
    "exposure": [
        {"name": "vega", "amount": "1153.30", "unit": "USD per volatility point"},
        {"name": "SPX delta", "amount": "unknown: no quote", "unit": "USD per +1 % SPX"},
    ],
    "refused": [REFUSED_ORDER],
    "refused_by": [REASON],
    "limits": LIMITS,
}


def test_single_facts_are_lines_and_lists_are_words() -> None:
    """One line each; an empty list is none."""
    assert lines_of(FACTS) == ("demands: none", "locks: a: b; c: d", "mode: NORMAL")
    assert lines_of({"text": "a\x1b[31m"}) == ("text: a\\x1b[31m",)


@pytest.mark.control("C30")
def test_the_tables_say_what_is_used_what_is_left_and_what_is_unknown() -> None:
    """Marked above four fifths; unknown with its reason, never zero; limits without a use in a table of their own."""
    exposure, refused, limits, others = tables_of(FACTS)
    assert exposure.rows == (
        ("vega", "1,153.30", "USD per volatility point"),
        ("SPX delta", "unknown", "USD per +1 % SPX; unknown: no quote"),
    )
    assert refused.rows[0][:3] == (
        "0e06fe8a-31a1",
        "12 s",
        "buy 14 x VIX 2026-11-18 23/28 call spread at 0.59 or better",
    )
    assert refused.rows[0][3] == (
        "vix delta: found 875, limit 680, headroom -195 USD per point of VIX (can be overridden)"
    )
    assert limits.marked == {0}
    assert limits.rows[0][:5] == ("! max_vix_delta_frac", "long", "680.10", "758.77", "-78.67")
    assert limits.rows[1][2:5] == ("2,000", "40", "1,960")
    assert limits.rows[2][2:5] == ("at least 1.00", "1.16", "0.16")
    assert limits.rows[3][3:] == ("unknown", "", "", "1 % of net liquidation; unknown: no quote")
    assert others.rows == (("collar_ticks", "per order", "or 4 ticks from it", ""),)
    assert tables_of({"mode": "HALT", "limits": "?"}) == ()


def test_the_status_is_shown_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines first, then the tables, nothing on stdout."""
    _show(FACTS)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.index("mode: NORMAL") < err.index("Exposure") < err.index("Refused last") < err.index("! max_vix")
    assert "buy 14 x VIX 2026-11-18 23/28 call spread" in err


def test_a_refused_order_is_told_before_an_override_is_signed() -> None:
    """The order and each rule that refused it; another id has no words."""
    order, reason = refused_words(FACTS, "0e06fe8a-31a1")
    assert order.startswith("buy 14 x VIX")
    assert reason.startswith("vix delta: found 875, limit 680, headroom -195")
    assert refused_words(FACTS, "another") == ()


class Line:
    """A bot that answers STATUS with facts and everything else as it is told."""

    def __init__(self, stage: AckStage = AckStage.DONE, code: str = "") -> None:
        self.sent: list[Sending] = []
        self.stage, self.code = stage, code

    async def send(self, sending: Sending) -> None:
        """Keep it."""
        self.sent.append(sending)

    async def next_ack(self) -> bytes:
        """Answer the last one."""
        last = self.sent[-1]
        is_status = last.name is CommandName.STATUS
        ack = Ack(
            command_id=last.command_id,
            stage=AckStage.DONE if is_status else self.stage,
            code="" if is_status else self.code,
            detail=FACTS if is_status else {"outcome": "let through"},
        )
        return signed_ack(ack, BOT, NOON)

    async def challenge(self) -> Mapping[str, object]:
        """Tell one."""
        return {"epoch": 3, "challenge": "c" * 32}

    async def clear_retained_kill(self) -> bool:
        """Nothing is retained."""
        return True

    async def close(self) -> None:
        """Nothing is open."""


def a_tool(line: Line) -> OperatorTool:
    """Anna at the line."""
    identity = OperatorIdentity(
        bot="main", account_hash="h", key_id="anna", private=ANNA, bot_key=BOT.public_key().public_bytes_raw().hex()
    )
    return OperatorTool(line=line, identity=identity, clock=SystemClock(), ids=SystemIds(), local_cure="cure")


@pytest.mark.control("C15")
def test_an_override_signs_the_digest_that_was_shown() -> None:
    """The whole id and digest as the bot told them, the rules, the challenge, the reason."""
    shown: list[Mapping[str, object]] = []

    def confirm(facts: Mapping[str, object]) -> str:
        shown.append(facts)
        return "Anna: I know"

    line = Line()
    report = asyncio.run(a_tool(line).override("0e06", ["vix_delta"], confirm))
    assert (report.exit_code, report.facts) == (DONE, {"outcome": "let through"})
    assert "buy 14 x VIX" in str(shown[0]["order"])
    fields, _ = parsed(line.sent[-1].payload)
    assert fields["args"] == {"intent": "0e06fe8a-31a1", "digest": "d" * 64, "rules": "vix_delta"}
    assert (fields["cmd"], fields["reason"], fields["kill_epoch"]) == ("override", "Anna: I know", 3)


@pytest.mark.control("C15")
def test_without_an_order_or_a_reason_nothing_is_signed() -> None:
    """An id that names none, or nobody who answers for it; a refusal of the bot is told by its code."""
    line = Line()
    report = asyncio.run(a_tool(line).override("ffff", ["vix_delta"], lambda _facts: "because"))
    assert (report.exit_code, "names 0 of the orders" in report.says) == (REFUSED, True)
    report = asyncio.run(a_tool(line).override("0e06", ["vix_delta"], lambda _facts: ""))
    assert (report.exit_code, len(line.sent)) == (REFUSED, 2)
    line = Line(stage=AckStage.REFUSED, code="digest")
    report = asyncio.run(a_tool(line).override("0e06", ["vix_delta"], lambda _facts: "because"))
    assert (report.exit_code, report.says) == (REFUSED, "refused: digest")


def test_an_override_needs_a_rule_that_may_be_waived_and_a_person(alvh: Alvh, tmp_path: Path) -> None:
    """No rule, one that no signature waives, or nobody's name: exit 2 with the cure."""
    where = ("--profile", "sim", "--local", "--state", str(tmp_path))
    assert "--rule" in alvh("override", "abc", *where).err
    refused = alvh("override", "abc", "--rule", "hedge_cost_cap_book", *where)
    assert refused.code == 2
    assert "hedge_cost_cap_book" in refused.err
    nobody = alvh("override", "abc", "--rule", "vega", *where)
    assert nobody.code == 2
    assert "--i-am NAME and --reason TEXT" in nobody.err


def test_status_without_a_bot_says_so(alvh: Alvh, tmp_path: Path) -> None:
    """Exit 10, and JSON on stdout alone."""
    (tmp_path / "bot.pub").write_text("00" * 32)
    found = alvh("status", "--profile", "sim", "--local", "--state", str(tmp_path), "--json")
    assert (found.code, json.loads(found.out)["facts"]) == (10, {})
