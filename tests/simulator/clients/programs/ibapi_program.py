"""A program of the official client, old or new, that keeps every callback; what `ibapi_walk` and `ibapi_more` share."""

import contextlib
import json
import sys
import threading
import time

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.wrapper import EWrapper

PORT = int(sys.argv[1])


def told(step, **facts):
    print(json.dumps({"step": step, **facts}, default=str), flush=True)


class Program(EWrapper, EClient):
    """Keeps every callback by name."""

    def __init__(self):
        EClient.__init__(self, self)
        self.seen = []

    def __getattribute__(self, name):
        found = EWrapper.__dict__.get(name)
        if found is None or name.startswith("_") or name in {"logAnswer", "winError"}:
            return super().__getattribute__(name)
        seen = super().__getattribute__("seen")
        return lambda *args, **named: seen.append((name, (*args, *named.values())))

    def of(self, name, req_id=None):
        return [args for each, args in tuple(self.seen) if each == name and (req_id is None or args[0] == req_id)]

    def wait(self, name, req_id=None, *, so=lambda args: True, seconds=20):
        """Return the arguments of the first such callback, or None."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for args in self.of(name, req_id):
                if so(args):
                    return args
            time.sleep(0.05)
        return None

    def codes(self, req_id=None):
        """Codes by place: the new client puts the time of the error before it."""
        return [max(x for x in args[1:3] if isinstance(x, int) and x < 1e6) for args in self.of("error", req_id)]


def contract(symbol, sec_type, exchange="SMART", **more):
    one = Contract()
    one.symbol, one.secType, one.exchange, one.currency = symbol, sec_type, exchange, "USD"
    for name, value in more.items():
        setattr(one, name, value)
    return one


def order(action, quantity, kind="LMT", limit=None, **more):
    one = Order()
    one.action, one.totalQuantity, one.orderType, one.tif = action, quantity, kind, "DAY"
    if limit is not None:
        one.lmtPrice = limit
    for name, value in more.items():
        setattr(one, name, value)
    return one


def cancel(app, order_id):
    with contextlib.suppress(ImportError):
        from ibapi.order_cancel import OrderCancel

        return app.cancelOrder(order_id, OrderCancel())
    return app.cancelOrder(order_id)


def started(client_id):
    app = Program()
    app.connect("127.0.0.1", PORT, client_id)
    threading.Thread(target=app.run, daemon=True).start()
    return app


def status(app, order_id, wanted, seconds=20):
    found = app.wait("orderStatus", order_id, so=lambda args: args[1] in wanted, seconds=seconds)
    return found and found[1]


def cancel_all(app):
    """Cancel the orders of all clients; the new client wants to know more of it."""
    try:
        app.reqGlobalCancel()
    except TypeError:
        from ibapi.order_cancel import OrderCancel

        app.reqGlobalCancel(OrderCancel())
