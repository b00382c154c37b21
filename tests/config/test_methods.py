"""The methods: three sets of the methodology's numbers between the profile and the operator's own file."""

import re
import tomllib
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.cli.run import run
from bot.compose.options import RunOptions
from bot.compose.outputs import Outputs
from bot.compose.running import run_bot
from bot.domain.errors import ConfigError
from bot.hedging.condor.settings import CondorSettings
from bot.hedging.settings import HedgeSettings, Prefer
from bot.hedging.stewardship.settings import Autonomy, StewardSettings
from bot.signals.evidence.settings import EvidenceSettings
from bot.signals.own.settings import OwnIndexSettings
from bot.signals.settings import DispersionSettings
from config.loader import METHOD_FOLDER, Loaded, load
from config.settings import Method, Profile, Settings
from risk.limits import Amortise, RiskLimits
from tests.config.config_keys import keys_of

LIMITS = Path(__file__).parents[2] / "risk" / "limits.py"
SECTIONS = ("signal", "own_index", "hedge", "wings", "steward", "evidence")
OF_THE_EXCHANGE = "hedge.valuation.ticks."
"""Price increments are facts of the exchange, no method's choice."""
LAYERS = ("short", "medium", "long")
KEY_LINE = re.compile(r"^([a-z_]+) = (.*?)(?:\s+# (.*))?$")
ROW = re.compile(r"\((?:[MC]\d+)(?:, [MC]\d+)*\)$")

STRICTER_DOWN = (
    *("hedge.most_increment_frac", "hedge.max_overlay_frac", "hedge.max_liquidity_width_frac", "hedge.vix_ceiling"),
    *("hedge.temporal.max_decay_frac", "steward.increases_per_session", "steward.increases_per_week"),
    *("steward.max_churn_frac", "risk.max_hedge_cost_frac", "risk.neutrality_band_frac"),
    *("risk.neutrality_de_minimis_frac", "risk.neutrality_step_frac", "risk.max_mean_reversion_loss_frac"),
    *("risk.max_worst_loss_frac", "risk.max_margin_frac", "risk.max_gross_leverage"),
)
"""Keys whose smaller value allows less."""
STRICTER_UP = (
    *("signal.dwell_s", "hedge.no_trade_band_frac", "hedge.temporal.stop_sessions", "steward.least_minutes_between"),
    *("steward.quiet_minutes_at_ends", "evidence.supports_at", "evidence.contradicts_at", "risk.session_edge_minutes"),
)
"""Keys whose larger value allows less."""
IN_WORDS = {"hedge.prefer": "spreads", "steward.autonomy": "approve", "evidence.weak_conviction": "propose"}


def loaded(method: str | None = None, file: Path | None = None, **environment: str) -> Loaded:
    """Load profile sim."""
    return load(Profile.SIM, file, environment, method=method)


def written(path: Path, text: str) -> Path:
    """The operator's own file."""
    path.write_text(text)
    return path


def table_of(method: Method) -> dict[str, Any]:
    """The file of a method as it stands."""
    return tomllib.loads((METHOD_FOLDER / f"{method.value}.toml").read_text())


