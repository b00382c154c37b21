"""Which journal rows call a person, how loudly and in which words, and which are records alone.

How it works: every kind of row stands in exactly one of the tables below. A row of `ALERTS` becomes an alert where its
condition holds; the same kind and cause calls at most once in a while. What always holds: a kind in no table is an
alert of the loudest sort, so that a thing that nobody thought of is never silent.

Source: docs/risk-controls.md, C26 and C27.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from bot.domain.checks import require_aware, require_not_negative, require_text
from bot.domain.mode import DemandSource, TradingMode

Facts = Mapping[str, object]


class Severity(StrEnum):
    """How soon a person has to look: some time today, soon, now."""

    NOTICE = "NOTICE"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """0 for NOTICE, 2 for CRITICAL."""
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertClass:
    """What a kind of row means to a person."""

    severity: Severity
    words: str  # what happened and, where something can be done, what to do
    cause: tuple[str, ...] = ()  # facts that tell one cause from another; none: the kind is the cause
    when: Callable[[Facts], bool] = lambda _facts: True

    def __post_init__(self) -> None:
        """Reject an alert without words."""
        require_text(words=self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One call to a person; ``held_back`` counts the like of it since the last one that was sent."""

    kind: str
    severity: Severity
    words: str
    cause: str
    at: datetime  # of the event
    decision_id: str
    facts: Facts
    held_back: int = 0

    def __post_init__(self) -> None:
        """Reject an alert that says nothing or counts backwards."""
        require_text(kind=self.kind, words=self.words)
        require_aware(at=self.at)
        require_not_negative(held_back=self.held_back)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error that a part of the shell could only log: the name of its class, and what the log line says."""

    name: str
    severity: Severity
    words: str
    text: str

    def __post_init__(self) -> None:
        """Reject a fault without a name."""
        require_text(name=self.name, words=self.words)

    def alert(self, at: datetime) -> Alert:
        """Return the alert that it is; the text tells one cause from another."""
        found = AlertClass(severity=self.severity, words=self.words, cause=("text",))
        return alert_in(found, self.name, {"text": self.text}, at=at)


def _class(
    severity: Severity, words: str, *cause: str, when: Callable[[Facts], bool] = lambda _facts: True
) -> AlertClass:
    return AlertClass(severity=severity, words=words, cause=cause, when=when)


_notice = partial(_class, Severity.NOTICE)
_warning = partial(_class, Severity.WARNING)
_critical = partial(_class, Severity.CRITICAL)


def _tightened_by_itself(facts: Facts) -> bool:
    """A guard asks for a stricter mode; what the latch says has a row of its own."""
    return facts.get("mode") != TradingMode.NORMAL.name and facts.get("source") != DemandSource.LATCH


ALERTS: Mapping[str, AlertClass] = {
    "bot_stopped": _critical(
        "the bot has ended by itself; read why, start it again", "why", when=lambda facts: facts.get("exit_code") != 0
    ),
    "run_ended_early": _notice("the run ends before the day that was asked for", "why"),
    "baseline_missing": _warning("without closes of RVX and VIX there is no signal", "why"),
    "releases_run_out": _notice("the table of releases ends soon: renew it", "why"),
    "own_index_missing": _warning("an index is missing and cannot be worked out: no signal", "symbol", "why"),
    "candidates_missing": _warning("the broker lists no VIX options or futures: nothing can be bought", "why"),
    "daily_missing": _notice("a figure of the session was not kept", "day", "what"),
    "quotes_stay_quiet": _notice("quotes stand still and could not be asked for anew", "contracts", "why"),
    "preview_missing": _notice("the broker does not say what an order would bind: it waits", "order", "why"),
    "greeks_differ": _notice("the broker's greeks are far from our model's: find out which is wrong", "gaps"),
    "wings_advised": _notice("wider wings would bring the book's delta back; it is advice", "words"),
    "proposal_made": _notice("a person is asked: approve or veto before it expires", "decision_id"),
    "credit_changed": _notice("the credit that caps the hedge is another", "cohort"),
    "limits_set": _warning(
        "the bot starts with looser limits than before", "hash", when=lambda facts: bool(facts.get("looser"))
    ),
    "execution_corrected": _warning("the exchange has corrected an execution: look at cost and position", "exec_id"),
    "key_awaited": _notice("a command that loosens waits for a second key", "asks", "key_id"),
    "limit_changed": _warning("a command has changed a limit of the running bot", "name", "after", "key_id"),
    "order_rejected": _warning("the broker has refused an order", "intent_id"),
    "order_doubted": _warning("nobody knows whether an order lives; it counts at its worst", "intent_id"),
    "order_escalated": _critical("an order stays in doubt: look at the broker", "intent_id"),
    "link_lost": _notice("the broker is not there", "why"),
    "link_alerted": _critical("no link to the broker for minutes: look at the gateway"),
    "connect_failed": _warning("no connection to the broker; tried again for ever", "why"),
    "client_id_in_use": _critical("another session uses the bot's client id: end it", "why"),
    "books_incomplete": _notice("the broker's books lack an answer; asked again", "why"),
    "books_reconciled": _critical(
        "the broker's positions are not what the executions say: find out; these contracts are locked",
        "differences",
        when=lambda facts: bool(facts.get("differences")),
    ),
    "data_feed_changed": _warning(
        "market data is not usable: no signal, no order", "why", when=lambda facts: facts.get("usable") is not True
    ),
    "mode_demanded": _warning("the bot has tightened itself", "source", "mode", "cause", when=_tightened_by_itself),
    "kill_latched": _critical("HALT is latched until a signed resume", "command", "key_id", "channel"),
    "mode_latched": _warning("REDUCE_ONLY is latched until a signed resume", "command", "key_id", "channel"),
    "mode_resumed": _notice("a signed command has loosened the latch", "command_id"),
    "command_refused": _warning("a command was refused", "command", "code"),
    "command_unproved": _critical("a command to tighten came without proof: who sent it?", "command", "channel"),
    "command_link_changed": _warning(
        "commands do not arrive over MQTT; the local paths work", when=lambda facts: facts.get("up") is not True
    ),
    "flatten_planned": _notice("a plan to flatten the sleeve waits for a signature", "digest"),
    "flatten_signed": _critical("the sleeve is being sold as a person has signed", "digest"),
    "flatten_ended": _critical("the signed plan to flatten has ended: see what is left", "digest"),
    "global_cancel_sent": _critical("everybody's orders at the gateway were cancelled by command", "key_id"),
    "override_granted": _critical("a person has overridden limits for one refused order", "intent_id"),
    "override_used": _warning("the order of an override was judged again", "intent_id"),
    "override_expired": _notice("an override ended before anything was judged under it", "intent_id"),
    "lock_taken": _warning("a contract, or the account, is locked: no order leaves in it", "lock"),
    "lock_escalated": _critical("a lock has not ended by itself: find out, then unlock", "lock"),
    "legs_imbalanced": _critical("a leg of a combo is missing: look at the broker", "intent_id"),
    "twins_found": _critical("two live orders of one intent: both are cancelled, look at the broker", "intent_id"),
    "account_mismatched": _critical("the gateway is logged in without the bot's account: it halts", "why"),
    "lock_lifted": _notice("a person has taken a lock away", "lock"),
    "hours_disagreed": _warning(
        "the broker's hours of a class are not those of our calendar: what contradicts is refused",
        "trading_class",
        "day",
    ),
    "ticks_disagreed": _warning(
        "the broker's increments of a class are not ours: where they differ its orders are refused", "trading_class"
    ),
    "terms_missing": _warning("the broker does not tell a contract's hours: nothing of it is ordered", "trading_class"),
    "cap_breached": _warning("the hedge's cost stands above its cap: nothing that costs is bought"),
    "limit_breached": _critical("a limit is passed and the bot holds itself back: look at it, then resume", "source"),
    "stress_breached": _critical("the book loses more than its limit in a scenario", "scenario"),
    "alert_undelivered": _warning("a channel for alerts does not take them; the others have them", "channel"),
}
"""Kinds of rows that call a person, on ``alert/KIND`` and on the channels of ``[alerts]``."""

TOLD_RECORDS = frozenset(
    {
        *("bot_started", "hedge_planned", "order_refused", "order_sent", "order_filled", "order_completed"),
        *("order_cancelled", "link_restored", "own_index_read", "cap_respected", "stress_respected"),
        *("restraints_lifted", "submission_frozen"),
    }
)
"""Kinds that call nobody and are told on ``event/KIND`` all the same."""

QUIET_RECORDS = frozenset(
    {
        *("journal_restored", "session_opened", "session_closed", "evidence_delivered", "sensitivity_measured"),
        *("sensitivity_missing", "products_measured", "daily_recorded", "weekly_refused", "weeklies_unknown"),
        *(
            "parity_checked",
            "parity_found",
            "parity_missing",
            "wings_stay",
            "wings_unknown",
            "sample_taken",
            "greeks_unknown",
            "margin_previewed",
        ),
        *("proposal_approved", "proposal_vetoed", "order_prepared", "order_acknowledged", "order_partly_filled"),
        *("cancel_sent", "commission_booked", "command_acknowledged", "fault_logged", "lock_cleared", "books_agreed"),
    }
)
"""Kinds that stand in journal and logs alone."""

TOLD_KINDS = frozenset(ALERTS) | TOLD_RECORDS
"""Kinds of rows that become ``event/KIND``, whether or not they call a person as well."""

UNLISTED = _critical("something happened that no table of alerts knows: tell the maintainer")


def alert_of(kind: str, facts: Facts, *, at: datetime, decision_id: str) -> Alert | None:
    """Return the alert that a row is, None for a record.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 10, 20, 16, tzinfo=UTC)
    >>> found = alert_of("order_rejected", {"intent_id": "i-1"}, at=noon, decision_id="d-1")
    >>> found.severity.value, found.cause
    ('WARNING', 'i-1')
    >>> alert_of("session_opened", {"day": "2026-10-20"}, at=noon, decision_id="") is None
    True
    """
    if kind in TOLD_RECORDS or kind in QUIET_RECORDS:
        return None
    found = ALERTS.get(kind, UNLISTED)
    if not found.when(facts):
        return None
    return alert_in(found, kind, facts, at=at, decision_id=decision_id)


def alert_in(found: AlertClass, kind: str, facts: Facts, *, at: datetime, decision_id: str = "") -> Alert:
    """Return an alert of a class, whatever its condition says; the cause joins the facts that name it."""
    named = {**facts, "decision_id": decision_id}
    return Alert(
        kind=kind,
        severity=found.severity,
        words=found.words,
        cause=" ".join(str(named.get(name, "")) for name in found.cause),
        at=at,
        decision_id=decision_id,
        facts=facts,
    )
