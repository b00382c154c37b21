"""The contracts known so far, by number and by name, and the look-ups that make more of them known."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

from adapters.ibkr.contract_terms import ToldContract, rule_rows, told_from
from adapters.ibkr.contracts import (
    Listed,
    RefusedContract,
    instrument_said,
    last_trades_to_ask,
    listed_from,
    query_for,
)
from adapters.ibkr.library import Contract, ContractDetails, OptionChain
from adapters.ibkr.requests import Requests
from adapters.ibkr.tap import TappedIB
from bot.domain.errors import BrokerRejectedError, ConnectivityError
from bot.domain.instrument import Instrument, InstrumentKey, index
from bot.domain.ledger import trade_date
from bot.domain.schedule import SessionCalendar
from bot.domain.terms import ContractTerms
from bot.domain.ticks import Rows
from bot.ports import Clock

FUTURE_CLASSES: Final = MappingProxyType({"VIX": ("CFE", ("VX", "VXM"))})
"""Exchange and trading classes of a symbol's futures; without the class, weeklies would come along."""

_log = logging.getLogger(__name__)


class ContractBook:
    """Numbers to instruments and back; survives reconnects, since a contract never changes its number."""

    def __init__(
        self, *, ib: TappedIB, requests: Requests, clock: Clock, calendar: SessionCalendar, option_exchange: str
    ) -> None:
        """Start knowing nothing; ``option_exchange`` is where options are routed."""
        self._ib = ib
        self._requests = requests
        self._clock = clock
        self._calendar = calendar
        self._option_exchange = option_exchange
        self._by_key: dict[InstrumentKey, Listed] = {}
        self._by_con_id: dict[int, Listed] = {}
        self._said: dict[int, Instrument] = {}
        self._refused: dict[int, RefusedContract] = {}
        self._told: dict[InstrumentKey, ToldContract] = {}
        self._rules: dict[int, tuple[date, Rows]] = {}  # by number: when it was asked for, and what it said
        self._reading = asyncio.Lock()  # a market rule's answer carries no request id

    @property
    def refusals(self) -> Mapping[int, RefusedContract]:
        """Contracts that are not traded because their dates are in doubt, by number."""
        return MappingProxyType(self._refused)

    @property
    def by_key(self) -> Mapping[InstrumentKey, Listed]:
        """The contracts known, by instrument key."""
        return MappingProxyType(self._by_key)

    def instrument(self, con_id: int) -> Instrument | None:
        """Return the instrument of a number, None when it is not known."""
        listed = self._by_con_id.get(con_id)
        return self._said.get(con_id) if listed is None else listed.instrument

    async def qualify(self, instrument: Instrument) -> Listed:
        """Return the numbered contract of an instrument.

        Raises:
            ConnectivityError: No answer.
            BrokerRejectedError: The broker lists no such contract, or its dates are in doubt.
        """
        known = self._by_key.get(instrument.key)
        if known is not None:
            return known
        self._learn(await self._details(query_for(instrument, self._option_exchange)))
        found = self._by_key.get(instrument.key)
        if found is None:
            raise BrokerRejectedError(f"{instrument.key}: the broker lists no contract of this name")
        return found

    async def resolve(self, contract: Contract) -> Instrument:
        """Return the instrument of a position or an execution, looked up by number when it is not known.

        A contract without details (it expired, or is of a kind that has none), or with details in doubt, is named
        from its own fields.

        Raises:
            ConnectivityError: No answer.
        """
        known = self.instrument(contract.conId)
        if known is not None:
            return known
        try:
            self._learn(await self._details(Contract(conId=contract.conId)))
        except BrokerRejectedError as error:
            _log.warning("contract %s has no details: %s", contract.conId, error)
        found = self.instrument(contract.conId)
        if found is None:
            found = self._said[contract.conId] = instrument_said(contract, self._calendar)
        return found

    async def terms(self, instruments: Sequence[Instrument]) -> Mapping[InstrumentKey, ContractTerms]:
        """Return what details and market rules say of each; asked for anew where they were not told today.

        What the broker does not list, or no longer, is left out.

        Raises:
            ConnectivityError: No answer.
        """
        found: dict[InstrumentKey, ContractTerms] = {}
        async with self._reading:
            for instrument in instruments:
                told = await self._told_today(instrument)
                if told is not None:
                    rows = () if told.rule is None else await self._rule(told.rule)
                    found[instrument.key] = told.terms(rows)
        return found

    async def _told_today(self, instrument: Instrument) -> ToldContract | None:
        told, today = self._told.get(instrument.key), trade_date(self._clock.now())
        if told is None or told.told_on != today:
            known = self._by_key.get(instrument.key)
            query = query_for(instrument, self._option_exchange)
            if known is not None:
                query = Contract(conId=known.con_id, exchange=known.exchange)
            try:
                self._learn(await self._details(query))
            except BrokerRejectedError as error:
                _log.warning("no details of %s: %s", instrument.key, error)
            told = self._told.get(instrument.key)
        return told if told is not None and told.told_on == today else None

    async def _rule(self, number: int) -> Rows:
        """Return the rows of a market rule, asked for once a day; none where the broker does not tell them.

        Raises:
            ConnectivityError: The link broke.
        """
        today = trade_date(self._clock.now())
        asked = self._rules.get(number)
        if asked is None or asked[0] != today:
            asked = self._rules[number] = (today, await self._ask_rule(number))
        return asked[1]

    async def _ask_rule(self, number: int) -> Rows:
        what, key = f"market rule {number}", f"marketRule-{number}"
        try:
            told = await self._requests.ask(what, lambda _id: self._ib.client.reqMarketRule(number), key=key)
        except (BrokerRejectedError, ConnectivityError) as error:
            if not self._ib.client.isReady():
                raise
            _log.warning("%s is not known: %s", what, error)  # an unknown one is answered by an error without its name
            return ()
        return rule_rows(told)

    async def options(self, symbol: str, start: date, end: date) -> tuple[Instrument, ...]:
        """Return all listed options of an index that settle from ``start`` to ``end``, one look-up per expiry."""
        underlying = await self.qualify(index(symbol, "CBOE"))
        found: list[Instrument] = []
        for trading_class, expirations in sorted((await self._chain(symbol, underlying)).items()):
            for day in last_trades_to_ask(trading_class, expirations, start, end, self._calendar):
                query = Contract(
                    secType="OPT",
                    symbol=symbol,
                    tradingClass=trading_class,
                    lastTradeDateOrContractMonth=f"{day:%Y%m%d}",
                    exchange=self._option_exchange,
                    currency=underlying.instrument.currency,
                )
                found += [each.instrument for each in self._learn(await self._details(query))]
        return _sorted_between(found, start, end)

    async def futures(self, symbol: str, start: date, end: date) -> tuple[Instrument, ...]:
        """Return all listed futures of a symbol that settle from ``start`` to ``end``."""
        exchange, classes = FUTURE_CLASSES.get(symbol, ("", ("",)))
        found: list[Instrument] = []
        for trading_class in classes:
            query = Contract(
                secType="FUT", symbol=symbol, exchange=exchange, tradingClass=trading_class, currency="USD"
            )
            found += [each.instrument for each in self._learn(await self._details(query))]
        return _sorted_between(found, start, end)

    async def _chain(self, symbol: str, underlying: Listed) -> dict[str, tuple[str, ...]]:
        """Return the expirations by class on the exchange where options are routed, else on any."""
        rows: Sequence[OptionChain] = await self._requests.ask(
            f"option chain of {symbol}",
            lambda req_id: self._ib.client.reqSecDefOptParams(req_id, symbol, "", "IND", underlying.con_id),
        )
        routed = [row for row in rows if row.exchange == self._option_exchange]
        return {row.tradingClass: tuple(row.expirations) for row in routed or rows}

    async def _details(self, query: Contract) -> list[ContractDetails]:
        """Ask for details; a refusal is asked once more, since after the nightly reset it may be transient."""
        what = f"contract details of {query.tradingClass or query.symbol or query.conId}"
        try:
            return await self._ask_details(what, query)
        except BrokerRejectedError:
            return await self._ask_details(what, query)

    async def _ask_details(self, what: str, query: Contract) -> list[ContractDetails]:
        return await self._requests.ask(what, lambda req_id: self._ib.client.reqContractDetails(req_id, query))

    def _learn(self, rows: Iterable[ContractDetails]) -> list[Listed]:
        """Keep what was told; return the contracts that are not refused."""
        learned = []
        for row in rows:
            listed = listed_from(row, self._calendar, self._option_exchange)
            if isinstance(listed, RefusedContract):
                self._refused[listed.con_id] = listed
                _log.error("contract %s (%s) refused: %s", listed.con_id, listed.name, listed.reason)
                continue
            self._refused.pop(listed.con_id, None)
            self._told[listed.instrument.key] = told_from(row, listed, trade_date(self._clock.now()))
            known = self._by_con_id.get(listed.con_id)
            if known is None:
                self._by_con_id[listed.con_id] = listed
                self._by_key[listed.instrument.key] = listed
            learned.append(self._by_con_id[listed.con_id])
        return learned


def _sorted_between(found: Iterable[Instrument], start: date, end: date) -> tuple[Instrument, ...]:
    inside = (each for each in found if each.settlement is not None and start <= each.settlement <= end)
    return tuple(sorted(inside, key=_order_of))


def _order_of(instrument: Instrument) -> tuple[object, ...]:
    right = "" if instrument.right is None else instrument.right.value
    return (instrument.trading_class, instrument.settlement, instrument.strike or 0, right)