def leaves(table: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Every value by its dotted key."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        found |= leaves(value, name) if isinstance(value, dict) else {name: value}
    return found


def of_the_methodology() -> set[str]:
    """Every key that a method must state: whole sections, and the limits whose comment names a row M."""
    keys = {key for key, _ in keys_of(Settings) if key.split(".")[0] in SECTIONS}
    keys = {key.replace("*", layer) for key in keys for layer in LAYERS if not key.startswith(OF_THE_EXCHANGE)}
    limits = re.findall(r"^    ([a-z_]+): .*# .*\bM\d+", LIMITS.read_text(), re.MULTILINE)
    return keys | {f"risk.{limit}" for limit in limits}


def test_balanced_is_what_the_classes_say_by_themselves() -> None:
    """With and without the method every section has the defaults beside its code."""
    settings = loaded("balanced").settings

    assert settings == loaded().settings
    assert settings.method is Method.BALANCED
    assert (settings.signal, settings.own_index) == (DispersionSettings(), OwnIndexSettings())
    assert (settings.hedge, settings.wings) == (HedgeSettings(), CondorSettings())
    assert (settings.steward, settings.evidence) == (StewardSettings(), EvidenceSettings())
    usual = RiskLimits(accounts=settings.risk.accounts, require_preview=True)  # as every profile says
    assert [(field.name, getattr(settings.risk, field.name)) for field in fields(RiskLimits)] == [
        (field.name, getattr(usual, field.name)) for field in fields(RiskLimits)
    ]


def test_balanced_states_every_number_of_the_methodology() -> None:
    """No key of its sections is left to a default, none is there besides, and the extraction finds limits at all."""
    expected = of_the_methodology()

    assert {"risk.max_worst_loss_frac", "risk.amortise", "risk.session_edge_minutes"} <= expected
    assert set(leaves(table_of(Method.BALANCED))) == expected


@pytest.mark.parametrize("method", Method)
def test_every_key_of_a_method_has_its_reason_and_its_row(method: Method) -> None:
    """Behind each value stands a comment that ends with rows of the methodology or of the controls."""
    lines = (METHOD_FOLDER / f"{method.value}.toml").read_text().splitlines()
    keys = [found for line in lines if (found := KEY_LINE.match(line))]

    assert len(keys) == len(leaves(table_of(method)))
    assert [found[1] for found in keys if found[3] is None or not ROW.search(found[3])] == []


def test_the_methods_of_the_command_line_are_the_files() -> None:
    """`--method` offers what lies in the folder, and nothing else."""
    (option,) = [option for option in run.params if option.name == "method"]
    offered = getattr(option.type, "choices", ())

    assert list(offered) == [method.value for method in Method]
    assert {path.stem for path in METHOD_FOLDER.iterdir()} == set(offered)


def test_conservative_is_nowhere_looser() -> None:
    """Each of its keys is known to be at least as strict as in balanced, and no other key is in it."""
    mine, usual = leaves(table_of(Method.CONSERVATIVE)), leaves(table_of(Method.BALANCED))

    assert set(mine) <= {*STRICTER_DOWN, *STRICTER_UP, *IN_WORDS}
    assert [key for key in STRICTER_DOWN if mine.get(key, usual[key]) > usual[key]] == []
    assert [key for key in STRICTER_UP if mine.get(key, usual[key]) < usual[key]] == []
    assert {key: mine[key] for key in IN_WORDS} == IN_WORDS


def test_conservative_asks_a_person_and_costs_less() -> None:
    """What its name promises arrives in the settings: approval, proposals, and a lower cap than the profile's."""
    settings = load(Profile.SIM, None, {}, method="conservative").settings

    assert settings.steward.autonomy is Autonomy.APPROVE
    assert settings.evidence.weak_conviction.value == "propose"
    assert (settings.risk.max_hedge_cost_frac, settings.hedge.max_overlay_frac) == (Decimal("0.3"), 0.15)


def test_literal_has_the_numbers_of_the_source_text_and_no_brakes() -> None:
    """90 days, 25 %, 10-20 %, 40 % of the whole cost; no distance, dwell, ceiling or waiting beside them."""
    settings = loaded("literal").settings
    signal, hedge, steward, risk = settings.signal, settings.hedge, settings.steward, settings.risk

    assert (signal.baseline_sessions, signal.enter_excess) == (90, 0.25)
    assert (hedge.least_increment_frac, hedge.most_increment_frac, hedge.prefer) == (0.1, 0.2, Prefer.BEST)
    assert (risk.max_hedge_cost_frac, risk.amortise) == (Decimal("0.4"), Amortise.NONE)
    assert (signal.enter_points, signal.dwell_s, steward.least_minutes_between, steward.max_churn_frac) == (0, 0, 0, 1)
    assert signal.enter_excess - signal.leave_excess < 0.001
    assert hedge.vix_ceiling == signal.max_level
    assert steward.quiet_minutes_at_ends == risk.session_edge_minutes


def test_a_method_keeps_out_of_everything_else() -> None:
    """Accounts, ports, paths and the controls of the gate are no method's business."""
    for method in Method:
        assert set(leaves(table_of(method))) <= of_the_methodology()


WAYS = [
    ({}, "", None, Method.BALANCED),
    ({}, 'method = "literal"', None, Method.LITERAL),
    ({"ALVH_METHOD": "conservative"}, 'method = "literal"', None, Method.CONSERVATIVE),
    ({"ALVH_METHOD": "conservative"}, 'method = "literal"', "balanced", Method.BALANCED),
    ({}, 'method = "literal"', "conservative", Method.CONSERVATIVE),
]


@pytest.mark.parametrize(("environment", "text", "option", "expected"), WAYS)
def test_the_option_beats_the_environment_which_beats_the_file(
    tmp_path: Path, environment: dict[str, str], text: str, option: str | None, expected: Method
) -> None:
    """The most particular wish is heard, and its numbers are those that count."""
    settings = load(Profile.SIM, written(tmp_path / "mine.toml", text), environment, method=option).settings

    assert settings.method is expected
    assert settings.steward == loaded(expected.value).settings.steward


def test_the_operators_file_lies_over_the_method(tmp_path: Path) -> None:
    """One key is the operator's, its neighbours are the method's, those of one layer of the sleeve included."""
    text = 'method = "conservative"\nhedge.vix_ceiling = 25.0\nhedge.layers.short.days = 35\n'
    hedge = loaded(file=written(tmp_path / "mine.toml", text)).settings.hedge
    usual = loaded("conservative").settings.hedge

    assert (hedge.vix_ceiling, hedge.max_overlay_frac) == (25.0, usual.max_overlay_frac)
    assert [layer.days for layer in hedge.layers.values()] == [35, 110, 220]


def test_a_method_lies_over_the_profile() -> None:
    """The profiles for an account state the highest cap; a stricter method lowers it all the same."""
    variables = {"ALVH_BROKER__ACCOUNT": "DU7654321", "ALVH_RISK__ACCOUNTS": '["DU7654321"]'}
    limits = load(Profile.PAPER, None, variables, method="conservative").settings.risk

    assert (limits.max_hedge_cost_frac, limits.max_orders_per_day) == (Decimal("0.3"), 40)


@pytest.mark.parametrize(
    ("text", "environment", "option", "where", "found"),
    [
        ('method = "brave"', {}, None, "mine.toml", "'brave'"),
        ("method = 3", {}, None, "mine.toml", "3"),
        ("[method]\nname = 'literal'", {}, None, "mine.toml", "{'name': 'literal'}"),
        ("", {"ALVH_METHOD": "../sim"}, None, "environment", "'../sim'"),
        ('method = "literal"', {}, "brave", "--method", "'brave'"),
    ],
)
def test_an_unknown_method_is_one_line_with_the_choices(
    tmp_path: Path, text: str, environment: dict[str, str], option: str | None, where: str, found: str
) -> None:
    """It says where the name stands, what was found and what could stand there."""
    with pytest.raises(ConfigError) as caught:
        load(Profile.SIM, written(tmp_path / "mine.toml", text), environment, method=option)

    line = str(caught.value)
    assert f"{where}: method: found {found}, expected conservative, balanced, literal; name one of them" in line
    assert "\n" not in line


@pytest.mark.parametrize("options", [RunOptions(method="brave"), RunOptions(method="brave", profile="paper")])
def test_the_option_reaches_every_kind_of_run(tmp_path: Path, options: RunOptions) -> None:
    """In virtual time and in real time the method is read before anything else happens."""
    with pytest.raises(ConfigError, match=r"^--method: method: found 'brave'"):
        run_bot(options, Outputs(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("signal.enter_excess = 0.05", "signal.enter_excess: leave_excess must lie above -1 and below enter_excess"),
        ("steward.increases_per_session = 3", "steward.increases_per_session: increases_per_week 2 is below"),
        ("signal.leave_excess = 0.3", "signal.leave_excess: leave_excess must lie"),
    ],
)
def test_where_two_numbers_contradict_each_other_the_operators_is_named(tmp_path: Path, text: str, said: str) -> None:
    """The files of a method agree with themselves, so the fault lies in what was laid over them."""
    path = written(tmp_path / "mine.toml", text)

    with pytest.raises(ConfigError) as caught:
        loaded(file=path)

    assert str(caught.value).startswith(f"{path}: {said}")


def test_the_hash_and_the_first_row_tell_the_method(tmp_path: Path) -> None:
    """Three methods are three hashes; the same one by option or by file is the same; the first row names it."""
    hashes = {loaded(method.value).config_hash for method in Method}
    by_file = loaded(file=written(tmp_path / "mine.toml", 'method = "literal"'))

    assert len(hashes) == len(Method)
    assert loaded().config_hash == loaded("balanced").config_hash
    assert by_file.config_hash == loaded("literal").config_hash
    assert Outputs.started_facts(RunOptions(), by_file, "1")["method"] == "literal"
