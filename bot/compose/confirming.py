"""Limits at a start: what differs from the last one is written down, and what is looser waits for a person's word."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.domain.errors import RefusedStartError
from config.loader import Loaded
from config.settings import Profile
from risk.limit_changes import limit_changes, limit_texts, limits_hash
from risk.limit_wishes import limits_after
from risk.limits import RiskLimits

CONFIRMED_IN = frozenset({Profile.PAPER, Profile.LIVE})
"""Profiles in which limits outlive a run; a rehearsal's are nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsAtStart:
    """What a run begins with, and the facts of the row that writes it down; None where nothing changed."""

    limits: RiskLimits
    facts: Mapping[str, object] | None

    def of_run(self, loaded: Loaded) -> Loaded:
        """Return settings whose limits are those in force."""
        return replace(loaded, settings=replace(loaded.settings, risk=self.limits))


def limits_at_start(
    configured: RiskLimits,
    last: Mapping[str, str],
    configured_last: Mapping[str, str],
    *,
    profile: Profile,
    confirmed: str | None,
) -> LimitsAtStart:
    """Return the limits of a start: as configured, and over it what commands had set when the bot stopped.

    Args:
        configured: What the configuration says.
        last: What was in force last; empty at a first start.
        configured_last: What the configuration said at the last start; empty at a first start.
        profile: Of this run.
        confirmed: The hash of ``--confirm-limits``; None where it was not given.

    Raises:
        RefusedStartError: A limit is looser than last time and its set was not confirmed, or another one was.

    Source: docs/risk-controls.md, C37.
    """
    limits = limits_after(configured, configured_last, last)
    name, changes = limits_hash(limits), limit_changes(last, limits)
    if confirmed is not None and confirmed != name:
        raise RefusedStartError(
            f"--confirm-limits {confirmed} names another set of limits than the one to begin with; this one is {name}"
        )
    looser = [change.words for change in changes if change.is_looser]
    if looser and profile in CONFIRMED_IN and confirmed is None:
        raise RefusedStartError(
            f"limits are looser than at the last start: {'; '.join(looser)}; tighten them, or start once with "
            f"--confirm-limits {name}"
        )
    if last and not changes and limit_texts(configured) == dict(configured_last):
        return LimitsAtStart(limits=limits, facts=None)
    facts: dict[str, object] = {
        "hash": name,
        "limits": limit_texts(limits),
        "configured": limit_texts(configured),
        "looser": looser,
        "tighter": [change.words for change in changes if not change.is_looser],
        "confirmed": confirmed is not None,
    }
    return LimitsAtStart(limits=limits, facts=facts)
