"""Limits at a start: what differs from the last one is written down, and what is looser waits for a person's word."""

from collections.abc import Mapping

from bot.domain.errors import RefusedStartError
from config.settings import Profile
from risk.limit_changes import limit_changes, limit_texts, limits_hash
from risk.limits import RiskLimits

CONFIRMED_IN = frozenset({Profile.PAPER, Profile.LIVE})
"""Profiles in which limits outlive a run; a rehearsal's are nobody's."""


def limits_at_start(
    limits: RiskLimits, last: Mapping[str, str], *, profile: Profile, confirmed: str | None
) -> Mapping[str, object] | None:
    """Return the facts of the row that writes the limits down; None where they are as they were.

    Args:
        limits: What the configuration says.
        last: As they were written down last; empty at a first start.
        profile: Of this run.
        confirmed: The hash of ``--confirm-limits``; None where it was not given.

    Raises:
        RefusedStartError: A limit is looser than last time and its set was not confirmed, or another one was.

    Source: docs/risk-controls.md, C37.
    """
    name, changes = limits_hash(limits), limit_changes(last, limits)
    if confirmed is not None and confirmed != name:
        raise RefusedStartError(
            f"--confirm-limits {confirmed} names another set of limits than the one configured; this one is {name}"
        )
    looser = [change.words for change in changes if change.is_looser]
    if looser and profile in CONFIRMED_IN and confirmed is None:
        raise RefusedStartError(
            f"limits are looser than at the last start: {'; '.join(looser)}; tighten them, or start once with "
            f"--confirm-limits {name}"
        )
    if last and not changes:
        return None
    tighter = [change.words for change in changes if not change.is_looser]
    return {
        "hash": name,
        "limits": limit_texts(limits),
        "looser": looser,
        "tighter": tighter,
        "confirmed": confirmed is not None,
    }
