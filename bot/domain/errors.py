"""The errors of the project; each class says what the caller should do next."""


class AlvhError(Exception):
    """Anything the project raises on purpose."""


class InvalidValueError(AlvhError, ValueError):
    """A value that could not exist: naive time, NaN, negative size. Fix the caller or the input."""


class ConfigError(AlvhError):
    """A setting or an input file is wrong: exit 2, the message names file, key, expectation and cure."""


class RefusedStartError(AlvhError):
    """The bot must not run here and now: exit 3, the message says why and what to do."""


class ConnectivityError(AlvhError):
    """The way to the broker is broken: reconcile and retry."""


class DeliveryError(AlvhError):
    """An alert is not known to have reached a person by its channel: try again, and use the others."""


class ClientIdInUseError(ConnectivityError):
    """The broker's error 326: keep the fixed id, retry for ever, alert after two minutes."""


class BrokerRejectedError(AlvhError):
    """The broker refused one request: record it, go on."""


class BrokerProtocolError(AlvhError):
    """The broker or its library said something impossible: halt."""


class InvariantError(AlvhError):
    """We broke our own rule: halt."""


class IllegalTransitionError(InvariantError):
    """An order was asked to take a step that the transition table does not list; nothing changed."""


class ProvenanceError(InvariantError):
    """A frame was about to leave that no approval stands behind; it was not written: halt."""


class JournalError(AlvhError):
    """The journal cannot be written, read or trusted: halt, send nothing."""


class LatchError(AlvhError):
    """The latch on disk cannot be written: flag set, cancel, exit 4."""


class HistoryError(ConfigError):
    """A daily history is missing, malformed or too short; the message names file, row and cure."""
