"""A look at the broker's positions by a session of its own, which reads only: the watcher's second opinion."""

import asyncio
from collections.abc import Mapping

from adapters.ibkr.library import IB, Contract
from adapters.ibkr.settings import BrokerSettings
from adapters.journal.positions import contract_name, still_traded
from bot.domain.errors import ConnectivityError


async def positions_held(settings: BrokerSettings, client_id: int, within_s: float, today: str) -> Mapping[str, int]:
    """Connect, ask for the positions of the account, disconnect.

    Args:
        settings: Where the gateway is, and the account.
        client_id: Of this session; never the bot's.
        within_s: Seconds for all of it.
        today: The day in New York, YYYYMMDD; what stopped trading before is left out.

    Raises:
        ConnectivityError: No answer in time.
    """
    ib = IB()
    try:
        async with asyncio.timeout(within_s):
            await ib.connectAsync(
                settings.host,
                settings.port,
                clientId=client_id,
                timeout=within_s,
                readonly=True,
                account=settings.account,
            )
            found = await ib.reqPositionsAsync()
    except (OSError, TimeoutError, ValueError) as error:
        raise ConnectivityError(f"{settings.host}:{settings.port}: no positions: {type(error).__name__}") from error
    finally:
        ib.disconnect()
    held = {_named(one.contract): int(one.position) for one in found if one.account == settings.account}
    return still_traded(held, today)


def _named(contract: Contract) -> str:
    if contract.secType not in {"OPT", "FUT"}:
        return contract.symbol
    trading_class = contract.tradingClass or contract.symbol
    day = contract.lastTradeDateOrContractMonth[:8]
    return contract_name(contract.secType, trading_class, day, float(contract.strike or 0), contract.right[:1])
