"""What an auditor saw who looked at the box after every single operation of its disk, and forgot nothing.

Nobody has seen more than this: the collector, a pull and a stick read the same files, less often.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from appliance.errors import Malformed
from appliance.formats.checkpoint import Checkpoint, parse_checkpoint
from tests.crash.trace import Operation

BODY: Final = re.compile(r"([0-9]+)\.[0-3]\.age")


@dataclass
class Witness:
    """Reads a trace from its beginning.

    Attributes:
        checkpoints: Each signed tree that was at `log/checkpoint`, and the operation that put it there.
        gone: Bodies that were removed, by index, and the operation that did.
        back: Bodies that were there again afterwards, and the operation that put them there.
    """

    checkpoints: list[tuple[int, Checkpoint]] = field(default_factory=list)
    gone: dict[int, int] = field(default_factory=dict)
    back: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, operations: Sequence[Operation], begins: int) -> "Witness":
        """What was to be seen from operation `begins` on."""
        seen, written = cls(), dict[int, bytes]()
        for number, operation in enumerate(operations):
            match operation.kind:
                case "create":
                    written[operation.inode] = b""
                case "write" if operation.inode in written and len(written[operation.inode]) < 16_384:
                    written[operation.inode] += operation.data
                case "rename" if number >= begins and operation.new_name == "checkpoint":
                    seen.checkpoints.append((number, checkpoint_of(written[operation.inode])))
                case "unlink" if number >= begins and (named := BODY.fullmatch(operation.name)):
                    seen.gone.setdefault(int(named[1]), number)
                case "rename" if (named := BODY.fullmatch(operation.new_name)) and int(named[1]) in seen.gone:
                    seen.back[int(named[1])] = number
                case _:
                    pass
        return seen


def checkpoint_of(note: bytes) -> Checkpoint:
    """What a note says, whoever signed it."""
    text, _, signatures = note.decode().partition("\n\n")
    if not signatures:
        raise Malformed("checkpoint", "nobody signed it")
    return parse_checkpoint(f"{text}\n")
