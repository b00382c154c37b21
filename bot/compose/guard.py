"""Start-up guard: every top-level package must be the one beside this one, not a stranger of the same name."""

import importlib.metadata
import sys
from pathlib import Path

import adapters
import bot
import config
import risk
import simulator
from bot.domain.errors import RefusedStartError

PACKAGES = (adapters, bot, config, risk, simulator)
OLDEST, NEWEST = (3, 11), (3, 13)


def refuse_strangers() -> None:
    """Raise RefusedStartError for a shadowed package, an unknown Python or an unsupported system."""
    home = Path(str(bot.__file__)).parents[1]
    for package in PACKAGES:
        found = Path(str(package.__file__)).parents[1]
        if found != home:
            raise RefusedStartError(
                f"package {package.__name__!r} comes from {found}, expected {home}; "
                "install alvh into an environment of its own"
            )
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise RefusedStartError(f"Python {sys.version.split()[0]} is not supported, expected 3.11, 3.12 or 3.13")
    if sys.platform not in {"linux", "darwin"}:
        raise RefusedStartError(f"{sys.platform} is not supported: use Linux, macOS, or Windows through WSL2")


def version() -> str:
    """Return the installed version of alvh."""
    return importlib.metadata.version("alvh")
