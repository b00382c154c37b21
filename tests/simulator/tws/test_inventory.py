"""The wire's page and the code name the same messages, and none of them is without who answers it."""

import re
from pathlib import Path

from floors import an_open_floor

from simulator.tws.answers.table import ANSWERS
from simulator.tws.desk import Desk
from simulator.tws.order_in import PLACE_ORDER_ID
from simulator.tws.requests.table import REQUESTS, UNSERVED
from simulator.tws.session import Session

PAGE = (Path(__file__).parents[3] / "docs" / "ib" / "wire.md").read_text()
OPEN_ORDER, COMPLETED_ORDER = 5, 101
MUST = {*(71, 61, 64, 5, 16, 99, 6, 76, 77, 7, 62, 63, 9, 78, 59, 1, 2, 20, 25, 3, 4, 8, 49)}
SHOULD = {
    *(50, 51, 58, 92, 93, 94, 95, 97, 98, 74, 75, 81, 91, 87, 90, 96, 10, 11, 15, 17, 14, 54, 55, 56, 57, 104),
    *(80, 85, 82, 79),
}
"""What the clients need, and what whole programs on them ask for besides."""


def section(heading: str) -> str:
    """Return the text below a heading, up to the next one of its depth or above."""
    depth = len(heading.split(" ", maxsplit=1)[0])
    _, _, rest = PAGE.partition(f"\n{heading}\n")
    return re.split(rf"\n#{{2,{depth}}} ", rest, maxsplit=1)[0]


def ids_in_first_column(text: str) -> set[int]:
    """Return the message ids with which the rows of a section's tables begin; ``54 to 57`` are four."""
    found: set[int] = set()
    for row in re.findall(r"^\| ([\d,; to]+) \|", text, flags=re.MULTILINE):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", row):
            found |= set(range(int(first), int(last or first) + 1))
    return found


def ids_in_headings(text: str) -> set[int]:
    """Return the message ids at the ends of a section's headings, as in ``openOrder, 5``."""
    return {int(number) for number in re.findall(r"^### \S+ \w+, (\d+)$", text, flags=re.MULTILINE)}


def test_every_message_that_clients_need_is_served() -> None:
    """All that was found necessary and all that was found useful is in the table of requests."""
    assert {PLACE_ORDER_ID, *REQUESTS} >= MUST | SHOULD


def test_the_page_lists_what_is_served_and_nothing_else() -> None:
    """The table of section 2 has each request that is answered, and none that is refused."""
    served, _, _ = section("## 2 What is served").partition("### What is refused")

    assert ids_in_first_column(served) == {PLACE_ORDER_ID, *REQUESTS}


def test_the_page_lists_what_is_refused_with_its_code() -> None:
    """Each request that is known and not served stands there with the code that it gets."""
    rows = [row for row in section("### What is refused").splitlines() if row.startswith("| ")]

    assert {number: row.split("|")[3].strip() for row in rows for number in ids_in_first_column(row)} == {
        number: str(unserved.code) for number, unserved in UNSERVED.items()
    }


def test_the_page_lists_the_fields_of_every_request() -> None:
    """Section 3 says the fields of each."""
    text = section("## 3 From client to server")

    assert ids_in_first_column(text) | ids_in_headings(text) == {PLACE_ORDER_ID, *REQUESTS}


def test_the_page_lists_the_fields_of_every_answer() -> None:
    """Section 4 says the fields of each message that the gateway writes."""
    text = section("## 4 From server to client")

    assert ids_in_first_column(text) | ids_in_headings(text) == {OPEN_ORDER, COMPLETED_ORDER, *ANSWERS}


def test_every_request_has_somebody_who_answers_it() -> None:
    """No class of the table is without a handler, and none is served and refused at once."""
    handlers = Session(Desk(an_open_floor().floor))._handlers

    assert set(handlers) == set(REQUESTS.values())
    assert not set(UNSERVED) & {PLACE_ORDER_ID, *REQUESTS}
