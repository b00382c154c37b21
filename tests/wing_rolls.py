"""A roll of four long puts moved out by five points under ten adopted condors, and what the broker tells of it."""

from decimal import Decimal

from bot.domain.instrument import Right, Side
from bot.domain.orders import Fill, FillPart, OrderIntent, Purpose
from tests.builders import ACCOUNT, NOON, Scenery, an_intent, an_option, buys, sells

TEN = Scenery(condors=10)
CONDOR = TEN.opening.condors[0]
OLD = CONDOR.long_put
NEW = an_option(str((OLD.strike or 0) - 5), CONDOR.settlement, trading_class="SPXW", right=Right.PUT)
UNITS = 4


def a_roll(limit: str = "-0.35") -> OrderIntent:
    """The order, at a limit; below 0 it brings a credit."""
    return an_intent((sells(OLD), buys(NEW)), quantity=UNITS, limit=limit, purpose=Purpose.WING_ROLL, intent_id="roll")


def told_of(part: FillPart, side: Side, price: str, quantity: int = UNITS) -> Fill:
    """One execution of it: the combo's net, or the leg of that side."""
    instrument = None if part is FillPart.COMBO else OLD if side is Side.SELL else NEW
    return Fill(
        exec_id=f"{part}-{side}-{quantity}",
        order_ref="roll",
        perm_id=7,
        account=ACCOUNT,
        part=part,
        instrument=instrument,
        side=side,
        quantity=quantity,
        price=Decimal(price),
        at=NOON,
    )


WHOLE = told_of(FillPart.COMBO, Side.BUY, "-0.40")
SOLD = told_of(FillPart.LEG, Side.SELL, "20.00")
BOUGHT = told_of(FillPart.LEG, Side.BUY, "19.60")
