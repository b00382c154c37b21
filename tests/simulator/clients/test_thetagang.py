"""A whole program that others wrote for the broker, as it comes from its registry, against `alvh gateway`."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gateway_process import PATIENCE_S, a_gateway, program_of

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]

_CONFIG = Path(__file__).with_name("thetagang.toml")


def test_thetagang_manages_an_account_to_its_end(tmp_path: Path) -> None:
    """It reads the book, finds options by delta and open interest, sells them and buys a fund; all orders are filled.

    It counts days to expiry by this machine's date: the gateway begins at the session that comes next.
    """
    program, tomorrow = program_of("thetagang", "thetagang"), datetime.now(UTC).date() + timedelta(days=1)
    with a_gateway(tmp_path, "--book", "mixed", "--start", str(tomorrow), speed=20) as port:
        config = tmp_path / "thetagang.toml"
        config.write_text(_CONFIG.read_text().replace("PORT", str(port)))
        command = [program, "--config", str(config), "--without-ibc"]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    told = ran.stdout + ran.stderr
    assert ran.returncode == 0, told[-3000:]
    assert "ThetaGang is done" in told
    assert told.count("Found suitable contract") >= 2
    for symbol in ("SPY", "QQQ", "SGOV"):
        assert f"{symbol}: Order filled" in told
    assert "Broker error" not in told
