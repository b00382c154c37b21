"""From TOML to frozen settings: profile, method, the operator's file, the environment; anything unknown is an error.

How it works: the tables of all sources are laid over each other, and `bot/sections.py` makes settings of them. What
always holds: a setting that was not understood stops the start, and the message names where it stands, what was
expected and what to do.
"""

import dataclasses
import hashlib
import json
import stat
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from bot.domain.errors import ConfigError
from bot.sections import Layer, Table, check_keys, laid_over, overlaid, parsed, short, source_of, toml_value
from config.settings import Method, Profile, Settings

PROFILE_FOLDER = Path(__file__).parent
METHOD_FOLDER = PROFILE_FOLDER / "methods"
ENVIRONMENT_PREFIX = "ALVH_"
LARGEST_FILE_BYTES = 1_000_000
PLACEHOLDERS = frozenset({"DU0000000", "U0000000"})
"""The accounts in paper.toml and live.toml, which nobody has."""
ROUTED_BY_THE_BROKER = "SMART"
"""No exchange: the broker sends an order to one of those that list the contract."""
PAPER_PREFIX = "D"
"""Interactive Brokers' paper accounts begin with it, live ones never do."""
PAPER_PORTS, LIVE_PORTS = frozenset({4002, 7497}), frozenset({4001, 7496})
"""Of IB Gateway and TWS as they are installed; any other port is the operator's own choice."""

