"""`python -m tests.benchmarks NAME...`: a name that is none is said so before hours go by, and measures nothing."""

import pytest

from tests.benchmarks.__main__ import NAMES, main


def test_a_name_that_is_none_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["leaves", "leafs"])
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert all(name in said.err for name in ("leafs", *NAMES))


def test_help_names_every_benchmark_and_runs_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(name in said for name in NAMES)
    assert "==" not in said
