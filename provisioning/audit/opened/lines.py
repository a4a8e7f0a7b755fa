"""Read the file that `landlink-hq open` wrote, line by line, as long as it may be."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appliance.command import named
from appliance.errors import Malformed
from provisioning.audit.progress import Advance

LINE_BYTES_MAX: Final = 4_194_304
"""A record has 256 KiB at most, its JSON a few times that."""


def opened_lines(path: Path, advance: Advance) -> Iterator[tuple[str, bytes]]:
    """Each line that is not empty, with its name for messages (`opened.jsonl line 3`).

    Raises:
        NoInput: There is no such file, or it cannot be read.
        Malformed: A line is longer than LINE_BYTES_MAX.
    """
    with contextlib.ExitStack() as stack:
        with named(path):
            file = stack.enter_context(path.open("rb"))
            size = os.fstat(file.fileno()).st_size
        for number in itertools.count(1):
            with named(path):
                line = file.readline(LINE_BYTES_MAX + 1)
            if not line:
                return
            what = f"{path.name} line {number}"
            if len(line) > LINE_BYTES_MAX:
                raise Malformed(what, f"more than {LINE_BYTES_MAX} bytes")
            if line.strip():
                yield what, line
            advance("bytes", file.tell(), size)
