"""How often the shell looks, and how long it waits."""

from dataclasses import dataclass
from typing import Final

from bot.domain.checks import require_positive
from bot.domain.errors import InvalidValueError
from bot.domain.freeze import GatewayRestart

_TEXTS: Final = frozenset({"gateway_restart", "gateway_restart_zone"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """Periods and deadlines of the shell, in seconds of the clock that decisions use, and the hour of a restart."""

    plan_every_s: float = 30.0  # the slow timer: plan even if nothing else happened
    sample_every_s: float = 300.0  # one row with signal, sleeve, cost and delta for the report
    tend_every_s: float = 5.0  # look after working orders
    order_life_s: float = 60.0  # an unfilled order is cancelled and planned again
    ack_timeout_s: float = 10.0  # a sent order without an answer counts as UNKNOWN
    settle_s: float = 10.0  # after the link came up: an order found nowhere by then never arrived
    look_again_s: float = 3.0  # between two looks at the broker's books while an order is in doubt
    reconnect_first_s: float = 2.0  # doubled after each failure ...
    reconnect_most_s: float = 60.0  # ... up to this; with jitter
    compare_every_s: float = 300.0  # of the books on a healthy link: some six frames of the message budget each time
    compare_after_fill_s: float = 5.0  # quiet for so long after the last fill of a burst: positions follow executions
    compare_locked_s: float = 30.0  # while a lock may end by itself: two agreements ten seconds apart end it
    legs_alert_s: float = 30.0  # I8: a combo of which a leg is not told by then calls a person ...
    legs_lock_s: float = 120.0  # ... and locks its contracts
    lock_escalated_s: float = 900.0  # docs/risk-controls.md, L5: a lock that has not ended by then needs a person
    agreement_told_s: float = 3600.0  # comparisons without any news are told as one row at most this often
    guard_clear_s: float = 60.0  # docs/risk-controls.md, 2.1: without its cause for so long a guard lets go
    clock_step_s: float = 2.0  # docs/risk-controls.md, 2.4: a wall clock that steps by more holds the bot back
    input_stale_s: float = 60.0  # of an open session without a fresh SPX, RVX or VIX: that holds the bot back
    alert_after_s: float = 120.0  # without a link for this long: one alert
    heartbeat_s: float = 10.0  # docs/risk-controls.md, L6: at most ten seconds apart
    baseline_closes: int = 140  # daily closes asked for, so that 90 common sessions are among them
    evidence_closes: int = 420  # daily closes for the confirmations: a year's mean behind a hundred sessions of seeding
    own_index_every_s: float = 150.0  # while an index is missing: two readings within the five minutes that it holds
    parity_every_s: float = 7200.0  # put-call parity of the condors' expiries, for information
    greeks_every_s: float = 7200.0  # are the broker's greeks of what is held those of our model
    wings_every_s: float = 1800.0  # is the book out of its band, and would wider wings help
    quiet_every_s: float = 60.0  # are there quotes that have stood still
    quiet_after_s: float = 300.0  # ask anew for a quote that old: a third of what valuation.max_quote_age_s allows
    weeklies_from_s: float = 300.0  # after the open: before that the quotes of weekly options are still wide
    weeklies_every_s: float = 1800.0  # which weekly settlements are liquid
    relist_every_s: float = 7200.0  # the candidates follow the market
    command_loss_reduce_s: float = 60.0  # docs/risk-controls.md, 2.4: command link lost
    command_loss_halt_s: float = 900.0
    kill_done_within_s: float = 30.0  # then the rest is escalated
    compare_within_s: float = 120.0  # of a flatten: five questions of at most ten seconds each, asked twice, and some
    repeat_every_s: float = 900.0  # docs/risk-controls.md, C26: the same complaint at most once in a quarter of an hour
    freeze_before_restart_s: float = 600.0  # docs/risk-controls.md, 2.4: nothing new leaves this long before a restart
    gateway_restart_window_s: float = 7200.0  # after it: from 23:45 to the end of the broker's nightly reset at 01:45
    gateway_restart: str = "23:45"  # HH:MM as set in the gateway, "" for none; the earliest reset that is known of
    gateway_restart_zone: str = "America/New_York"  # of that hour; the broker's own
    preview_again_s: float = 15.0  # after a what-if without an answer: half a timer's period, four questions a minute
    preview_failures: int = 3  # so many in a row hold the bot back: one lost answer is no outage, a minute of them is
    stop_within_s: float = 8.0  # orderly stop: own orders cancelled and confirmed

    def __post_init__(self) -> None:
        """Reject periods of zero and a back-off that shrinks."""
        for name in type(self).__slots__:
            if name not in _TEXTS:
                require_positive(**{name: getattr(self, name)})
        if self.reconnect_most_s < self.reconnect_first_s:
            raise InvalidValueError(
                f"reconnect_most_s must not be below reconnect_first_s, was {self.reconnect_most_s}"
            )
        _ = self.restart  # what cannot be read is refused here

    @property
    def restart(self) -> GatewayRestart | None:
        """The gateway's daily restart, None where none is stated.

        Raises:
            InvalidValueError: It cannot be read.
        """
        return GatewayRestart.told(
            self.gateway_restart,
            self.gateway_restart_zone,
            before_s=self.freeze_before_restart_s,
            window_s=self.gateway_restart_window_s,
        )
