"""A new dialect is one file: how small those that there are be is in the drivers' README, and what each may lean on."""

import ast
import io
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "drivers" / "scanner"
SHARED = {"__init__.py", "mute.py", "text.py"}
CODE_LINES_MAX = 120
LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def dialects() -> list[Path]:
    return sorted(path for path in FOLDER.glob("*.py") if path.name not in SHARED)


def code_lines(source: str) -> int:
    """Lines that hold code: no blank ones, no comments, no docstrings."""
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in LAYOUT
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def test_lines_of_code_are_counted_without_words() -> None:
    assert (
        code_lines('"""Words\nof two lines."""\n\nA = 1  # why\n"""More words."""\nB = (\n    2\n)\n# no code\n') == 4
    )


def test_each_dialect_is_one_small_file_and_the_readme_says_how_small() -> None:
    rows = [
        f"| `{path.name}` | {len(source.splitlines())} | {code_lines(source)} |"
        for path in dialects()
        for source in [path.read_text(encoding="utf-8")]
    ]
    assert len(rows) >= 5
    assert max(int(row.split("|")[3]) for row in rows) <= CODE_LINES_MAX
    page = (ROOT / "drivers" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `\w+\.py` \| \d+ \| \d+ \|$", page, re.MULTILINE) == rows


def test_a_dialect_leans_on_what_all_share_and_a_keyboard_on_the_generic_one() -> None:
    leant = {
        (path.stem, node.module)
        for path in dialects()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("drivers")
    }
    shared = {"drivers.api", "drivers.scanner.mute", "drivers.scanner.text"}
    assert {(name, module) for name, module in leant if module not in shared} == {("wedge", "drivers.scanner.generic")}
