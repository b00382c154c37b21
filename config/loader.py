"""From TOML to frozen settings: profile file, the operator's file, then the environment; anything unknown is an error.

How it works: the raw tables are laid over each other, checked key by key against the section classes, and validated as
JSON in pydantic's strict mode, so that a text is no number and a number no truth value. What always holds: a setting
that was not understood stops the start, and the message names where it stands, what was expected and what to do.
"""

import dataclasses
import difflib
import hashlib
import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from bot.domain.errors import ConfigError
from config.settings import Profile, Settings

PROFILE_FOLDER = Path(__file__).parent
ENVIRONMENT_PREFIX = "ALVH_"
LARGEST_FILE_BYTES = 1_000_000

T = TypeVar("T")
Table = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings with a hash over every value, for journal, heartbeat and `--confirm-limits`."""

    settings: Settings
    config_hash: str


def load(profile: Profile, file: Path | None, environment: Mapping[str, str]) -> Loaded:
    """Return the settings of a run.

    Args:
        profile: Whose defaults to begin with.
        file: The operator's own file, laid over them.
        environment: Variables; ``ALVH_RISK__MAX_ORDERS_PER_DAY=3`` sets a key of a section.

    Raises:
        ConfigError: A file is missing or no TOML, a key is unknown, or a value is not what the section expects.
    """
    layers = [(PROFILE_FOLDER / f"{profile.value}.toml", read_toml(PROFILE_FOLDER / f"{profile.value}.toml"))]
    if file is not None:
        layers.append((file, read_toml(file)))
    layers.append((Path("environment"), from_environment(environment)))
    raw: Table = {}
    for where, table in layers:
        check_keys(table, Settings, where=str(where))
        raw = _laid_over(raw, table)
    raw["profile"] = profile.value
    settings = parse(Settings, raw, where=" + ".join(str(where) for where, table in layers if table))
    return Loaded(settings=settings, config_hash=hash_of(raw))


def read_toml(path: Path) -> Table:
    """Return a TOML file as a table.

    Raises:
        ConfigError: No such file, too large, or not TOML.
    """
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise ConfigError(f"{path}: larger than {LARGEST_FILE_BYTES} bytes, expected a short TOML file of settings")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name an existing TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def from_environment(environment: Mapping[str, str]) -> Table:
    """Return the settings among the variables; a value is read as TOML, and as plain text where it is none."""
    table: Table = {}
    for name in sorted(environment):
        if not name.startswith(ENVIRONMENT_PREFIX) or "__" not in name:
            continue
        *sections, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        place = table
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = _toml_value(environment[name])
    return table


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


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
            near = difflib.get_close_matches(key, known, n=1)
            cure = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key {name!r}; {cure}")
        for nested in _sections_in(hints[key]):
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, dict):
                    check_keys(part, nested, where=where, path=name)


def _sections_in(hint: Any) -> Iterator[type]:
    """The section classes in a type: the class itself, or those inside a tuple or a union."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
    for part in get_args(hint):
        yield from _sections_in(part)


def parse(section: type[T], raw: Table, *, where: str) -> T:
    """Return a section's frozen value.

    Raises:
        ConfigError: A value is missing, of another type, out of range or not finite; the message names the key.
    """
    try:
        value: T = TypeAdapter(section).validate_json(_as_json(raw, where), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "settings"
        found = first["input"] if not isinstance(first["input"], dict) else "this table"
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{where}: {key}: {message}; found {found!r}") from error
    return value


def _as_json(raw: Table, where: str) -> str:
    def plain(value: object) -> str:
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        raise ConfigError(f"{where}: a {type(value).__name__} is no setting")

    for path, value in _leaves(raw):
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{where}: {path}: expected a finite number, found {value}")
    return json.dumps(raw, default=plain)


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
