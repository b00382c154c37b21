"""One way to run the command in this process: as ``alvh`` would, exit code and both outputs included."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.__main__ import main


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Alvh = Callable[..., Ended]


@pytest.fixture
def alvh(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Alvh:
    """Run ``alvh`` with arguments; a traceback fails the test whatever it looks for."""

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["alvh", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Ended(code=int(str(ended.value.code or 0)), out=out, err=err)

    return run
