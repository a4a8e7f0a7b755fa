"""What prose promises, checked: layout, documents, vectors, imports, lock files, lengths."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("appliance", "drivers", "provisioning")
LINES_MAX = 500
UNFINISHED = re.compile(r"\b(TODO|FIXME|HACK|placeholder|NotImplementedError)\b")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    return [
        path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")) if "node_modules" not in path.parts
    ]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_by(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_top_level_folders_are_exactly_the_five() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if len(path.relative_to(ROOT).parts) > 1}
    assert {name for name in folders if not name.startswith(".")} == {
        "appliance",
        "drivers",
        "provisioning",
        "systemd",
        "tests",
    }


def test_systemd_folder_is_not_importable() -> None:
    assert not list((ROOT / "systemd").rglob("*.py"))


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "ARCHITECTURE.md",
        "DECISIONS.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "Makefile",
        ".ci/run",
    ],
)
def test_document_is_there_and_says_something(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8")) > 100


@pytest.mark.parametrize("command", ["landlink-box", "landlink-bench", "landlink-hq"])
def test_every_verb_is_in_the_readme(command: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = subprocess.run([ROOT / ".venv/bin" / command, "--help"], capture_output=True, text=True, check=True).stdout
    verbs = re.findall(r"^    ([a-z-]+)(?:  |$)", listed, re.MULTILINE)
    assert verbs
    assert [verb for verb in verbs if not re.search(rf"`{command} {verb}\b", readme)] == []


def test_every_make_verb_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    verbs = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [verb for verb in verbs if f"make {verb}" not in readme] == []


def test_every_config_key_is_in_the_example() -> None:
    import msgspec

    from appliance.config import Config

    example = (ROOT / "systemd" / "box.toml").read_text(encoding="utf-8")
    missing = [
        f"{section.name}.{key.name}"
        for section in msgspec.structs.fields(Config)
        for key in msgspec.structs.fields(section.type)
        if not re.search(rf"^#? ?{key.name} = ", example, re.MULTILINE)
    ]
    assert missing == []
    assert set(tomllib.loads(example)) <= {field.name for field in msgspec.structs.fields(Config)}


def test_every_event_is_documented() -> None:
    from appliance.formats.event import EVENTS

    page = (ROOT / "appliance" / "formats" / "README.md").read_text(encoding="utf-8")
    assert [name for name in EVENTS if f"`{name}`" not in page] == []


def test_every_unit_is_documented() -> None:
    page = (ROOT / "systemd" / "README.md").read_text(encoding="utf-8")
    units = [path.name for path in (ROOT / "systemd").rglob("*") if path.suffix in {".service", ".socket", ".target"}]
    assert units
    assert [name for name in units if name not in page and name.removesuffix(".service") not in page] == []


def test_every_vector_is_read_by_a_test() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in python_files("tests"))
    vectors = [path for path in tracked() if path.is_relative_to(ROOT / "tests" / "vectors")]
    unread = [path for path in vectors if path.name not in sources and f'"{path.parent.name}"' not in sources]
    assert unread == []


def test_every_module_is_imported_or_started() -> None:
    files = python_files(*SHIPPED, "tests")
    imported = {name for path in files for name in imported_by(path)}
    started = {"appliance.__main__", "provisioning.__main__", "drivers.simulators.__main__"}
    packages = {module_of(path) for path in files if path.name == "__init__.py"}
    orphans = {module_of(path) for path in python_files(*SHIPPED)} - imported - started - packages
    assert orphans == set()


def test_nothing_shipped_is_unfinished() -> None:
    marked = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in python_files(*SHIPPED)
        for line in path.read_text(encoding="utf-8").splitlines()
        if UNFINISHED.search(line)
    ]
    assert marked == []


def test_no_python_file_is_too_long_to_hold_in_mind() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*SHIPPED, "tests")}
    assert {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > LINES_MAX} == {}


def test_hardware_of_a_pi_is_imported_only_inside_its_driver() -> None:
    for module, driver in (("picamera2", "camera.py"), ("lgpio", "panel.py")):
        users = [
            path.name
            for path in python_files(*SHIPPED)
            if any(name.split(".")[0] == module for name in imported_by(path))
        ]
        assert set(users) <= {driver}
        for path in python_files(*SHIPPED):
            top = ast.parse(path.read_text(encoding="utf-8")).body
            assert not any(isinstance(node, ast.Import) and node.names[0].name == module for node in top)


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-pi.txt", "tests/interop/package-lock.json"]
)
def test_lock_file_names_no_index_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in re.sub(r'"(url|funding)": "[^"]*"', "", text)
    assert "index" not in re.sub(r"(?m)^.*--hash.*$", "", text)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-pi.txt"])
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
    assert blocks
    assert [block.split()[0] for block in blocks if "==" not in block or "--hash=sha256:" not in block] == []


def test_forbidden_words_stay_off_every_screen() -> None:
    forbidden = re.compile(
        r"\b(epoch|checkpoint|parked|weak|strong|inconclusive|MRZ|score|rejected|genuine)\b", re.IGNORECASE
    )
    pages = list((ROOT / "appliance" / "booth").rglob("*.html"))
    assert pages
    for page in pages:
        seen = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        assert forbidden.findall(seen) == [], page.name


def heads() -> dict[str, str]:
    """The docstring of every shipped module, by path."""
    return {
        str(path.relative_to(ROOT)): ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in python_files(*SHIPPED)
    }


def test_every_head_counts_eight_stages_as_the_architecture_draws_them() -> None:
    drawn = re.findall(r"^ (\d) ([a-z]+)  +-> ", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(drawn) == 8
    stage = re.compile("|".join(rf"Stage {number} of 8: {name}\b" for number, name in drawn))
    assert [path for path, head in heads().items() if head.startswith("Stage ") and not stage.match(head)] == []


def test_every_page_that_a_head_names_is_in_the_tree() -> None:
    pages = {path.relative_to(ROOT).as_posix() for path in tracked() if path.suffix == ".md"}
    unknown = {
        f"{path}: {page}"
        for path, head in heads().items()
        for page in re.findall(r"[\w/.-]*\w\.md\b", head)
        if not any(known == page or known.endswith(f"/{page}") for known in pages)
    }
    assert unknown == set()


def test_every_attack_in_the_table_is_a_test_and_every_file_of_attacks_is_in_it() -> None:
    table = (ROOT / "tests" / "attacks" / "README.md").read_text(encoding="utf-8")
    sources = {path.name: path.read_text(encoding="utf-8") for path in python_files("tests")}
    named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", table)
    assert [f"{file}::{test}" for file, test in named if f"def {test}" not in sources.get(file, "")] == []
    files = {path.name for path in (ROOT / "tests" / "attacks").glob("test_*.py")}
    assert files - {file for file, _ in named} == set()
    tests = {name for file in files for name in re.findall(r"(?m)^def (test_\w+)", sources[file])}
    whole = {file for file, test in named if not test}
    assert {
        name
        for name in tests - {test for _, test in named}
        if not any(f"def {name}(" in sources[file] for file in whole)
    } == set()
