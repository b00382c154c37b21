"""What holds for every test: properties are judged by what they find, and a passed test is evidence of its control."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.runs import Played

CACHE = "controls/passed"  # not imported: a library of the other environment brings a package `tests` of its own
PASSED = pytest.StashKey[dict[str, dict[str, str]]]()

settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> "Played":
    """Two sessions of the blowout over the broker's wire with the real client library, played once for all tests."""
    from tests.runs import play  # noqa: PLC0415 - the environment of another client library has no whole run

    return play(tmp_path_factory.mktemp("flow"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep when a test that names a control has passed."""
    report = yield
    if report.when == "call" and report.passed:  # type: ignore[attr-defined]  # pytest gives the report here
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        for mark in item.iter_markers("control"):
            item.config.stash.setdefault(PASSED, {}).setdefault(mark.args[0], {})[item.nodeid] = moment
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Add what has passed to what passed before."""
    fresh = session.config.stash.get(PASSED, {})
    cache = getattr(session.config, "cache", None)  # a run may leave it out
    if cache is None or not fresh:
        return
    known: dict[str, dict[str, str]] = cache.get(CACHE, {})
    for control, tests in fresh.items():
        known.setdefault(control, {}).update(tests)
    cache.set(CACHE, known)
