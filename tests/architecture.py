"""Reads source as syntax trees and lists every import, call or name that the project's layout forbids.

It imports nothing of the project: modules go in as text by dotted name, findings come out as sentences.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("bot", "risk", "adapters", "config", "simulator")

SECTIONS = ("*.settings", "risk.limits", "risk.authority")
"""Section classes live beside the code that uses them, in modules of these names."""

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "bot.domain": ("bot.domain",),
    "bot.ports": ("bot.domain",),
    "bot.tasks": (),
    "bot.sections": ("bot.domain",),
    "bot.pricing": ("bot.domain",),
    "bot.volindex": ("bot.domain",),
    "bot.valuation": ("bot.domain", "bot.pricing"),
    "bot.deltas": ("bot.domain", "bot.valuation"),
    "bot.reserves": ("bot.domain", "bot.pricing", "bot.valuation"),
    "bot.break_evens": ("bot.domain", "bot.pricing", "bot.valuation"),
    "bot.books": ("bot.domain",),
    "bot.observed": ("bot.domain", "bot.signals"),
    "bot.state": ("bot.domain", "bot.signals", "bot.books", "bot.observed"),
    "bot.signals": ("bot.signals", "bot.domain", "bot.pricing", "bot.volindex"),
    "bot.hedging": ("bot.hedging", "bot.domain", "bot.pricing", "bot.valuation", "bot.deltas", "bot.reserves"),
    "bot.records": ("bot.domain", "bot.ports"),
    "bot.execution": ("bot.domain", "bot.ports"),
    "bot.reconcile": ("bot.domain", "bot.ports"),
    "bot.engine": (
        *("bot.domain", "bot.ports", "bot.state", "bot.signals", "bot.hedging", "bot.execution", "bot.records"),
        "risk",
    ),
    "bot.app": (
        *("bot.app", "bot.engine", "bot.reconcile", "bot.valuation", "bot.pricing", "bot.tasks"),
        *("bot.deltas", "bot.break_evens"),
        *("bot.domain", "bot.ports", "bot.state", "bot.signals", "bot.hedging", "bot.execution", "bot.records"),
        "risk",
    ),
    "bot.report": ("bot.report", "bot.domain", "bot.ports"),
    "risk": (
        *("risk", "bot.domain", "bot.pricing", "bot.valuation", "bot.sections"),
        *("bot.deltas", "bot.break_evens", "bot.reserves"),
    ),
    "adapters": ("adapters", "bot.domain", "bot.ports", "bot.tasks"),
    "simulator": ("simulator", "bot.domain", "bot.ports", "bot.pricing"),
    "config.loader": ("config.settings", "bot.domain", "bot.sections", *SECTIONS),
    "config.settings": ("bot.domain", *SECTIONS),
    "bot.compose": PACKAGES,
    "bot.__main__": ("bot.cli", "bot.compose", "bot.domain"),
    "bot.cli": ("bot.cli", "bot.compose", "bot.domain"),
}

OWNERS: Mapping[str, tuple[str, ...]] = {
    "ib_async": ("adapters.ibkr.library",),
    "ib_insync": ("adapters.ibkr.library",),
    "eventkit": ("adapters.ibkr.library",),
    "adapters.ibkr.library": ("adapters.ibkr",),
    "aiomqtt": ("adapters.mqtt",),
    "paho": ("adapters.mqtt",),
    "sqlite3": ("adapters.journal",),
    "cryptography": ("adapters.control",),
    "pyarrow": ("adapters.recordings.library",),
    "icalendar": ("adapters.calendar.ics",),
    "bot.compose": ("bot.compose", "bot.cli", "bot.__main__"),
}
"""Who may import these, tests and scripts aside."""

WITHOUT_ASYNCIO = (
    *(
        "bot.domain",
        "bot.ports",
        "bot.sections",
        "bot.pricing",
        "bot.valuation",
        "bot.deltas",
        "bot.reserves",
        "bot.break_evens",
        "bot.signals",
        "bot.hedging",
        "bot.books",
        "bot.observed",
        "bot.state",
    ),
    *("bot.volindex", "bot.execution", "bot.reconcile", "bot.records", "risk"),
    *("simulator.exchange", "simulator.floor", "simulator.account", "simulator.fills", "simulator.world"),
    *("simulator.orders", "simulator.margin", "simulator.requirement", "simulator.preview", "simulator.fees"),
    *("simulator.board", "simulator.bars", "simulator.hours", "simulator.nights", "simulator.records"),
    *("simulator.admission", "simulator.books", "simulator.universe", "simulator.broker"),
    *("simulator.tws.session", "simulator.tws.desk", "simulator.tws.trading", "simulator.tws.framing"),
    *("simulator.tws.watching", "simulator.tws.accounting", "simulator.tws.looking_up", "simulator.tws.order_in"),
    *("simulator.tws.requests", "simulator.tws.answers", "simulator.tws.handlers", "simulator.tws.history"),
    *("simulator.tws.tape", "simulator.tws.profit", "simulator.tws.calculators", "simulator.tws.layout"),
    *("simulator.tws.order_out", "simulator.tws.order_fields", "simulator.tws.ticks"),
)

NO_CHAIN = (
    ("simulator", "adapters"),
    ("simulator", "ib_async"),
    ("simulator", "ib_insync"),
    ("risk", "bot.engine"),
    ("bot.domain", "bot.ports"),
)
"""No chain of imports leads from the first to the second."""

CLOCKED = (
    *("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.sleep", "time.perf_counter"),
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now"),
    *("uuid.uuid1", "uuid.uuid4", "os.urandom", "random.random", "random.Random", "secrets.token_bytes"),
    *("secrets.token_hex", "uuid4", "uuid1", "asyncio.sleep"),
)
"""System clock, real sleep, entropy and fresh ids."""

CLOCK_EXCEPTIONS: Mapping[str, str] = {
    "adapters.clock": "the one place for the machine's time and entropy",
    "simulator.virtual_time": "a seeded order of callbacks, no entropy",
    "simulator.clock": "sleeps on the loop's own, virtual time",
    "simulator.virtual_network": "the delay of a chunk, on the virtual loop",
    "simulator.gateway": "serves real clients in real time and moves on the loop's time",
}

IMPORTING_CALLS = ("__import__", "importlib.import_module", "import_module")
COMPUTED_IMPORTS = ("adapters.ibkr.library",)
VERDICT_MAKER = "risk.gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One import: who, what (a module or a name in it), in which line."""

    importer: str
    target: str
    line: int


