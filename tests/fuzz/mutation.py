"""Blind changes to a seed: what atheris does better, good enough for every run of the tests."""

import random
from typing import Final

TOKENS: Final = (
    b"\x00",
    b"\x1a",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r\n",
    b'"',
    b";",
    b",",
    b"-0-",
    b"null",
    b"[]",
    b"{}",
    b"\\ud800",
    b"\\u0000",
    b"\xed\xa0\x80",
    b"1e999",
    b"9" * 40,
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"&#0;",
    b"&lt;",
    b"<![CDATA[",
    b"]]>",
    b"-->",
    b"A" * 300,
    "\u202eÅ\u0301".encode(),
)


def mutate(seed: bytes, chance: random.Random) -> bytes:
    """The seed with one to eight pieces cut, doubled, flipped, moved or replaced by a token."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 8)):
        place = chance.randint(0, len(data))
        length = chance.choice((1, 2, 8, 64, 1024))
        match chance.randrange(5):
            case 0:
                del data[place : place + length]
            case 1:
                data[place:place] = data[place : place + length]
            case 2 if place < len(data):
                data[place] ^= 1 << chance.randrange(8)
            case 3:
                source = chance.randint(0, len(data))
                data[place : place + length] = data[source : source + length]
            case _:
                data[place:place] = chance.choice(TOKENS)
    return bytes(data)
