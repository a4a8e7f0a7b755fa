"""The uplink put together from the configuration, and run."""

import logging
import random
import threading
from pathlib import Path

from appliance.at_rest import AtRest
from appliance.config import Config
from appliance.model import Origin
from appliance.uplink.backoff import Backoff
from appliance.uplink.bodies import Bodies
from appliance.uplink.carried import Carried, Places
from appliance.uplink.collector import Collector
from appliance.uplink.contact import Contact
from appliance.uplink.courier import Courier
from appliance.uplink.fetching import Fetching
from appliance.uplink.handover import Handover
from appliance.uplink.index import Index
from appliance.uplink.link import Link, tls_context
from appliance.uplink.messages import Messages
from appliance.uplink.mirror import Mirror
from appliance.uplink.process import Delivery, keep_carried, keep_mirror
from appliance.uplink.published import PublishedLog


def run(config: Config, at_rest: AtRest) -> None:
    """Deliver and mirror until SIGTERM, which ends the process at once and wherever it is: nothing is lost by that.

    No handler is set on purpose. One that raises can be swallowed (in a finaliser, say), and the process would go on.

    Args:
        config: Which collector, and where things lie.
        at_rest: How the TLS key lies in its file.

    Raises:
        ConfigError: The box has not been enrolled.
        Untrusted: The TLS key does not open.
        StorageFault, StorageFull: The card; the supervisor starts the process again.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    state = config.state
    context = tls_context(state / "uplink", at_rest)
    log = PublishedLog(state / "log", state / "log.vkey")
    contact = Contact(config.runtime / "uplink.status")
    handover = Handover(config.runtime / "uplink.sock")

    def new_link() -> Link:
        far = config.uplink
        return Link(far.host, far.port, context, rate_bytes_per_s=far.rate_bytes_per_s)

    link = new_link()

    def courier_of(origin: Origin) -> Courier:
        index = Index(state / "uplink" / "index.db", origin)
        collector = Collector(link, origin)
        bodies = Bodies(state / "bodies")
        return Courier(origin, log=log, bodies=bodies, index=index, collector=collector, handover=handover)

    messages = Messages(state / "uplink" / "messages", Handover(config.runtime / "uplink.sock"), contact)

    def mirror() -> None:
        keep_mirror(Mirror(new_link(), state / "mirror"), contact, Backoff(random.random))

    def carried() -> None:
        keep_carried(Carried(_places(config), messages, contact))

    companions = [
        threading.Thread(target=target, name=name, daemon=True)
        for name, target in (("the mirror", mirror), ("the look at what is carried here", carried))
    ]
    for companion in companions:
        companion.start()
    logging.getLogger("landlink.uplink").info("uplink: delivering to %s:%d", config.uplink.host, config.uplink.port)
    Delivery(log, courier_of, Fetching(link, messages), contact, Backoff(random.random)).run(*companions)


def _places(config: Config) -> Places:
    return Places(state=config.state, stick=Path(config.uplink.stick), serial=config.box.serial)
