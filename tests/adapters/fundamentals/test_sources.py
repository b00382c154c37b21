"""The operator's files as evidence: what can be read is delivered, what cannot is named, and nothing stops the bot."""

from datetime import date
from pathlib import Path

from adapters.fundamentals.settings import SourceSettings
from adapters.history.daily_store import DailyStore
from bot.compose.sources import read_sources


def _written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_without_files_there_is_nothing_and_nothing_is_missing() -> None:
    """A bot whose operator keeps no files delivers empty inputs: the slow confirmations abstain by themselves."""
    sourced = read_sources(SourceSettings())
    assert sourced.missing == {}
    assert (sourced.inputs.breadth, sourced.inputs.capital, dict(sourced.inputs.histories)) == (None, None, {})


def test_every_file_is_read(tmp_path: Path) -> None:
    """Breadth, both series of FRED, prices, cash flows and quick ratios arrive as the confirmations want them."""
    settings = SourceSettings(
        breadth=_written(tmp_path, "ad.csv", "DATE,ADVANCES,DECLINES\n2026-10-16,1500,1200\n2026-10-19,900,1800\n"),
        risk_free=_written(tmp_path, "rf.csv", "DATE,DGS10\n2026-10-16,4.10\n"),
        credit_spread=_written(tmp_path, "cs.csv", "observation_date,BAMLH0A0HYM2\n2026-10-16,3.20\n"),
        prices=_written(tmp_path, "prices.csv", "date,symbol,close_usd\n2026-10-16,ABC,21.50\n"),
        cash_flows=_written(
            tmp_path,
            "flows.csv",
            "symbol,measure,period_end,known_on,usd_per_share\nABC,funds_from_operations,2026-06-30,2026-08-01,2.10\n",
        ),
        quick_ratios=_written(
            tmp_path,
            "quick.csv",
            "symbol,form,period_end,known_on,quick_ratio\nABC,less_inventory,2026-06-30,2026-08-01,1.20\n",
        ),
    )
    sourced = read_sources(settings)
    inputs = sourced.inputs
    assert sourced.missing == {}
    assert inputs.breadth is not None
    assert inputs.breadth.rows[-1] == (date(2026, 10, 19), 900, 1800)
    assert inputs.capital is not None
    assert inputs.capital.credit_spread.rows == ((date(2026, 10, 16), 3.20),)
    assert inputs.histories["ABC"].rows == ((date(2026, 10, 16), 21.50),)
    assert [flow.usd for flow in inputs.fundamentals.cash_flows] == [2.10]
    assert [ratio.ratio for ratio in inputs.fundamentals.quick_ratios] == [1.20]


def test_a_file_that_cannot_be_read_is_named_and_the_others_count(tmp_path: Path) -> None:
    """One is not there, one holds nonsense, one company's file is no JSON: three reasons, and breadth all the same."""
    settings = SourceSettings(
        breadth=_written(tmp_path, "ad.csv", "DATE,ADVANCES,DECLINES\n2026-10-16,1500,1200\n"),
        prices=str(tmp_path / "nowhere.csv"),
        rates=_written(tmp_path, "rates.csv", "nonsense\n"),
        companyfacts={"ABC": _written(tmp_path, "abc.json", "{")},
    )
    sourced = read_sources(settings)
    assert set(sourced.missing) == {"prices", "rates", "companyfacts.ABC"}
    assert all("\n" not in why for why in sourced.missing.values())
    assert sourced.inputs.breadth is not None
    assert sourced.inputs.capital is None


def test_one_half_of_the_rates_is_none(tmp_path: Path) -> None:
    """Without the credit spread there is no cost of capital; the operator's own table comes before both."""
    half = SourceSettings(risk_free=_written(tmp_path, "rf.csv", "DATE,DGS10\n2026-10-16,4.10\n"))
    assert read_sources(half).inputs.capital is None
    own = SourceSettings(
        risk_free=str(tmp_path / "nowhere.csv"),
        rates=_written(tmp_path, "own.csv", "date,risk_free_pct,credit_spread_pct\n2026-10-16,4.1,3.2\n"),
    )
    sourced = read_sources(own)
    assert sourced.missing == {}
    assert sourced.inputs.capital is not None


FRIDAY, MONDAY, TUESDAY = date(2026, 10, 16), date(2026, 10, 19), date(2026, 10, 20)


def test_the_own_store_fills_in_the_days_that_the_file_lacks(tmp_path: Path) -> None:
    """Before, between and after the file's days; of a day that both have the operator's counts hold."""
    store = DailyStore(tmp_path / "own")
    for day in (FRIDAY, MONDAY, TUESDAY):
        store.record_breadth(day, 1000, 1700)
    named = SourceSettings(breadth=_written(tmp_path, "ad.csv", "DATE,ADVANCES,DECLINES\n2026-10-19,1500,1200\n"))
    rows = ((FRIDAY, 1000, 1700), (MONDAY, 1500, 1200), (TUESDAY, 1000, 1700))
    for settings, expected in ((named, rows), (SourceSettings(), tuple((day, 1000, 1700) for day, *_ in rows))):
        breadth = read_sources(settings, store).inputs.breadth
        assert breadth is not None
        assert breadth.rows == expected


def test_own_closes_stand_behind_stated_ones(tmp_path: Path) -> None:
    """The store's closes of SPX are delivered, continued where the operator states some; others are as stated."""
    store = DailyStore(tmp_path / "own")
    for day, close in ((FRIDAY, 6800.0), (MONDAY, 6790.0)):
        store.record_close("SPX", day, close)
        store.record_close("IWM", day, close)
    text = "date,symbol,close_usd\n2026-10-16,ABC,21.50\n2026-10-16,IWM,250\n"
    histories = read_sources(SourceSettings(prices=_written(tmp_path, "p.csv", text)), store).inputs.histories
    assert histories["SPX"].rows == ((FRIDAY, 6800.0), (MONDAY, 6790.0))
    assert histories["IWM"].rows == ((FRIDAY, 250.0), (MONDAY, 6790.0))
    assert histories["ABC"].rows == ((FRIDAY, 21.5),)


def test_a_spoiled_store_is_named_and_the_operators_file_counts(tmp_path: Path) -> None:
    """What cannot be read of the own store stops nothing; an empty store lacks nothing."""
    settings = SourceSettings(breadth=_written(tmp_path, "ad.csv", "DATE,ADVANCES,DECLINES\n2026-10-19,1500,1200\n"))
    assert read_sources(settings, DailyStore(tmp_path / "new")).missing == {}
    (tmp_path / "own").mkdir()
    _written(tmp_path / "own", "AD-NYSE.csv", "nonsense\n")
    _written(tmp_path / "own", "SPX.csv", "nonsense\n")
    sourced = read_sources(settings, DailyStore(tmp_path / "own"))
    assert set(sourced.missing) == {"daily_store", "daily_store.SPX"}
    assert sourced.inputs.breadth is not None
    assert sourced.inputs.breadth.rows == ((MONDAY, 1500, 1200),)
