"""appliance/at_rest.py: secrets in sealed files, by the bytes that its page promises, and how an open box is sealed."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from appliance.at_rest import OPEN, AtRest, in_memory, key_of, sealed
from appliance.errors import Untrusted
from drivers.api import DeviceError

KEY = bytes(range(32))
SECRET = b"a synthetic secret"


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA256())
    mac.update(message)
    return mac.finalize()


def opened_by_hand(content: bytes, key: bytes, name: bytes) -> bytes:
    """As the module's page has it, with HKDF written out (RFC 5869 §2)."""
    assert content[:16] == b"landlink-sealed1"
    derived = hmac_sha256(hmac_sha256(content[16:48], key), b"landlink.example/at-rest/v1\0" + name + b"\1")
    return ChaCha20Poly1305(derived).decrypt(bytes(12), content[48:], None)


def test_a_sealed_file_is_what_its_page_says() -> None:
    assert opened_by_hand(AtRest(KEY).seal("log.key", SECRET), KEY, b"log.key") == SECRET


def test_each_writing_has_a_salt_of_its_own() -> None:
    assert AtRest(KEY).seal("log.key", SECRET) != AtRest(KEY).seal("log.key", SECRET)


@given(secret=st.binary(max_size=200), name=st.text(min_size=1, max_size=20))
def test_what_is_sealed_opens_again(secret: bytes, name: str) -> None:
    assert AtRest(KEY).open(name, AtRest(KEY).seal(name, secret)) == secret


@given(place=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_any_flipped_bit_is_noticed(place: int, bit: int) -> None:
    content = bytearray(AtRest(KEY, plain=False).seal("log.key", SECRET))
    content[place % len(content)] ^= 1 << bit
    with pytest.raises(Untrusted):
        AtRest(KEY, plain=False).open("log.key", bytes(content))


@given(length=st.integers(min_value=0, max_value=81))
def test_a_torn_file_does_not_open(length: int) -> None:
    content = AtRest(KEY, plain=False).seal("log.key", SECRET)
    with pytest.raises(Untrusted):
        AtRest(KEY, plain=False).open("log.key", content[:length])


@pytest.mark.parametrize(("key", "name"), [(bytes(32), "log.key"), (KEY, "age.identity")])
def test_another_boxs_file_and_one_under_another_name_do_not_open(key: bytes, name: str) -> None:
    with pytest.raises(Untrusted, match="does not open"):
        AtRest(key).open(name, AtRest(KEY).seal("log.key", SECRET))


def test_a_sealed_file_without_its_key_is_refused_and_says_why() -> None:
    with pytest.raises(Untrusted, match="its sealing key was not given"):
        OPEN.open("log.key", AtRest(KEY).seal("log.key", SECRET))


def test_a_box_without_a_key_keeps_its_secrets_as_they_were(tmp_path: Path) -> None:
    OPEN.write(tmp_path / "log.key", SECRET)
    assert (tmp_path / "log.key").read_bytes() == SECRET
    assert (tmp_path / "log.key").stat().st_mode & 0o777 == 0o600
    assert OPEN.read(tmp_path / "log.key", 100) == SECRET


def test_no_key_stands_in_a_trace() -> None:
    assert repr(AtRest(KEY)) == "AtRest(sealed)"
    assert repr(OPEN) == "AtRest(open)"


# --- sealing a box that lay open --------------------------------------------------------------------------------------


def box(folder: Path) -> tuple[list[Path], Path]:
    files = [folder / "age.identity", folder / "held-keys", folder / "missing"]
    for path in (*files[:2], folder / "log.key"):
        path.write_bytes(path.name.encode())
    return files, folder / "log.key"


def test_what_lay_open_is_sealed_at_the_first_start_with_a_key(tmp_path: Path) -> None:
    files, last = box(tmp_path)
    at_rest = sealed(KEY, files, last)
    for path in (*files[:2], last):
        assert opened_by_hand(path.read_bytes(), KEY, path.name.encode()) == path.name.encode()
        assert at_rest.read(path, 100) == path.name.encode()
    assert not files[2].exists()


def test_a_power_cut_between_two_files_is_mended_at_the_next_start(tmp_path: Path) -> None:
    files, last = box(tmp_path)
    AtRest(KEY).write(files[0], files[0].name.encode())
    at_rest = sealed(KEY, files, last)
    assert [at_rest.read(path, 100) for path in (*files[:2], last)] == [b"age.identity", b"held-keys", b"log.key"]


def test_an_open_file_put_into_a_sealed_box_is_not_taken(tmp_path: Path) -> None:
    """The voice key of somebody who had the card in his hands for a minute, say."""
    files, last = box(tmp_path)
    sealed(KEY, files, last)
    files[1].write_bytes(b"another's keys")
    at_rest = sealed(KEY, files, last)
    assert files[1].read_bytes() == b"another's keys"
    with pytest.raises(Untrusted, match="lies open beside keys that are sealed"):
        at_rest.read(files[1], 100)


def test_an_open_last_file_that_is_not_this_boxs_is_not_sealed(tmp_path: Path) -> None:
    files, last = box(tmp_path)

    def check(content: bytes) -> None:
        assert content == b"log.key"
        raise Untrusted("not certified")

    with pytest.raises(Untrusted, match="not certified"):
        sealed(KEY, files, last, check)
    assert [path.read_bytes() for path in (*files[:2], last)] == [b"age.identity", b"held-keys", b"log.key"]


def test_without_a_key_nothing_is_sealed(tmp_path: Path) -> None:
    files, last = box(tmp_path)
    assert sealed(None, files, last) == OPEN
    assert last.read_bytes() == b"log.key"


# --- the key in a token -----------------------------------------------------------------------------------------------


class Xor:
    """A token for the arithmetic alone."""

    def seal(self, secret: bytes) -> bytes:
        return bytes(byte ^ 0x5A for byte in secret)

    def open(self, sealed_key: bytes) -> bytes:
        if len(sealed_key) != 32:
            raise DeviceError("not one of mine")
        return self.seal(sealed_key)


def test_the_sealing_key_is_made_once_and_lies_sealed_to_the_token(tmp_path: Path) -> None:
    path = tmp_path / "sealing.token"
    with pytest.raises(Untrusted, match=r"sealing\.token is missing"):
        key_of(Xor(), path)
    key = key_of(Xor(), path, make=True)
    assert len(key) == 32
    assert path.read_bytes() == Xor().seal(key)
    assert key_of(Xor(), path, make=True) == key_of(Xor(), path) == key


def test_a_secret_for_a_library_that_takes_files_never_comes_to_a_disk() -> None:
    with in_memory(SECRET) as name:
        assert Path(name).read_bytes() == SECRET
        assert Path(name).readlink().parts[1].startswith("memfd:")
    assert not Path(name).exists()
