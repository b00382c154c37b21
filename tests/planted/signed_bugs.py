"""Known bugs about what somebody must have signed for, what a restart must keep, and the journal that only grows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import adapters.journal.chain
import adapters.journal.reader
import adapters.journal.store
import bot.domain.overrides
import risk.authority
from adapters.journal.store import SqliteJournal
from bot.domain.command import HalfSigned, Proof, Role
from bot.domain.locks import Locks as LocksHeld
from bot.domain.portfolio import Book
from bot.domain.proposal import Asked, Proposal, ProposalState
from bot.domain.restraints import Restraints
from bot.engine import Engine
from bot.state import BotState
from risk.authority import Waive
from risk.checks.message_rate import Duplicates
from risk.gate import Gate
from risk.limits import RiskLimits
from tests.planted.planting import Patch, Planted, passes, replaced


def _sender(change: Callable[[Any], dict[str, object]]) -> Callable[[Patch], None]:
    """The sender of a command is judged as if something in it were different."""

    def plant(patch: Patch) -> None:
        true_judgement = risk.authority._about_the_sender

        def judged(command: Any, role: Role = Role.RESUME) -> Any:
            return true_judgement(replace(command, **change(command)), role)

        patch.setattr(risk.authority, "_about_the_sender", judged)

    return plant


def _moment(change: Callable[[Any, Any], dict[str, object]]) -> Callable[[Patch], None]:
    """The moment of a command is judged as if something in it were different."""

    def plant(patch: Patch) -> None:
        true_judgement = risk.authority._about_the_moment

        def judged(command: Any, situation: Any, rules: Any) -> Any:
            return true_judgement(replace(command, **change(command, situation)), situation, rules)

        patch.setattr(risk.authority, "_about_the_moment", judged)

    return plant


def _limits_unheeded(patch: Patch) -> None:
    """A limit is changed, told and written down, and nothing is judged by it."""
    true_review = Gate.review

    def review(self: Gate, plan: Any, snapshot: Any) -> Any:
        ordinary = Gate(RiskLimits(accounts=self.limits.accounts), self._fees)
        return true_review(ordinary, plan, snapshot)

    patch.setattr(Gate, "review", review)


def _killer_may_loosen(patch: Patch) -> None:
    """Whoever may kill may loosen a limit."""
    true_judgement = risk.authority._about_the_sender
    wanted = {Role.RISK: Role.KILL}
    patch.setattr(
        risk.authority,
        "_about_the_sender",
        lambda command, role=Role.RESUME: true_judgement(command, wanted.get(role, role)),
    )


def _same_key_twice(self: HalfSigned, second: Any) -> bool:
    return (self.command.name, dict(self.command.args)) == (second.name, dict(second.args))


def _override_by_one_key(patch: Patch) -> None:
    true_need = risk.authority._needs_two
    patch.setattr(
        risk.authority, "_needs_two", lambda judgement: true_need(judgement) and not isinstance(judgement, Waive)
    )


def _anything_can_be_waived(patch: Patch) -> None:
    patch.setattr(bot.domain.overrides, "NEVER_WAIVED", frozenset())


def _chain_begins_anew(patch: Patch) -> None:
    """Each start chains to the beginning, not to the last row."""
    true_start = SqliteJournal.__init__

    def start(self: SqliteJournal, connection: Any, writer: Any) -> None:
        true_start(self, connection, writer)
        self._hash = adapters.journal.chain.GENESIS

    patch.setattr(SqliteJournal, "__init__", start)


def _payload_unchained(patch: Patch) -> None:
    true_chain = adapters.journal.store.chained
    patch.setattr(adapters.journal.store, "chained", lambda before, **row: true_chain(before, **{**row, "payload": ""}))


def _changes_forgotten(patch: Patch) -> None:
    """A start knows the limits of the last start, and not what commands have changed since."""
    true_memory = adapters.journal.reader._remember_limits

    def remember(memory: Any, facts: Any) -> None:
        if "limits" in facts:
            true_memory(memory, facts)

    patch.setattr(adapters.journal.reader, "_remember_limits", remember)


def _restart_forgets(**nothing: Any) -> Callable[[Patch], None]:
    """What a process that ended held is not taken over in full by the next one."""

    def plant(patch: Patch) -> None:
        true_restore: Any = BotState._on_restored
        patch.setattr(BotState, "_on_restored", lambda self, event: true_restore(self, replace(event, **nothing)))

    return plant


def _yes_without_answer(patch: Patch) -> None:
    """A proposal that waits counts as one that somebody has said yes to."""
    patch.setattr(
        Proposal, "is_standing", lambda self, now: self.state is not ProposalState.VETOED and now < self.expires_at
    )


def _approval_of_more(self: Asked, other: Asked) -> bool:
    return self.purpose == other.purpose and other.quantity > 0


def _question_untold(patch: Patch) -> None:
    """A question that is asked again in the same words is not written down."""
    true_news = Engine._is_news

    def is_news(self: Engine, decided: Any) -> bool:
        return true_news(self, replace(decided, plan=replace(decided.plan, proposal=None)))

    patch.setattr(Engine, "_is_news", is_news)


def _delta_blind(patch: Patch) -> None:
    """The base is sold twice: what works already is not seen."""
    patch.setattr(Book, "keys_at_work", lambda _self: frozenset())
    passes(Duplicates)(patch)


BUGS = (
    Planted(
        name="a replayed command is taken",
        plant=_sender(lambda _c: {"seq_is_fresh": True}),
        breaks=("I21",),
    ),
    Planted(name="a retained command is taken", plant=_sender(lambda _c: {"retained": False}), breaks=("I21",)),
    Planted(name="an unsigned command is taken", plant=_sender(lambda _c: {"proof": Proof.SIGNED}), breaks=("I21",)),
    Planted(
        name="a stale epoch is taken", plant=_moment(lambda _c, at: {"kill_epoch": at.kill_epoch}), breaks=("I21",)
    ),
    Planted(
        name="a spent challenge is taken",
        plant=_moment(lambda _c, at: {"challenge": at.challenge.value}),
        breaks=("I21",),
    ),
    Planted(
        name="an old command is taken",
        plant=_moment(lambda _c, at: {"issued_at": at.host_now, "expires_at": at.host_now}),
        breaks=("I21",),
    ),
    Planted(
        name="nobody says why",
        plant=replaced(risk.authority, "_about_the_reason", lambda _command: None),
        breaks=("I21",),
    ),
    Planted(
        name="a resume on books that differ",
        plant=replaced(risk.authority, "_about_the_books", lambda _situation, _rules: None),
        breaks=("I21",),
    ),
    Planted(name="a killer loosens a limit", plant=_killer_may_loosen, breaks=("I21",)),
    Planted(
        name="one key counts twice", plant=replaced(HalfSigned, "is_completed_by", _same_key_twice), breaks=("I21",)
    ),
    Planted(
        name="an override needs one key where two are asked for",
        plant=_override_by_one_key,
        breaks=("I21",),
    ),
    Planted(name="an override waives the cost cap", plant=_anything_can_be_waived, breaks=("I21", "I3", "I6")),
    Planted(
        name="a restart forgets a tightened limit",
        plant=_changes_forgotten,
        breaks=("I21",),
    ),
    Planted(name="a restart forgets the locks", plant=_restart_forgets(locks=LocksHeld()), breaks=("I21",)),
    Planted(
        name="a restart forgets what the bot asked of itself",
        plant=_restart_forgets(restraints=Restraints()),
        breaks=("I21",),
    ),
    Planted(name="a limit is changed and not heeded", plant=_limits_unheeded, breaks=("I3", "I10", "I9")),
    Planted(name="a start begins the chain anew", plant=_chain_begins_anew, breaks=("I18",)),
    Planted(name="the chain leaves out what rows say", plant=_payload_unchained, breaks=("I18",)),
    Planted(name="nobody answered, and it leaves", plant=_yes_without_answer, breaks=("I21",), only_planned=True),
    Planted(
        name="a yes to one trade is a yes to another",
        plant=replaced(Asked, "covers", _approval_of_more),
        breaks=("I21",),
        only_planned=True,
    ),
    Planted(name="a question is not written down", plant=_question_untold, breaks=("I21",), only_planned=True),
    Planted(name="what works is sold once more", plant=_delta_blind, breaks=("I22", "I12", "I8")),
)
