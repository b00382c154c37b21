"""`alvh volindex`: every intermediate of a board's index, and one clear line for each board that has none."""

import csv
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import Alvh, Ended

OWN = Path(__file__).parent / "black_scholes_board.csv"
"""Strikes 100 points apart at one volatility of 20 %, forwards 5013.7 and 5018.2, on a tick grid, with wings."""
OWN_TERMS = ("--minutes-near", 36_000, "--minutes-next", 46_080, "--rate-near", 0.04, "--rate-next", 0.04)
DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the published example is not part of the repository")
HEADER = "term,strike,call_bid,call_ask,put_bid,put_ask"

BELOW = ((100, "100.00", "0.01"), (110, "90.00", "0.02"))
"""Strikes, calls and puts far below a forward near 200."""

Change = Callable[[list[str]], object]


def told(ended: Ended) -> str:
    """The one line on stderr of a command that ended with 2 and printed nothing."""
    assert (ended.code, ended.out) == (2, "")
    lines = [line for line in ended.err.splitlines() if line.startswith(("alvh: ", "Error: "))]
    assert len(lines) == 1, ended.err
    return lines[0]


def own_rows(term: str) -> list[tuple[float, float, float, float, float]]:
    """The rows of one term: strike, call bid and middle, put bid and middle."""
    rows = []
    with OWN.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["term"] == term:
                strike, call_bid, call_ask, put_bid, put_ask = (float(row[name]) for name in HEADER.split(",")[1:])
                rows.append((strike, call_bid, (call_bid + call_ask) / 2, put_bid, (put_bid + put_ask) / 2))
    return rows


def by_hand(term: str, minutes: float, rate: float) -> dict[str, float]:
    """The method written down once more, strike by strike, for a board with strikes 100 points apart."""
    rows, years = own_rows(term), minutes / 525_600
    growth = math.exp(rate * years)
    nearest = min((row for row in rows if row[1] and row[3]), key=lambda row: abs(row[2] - row[4]))
    forward = nearest[0] + growth * (nearest[2] - nearest[4])
    base = max(row[0] for row in rows if row[0] <= forward)
    total = 0.0
    for strike, call_bid, call, put_bid, put in rows:
        price = (call + put) / 2 if strike == base else (call if strike > base else put)
        bid = 1.0 if strike == base else (call_bid if strike > base else put_bid)
        total += 100 / strike**2 * growth * price * (bid > 0)  # no bid but at the ends: zeros contribute nothing
    variance = 2 / years * total - (forward / base - 1) ** 2 / years
    return {"T": years, "F": forward, "K0": base, "contributions": total, "sigma2": variance}


def table_of(out: str) -> Mapping[str, list[float]]:
    """The printed table: name to its numbers."""
    lines = out.splitlines()
    assert lines[0].split() == ["near", "next"]
    return {name: [float(number) for number in numbers] for name, *numbers in map(str.split, lines[1:])}


@needs_data
def test_the_published_board_has_the_published_index(alvh: Alvh) -> None:
    """Cboe's example comes out to its printed digits, in the table and in full precision."""
    case = json.loads((DATA / "vectors.json").read_text())["vix_methodology_v6_example"]
    board = DATA / "vix_whitepaper" / "cboe_vix_v6_example_quotes.csv"
    near, following = zip(case["minutes"], case["R"], strict=True)
    options = ("--minutes-near", near[0], "--rate-near", near[1], "--minutes-next", following[0])
    options = (*options, "--rate-next", following[1])

    shown, facts = alvh("volindex", board, *options), json.loads(alvh("volindex", board, *options, "--json").out)

    assert shown.code == 0
    assert shown.out.splitlines()[-1].split() == ["index", "13.927842"]
    assert facts["index"] == pytest.approx(case["vix"], abs=1e-6)
    terms = (facts["near"], facts["next"])
    assert [term["T"] for term in terms] == pytest.approx(case["T"], abs=1e-12)
    assert [term["F"] for term in terms] == pytest.approx(case["F"], abs=1e-5)
    assert [term["K0"] for term in terms] == case["K0"]
    assert [term["contributions"] for term in terms] == pytest.approx(case["contribution_sums"], abs=1e-10)
    assert [term["sigma2"] for term in terms] == pytest.approx(case["sigma2"], abs=1e-8)


