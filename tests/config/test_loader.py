"""Every wrong setting is one clear line that names file, key, what was found and the cure; right ones arrive whole."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import ConfigError
from bot.domain.layer import Layer as SleeveLayer
from config.loader import LARGEST_FILE_BYTES, Loaded, load, load_section
from config.settings import Profile
from simulator.fees import FeeTables


def loaded(tmp_path: Path, text: str, profile: Profile = Profile.SIM, **environment: str) -> Loaded:
    """Load a profile with the operator's own file."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return load(profile, path, environment)


def refusal(tmp_path: Path, text: str, profile: Profile = Profile.SIM, **environment: str) -> str:
    """The one line with which these settings are refused."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, profile, **environment)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 700
    return line


UNKNOWN = [
    ("rsk.max_orders_per_day = 3", "'rsk'", "did you mean 'risk'"),
    ("risk.max_order_per_day = 3", "'risk.max_order_per_day'", "did you mean 'max_orders_per_day'"),
    ("broker.clientid = 3", "'broker.clientid'", "did you mean 'client_id'"),
    ("hedge.valuation.rates = 0.1", "'hedge.valuation.rates'", "did you mean 'rate'"),
    ("[hedge.valuation.ticks]\nvixx = 1", "'hedge.valuation.ticks.vixx'", "expected one of"),
    ("[hedge.layers.shorts]\ndays = 30", "'hedge.layers.shorts'", "did you mean 'short'"),
    ("[hedge.layers.short]\ndayz = 30", "'hedge.layers.short.dayz'", "did you mean 'days'"),
    ("[[condor.credit]]\ncredit = 3", "'condor.credit[0].credit'", "did you mean 'credit_usd'"),
    ("[[sleeve.lot]]\n[[sleeve.lot.legs]]\n[sleeve.lot.legs.instrument]\nkey = 'x'", "instrument.key'", "expected one"),
    ('"a\\u001bb" = 1', "'a\\x1bb'", "expected one of"),
]


@pytest.mark.parametrize(("text", "named", "cure"), UNKNOWN)
def test_an_unknown_key_is_named_at_every_level(tmp_path: Path, text: str, named: str, cure: str) -> None:
    """File, full key and the nearest known one stand in the line."""
    line = refusal(tmp_path, text)
    assert str(tmp_path / "mine.toml") in line
    assert named in line
    assert cure in line


WRONG = [
    ("risk.max_hedge_cost_frac = 0.41", "risk.max_hedge_cost_frac", "never raised above 0.40, was 0.41"),
    ("risk.max_hedge_cost_frac = 40", "risk.max_hedge_cost_frac", "was 40"),
    ("risk.max_hedge_cost_frac = nan", "risk.max_hedge_cost_frac", "found nan, expected a finite number"),
    ("risk.max_hedge_cost_frac = inf", "risk.max_hedge_cost_frac", "found inf, expected a finite number"),
    ("risk.max_hedge_cost_frac = -inf", "risk.max_hedge_cost_frac", "found -inf, expected a finite number"),
    ('risk.max_hedge_cost_frac = "0.40"', "risk.max_hedge_cost_frac", "found the text '0.40', expected a number"),
    ("risk.max_hedge_cost_frac = true", "risk.max_hedge_cost_frac", "found True"),
    ("risk.max_hedge_cost_frac = [0.4]", "risk.max_hedge_cost_frac", "found [0.4]"),
    ("risk.max_hedge_cost_frac = {}", "risk.max_hedge_cost_frac", "Decimal"),
    ("risk.max_hedge_cost_frac = 0", "risk.max_hedge_cost_frac", "must be positive"),
    ("risk.max_hedge_cost_frac = -0.1", "risk.max_hedge_cost_frac", "must be positive"),
    ("risk.max_orders_per_day = 0", "risk.max_orders_per_day", "must be positive, was 0"),
    ("risk.max_orders_per_day = -3", "risk.max_orders_per_day", "must be positive, was -3"),
    ("risk.max_orders_per_day = 3.0", "risk.max_orders_per_day", "found 3.0"),
    ("risk.max_orders_per_day = true", "risk.max_orders_per_day", "found True"),
    ('risk.max_orders_per_day = "3"', "risk.max_orders_per_day", "found '3'"),
    ("risk.max_orders_per_day = 2026-01-02", "risk.max_orders_per_day", "found the time 2026-01-02"),
    ("risk.max_working_orders = 21", "risk.max_working_orders", "never raised above 20"),
    ("risk.session_edge_minutes = -1.0", "risk.session_edge_minutes", "must not be negative"),
    ('risk.permitted_classes = ["VIX", "AAPL"]', "risk.permitted_classes", "also held ['AAPL']"),
    ("risk.max_shares_per_order = 0", "risk.max_shares_per_order", "must be positive"),
    ("hedge.allow_vxx_shares = true", "hedge.allow_vxx_shares", "set risk.permit_vxx_shares as well"),
    ('risk.accounts = "DU1234567"', "risk.accounts", "found 'DU1234567'"),
    ("risk.accounts = [1234567]", "risk.accounts", "found 1234567"),
    ("risk = 3", "risk", "found 3"),
    ("[[risk]]\naccounts = []", "risk", "found [{"),
    ("broker.port = 0", "broker.port", "1..65535"),
    ("broker.port = 65536", "broker.port", "1..65535"),
    ("broker.client_id = 0", "broker.client_id", "above 0"),
    ("broker.account = 1979-05-27", "broker.account", "found the time 1979-05-27"),
    ("bot = 07:32:00", "bot", "found the time 07:32:00"),
    ('bot = ""', "bot", "must not be empty"),
    ("bot = 5", "bot", "found 5"),
    ("hedge.widths_points = 5.0", "hedge.widths_points", "found 5.0"),
    ('hedge.prefer = "cheapest"', "hedge.prefer", "found 'cheapest'"),
    ("hedge.shifting.days_range = [45, 21]", "hedge.shifting", "45..21"),
    ("hedge.max_overlay_frac = 0.21", "hedge.max_overlay_frac", "never raised"),
    ("hedge.least_excess = 0.9", "hedge", "0.9..0.75"),
    ("signal.leave_excess = 0.30", "signal.leave_excess", "below enter_excess 0.25, was 0.3"),
    ("signal.baseline_sessions = 0", "signal.baseline_sessions", "must be positive"),
    ("mqtt.keepalive_s = 30", "mqtt.keepalive_s", "at most 20"),
    ("app.reconnect_most_s = 1.0", "app.reconnect_most_s", "must not be below reconnect_first_s"),
    ("[[condor.credit]]\ntrading_class = 'SPXW'", "condor.credit.settlement", "is missing; add it"),
    ('profile = "live"', "profile", "the run asks for 'sim'"),
    ('risk.permitted_exchanges = ["CBOE,CFE"]', "risk.permitted_exchanges", "letters and digits each"),
    ('risk.permitted_exchanges = [""]', "risk.permitted_exchanges", "letters and digits each"),
    ("risk.max_instruments = 0", "risk.max_instruments", "must be positive, was 0"),
    ('broker.option_exchange = "ISE"', "broker.option_exchange", "expected SMART or one of"),
    ("authority.keys_required = 3", "authority.keys_required", "must be 1 or 2, was 3"),
    ("authority.keys_required = 2", "authority.keys_required", "expected 1 in profile sim"),
]


@pytest.mark.parametrize(("text", "key", "found"), WRONG)
def test_a_wrong_value_is_named_with_its_key_and_file(tmp_path: Path, text: str, key: str, found: str) -> None:
    """The file that holds it, the key, and what was found or expected stand in the line."""
    line = refusal(tmp_path, text)
    assert line.startswith(f"{tmp_path / 'mine.toml'}: {key}")
    assert found in line


@pytest.mark.control("C18")
def test_what_the_operator_states_is_told_apart_from_defaults(tmp_path: Path) -> None:
    """Keys of the file and of the environment, also with a default's value; none of profile, method or class."""
    found = loaded(tmp_path, "risk.max_options = 2000\nbot = 'b'", ALVH_RISK__COLLAR_FRAC="0.1")
    assert found.stated == {"risk.max_options", "risk.collar_frac"}
    assert load(Profile.SIM, None, {}).stated == frozenset()
    assert loaded(tmp_path, "broker.option_exchange = 'CBOE'").settings.broker.option_exchange == "CBOE"


