"""Tells what an account holds, with ib_async or ib_insync: ``python ib_book.py LIBRARY PORT``."""

import importlib
import json
import sys

lib = importlib.import_module(sys.argv[1])
ib = lib.IB()
ib.connect("127.0.0.1", int(sys.argv[2]), clientId=1)
values = {row.tag: float(row.value) for row in ib.accountSummary() if row.tag in {"NetLiquidation", "TotalCashValue"}}
held = {f"{row.contract.secType} {row.contract.tradingClass}": 0 for row in ib.positions()}
for row in ib.positions():
    held[f"{row.contract.secType} {row.contract.tradingClass}"] += abs(row.position)
print(json.dumps({"step": "book", "held": held, "worth": values["NetLiquidation"], "cash": values["TotalCashValue"]}))
ib.disconnect()
