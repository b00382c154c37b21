"""From TOML to frozen settings: profile, method, the operator's file, the environment; anything unknown is an error.

How it works: the raw tables are laid over each other, checked key by key against the section classes, and validated as
JSON in pydantic's strict mode, so that a text is no number and a number no truth value. What always holds: a setting
that was not understood stops the start, and the message names where it stands, what was expected and what to do.
"""

import dataclasses
import difflib
import hashlib
import json
import math
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from bot.domain.errors import ConfigError
from config.settings import Method, Profile, Settings

PROFILE_FOLDER = Path(__file__).parent
METHOD_FOLDER = PROFILE_FOLDER / "methods"
ENVIRONMENT_PREFIX = "ALVH_"
LARGEST_FILE_BYTES = 1_000_000
PLACEHOLDERS = frozenset({"DU0000000", "U0000000"})
"""The accounts in paper.toml and live.toml, which nobody has."""
PAPER_PREFIX = "D"
"""Interactive Brokers' paper accounts begin with it, live ones never do."""
PAPER_PORTS, LIVE_PORTS = frozenset({4002, 7497}), frozenset({4001, 7496})
"""Of IB Gateway and TWS as they are installed; any other port is the operator's own choice."""
LONGEST_FOUND = 80
"""Characters of a wrong value that a message repeats."""
MOST_NAMES = 24
"""Of the keys that a message lists where one is unknown."""

Table = dict[str, Any]
_Section = TypeVar("_Section")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings with a hash over every value, for journal, heartbeat and `--confirm-limits`."""

    settings: Settings
    config_hash: str


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
    layers = [_layer(PROFILE_FOLDER / f"{profile.value}.toml")]
    if file is not None:
        layers.append(_layer(file))
    layers.append(Layer(where="environment", table=from_environment(environment)))
    if method is not None:
        layers.append(Layer(where="--method", table={"method": method}))
    chosen = _method_of(layers)
    layers[1:1] = [_layer(METHOD_FOLDER / f"{name}.toml") for name in dict.fromkeys((Method.BALANCED, chosen))]
    raw: Table = {}
    for layer in layers:
        check_keys(layer.table, Settings, where=layer.where)
        _require_same_profile(layer, profile)
        raw = _laid_over(raw, layer.table)
    raw |= {"profile": profile.value, "method": chosen.value}
    settings = _parsed(raw, layers, Settings)
    require_agreement(settings, layers)
    return Loaded(settings=settings, config_hash=hash_of(raw))


def load_section(path: Path, section: type[_Section]) -> _Section:
    """Return one section class: its own defaults, and a file laid over them key by key.

    Raises:
        ConfigError: As for `load`.
    """
    layer = _layer(path)
    check_keys(layer.table, section, where=layer.where)
    defaults = TypeAdapter(section).dump_python(section(), mode="json")
    return _parsed(_laid_over(defaults, layer.table), [layer], section)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The settings of one source, with the name that messages give it."""

    where: str
    table: Table


def _layer(path: Path) -> Layer:
    return Layer(where=str(path), table=read_toml(path))


def _method_of(layers: Sequence[Layer]) -> Method:
    """Return the method that the last layer to speak of one names; the others say how they differ from balanced."""
    for layer in reversed(layers):
        if "method" in layer.table:
            name = layer.table["method"]
            if name not in [method.value for method in Method]:
                known = ", ".join(Method)
                raise ConfigError(f"{layer.where}: method: found {_short(name)}, expected {known}; name one of them")
            return Method(name)
    return Method.BALANCED