def test_the_layer_that_is_wrong_is_named_and_no_other(tmp_path: Path) -> None:
    """A good file under a bad variable: the variable's layer is named."""
    line = refusal(tmp_path, "risk.max_orders_per_day = 3", ALVH_RISK__MAX_ORDERS_PER_DAY="0")
    assert line.startswith("environment: risk.max_orders_per_day")


def test_files_that_are_none_are_refused_without_reading_them_whole(tmp_path: Path) -> None:
    """Missing, a folder, a device without end, too large, broken, no UTF-8, nested without end: one line each."""
    large = tmp_path / "large.toml"
    large.write_text("# " + "x" * 2_000_000)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b'bot = "\xff\xfe"')
    deep = tmp_path / "deep.toml"
    deep.write_text("bot = " + "[" * 100_000)
    broken = tmp_path / "broken.toml"
    broken.write_text("[risk\n")
    twice = tmp_path / "twice.toml"
    twice.write_text("bot = 'a'\nbot = 'b'\n")
    day = tmp_path / "day.toml"
    day.write_text("bot = 2026-02-30\n")
    cases = {
        tmp_path / "missing.toml": "name an existing TOML file",
        tmp_path: "is no file",
        Path("/dev/zero"): "is no file",
        large: f"expected at most {LARGEST_FILE_BYTES}",
        binary: "save the file as UTF-8",
        deep: "nested",
        broken: "not valid TOML",
        twice: "not valid TOML",
        day: "not valid TOML",
    }
    for path, cure in cases.items():
        with pytest.raises(ConfigError, match=cure) as caught:
            load(Profile.SIM, path, {})
        assert str(caught.value).startswith(str(path))


