"""Profile live starts with limits that the operator has stated, each of them, and with no default in their place."""

import re
import tomllib
from pathlib import Path

import pytest

from bot.compose.deploying import DEPLOYMENT, require_stated
from bot.domain.errors import RefusedStartError
from config.loader import PROFILE_FOLDER, Loaded, load
from config.settings import Profile
from tests.cli.conftest import Alvh, Ended

pytestmark = pytest.mark.control("C18")
ACCOUNT = "U7654321"
OWN = f'[broker]\naccount = "{ACCOUNT}"\n[risk]\naccounts = ["{ACCOUNT}"]\n'


def block() -> list[str]:
    """The lines of config/live.toml that an operator copies, without their marks."""
    text = (PROFILE_FOLDER / "live.toml").read_text(encoding="utf-8")
    return re.findall(r"^# (\w+ = .*)$", text.split("[authority]", 1)[0], re.MULTILINE)


def live(folder: Path, risk: list[str], **environment: str) -> Loaded:
    """Load profile live with the operator's own file."""
    path = folder / "mine.toml"
    path.write_text(OWN + "\n".join(risk))
    return load(Profile.LIVE, path, environment)


def one_line(ended: Ended) -> str:
    """The message, whatever the terminal's width has made of it."""
    return " ".join((ended.out + ended.err).split())


def test_the_block_of_the_profile_states_what_is_needed_with_the_defaults(tmp_path: Path) -> None:
    """Copied as it stands it is enough, and it names exactly the limits of a deployment."""
    assert [f"risk.{line.split(' ', 1)[0]}" for line in block()] == list(DEPLOYMENT)
    found = live(tmp_path, block())
    require_stated(found)
    stated = tomllib.loads("\n".join(block()))
    for name, value in stated.items():
        default = getattr(found.settings.risk, name)
        assert (set(value) if isinstance(value, list) else value) == (
            default if isinstance(default, frozenset) else type(value)(default)
        )


@pytest.mark.parametrize("key", DEPLOYMENT)
def test_each_limit_that_is_missing_refuses_and_is_named(tmp_path: Path, key: str) -> None:
    """One alone; stated in the environment instead of the file it is there."""
    name = key.removeprefix("risk.")
    rest = [line for line in block() if not line.startswith(f"{name} ")]
    with pytest.raises(RefusedStartError) as refused:
        require_stated(live(tmp_path, rest))
    said = str(refused.value)
    assert [one for one in DEPLOYMENT if f"{one} (" in said] == [key]
    (own,) = [line for line in block() if line not in rest]
    value = own.split("=", 1)[1].split("#")[0].strip()
    require_stated(live(tmp_path, rest, **{f"ALVH_RISK__{name.upper()}": value}))


def test_paper_and_sim_start_with_defaults(tmp_path: Path) -> None:
    """Nothing is at stake there."""
    require_stated(load(Profile.SIM, None, {}))
    path = tmp_path / "paper.toml"
    path.write_text(OWN.replace("U76", "DU76"))
    require_stated(load(Profile.PAPER, path, {}))


def test_the_command_line_refuses_and_says_what_to_state(alvh: Alvh, tmp_path: Path) -> None:
    """Exit 3 with all of them and the cure; with the block copied the start gets further, to what is missing next."""
    live(tmp_path, [])
    asked = ("run", "--profile", "live", "--config", tmp_path / "mine.toml")
    ended = alvh(*asked, "--state", tmp_path / "state", "--out", tmp_path / "out")
    said = one_line(ended)
    assert ended.code == 3
    assert all(f"{key} ({words}, default " in said for key, words in DEPLOYMENT.items())
    assert "copy the block of config/live.toml" in said
    live(tmp_path, block())
    further = alvh(*asked, "--state", tmp_path / "state", "--out", tmp_path / "out")
    assert (further.code, "mqtt.probe_password_file: none" in one_line(further)) == (3, True)