def _require_same_profile(layer: Layer, profile: Profile) -> None:
    stated = layer.table.get("profile", profile.value)
    if stated != profile.value:
        raise ConfigError(
            f"{layer.where}: profile: found {_short(stated)}, the run asks for {profile.value!r}; "
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
        place[key] = _toml_value(environment[name])
    return table


def _toml_value(text: str) -> object:
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return read["value"] if len(read) == 1 else text


def _laid_over(below: Table, above: Table) -> Table:
    merged = dict(below)
    for key, value in above.items():
        held = merged.get(key)
        merged[key] = _laid_over(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return merged


def check_keys(table: Table, section: type, *, where: str, path: str = "") -> None:
    """Raise ConfigError for the first key that a section class does not have, at any depth."""
    hints = get_type_hints(section)
    known = [field.name for field in dataclasses.fields(section) if field.init]
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        if key not in known:
            raise _unknown(name, key, known, where)
        _check_form(value, hints[key], where=where, path=name)


def _check_form(value: object, hint: Any, *, where: str, path: str) -> None:
    """Judge what JSON could not tell apart any more, and the keys of whatever lies deeper."""
    inner = get_args(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and isinstance(value, dict):
        check_keys(value, hint, where=where, path=path)
    elif get_origin(hint) is Mapping and isinstance(value, dict):
        _check_names(value, inner[0], where=where, path=path)
        for key, part in value.items():
            _check_form(part, inner[1], where=where, path=f"{path}.{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            _check_form(part, inner[0] if inner else None, where=where, path=f"{path}[{number}]")
    elif isinstance(value, (date, time)) and date not in (hint, *inner):
        raise ConfigError(f"{where}: {path}: found the time {value}, expected another kind of value; quote text")
    elif isinstance(value, str) and Decimal in (hint, *inner):
        raise ConfigError(f"{where}: {path}: found the text {_short(value)}, expected a number; remove the quotes")


def _check_names(value: Table, kind: Any, *, where: str, path: str) -> None:
    """The keys of a table whose names are a closed set."""
    known = [str(member.value) for member in kind] if isinstance(kind, type) and issubclass(kind, Enum) else [*value]
    for key in value:
        if key not in known:
            raise _unknown(f"{path}.{key}", key, known, where)


def _unknown(name: str, key: str, known: Sequence[str], where: str) -> ConfigError:
    near = difflib.get_close_matches(key, known, n=1)
    cure = f"did you mean {near[0]!r}?" if near else f"expected one of {_listed(known)}"
    return ConfigError(f"{where}: unknown key {_short(name)}; {cure}")


def _listed(known: Sequence[str]) -> str:
    """The first names of many: a line that nobody reads to its end helps nobody."""
    rest = len(known) - MOST_NAMES
    return ", ".join(known) if rest <= 0 else f"{', '.join(known[:MOST_NAMES])} and {rest} more"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_FOUND else f"{text[:LONGEST_FOUND]}..."


def source_of(layers: Sequence[Layer], path: Sequence[object]) -> str:
    """Return the name of the last layer that sets a key, or else the section nearest above it."""
    for length in range(len(path), 0, -1):
        for layer in reversed(layers):
            if _reaches(layer.table, path[:length]):
                return layer.where
    return layers[0].where


def _reaches(place: object, path: Sequence[object]) -> bool:
    for part in path:
        if not isinstance(place, dict) or part not in place:
            return False
        place = place[part]
    return True


def _parsed(raw: Table, layers: Sequence[Layer], section: type[_Section]) -> _Section:
    """Return the settings, or name the layer that is wrong."""
    for path, value in _leaves(raw):
        if isinstance(value, float) and not math.isfinite(value):
            where = source_of(layers, path.partition("[")[0].split("."))
            raise ConfigError(f"{where}: {path}: found {value}, expected a finite number; correct it")
    try:
        return TypeAdapter(section).validate_json(json.dumps(raw, default=_dated), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        keys = _path_of([str(part) for part in first["loc"] if isinstance(part, str)], message, layers)
        key = ".".join(keys) or "settings"
        if first["type"] == "missing":
            message = "is missing; add it"
        found = "" if isinstance(first["input"], dict) else f"; found {_short(first['input'])}"
        raise ConfigError(f"{source_of(layers, keys)}: {key}: {message}{found}") from error


def _path_of(loc: Sequence[str], message: str, layers: Sequence[Layer]) -> list[str]:
    """The keys that lead to what is wrong; a section's own check names the key at fault in its message.

    Where it names several that contradict each other, the one that the last layer sets is at fault: the layers below
    agree with each other.
    """
    words = re.findall(r"[a-z_]+", message)
    for layer in reversed(layers):
        place: object = layer.table
        for part in loc:
            place = place.get(part) if isinstance(place, dict) else None
        named = [word for word in words if isinstance(place, dict) and word in place]
        if named:
            return [*loc, named[0]]
    return [*loc]


def _dated(value: object) -> str:
    if isinstance(value, (date, time)):
        return value.isoformat()
    raise ConfigError(f"a {type(value).__name__} is no setting")


def _leaves(table: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(table, dict):
        for key, value in table.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(table, list):
        for number, value in enumerate(table):
            yield from _leaves(value, f"{path}[{number}]")
    else:
        yield path, table


def hash_of(raw: Table) -> str:
    """Return a short hash over all values, independent of their order in the files."""
    text = json.dumps(raw, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
