"""Links between pages lead somewhere, and what the code cites of the documentation is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("bot", "risk", "adapters", "config", "simulator", "tests")
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
CODE_PATH = re.compile(r"`((?:bot|risk|adapters|config|simulator|tests)/[A-Za-z0-9_/.-]+)`")
CITATION = re.compile(r"(docs/[a-z/-]+\.md)((?:[,;]? \(?(?:and |to |sections? )*(?:[MCQL]?\d+(?:\.\d+)*))*)")
NUMBER = re.compile(r"[MCQL]?\d+(?:\.\d+)*")


def pages() -> list[Path]:
    """Return the README and every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def citations(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (page, numbers) for each mention of a page; comments that go on in the next line are joined first."""
    joined = re.sub(r"\s*\n\s*#?\s*", " ", text)
    for page, numbers in CITATION.findall(joined):
        yield page, tuple(NUMBER.findall(numbers))


def names(page: str, number: str) -> bool:
    """Return whether a page has the number: as a heading, or for controls as the first cell of a row."""
    if number[0] in "CQL":
        return re.search(rf"^\| {number} \|", page, re.MULTILINE) is not None
    return re.search(rf"^#+ {re.escape(number)} ", page, re.MULTILINE) is not None


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    """A link that names no other machine names an existing file beside its page."""
    links = [link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    """Code paths in a page are paths of this repository."""
    named = CODE_PATH.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_page_and_section_that_the_code_cites_exists() -> None:
    """A citation in the code names a page that is there, and its numbers are headings or rows of that page."""
    missing, count = [], 0
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix not in {".py", ".toml"} or path == Path(__file__):
                continue
            for page, numbers in citations(path.read_text(encoding="utf-8")):
                count += 1
                where, file = str(path.relative_to(ROOT)), ROOT / page
                if not file.is_file():
                    missing.append(f"{where}: {page}")
                    continue
                text = file.read_text(encoding="utf-8")
                missing += [f"{where}: {page}, {number}" for number in numbers if not names(text, number)]
    assert count > 50, "the search finds the citations"
    assert missing == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Source: docs/methodology.md, M2, M5, M16.", ("M2", "M5", "M16")),
        ("docs/risk-controls.md, 2.4 and 3.4.", ("2.4", "3.4")),
        ("docs/ib/wire.md, sections 5.3 to 5.5 and 5.9.", ("5.3", "5.5", "5.9")),
        ("docs/ib/wire.md, sections 3.3, 4.2 and\n    4.3.", ("3.3", "4.2", "4.3")),
        ("docs/contracts.md, section\n    # 8", ("8",)),
        ("docs/risk-controls.md, C23)", ("C23",)),
        ("docs/methodology.md (M2)", ("M2",)),
        ("docs/ib/hazards.md, pacing", ()),
    ],
)
def test_the_numbers_of_a_citation_are_found(text: str, found: tuple[str, ...]) -> None:
    """Lists, ranges and line ends do not hide a number."""
    assert [numbers for _, numbers in citations(text)] == [found]