_Section = TypeVar("_Section")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings with a hash over every value, for journal and heartbeat.

    ``stated`` are the keys, ``section.key``, that the operator's own file or the environment sets.
    """

    settings: Settings
    config_hash: str
    stated: frozenset[str] = frozenset()


def load(profile: Profile, file: Path | None, environment: Mapping[str, str], *, method: str | None = None) -> Loaded:
    """Return the settings of a run.

    Args:
        profile: Whose defaults to begin with.
        file: The operator's own file, laid over profile and method.
        environment: Variables; ``ALVH_RISK__MAX_ORDERS_PER_DAY=3`` sets a key of a section.
        method: The name of a method, whatever file and environment say; None leaves it to them.

    Raises:
        ConfigError: A file is missing or no TOML, a key is unknown, or a value is not what the section expects.
    """
    own = [] if file is None else [_layer(file)]
    own.append(Layer(where="environment", table=from_environment(environment)))
    layers = [_layer(PROFILE_FOLDER / f"{profile.value}.toml"), *own]
    if method is not None:
        layers.append(Layer(where="--method", table={"method": method}))
    chosen = _method_of(layers)
    layers[1:1] = [_layer(METHOD_FOLDER / f"{name}.toml") for name in dict.fromkeys((Method.BALANCED, chosen))]
    raw: Table = {}
    for layer in layers:
        check_keys(layer.table, Settings, where=layer.where)
        _require_same_profile(layer, profile)
        raw = laid_over(raw, layer.table)
    raw |= {"profile": profile.value, "method": chosen.value}
    settings = parsed(raw, layers, Settings)
    require_agreement(settings, layers)
    return Loaded(settings=settings, config_hash=hash_of(raw), stated=_stated(own))


def load_section(path: Path, section: type[_Section]) -> _Section:
    """Return one section class: its own defaults, and a file laid over them key by key.

    Raises:
        ConfigError: As for `load`.
    """
    return overlaid(section(), _layer(path))


def _layer(path: Path) -> Layer:
    return Layer(where=str(path), table=read_toml(path))


def _stated(layers: Sequence[Layer]) -> frozenset[str]:
    """The keys of sections that some layers set, whatever their values."""
    sections = ((name, section) for layer in layers for name, section in layer.table.items())
    return frozenset(f"{name}.{key}" for name, section in sections if isinstance(section, dict) for key in section)


def _method_of(layers: Sequence[Layer]) -> Method:
    """Return the method that the last layer to speak of one names; the others say how they differ from balanced."""
    for layer in reversed(layers):
        if "method" in layer.table:
            name = layer.table["method"]
            if name not in [method.value for method in Method]:
                known = ", ".join(Method)
                raise ConfigError(f"{layer.where}: method: found {short(name)}, expected {known}; name one of them")
            return Method(name)
    return Method.BALANCED


def _require_same_profile(layer: Layer, profile: Profile) -> None:
    stated = layer.table.get("profile", profile.value)
    if stated != profile.value:
        raise ConfigError(
            f"{layer.where}: profile: found {short(stated)}, the run asks for {profile.value!r}; "
            "remove the key or run with --profile"
        )


def require_agreement(settings: Settings, layers: Sequence[Layer]) -> None:
    """Raise ConfigError unless profile, account, port and permissions agree (docs/risk-controls.md, C23)."""
    profile, broker = settings.profile, settings.broker
    account = f"{source_of(layers, ('broker', 'account'))}: broker.account: "
    if broker.account in PLACEHOLDERS:
        raise ConfigError(
            f"{account}{broker.account!r} is the placeholder of the profile; state your account, as TWS shows it, "
            "in broker.account and risk.accounts of your own file and pass it with --config"
        )
    is_paper = broker.account.startswith(PAPER_PREFIX)
    if is_paper == (profile is Profile.LIVE):
        expected = "one that does not begin with D" if profile is Profile.LIVE else "one that begins with D"
        other = "paper" if profile is Profile.LIVE else "live"
        raise ConfigError(
            f"{account}{broker.account!r} is no account for profile {profile.value}, expected {expected}; "
            f"correct it or run with --profile {other}"
        )
    foreign = PAPER_PORTS if profile is Profile.LIVE else LIVE_PORTS
    if broker.port in foreign:
        kind = "paper" if profile is Profile.LIVE else "live"
        raise ConfigError(
            f"{source_of(layers, ('broker', 'port'))}: broker.port: {broker.port} is the port of {kind} trading, "
            f"found with profile {profile.value}; name the port of the right gateway"
        )
    if broker.account not in settings.risk.accounts:
        raise ConfigError(
            f"{source_of(layers, ('risk', 'accounts'))}: risk.accounts: does not hold broker.account "
            f"{broker.account!r}, found {sorted(settings.risk.accounts)}; every order would be refused: add it"
        )
    if broker.option_exchange not in settings.risk.permitted_exchanges | {ROUTED_BY_THE_BROKER}:
        raise ConfigError(
            f"{source_of(layers, ('broker', 'option_exchange'))}: broker.option_exchange: found "
            f"{broker.option_exchange!r}, expected {ROUTED_BY_THE_BROKER} or one of risk.permitted_exchanges "
            f"{sorted(settings.risk.permitted_exchanges)}; correct one of the two"
        )
    if profile is Profile.SIM and settings.authority.keys_required > 1:
        raise ConfigError(
            f"{source_of(layers, ('authority', 'keys_required'))}: authority.keys_required: found "
            f"{settings.authority.keys_required}, expected 1 in profile sim, whose built-in operator signs alone; "
            "state it in the file for paper or live"
        )
    if settings.hedge.allow_vxx_shares and not settings.risk.permit_vxx_shares:
        raise ConfigError(
            f"{source_of(layers, ('hedge', 'allow_vxx_shares'))}: hedge.allow_vxx_shares: is true, and the gate would "
            "refuse every purchase; set risk.permit_vxx_shares as well"
        )


def read_toml(path: Path) -> Table:
    """Return a TOML file as a table.

    Raises:
        ConfigError: No such file, too large, or not TOML.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path}: is no file, expected a TOML file of settings; name one with --config")
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise ConfigError(
                f"{path}: holds {path.stat().st_size} bytes, expected at most {LARGEST_FILE_BYTES} of settings; "
                "name the right file with --config"
            )
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name an existing TOML file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is no UTF-8 text; save the file as UTF-8") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested far deeper than any setting; expected sections and keys") from error
    except ValueError as error:  # tomllib lets those of its numbers and dates through as they are
        raise ConfigError(f"{path}: not valid TOML: {error}; correct this line") from error


def from_environment(environment: Mapping[str, str]) -> Table:
    """Return the settings among the variables; a value is read as TOML, and as plain text where it is none.

    Raises:
        ConfigError: One variable sets a key and another something inside that key.
    """
    table: Table = {}
    for name in sorted(environment):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        *sections, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        place: object = table
        for section in sections:
            place = place.setdefault(section, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict) or isinstance(place.get(key), dict):
            raise ConfigError(f"environment: {name} contradicts another variable of the same section; unset one")
        place[key] = toml_value(environment[name])
    return table


def hash_of(raw: Table) -> str:
    """Return a short hash over all values, independent of their order in the files."""
    text = json.dumps(raw, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
