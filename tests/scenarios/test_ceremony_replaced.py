"""A signing session that replaces a key: neither that key nor the one that follows it stands in for another person."""

import argparse
from pathlib import Path

import msgspec
import pytest

from appliance.errors import Refused, Untrusted
from appliance.formats.enrolment import fingerprint
from provisioning.authority.ceremony import begin
from provisioning.authority.ceremony_verbs import add_ceremony
from provisioning.authority.home import Home
from provisioning.authority.published import Published
from provisioning.authority.session import Session, SignedBy, read_session
from provisioning.authority.signing import signer_of
from tests.scenarios.made_headquarters import NOW_MS, headquarters


def hq(home: Home, *words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path)
    add_ceremony(parser.add_subparsers())
    arguments = parser.parse_args(["--home", str(home.folder), *map(str, words)])
    return int(arguments.run(arguments))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return headquarters(tmp_path / "hq")


def replacing(home: Home, folder: Path, name: str) -> Session:
    """A session that replaces this key; the one that follows is `new.pem` beside it."""
    hq(home, "make-key", folder / "new.pem", "--public", folder / "new.pub")
    return begin(home, folder / "stick", "replace-key", name, folder / "new.pub", at_ms=NOW_MS + 1)


@pytest.mark.parametrize("name", ["root-2", "offline-2"])
def test_a_key_that_is_replaced_and_the_one_that_follows_are_told_that_they_do_not_count(
    home: Home, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = replacing(home, tmp_path, name)
    stick = tmp_path / "stick"
    for keys, words in (
        (("--key", home.key("root-1"), "--key", home.key(name)), f"{name} is replaced by this session"),
        (("--key", tmp_path / "new.pem"), f"the key that follows as {name}"),
    ):
        with pytest.raises(Refused, match=f"{words}.*nothing was signed.*root-1"):
            hq(home, "ceremony", "sign", stick, *keys, "--session", session.fingerprint)
        assert "signs:" not in capsys.readouterr().out
        assert not list((stick / "signed").iterdir())


def test_a_replaced_keys_signature_that_lies_there_all_the_same_is_refused(home: Home, tmp_path: Path) -> None:
    """As a program would write it that asks nobody: root-2, the key after it and one other person would be enough."""
    session = replacing(home, tmp_path, "root-2")
    root = fingerprint(Published(home.folder).root())
    for path in (home.key("root-2"), tmp_path / "new.pem"):
        signer = signer_of(path)
        signatures = {
            role: signer.sign(draft.signed_bytes).signature for role, draft in session.proposal.drafts.items()
        }
        lying = tmp_path / "stick" / "signed" / f"{signer.public_key.keyid}.json"
        lying.write_bytes(msgspec.json.encode(SignedBy(session=session.digest, signatures=signatures)))
        with pytest.raises(Untrusted, match="counts for nothing here"):
            read_session(tmp_path / "stick", root=root)
        lying.unlink()
