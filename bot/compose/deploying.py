"""Live trading begins with limits that the operator has stated, and with no default in their place (C18)."""

from collections.abc import Mapping
from typing import Final

from bot.domain.errors import RefusedStartError
from config.loader import Loaded
from config.settings import Profile

DEPLOYMENT: Final[Mapping[str, str]] = {
    "risk.max_instruments": "number of instruments",
    "risk.collar_frac": "price of an order",
    "risk.max_order_value_usd": "value of an order",
    "risk.max_orders_per_day": "number of orders",
    "risk.max_options": "position in options",
    "risk.max_futures": "position in futures",
    "risk.permitted_exchanges": "venues",
}
"""What limits a deployment, in the words of the standard (RTS 6, article 8), by key."""


def require_stated(loaded: Loaded) -> None:
    """Refuse a live run unless the operator's own file, or the environment, states every limit of the deployment.

    Raises:
        RefusedStartError: Some are missing; each is named with the value that would hold.

    Source: docs/risk-controls.md, C18.
    """
    missing = [key for key in DEPLOYMENT if key not in loaded.stated]
    if loaded.settings.profile is not Profile.LIVE or not missing:
        return
    named = "; ".join(f"{key} ({DEPLOYMENT[key]}, default {_default(loaded, key)})" for key in missing)
    raise RefusedStartError(
        f"profile live starts with limits that you state, and these are not in your file: {named}; copy the block of "
        "config/live.toml into the file of --config, and set each value yourself"
    )


def _default(loaded: Loaded, key: str) -> str:
    value = getattr(loaded.settings.risk, key.removeprefix("risk."))
    return "/".join(sorted(value)) if isinstance(value, frozenset) else f"{value}"
