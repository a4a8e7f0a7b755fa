"""Two thousand correct documents of sixty issuers, two thousand with a planted fault, from a generator of its own."""

import ast
import random
import sys
from pathlib import Path

from tests.document_generator import FAULTS, ISSUERS, correct, write
from tests.generated_documents import examine_correct, examine_faults, is_named

ROOT = Path(__file__).parents[2]


def test_the_generator_shares_no_code_and_no_data_file_with_the_checker() -> None:
    source = (ROOT / "tests" / "document_generator.py").read_text(encoding="utf-8")
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported == {"random", "collections.abc", "dataclasses", "datetime", "typing"}
    assert not any(word in source for word in ("open(", "read_text", "read_bytes"))


def test_no_finding_of_two_thousand_correct_documents_of_sixty_issuers_fails_and_95_percent_pass() -> None:
    result = examine_correct(2_000, seed=5)
    assert len({issuer for issuer, _, _ in ISSUERS}) == 60
    assert (result.documents, len(result.issuers)) == (2_000, 60)
    assert result.failed == []
    assert result.passed >= 0.95, result.noticed


def test_each_kind_of_planted_fault_is_named_in_each_of_two_thousand_documents() -> None:
    of_each_kind = -(-2_000 // len(FAULTS))
    table = list(examine_faults(of_each_kind, seed=6))
    # Seen with pytest -s; the benchmark `examine` prints it for 2,000 of each kind.
    sys.stdout.write(
        "\nkind, found, missed\n" + "".join(f"{kind}, {found}, {missed}\n" for kind, found, missed in table)
    )
    assert [row for row in table if row[2]] == []


def test_a_correct_document_has_none_of_the_kinds_so_the_table_can_miss() -> None:
    chance = random.Random(9)
    documents = [write(correct(chance)) for _ in range(40)]
    assert [fault.kind for fault in FAULTS for lines in documents if is_named(fault, lines)] == []
