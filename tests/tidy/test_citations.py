"""What prose points at is there: the file that it names, and the section of a page that it quotes."""

import re
from pathlib import Path

from tests.tidy.test_tidy import ROOT, tracked

PROSE = (".py", ".md", ".toml", ".service", ".socket", ".target")
NAMED = re.compile(r"(?<![\w/.])(?:\.\./)*((?:[\w.-]+/)*[\w-]+\.(?:py|md))\b")
QUOTED = re.compile(r'((?:[\w.]+/)*(?:README|SECURITY|ARCHITECTURE|CONTRIBUTING))(?:\.md)?,\s+"([^"\n]+)"')
ELSEWHERE = {"examples/mrz_checker_samples/id_card_swe.py"}
"""Files of other projects that are cited as a source."""


def prose() -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in tracked() if path.suffix in PROSE}


def ends(path: Path) -> set[str]:
    """Every way to name a file: by its name, or with as many folders before it as one likes."""
    parts = path.relative_to(ROOT).parts
    return {"/".join(parts[at:]) for at in range(len(parts))}


def sections(page: Path) -> set[str]:
    """Its headings, without their number and without what stands in parentheses behind them."""
    return set(re.findall(r"(?m)^#+ +(?:\d+\. +)?(.+?)(?: \(.*\))?$", page.read_text(encoding="utf-8")))


def page_of(named: str, cited_in: Path) -> Path | None:
    """The page that is meant: beside the file that cites it, else the only one that can be named so."""
    beside = cited_in.parent / f"{named}.md"
    if beside.exists():
        return beside
    pages = [path for path in tracked() if f"{named}.md" in ends(path)]
    root = ROOT / f"{named}.md"
    return root if root in pages else pages[0] if len(pages) == 1 else None


def test_every_file_that_prose_names_is_in_the_tree() -> None:
    known = {end for path in tracked() for end in ends(path)} | ELSEWHERE
    gone = {
        f"{path.relative_to(ROOT)}: {named}"
        for path, text in prose().items()
        for named in NAMED.findall(text)
        if named not in known
    }
    assert gone == set()


def test_every_section_that_prose_quotes_is_on_its_page() -> None:
    quoted = [(path, *found) for path, text in prose().items() for found in QUOTED.findall(text)]
    assert len(quoted) > 15
    gone = set[str]()
    for path, named, section in quoted:
        page = page_of(named, path)
        if page is None or section not in sections(page):
            gone.add(f'{path.relative_to(ROOT)}: {named}, "{section}"')
    assert gone == set()