def test_the_own_board_is_what_the_method_gives_by_hand(alvh: Alvh) -> None:
    """Every intermediate equals a second writing of the method, the weights join them, near 20 points comes out."""
    facts = json.loads(alvh("volindex", OWN, *OWN_TERMS, "--json").out)

    expected = {"near": by_hand("near", 36_000, 0.04), "next": by_hand("next", 46_080, 0.04)}
    for name, figures in expected.items():
        assert {key: facts[name][key] for key in figures} == pytest.approx(figures, rel=1e-12)
        assert (facts[name]["minutes"], facts[name]["rate"]) == ({"near": 36_000, "next": 46_080}[name], 0.04)
    weights = (46_080 - 43_200) / 10_080, (43_200 - 36_000) / 10_080
    assert (facts["near"]["weight"], facts["next"]["weight"]) == pytest.approx(weights)
    total = sum(
        weight * figures["T"] * figures["sigma2"] for weight, figures in zip(weights, expected.values(), strict=True)
    )
    assert facts["index"] == pytest.approx(100 * math.sqrt(total * 525_600 / 43_200))
    assert facts["index"] == pytest.approx(20.0, abs=0.3)


def test_the_table_holds_the_same_figures_with_six_decimals(alvh: Alvh) -> None:
    """One line a figure, near before next, the index last; stderr stays empty."""
    shown = alvh("volindex", OWN, *OWN_TERMS)
    facts = json.loads(alvh("volindex", OWN, *OWN_TERMS, "--json").out)

    table = table_of(shown.out)

    assert (shown.code, shown.err) == (0, "")
    assert list(table) == [*facts["near"], "index"]
    for name in facts["near"]:
        assert table[name] == [round(facts[term][name], 6) for term in ("near", "next")]
    assert table["index"] == [round(facts["index"], 6)]
    assert all(len(word.partition(".")[2]) in (0, 6) for line in shown.out.splitlines() for word in line.split()[1:])


def test_columns_stand_in_any_order_and_others_are_not_read(alvh: Alvh, tmp_path: Path) -> None:
    """A board with its columns turned round, one more column, a byte order mark and blanks is the same board."""
    turned = tmp_path / "turned.csv"
    rows = [line.split(",") for line in OWN.read_text().splitlines()]
    lines = [" , ".join([*reversed(row), "note" if number == 0 else "x"]) for number, row in enumerate(rows)]
    turned.write_text("\ufeff" + "\n".join(lines) + "\n\n", encoding="utf-8")

    assert alvh("volindex", turned, *OWN_TERMS).out == alvh("volindex", OWN, *OWN_TERMS).out


def replaced(old: str, new: str) -> Change:
    """A change of the row that begins so."""

    def change(lines: list[str]) -> None:
        place = next(number for number, line in enumerate(lines) if line.startswith(old))
        lines[place] = lines[place].replace(old, new, 1)

    return change


def without(term: str) -> Change:
    """A board that lacks one term."""
    return lambda lines: lines.__setitem__(slice(None), [line for line in lines if not line.startswith(f"{term},")])


def silenced(lines: list[str]) -> None:
    """No option of the near term has a bid."""
    for number, line in enumerate(lines):
        if line.startswith("near,"):
            term, strike, _, call_ask, _, put_ask = line.split(",")
            lines[number] = f"{term},{strike},0,{call_ask},0,{put_ask}"


BAD_BOARDS: list[tuple[str, Change, str]] = [
    ("missing column", replaced("term,strike", "term,level"), "row 1: found 'term,level,"),
    ("column twice", replaced(HEADER, f"{HEADER},strike"), "row 1: found"),
    (
        "strike twice",
        lambda lines: lines.insert(5, lines[4]),
        "row 6: found near 3700 again, expected each strike once",
    ),
    (
        "text",
        replaced("near,3500,1500.50", "near,3500,many"),
        "row 3: call_bid: found 'many', expected a finite number",
    ),
    ("decimal comma", replaced("near,3500,1500.50", "near,3500,1500,50"), "row 3: found"),
    ("nan", replaced("near,3500,1500.50", "near,3500,nan"), "row 3: call_bid: found 'nan', expected a finite number"),
    ("infinite", replaced("near,3500,1500.50,1518.70", "near,3500,1500.50,1e999"), "row 3: call_ask: found '1e999'"),
    (
        "negative",
        replaced("near,3500,1500.50", "near,3500,-1500.50"),
        "row 3: call_bid: found '-1500.50', expected a number of 0 or more",
    ),
    ("empty cell", replaced("near,3500,1500.50", "near,3500,"), "row 3: call_bid: found '', expected a finite number"),
    ("short row", replaced("near,3500,1500.50,", "near,3500,"), "row 3: found"),
    ("strike of zero", replaced("near,3500", "near,0"), "expected a strike above 0"),
    (
        "crossed call",
        replaced("near,3500,1500.50", "near,3500,1518.71"),
        "row 3: found call bid 1518.71, ask 1518.7, expected bid <= ask",
    ),
    (
        "crossed put",
        replaced("near,3500,1500.50,1518.70,0.00", "near,3500,1500.50,1518.70,0.06"),
        "row 3: found put bid 0.06, ask 0.05, expected bid <= ask",
    ),
    ("unknown term", replaced("next,3500", "later,3500"), "found 'later', expected near or next"),
    ("one term", without("next"), "found no row of the next term, expected both near and next"),
    ("the other term", without("near"), "found no row of the near term"),
    ("empty", lambda lines: lines.clear(), "row 1: found '', expected the columns"),
    ("header alone", lambda lines: lines.__delitem__(slice(1, None)), "found no row of the near term"),
    ("no two-sided strike", silenced, "near term: the board has no strike with a bid for both call and put"),
    ("open quotes", replaced("near,3500", 'near,"3500'), "expected plain comma-separated cells"),
]