ENVIRONMENT = [
    ({"ALVH_RISK__MAX_ORDER_PER_DAY": "3"}, "'risk.max_order_per_day'; did you mean 'max_orders_per_day'"),
    ({"ALVH_RISKS": "3"}, "unknown key 'risks'"),
    ({"ALVH_": "3"}, "unknown key ''"),
    ({"ALVH_RISK____X": "3"}, "unknown key 'risk.'"),
    ({"ALVH_RISK__MAX_ORDERS_PER_DAY": "many"}, "found 'many'"),
    ({"ALVH_RISK__MAX_ORDERS_PER_DAY": "2.5"}, "found 2.5"),
    ({"ALVH_RISK__MAX_HEDGE_COST_FRAC": "nan"}, "found nan"),
    ({"ALVH_RISK__MAX_HEDGE_COST_FRAC": "0.5"}, "never raised above 0.40"),
    ({"ALVH_RISK__ACCOUNTS": "DU1234567"}, "found 'DU1234567'"),
    ({"ALVH_RISK": "3", "ALVH_RISK__ACCOUNTS": "[]"}, "contradicts another variable"),
    ({"ALVH_RISK__ACCOUNTS": "[]", "ALVH_RISK__ACCOUNTS__X": "1"}, "contradicts another variable"),
]


@pytest.mark.parametrize(("variables", "found"), ENVIRONMENT)
def test_a_mistyped_variable_is_refused(tmp_path: Path, variables: dict[str, str], found: str) -> None:
    """A variable of ours that is not understood stops the start instead of being left out."""
    line = refusal(tmp_path, "", **variables)
    assert line.startswith("environment: ")
    assert found in line


