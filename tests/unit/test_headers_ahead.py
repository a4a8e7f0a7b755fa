"""Headers of sealed bodies that are made ahead: each for one body, for these recipients, and not for long."""

import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from appliance.formats.age import Prepared, decrypt
from appliance.formats.age_header import parse_header
from appliance.formats.record import commitment, unpad
from appliance.formats.release import Recipients
from appliance.record.seal import PREPARED_MAX, PREPARED_S, Seal
from tests.formats_samples import ESCROW, GENERAL

RECORD = b"what an officer has seen"


def seal_at(clock: Callable[[], float] = lambda: 0.0) -> Seal:
    general, escrow = (identity.recipient.encode() for identity in (GENERAL, ESCROW))
    return Seal(Recipients(version=1, general=general, escrow=escrow, protection=general), clock)


def filled(seal: Seal) -> Seal:
    while seal.wanted:
        seal.prepare()
    return seal


def opened(blob: bytes) -> set[bytes]:
    return {unpad(decrypt(blob, identity, plaintext_bytes_max=10_000)) for identity in (GENERAL, ESCROW)}


def test_what_is_sealed_under_a_header_made_ahead_opens_as_any_other() -> None:
    seal = filled(seal_at())
    assert opened(seal.seal(RECORD, commitment(RECORD)).blob) == {RECORD}
    assert seal.wanted, "it was used up"


def test_no_header_serves_twice_whether_made_ahead_or_not() -> None:
    seal = filled(seal_at())
    blobs = [seal.seal(RECORD, commitment(RECORD)).blob for _ in range(2 * PREPARED_MAX)]
    headers = [parse_header(blob) for blob in blobs]
    assert len({header.mac for header in headers}) == 2 * PREPARED_MAX
    assert len({stanza.body for header in headers for stanza in header.stanzas}) == 4 * PREPARED_MAX
    assert len({blob[header.payload_offset :] for blob, header in zip(blobs, headers, strict=True)}) == len(blobs)
    assert all(opened(blob) == {RECORD} for blob in blobs)


def test_headers_are_forgotten_after_a_minute_and_not_before() -> None:
    now = [0.0]
    seal = filled(seal_at(lambda: now[0]))
    now[0] = PREPARED_S - 1
    seal.forget()
    assert not seal.wanted
    now[0] = PREPARED_S
    seal.forget()
    for _ in range(PREPARED_MAX):
        assert seal.wanted
        seal.prepare()
    assert not seal.wanted


def test_a_header_that_is_too_old_seals_nothing_though_nobody_has_come_to_forget_it() -> None:
    now = [0.0]
    seal = filled(seal_at(lambda: now[0]))
    now[0] = PREPARED_S
    assert opened(seal.seal(RECORD, commitment(RECORD)).blob) == {RECORD}
    for _ in range(PREPARED_MAX):
        assert seal.wanted, "none of them is left"
        seal.prepare()
    assert not seal.wanted


def test_with_a_new_release_all_of_them_are_forgotten() -> None:
    seal = filled(seal_at())
    seal.forget(older_than_s=0)
    assert seal.wanted
    assert opened(seal.seal(RECORD, commitment(RECORD)).blob) == {RECORD}


def test_a_file_key_seals_one_file_and_a_forgotten_one_none() -> None:
    used, forgotten = (Prepared([GENERAL.recipient]) for _ in range(2))
    blob = used.seal(RECORD)
    assert decrypt(blob, GENERAL, plaintext_bytes_max=100) == RECORD
    forgotten.forget()
    for prepared in (used, forgotten):
        with pytest.raises(AssertionError, match="seals one file"):
            prepared.seal(RECORD)


def test_a_file_key_is_not_kept_and_a_payloads_key_goes_with_its_use() -> None:
    drawn: list[bytes] = []

    def entropy(count: int) -> bytes:
        drawn.append(os.urandom(count))
        return drawn[-1]

    prepared = Prepared([GENERAL.recipient], entropy)
    kept = vars(prepared).values()
    assert not any(drawn[0] in value for value in kept if isinstance(value, bytes | bytearray))
    assert any(isinstance(value, ChaCha20Poly1305) for value in kept)
    blob = prepared.seal(RECORD)
    assert not any(isinstance(value, ChaCha20Poly1305) for value in vars(prepared).values())
    assert decrypt(blob, GENERAL, plaintext_bytes_max=100) == RECORD
