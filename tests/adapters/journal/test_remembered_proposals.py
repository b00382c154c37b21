"""What a restart remembers of a proposal: asked, answered, used up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.journal.reader import remembered
from adapters.journal.store import Owner, open_journal
from bot.domain.events import Decided, Event, ProposalAnswered
from bot.domain.orders import DecisionId, OrderIntent
from bot.domain.plan import PlanAction, Withheld
from bot.domain.proposal import Proposal, ProposalState, asked
from bot.records import rows_of
from bot.signals.dispersion import DispersionTracker
from bot.signals.settings import DispersionSettings
from bot.state import BotState
from tests.adapters.journal.test_reader import approved
from tests.builders import ACCOUNT, a_plan, a_signal, an_intent, spread_legs

BEGIN = datetime(2026, 10, 20, 14, 0, tzinfo=UTC)
ASKED = DecisionId("d-1")


def _intent(quantity: int = 2) -> OrderIntent:
    return an_intent(spread_legs(21, 26), quantity=quantity)


def _made() -> Decided:
    proposal = Proposal(
        proposal_id=ASKED,
        orders=(asked(_intent()),),
        because="a test asks",
        made_at=BEGIN,
        expires_at=BEGIN + timedelta(minutes=15),
    )
    plan = a_plan(_intent(), action=PlanAction.INCREASE).holding_back(Withheld.PROPOSAL, "asked", proposal)
    return Decided(
        at=BEGIN, decision_id=ASKED, trigger="t", signal=a_signal(), plan=replace(plan, decision_id=ASKED), verdicts=()
    )


def _answered(*, yes: bool, proposal: str = ASKED) -> ProposalAnswered:
    at = BEGIN + timedelta(minutes=1)
    return ProposalAnswered(at=at, proposal_id=DecisionId(proposal), approved=yes, key_id="anna", reason="seen")


def _bought(minutes: int = 2, quantity: int = 2) -> Decided:
    at = BEGIN + timedelta(minutes=minutes)
    verdict = approved(_intent(quantity), at)
    plan = a_plan(_intent(quantity), action=PlanAction.INCREASE)
    return Decided(at=at, decision_id=DecisionId("d-2"), trigger="t", signal=a_signal(), plan=plan, verdicts=(verdict,))


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((_made(),), ProposalState.OPEN),
        ((_made(), _answered(yes=True)), ProposalState.APPROVED),
        ((_made(), _answered(yes=False)), ProposalState.VETOED),
        ((_made(), _answered(yes=True, proposal="d-0")), ProposalState.OPEN),
        ((_made(), _answered(yes=True), _bought()), ProposalState.USED),
        ((_made(), _answered(yes=True), _bought(quantity=3)), ProposalState.APPROVED),
        ((_made(), _answered(yes=True), _bought(minutes=15)), ProposalState.APPROVED),
        ((_made(), _bought()), ProposalState.OPEN),
    ],
)
def test_a_proposal_comes_back_as_it_stood(tmp_path: Path, events: tuple[Event, ...], state: ProposalState) -> None:
    """The journal alone gives what the state held when the bot ended."""
    living = BotState(tracker=DispersionTracker(DispersionSettings()))
    journal = open_journal(tmp_path / "journal.db", Owner(bot="main", profile="sim", account=ACCOUNT))
    for event in events:
        living.apply(event)
        journal.write(rows_of(event, None))
    journal.close()

    restored = remembered(tmp_path / "journal.db", BEGIN).restored

    assert restored.proposals == living.proposals
    assert [one.state for one in restored.proposals.last] == [state]