def test_a_variable_sets_a_key_over_both_files(tmp_path: Path) -> None:
    """Numbers, lists and plain text arrive with their types; foreign variables are left alone."""
    settings = loaded(
        tmp_path,
        "risk.max_orders_per_day = 7",
        ALVH_RISK__MAX_ORDERS_PER_DAY="3",
        ALVH_BOT="second",
        ALVH_HEDGE__WIDTHS_POINTS="[2.5, 5.0]",
        PATH="/usr/bin",
    ).settings
    assert (settings.risk.max_orders_per_day, settings.bot, settings.hedge.widths_points) == (3, "second", (2.5, 5.0))


def test_a_layer_of_the_sleeve_can_be_set(tmp_path: Path) -> None:
    """A table whose names are a closed set takes its keys."""
    text = "".join(
        f"[hedge.layers.{layer}]\ndays = {days}\ncalls_per_ten_condors = 1\nlongest_days = {days + 30}\n"
        for layer, days in (("short", 31), ("medium", 111), ("long", 221))
    )
    layers = loaded(tmp_path, text).settings.hedge.layers
    assert {layer: one.days for layer, one in layers.items()} == {
        SleeveLayer.SHORT: 31,
        SleeveLayer.MEDIUM: 111,
        SleeveLayer.LONG: 221,
    }


@pytest.mark.parametrize("profile", [Profile.PAPER, Profile.LIVE])
@pytest.mark.control("C18")
def test_a_profile_as_it_comes_refuses_its_placeholder(profile: Profile) -> None:
    """Nobody's account is nobody's: the line says where to state one."""
    with pytest.raises(ConfigError, match=r"is the placeholder of the profile; state your account.*--config"):
        load(profile, None, {})


MATRIX = [
    (Profile.SIM, "DU7654321", 4002, ""),
    (Profile.SIM, "U7654321", 4002, "broker.account: 'U7654321' is no account for profile sim"),
    (Profile.SIM, "DU7654321", 4001, "broker.port: 4001 is the port of live trading"),
    (Profile.PAPER, "DU7654321", 4002, ""),
    (Profile.PAPER, "DF7654321", 7497, ""),
    (Profile.PAPER, "DU7654321", 4013, ""),
    (Profile.PAPER, "U7654321", 4002, "expected one that begins with D; correct it or run with --profile live"),
    (Profile.PAPER, "DU7654321", 4001, "broker.port: 4001 is the port of live trading"),
    (Profile.PAPER, "DU7654321", 7496, "broker.port: 7496 is the port of live trading"),
    (Profile.LIVE, "U7654321", 4001, ""),
    (Profile.LIVE, "F7654321", 7496, ""),
    (Profile.LIVE, "DU7654321", 4001, "does not begin with D; correct it or run with --profile paper"),
    (Profile.LIVE, "U7654321", 4002, "broker.port: 4002 is the port of paper trading"),
    (Profile.LIVE, "U7654321", 7497, "broker.port: 7497 is the port of paper trading"),
]


@pytest.mark.control(23)
@pytest.mark.parametrize(("profile", "account", "port", "found"), MATRIX)
@pytest.mark.control("C23")
def test_profile_account_and_port_agree(tmp_path: Path, profile: Profile, account: str, port: int, found: str) -> None:
    """C23: paper accounts begin with D and have their ports, live ones neither."""
    text = f'broker.account = "{account}"\nbroker.port = {port}\nrisk.accounts = ["{account}"]\n'
    if found:
        assert found in refusal(tmp_path, text, profile)
    else:
        assert loaded(tmp_path, text, profile).settings.broker.account == account


