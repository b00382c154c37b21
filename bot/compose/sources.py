"""The operator's files and the bot's own store as evidence: what cannot be read is named and left out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from adapters.fundamentals.company_figures import read_fundamentals
from adapters.fundamentals.fred_csv import read_fred
from adapters.fundamentals.operator_csv import (
    read_cash_flows,
    read_prices,
    read_quick_ratios,
    read_rates,
    stated_before_filed,
)
from adapters.fundamentals.settings import SourceSettings
from adapters.history.daily_store import CLOSE_SYMBOLS, DailyStore, continued, joined, read_breadth
from bot.domain.errors import AlvhError
from bot.domain.evidence import CapitalRates, DailySeries, EvidenceInputs, Fundamentals

_Read = TypeVar("_Read")


@dataclass(slots=True)
class Sourced:
    """What the files hold, and which of them could not be read, by the key that names them."""

    inputs: EvidenceInputs = field(default_factory=EvidenceInputs)
    missing: dict[str, str] = field(default_factory=dict)


def read_sources(settings: SourceSettings, store: DailyStore | None = None) -> Sourced:
    """Return the evidence of the operator's files and of the own store; never raises for what stands in them.

    Of a day that both have the operator's row holds; the store fills in the days that the file lacks.

    Source: docs/methodology.md, M3 and M12: a source that is missing makes its confirmation abstain.
    """
    reading = _Reading()
    prices = reading.of("prices", settings.prices, read_prices) or {}
    stated = reading.of("breadth", settings.breadth, read_breadth)
    own = None if store is None else reading.guarded("daily_store", store.breadth)
    inputs = EvidenceInputs(
        histories=prices if store is None else reading.with_closes(prices, store),
        breadth=joined(stated, own) if stated and own else stated or own,
        capital=reading.capital(settings),
        fundamentals=reading.fundamentals(settings),
    )
    return Sourced(inputs=inputs, missing=reading.missing)


class _Reading:
    """One pass over the files."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}

    def of(self, name: str, path: str, read: Callable[[Path], _Read]) -> _Read | None:
        """Read one file; None where none is named or it cannot be read."""
        return self.guarded(name, lambda: read(Path(path).expanduser())) if path else None

    def guarded(self, name: str, read: Callable[[], _Read]) -> _Read | None:
        """Return what is read; None where it cannot be, which is remembered under this name."""
        try:
            return read()
        except AlvhError as error:
            self.missing[name] = str(error)
            return None

    def with_closes(self, prices: Mapping[str, DailySeries], store: DailyStore) -> Mapping[str, DailySeries]:
        """Return stated closes continued by those of the store; the broker's own replace them where it answers."""
        together = dict(prices)
        for symbol in CLOSE_SYMBOLS:
            own = self.guarded(f"daily_store.{symbol}", partial(store.closes, symbol))
            if own is not None:
                together[symbol] = continued(together.get(symbol, DailySeries(symbol=symbol, rows=())), own)
        return together

    def capital(self, settings: SourceSettings) -> CapitalRates | None:
        """The operator's own rates, else both series of FRED."""
        if settings.rates:
            return self.of("rates", settings.rates, read_rates)
        risk_free = self.of("risk_free", settings.risk_free, lambda path: read_fred(path, settings.risk_free_series))
        spread = self.of(
            "credit_spread", settings.credit_spread, lambda path: read_fred(path, settings.credit_spread_series)
        )
        if risk_free is None or spread is None:
            return None
        return CapitalRates(risk_free=risk_free, credit_spread=spread)

    def fundamentals(self, settings: SourceSettings) -> Fundamentals:
        """Figures that the operator states, then those that companies have filed."""
        stated = Fundamentals(
            cash_flows=self.of("cash_flows", settings.cash_flows, read_cash_flows) or (),
            quick_ratios=self.of("quick_ratios", settings.quick_ratios, read_quick_ratios) or (),
        )
        filed = [
            found
            for symbol, path in sorted(settings.companyfacts.items())
            if (found := self._filed(symbol, path)) is not None
        ]
        together = Fundamentals(
            cash_flows=tuple(flow for one in filed for flow in one.cash_flows),
            quick_ratios=tuple(ratio for one in filed for ratio in one.quick_ratios),
            missing=tuple(missing for one in filed for missing in one.missing),
        )
        return stated_before_filed(stated, together)

    def _filed(self, symbol: str, path: str) -> Fundamentals | None:
        return self.of(f"companyfacts.{symbol}", path, lambda file: read_fundamentals(file, symbol))