@pytest.mark.parametrize(
    ("change", "expected"), [case[1:] for case in BAD_BOARDS], ids=[case[0] for case in BAD_BOARDS]
)
def test_a_bad_board_ends_with_2_and_one_line(alvh: Alvh, tmp_path: Path, change: Change, expected: str) -> None:
    """File, row, what was found and what was expected; no number is printed."""
    lines = OWN.read_text().splitlines()
    change(lines)
    board = tmp_path / "board.csv"
    board.write_text("\n".join(lines) + "\n" if lines else "")

    line = told(alvh("volindex", board, *OWN_TERMS))

    assert line.startswith(f"alvh: {board}")
    assert expected in line


def terms_with(**changes: object) -> list[object]:
    """The options of the own board, some of them changed."""
    options = {"minutes_near": 36_000, "minutes_next": 46_080, "rate_near": 0.04, "rate_next": 0.04, **changes}
    return [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"minutes_near": 44_000}, "expected the terms to enclose thirty days"),
        ({"minutes_next": 43_199}, "expected the terms to enclose thirty days"),
        ({"minutes_near": 43_200, "minutes_next": 43_200}, "expected the terms to enclose thirty days"),
        ({"minutes_near": 46_080, "minutes_next": 36_000}, "expected the terms to enclose thirty days"),
        ({"minutes_near": 0}, "--minutes-near 0: expected minutes to settlement above 0"),
        ({"minutes_next": "nan"}, "--minutes-next nan: expected minutes"),
        ({"minutes_next": "inf"}, "--minutes-next inf: expected minutes"),
        ({"rate_near": 4}, "--rate-near 4: expected a fraction per year"),
        ({"rate_next": "nan"}, "--rate-next nan: expected a fraction per year"),
        ({"rate_next": "four"}, "'four' is not a valid float"),
    ],
)
def test_wrong_terms_end_with_2_and_one_line(alvh: Alvh, changes: dict[str, object], expected: str) -> None:
    """What cannot be a time or a rate, or does not enclose thirty days, is told before the board is read."""
    assert expected in told(alvh("volindex", OWN, *terms_with(**changes)))


@pytest.mark.parametrize("minutes", [{"minutes_near": 43_200}, {"minutes_next": 43_200}])
def test_a_term_of_exactly_thirty_days_has_all_the_weight(alvh: Alvh, minutes: dict[str, object]) -> None:
    """The edge belongs to what encloses thirty days; the other term then counts nothing."""
    facts = json.loads(alvh("volindex", OWN, *terms_with(**minutes), "--json").out)

    (whole,) = [facts[name] for name in ("near", "next") if facts[name]["minutes"] == 43_200]
    assert whole["weight"] == pytest.approx(1.0)
    assert facts["index"] == pytest.approx(100 * math.sqrt(whole["sigma2"]))


def test_what_is_no_board_file_ends_with_2(alvh: Alvh, tmp_path: Path) -> None:
    """A missing file, a folder, bytes that are no text, a forgotten option."""
    assert "cannot be read (No such file or directory)" in told(alvh("volindex", tmp_path / "none.csv", *OWN_TERMS))
    assert "is a directory" in told(alvh("volindex", tmp_path, *OWN_TERMS))
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    assert "is no UTF-8 text" in told(alvh("volindex", tmp_path / "bytes.csv", *OWN_TERMS))
    assert "Missing option '--minutes-near'" in told(alvh("volindex", OWN))


def test_prices_without_a_positive_variance_have_no_index(alvh: Alvh, tmp_path: Path) -> None:
    """Where all strikes lie far below the forward less than nothing is left: said, not printed as a number."""
    board = tmp_path / "below.csv"
    rows = [f"{term},{strike},{call},{call},{put},{put}" for term in ("near", "next") for strike, call, put in BELOW]
    board.write_text("\n".join((HEADER, *rows)) + "\n")

    line = told(alvh("volindex", board, *OWN_TERMS))

    assert "variance must be positive" in line
    assert "such prices have no index" in line