@pytest.mark.control(23)
@pytest.mark.parametrize("allowed", ["[]", '["U0000000"]', '["u7654321"]'])
def test_an_account_outside_the_allowlist_is_refused(tmp_path: Path, allowed: str) -> None:
    """Live without its account on the allowlist does not start."""
    line = refusal(tmp_path, f'broker.account = "U7654321"\nrisk.accounts = {allowed}\n', Profile.LIVE)
    assert "risk.accounts: does not hold broker.account 'U7654321'" in line
    assert line.endswith("add it")


@pytest.mark.control("C36")
def test_the_hash_follows_every_value_and_no_order(tmp_path: Path) -> None:
    """Another value is another hash, another order of the same ones is not."""
    one = loaded(tmp_path, "risk.max_orders_per_day = 7\nrisk.collar_ticks = 3\n")
    same = loaded(tmp_path, "risk.collar_ticks = 3\nrisk.max_orders_per_day = 7\n")
    other = loaded(tmp_path, "risk.collar_ticks = 3\nrisk.max_orders_per_day = 8\n")
    assert one.config_hash == same.config_hash != other.config_hash


def test_decimals_arrive_with_their_digits(tmp_path: Path) -> None:
    """0.1 in the file is 0.1 in the limits and not the float beside it."""
    assert loaded(tmp_path, "risk.max_hedge_cost_frac = 0.1").settings.risk.max_hedge_cost_frac == Decimal("0.1")


@given(
    key=st.sampled_from(["max_orders_per_day", "max_hedge_cost_frac", "accounts", "session_edge_minutes"]),
    value=st.one_of(
        st.integers(),
        st.floats(),
        st.booleans(),
        st.text(max_size=5),
        st.lists(st.integers(), max_size=2),
        st.just({}),
    ),
)
def test_whatever_stands_there_is_taken_or_refused_in_one_line(key: str, value: object) -> None:
    """No value of any type gets past the loader as an error of another kind, or past the limits."""
    try:
        settings = load(Profile.SIM, None, {f"ALVH_RISK__{key.upper()}": json.dumps(value)}).settings
    except ConfigError as error:
        assert re.fullmatch("environment: [^\n]+", str(error))  # noqa: PT017 - either answer is right
        return
    assert replace(settings) == settings
    assert settings.risk.max_hedge_cost_frac <= Decimal("0.40")
    assert settings.risk.max_orders_per_day > 0
    assert "DU1234567" in settings.risk.accounts


# A section of its own, as the gateway's fees are


def test_a_file_changes_some_keys_of_a_section_and_leaves_the_rest(tmp_path: Path) -> None:
    """A table is laid over the default's key by key, a list replaces it."""
    path = tmp_path / "fees.toml"
    path.write_text("as_of = 2027-01-02\nbroker_option = [[0, 0.65]]\n[futures]\nVX = 3.00\n")

    tables, usual = load_section(path, FeeTables), FeeTables()

    assert tables.broker_option == ((Decimal(0), Decimal("0.65")),)
    assert (tables.futures["VX"], tables.futures["VXM"]) == (Decimal(3), usual.futures["VXM"])
    assert replace(tables, as_of=usual.as_of, broker_option=usual.broker_option, futures=usual.futures) == usual


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[futures]\nVX = 'a'", "futures.VX: found the text 'a', expected a number"),
        ("shares = 1", "unknown key 'shares'; did you mean 'share'?"),
        ("broker_option = [[1, 2]]", "broker_option must begin at a premium of 0 and ascend"),
        (
            "exchange_simple.VIX = [[0, 1], [2, 1], [1, 1]]",
            "exchange_simple.VIX must begin at a premium of 0 and ascend",
        ),
        ("broker_option = [[0, -1]]", "broker_option from 0 must not be negative"),
        ("as_of = 'x'", "as_of: Input should be a valid date"),
        ("share = nan", "share: found nan, expected a finite number"),
    ],
)
def test_a_wrong_file_of_fees_is_one_line_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    """File, key, what was found."""
    path = tmp_path / "fees.toml"
    path.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load_section(path, FeeTables)

    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
