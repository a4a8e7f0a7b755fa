"""A post whose log the test writes, a real collector that it delivers to, and the real commands of its auditor."""

import subprocess
from pathlib import Path

from appliance.formats.upload import LogUpload
from appliance.model import Origin
from appliance.uplink.collector import Collector, Cosigned
from appliance.uplink.link import Link, tls_context
from tests.collector_bed import HOST, SERIALS, batch_item
from tests.delivery_post import BIN, Box, Headquarters


class Post:
    """A box, its way to the collector, and its auditor."""

    def __init__(self, folder: Path, headquarters: Headquarters) -> None:
        self.headquarters = headquarters
        self.box = Box(folder / "box", headquarters, next(SERIALS))
        self.sent = 0

    def deliver(self, *bodies: int) -> bytes:
        """Bring the log as it is, and these bodies; the cosigned checkpoint."""
        link = Link(HOST, self.headquarters.port, tls_context(self.box.state / "uplink"), rate_bytes_per_s=1e6)
        client = Collector(link, Origin(self.box.origin))
        answer = client.send_log(
            LogUpload(
                from_index=self.sent, leaves=tuple(self.box.log.leaves[self.sent :]), checkpoint=self.box.log.note()
            )
        )
        assert isinstance(answer, Cosigned)
        self.sent = self.box.log.edge.size
        if bodies:
            assert {result.status for result in client.send_batch([batch_item(self.box, leaf) for leaf in bodies])} == {
                200
            }
        link.close()
        return answer.note

    def audit(self, verb: str, *arguments: object) -> tuple[int, str]:
        """Run one of the auditor's commands for this box; exit code and everything that it wrote."""
        command = [BIN / "landlink-hq", "--home", self.headquarters.home_folder, verb, "--box", self.box.serial]
        done = subprocess.run(
            [*command, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def pulled(self) -> Path:
        return self.headquarters.home.pulled_log(self.box.origin)
