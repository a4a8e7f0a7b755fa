"""A recorder that has recorded something, and then has lost what it signed: what comes after is tested."""

from appliance.formats.checkpoint import Checkpoint, sign_checkpoint
from appliance.formats.note import LogSigner
from appliance.formats.receipt import LogReceipt
from appliance.record.keys import read_log_key
from appliance.recorded import Picture
from tests.scenarios.recorder_bed import ORIGIN, Bed, append, append_long, record, recorded


def kept(box: Bed) -> list[LogReceipt]:
    """A record, a long picture and a record, and the recorder killed at once: the journal alone has most of it."""
    process, line = box.start(), box.line()
    first = recorded(line, append(record()), box.verifier)
    long = append_long(line, record(Picture(of=f"{3:032x}", media_type="image/jpeg", content=bytes(90_000))))
    last = recorded(line, append(record()), box.verifier)
    process.kill()
    process.wait()
    return [first, long, last]


def lose(box: Bed, origin: str = ORIGIN) -> None:
    """Headquarters has cosigned more of this log than the card has."""
    signer = LogSigner(origin, read_log_key(box.state / "recorder" / "log.key"))
    more = Checkpoint(origin=origin, size=900, root=bytes(32))
    (box.state / "cosigned").write_bytes(sign_checkpoint(more, [signer]))
