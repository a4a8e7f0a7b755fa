"""The collector put together from headquarters' home and served: TLS 1.3, both certificates, bounded everywhere."""

import socket
import ssl
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from appliance.errors import ConfigError, LandlinkError
from appliance.files import storage
from appliance.formats.note import Ed25519Cosigner, MlDsa44Cosigner
from appliance.formats.release import COSIGN_ED25519, RECEIPTS
from appliance.last_words import keep_texts_out_of_the_journal
from provisioning.authority.home import Home
from provisioning.authority.keys import cosigner_name
from provisioning.authority.role_keys import mldsa44_role_key, role_key
from provisioning.collector.app import build
from provisioning.collector.arrivals import Server, connections_max
from provisioning.collector.bodies import PREFIX
from provisioning.collector.deposit import Deposit
from provisioning.collector.down import Down
from provisioning.collector.ledger import Ledger
from provisioning.collector.logs import FOLDER, Cosigners
from provisioning.collector.peers import Peers
from provisioning.collector.receipts import read_opened_through, signer
from provisioning.collector.requests import Requests
from provisioning.command import now_ms

KEEP_ALIVE_S: Final = 75
"""An idle connection stays for several rounds of a box's mirror."""
SHUTDOWN_S: Final = 3


def collect(home: Home, data: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        home: Headquarters' folder.
        data: The collector's own folder, made when it is not there.
        host: Address to listen at.
        port: 0 for any free one.

    Raises:
        ConfigError: Keys, certificates, roster or address cannot be used.
        StorageFault, StorageFull: Storage failed, and the process ends; recovery decides what holds.
    """
    keep_texts_out_of_the_journal()
    context = _tls(home)
    with storage(f"{data}"):
        for folder in (FOLDER, PREFIX):  # served from the first moment: empty before the first box has delivered
            (data / folder).mkdir(parents=True, exist_ok=True)
    peers = Peers(home)
    ledger = Ledger(data / "ledger.db")
    failures: list[LandlinkError] = []
    try:
        deposit = _deposit(home, data, ledger)
        listening = _listen(host, port)

        def failed(error: LandlinkError) -> None:
            failures.append(error)
            server.should_exit = True

        application = build(
            Requests(deposit, data, Down(home.down)),
            peers,
            ledger=ledger,
            data=data,
            tuf=home.tuf,
            connected=lambda: len(server.server_state.connections),
            failed=failed,
        )
        room = connections_max()
        server = Server(_bounds(application, room), context, room)
        address, bound = listening.getsockname()[:2]
        print(f"collector: listening on {address}:{bound}", flush=True)
        server.run(sockets=[listening])
    finally:
        ledger.close()
    if failures:
        raise failures[0]


def _bounds(application: ASGIApp, room: int) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="uvloop",
        ws="none",
        lifespan="off",
        limit_concurrency=2 * room,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
    )


def _deposit(home: Home, data: Path, ledger: Ledger) -> Deposit:
    ed25519, mldsa44 = role_key(home, COSIGN_ED25519), mldsa44_role_key(home)
    name = cosigner_name(home.settings.domain)
    cosigners = Cosigners(
        ed25519=lambda at_s: Ed25519Cosigner(name, ed25519, at_s=at_s),
        mldsa44=lambda at_s: MlDsa44Cosigner(name, mldsa44, at_s=at_s),
    )
    sign = signer(role_key(home, RECEIPTS), lambda origin: read_opened_through(home, origin))
    return Deposit(data, ledger, mode=home.settings.mode, cosigners=cosigners, sign=sign, now_ms=now_ms)


def _tls(home: Home) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(home.ca / "collector.crt", home.ca / "collector.key")
        context.load_verify_locations(home.ca / "ca.crt")
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{home.ca}: {error.strerror or type(error).__name__}") from None
    return context


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=1_024)
    except OSError as error:
        raise ConfigError(f"--listen {host}:{port}: {error.strerror or type(error).__name__}") from None