def project_sources(root: Path) -> dict[str, str]:
    """Return every module of the project by dotted name, `__init__` under its package's name plus `.__init__`."""
    sources = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            sources[".".join(path.relative_to(root).with_suffix("").parts)] = path.read_text()
    return sources


def findings(sources: Mapping[str, str]) -> list[str]:
    """Return every breach as a sentence naming the module and the target; empty when all is in order."""
    trees = {name: ast.parse(text) for name, text in sources.items()}
    modules = set(sources)
    found: list[str] = []
    edges: list[Edge] = []
    for name, tree in trees.items():
        found += _form_findings(name, tree)
        found += _clock_findings(name, tree)
        found += _verdict_findings(name, tree)
        edges += _edges(name, tree, modules)
    for edge in edges:
        found += _edge_findings(edge)
    return [*found, *_chain_findings(edges, modules)]


def _edges(name: str, tree: ast.AST, modules: set[str]) -> Iterator[Edge]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Edge(importer=name, target=alias.name, line=node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                target = dotted if dotted in modules else node.module
                yield Edge(importer=name, target=target, line=node.lineno)


def _form_findings(name: str, tree: ast.Module) -> Iterator[str]:
    """Relative, star and computed imports, and anything but a docstring in an `__init__`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                yield f"{name}:{node.lineno} imports relatively"
            if any(alias.name == "*" for alias in node.names):
                yield f"{name}:{node.lineno} imports * from {node.module}"
        if isinstance(node, ast.Call) and _dotted(node.func) in IMPORTING_CALLS and name not in COMPUTED_IMPORTS:
            yield f"{name}:{node.lineno} imports by a computed name"
    if name.endswith("__init__"):
        body = tree.body
        if len(body) != 1 or not isinstance(body[0], ast.Expr) or not isinstance(body[0].value, ast.Constant):
            yield f"{name} holds more than a docstring"


def _clock_findings(name: str, tree: ast.AST) -> Iterator[str]:
    if name in CLOCK_EXCEPTIONS:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _dotted(node.func) in CLOCKED:
            yield f"{name}:{node.lineno} calls {_dotted(node.func)} beside adapters.clock"


def _verdict_findings(name: str, tree: ast.AST) -> Iterator[str]:
    """`Approved` is made in the gate alone: no call elsewhere, no other name for it, no copy with changes."""
    if name == VERDICT_MAKER:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _dotted(node.func).split(".")[-1] == "Approved":
            yield f"{name}:{node.lineno} makes an Approved beside {VERDICT_MAKER}"
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == "Approved" and alias.asname not in {None, "Approved"}:
                    yield f"{name}:{node.lineno} imports Approved as {alias.asname}"
        is_copy = isinstance(node, ast.Call) and _dotted(node.func) in {"replace", "dataclasses.replace"}
        if is_copy and node.args and _dotted(node.args[0]).split(".")[-1] in {"approved", "verdict"}:
            yield f"{name}:{node.lineno} copies a verdict with changes"


def _edge_findings(edge: Edge) -> Iterator[str]:
    importer, target = edge.importer, edge.target
    where = f"{importer}:{edge.line}"
    if target.split(".")[0] in (*PACKAGES, "tests") and not _is_allowed(importer, target):
        yield f"{where} imports {target}, which is not on its list"
    for owned, owners in OWNERS.items():
        if _within(target, owned) and not any(_within(importer, owner) for owner in owners):
            yield f"{where} imports {target}, which belongs to {', '.join(owners)}"
    if _within(target, "asyncio") and any(_within(importer, pure) for pure in WITHOUT_ASYNCIO):
        yield f"{where} imports asyncio in a pure module"


def _is_allowed(importer: str, target: str) -> bool:
    entries = [entry for entry in ALLOWED if _within(importer, entry)]
    if not entries:
        return False
    return any(_matches(target, allowed) for allowed in ALLOWED[max(entries, key=len)])


def _matches(target: str, allowed: str) -> bool:
    if allowed.startswith("*."):
        return target.endswith(allowed[1:])
    return _within(target, allowed)


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _chain_findings(edges: list[Edge], modules: set[str]) -> Iterator[str]:
    graph: dict[str, list[str]] = {}
    for edge in edges:
        graph.setdefault(edge.importer, []).append(edge.target)
    for start, forbidden in NO_CHAIN:
        for module in sorted(module for module in modules if _within(module, start)):
            path = _path_to(graph, module, forbidden)
            if path is not None:
                yield f"{module} reaches {forbidden} by way of {' -> '.join(path)}"
    cycle = _cycle(graph)
    if cycle is not None:
        yield f"imports run in a circle: {' -> '.join(cycle)}"


def _path_to(graph: Mapping[str, list[str]], start: str, forbidden: str) -> list[str] | None:
    stack, seen = [[start]], {start}
    while stack:
        path = stack.pop()
        for target in graph.get(path[-1], ()):
            if _within(target, forbidden):
                return [*path, target]
            if target not in seen:
                seen.add(target)
                stack.append([*path, target])
    return None


def _cycle(graph: Mapping[str, list[str]]) -> list[str] | None:
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str] | None:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return None
        for target in graph.get(module, ()):
            found = visit(target, [*path, module])
            if found is not None:
                return found
        done.add(module)
        return None

    for module in sorted(graph):
        found = visit(module, [])
        if found is not None:
            return found
    return None


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
