"""The short fingerprint of a log for the paper register (README, "Fingerprint for the paper register").

An officer writes it by hand at the end of a shift, with the number of entries. It stands for the whole log up to there:
who alters or cuts the log later contradicts a page of a book that is somewhere else. Four groups of four letters and
digits, no look-alikes among them; the last is a check symbol, so a slip of the pen is told from a contradiction.
"""

import hashlib
from typing import Final

from appliance.errors import Malformed
from appliance.formats.checkpoint import Checkpoint
from appliance.formats.voice import coded, read_code, spoken

SYMBOLS: Final = 15
"""75 bits: nobody makes another log that has it."""
GROUP: Final = 4
DOMAIN: Final = b"landlink.example/fingerprint/v1\x00"


def log_fingerprint(checkpoint: Checkpoint) -> str:
    """The fingerprint of this tree: `K7Q2-M9TX-3FJH-W0C5`."""
    return _grouped(coded(hashlib.sha256(DOMAIN + checkpoint.text().encode()).digest(), SYMBOLS))


def read_fingerprint(text: str) -> str:
    """A fingerprint as `log_fingerprint` writes it, from what somebody wrote by hand.

    Raises:
        Malformed: Another length or alphabet, or the check symbol does not fit: a slip of the pen.
    """
    try:
        body = read_code(text, SYMBOLS)
    except Malformed as error:
        raise Malformed("fingerprint", f"{error.why}; it is written like K7Q2-M9TX-3FJH-W0C5") from None
    return _grouped(spoken(body).replace("-", ""))


def _grouped(code: str) -> str:
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))
