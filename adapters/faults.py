"""What an ERROR line of the adapters and of the client library means to a person: its class, severity and words.

How it works: a line is known by words of its text as the code has it, before anything is filled in; errors in the
library of events have no text of their own and are known by their logger. What always holds: a line that no entry
knows is `unmapped` and as loud as can be.

Source: docs/risk-controls.md, C27.
"""

import logging

from bot.domain.alerts import Fault, Severity

LOUD = logging.ERROR
"""From this level on a line calls a person."""

_Class = tuple[str, Severity, str]

_UNMAPPED: _Class = ("unmapped", Severity.CRITICAL, "an error that no table knows was logged: tell the maintainer")

_LOST: _Class = ("message_lost", Severity.WARNING, "a message of the broker could not be read; the books are compared")
_QUIET: _Class = ("data_line_ended", Severity.WARNING, "the broker ended a line of market data: mend the subscription")
_TICK: _Class = ("tick_unreadable", Severity.WARNING, "a tick of the broker could not be read")
_DIALLED: _Class = ("connection_failed", Severity.WARNING, "the client library could not connect; tried again")
_UNKNOWN_TO_LIBRARY: _Class = (
    "library_out_of_step",
    Severity.WARNING,
    "the client library knows nothing of what it was asked to end",
)
_NO_ANSWER: _Class = ("request_unanswered", Severity.WARNING, "the broker left a question unanswered")
_CALLBACK: _Class = ("callback_failed", Severity.CRITICAL, "code of the bot or of a library failed at an event")

FAULTS: tuple[tuple[str, _Class], ...] = (
    ("contract %s (%s) refused", ("contract_refused", Severity.WARNING, "a contract's terms cannot be trusted")),
    (
        "account value %s must be",
        ("account_value_unreadable", Severity.WARNING, "the account's values cannot be read: nothing is bought"),
    ),
    ("the broker says", ("broker_error", Severity.WARNING, "the broker reports an error that belongs to no request")),
    ("message %s could not be read", _LOST),
    ("no data of", _QUIET),
    ("line of %s ended", _QUIET),
    (
        "the gateway answers nothing",
        ("gateway_silent", Severity.WARNING, "the gateway was open and mute; the link is made anew"),
    ),
    ("%s: end the other session", ("client_id_refused", Severity.CRITICAL, "another session uses the bot's client id")),
    ("commission of %s is in", ("commission_currency", Severity.WARNING, "a commission came in another currency")),
    ("recording ended", ("recording_ended", Severity.NOTICE, "the recording has ended; the bot goes on")),
    # the client library
    ("API connection failed", _DIALLED),
    ("Make sure API port", _DIALLED),
    ("Peer closed connection", ("peer_closed", Severity.WARNING, "the gateway has closed the connection")),
    ("Error for ", _LOST),
    ("Error handling fields", _LOST),
    ("cancelOrder: Unknown orderId", _UNKNOWN_TO_LIBRARY),
    ("cancelPnL: No subscription", _UNKNOWN_TO_LIBRARY),
    ("cancelPnLSingle: No subscription", _UNKNOWN_TO_LIBRARY),
    ("cancelMktData: No reqId", _UNKNOWN_TO_LIBRARY),
    ("cancelMktDepth: No reqId", _UNKNOWN_TO_LIBRARY),
    (", reqId ", ("broker_error", Severity.WARNING, "the broker reports an error")),
    ("orderStatus: No order found", _UNKNOWN_TO_LIBRARY),
    ("tickString with tickType", _TICK),
    ("genericTick: malformed", _TICK),
    (": Unknown reqId", _UNKNOWN_TO_LIBRARY),
    (" request timed out", _NO_ANSWER),
    ("Async: Timeout", _NO_ANSWER),
    # the client of the broker of messages
    (
        "Unexpected message ID",
        ("mqtt_out_of_step", Severity.NOTICE, "the broker of messages answered nobody"),
    ),
)
"""Words of a line -> class, severity, words for a person."""

EVENT_LIBRARIES = ("eventkit", "aeventkit")


def fault_of(logger: str, template: str, text: str) -> Fault:
    """Return what an ERROR line means.

    Args:
        logger: Who logged it.
        template: The line before anything is filled in.
        text: The line as it reads.

    >>> fault_of("adapters.ibkr.market_data", "line of %s ended: %s", "line of VIX ended: 354").name
    'data_line_ended'
    >>> fault_of("adapters.ibkr.orders", "never heard of", "never heard of").name
    'unmapped'
    """
    found = _CALLBACK if logger.startswith(EVENT_LIBRARIES) else None
    for words, known in FAULTS:
        if found is None and words in template:
            found = known
    name, severity, meaning = found or _UNMAPPED
    return Fault(name=name, severity=severity, words=meaning, text=text)
