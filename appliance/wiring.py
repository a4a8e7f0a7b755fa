"""Configuration becomes processes and commands: where each is put together."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.clock import Grade
from appliance.config import Config

if TYPE_CHECKING:
    from appliance.enrol.seal import WithKey


def recorder(config: Config, *, config_sha256: str) -> None:
    """Record until told to stop; before enrolment and before the first release it says so, and refuses.

    Args:
        config: The box's.
        config_sha256: Of box.toml, hexadecimal: the log says when it is another one.

    Raises:
        StorageFault: The card; the supervisor starts the process again, and recovery decides what holds.
    """
    from appliance.clock import SystemClock
    from appliance.key_wiring import signing_of, token_of
    from appliance.record.headquarters import Headquarters, ProvenTime
    from appliance.record.places import Places
    from appliance.record.service import Service, Setting
    from appliance.record.sockets import Role
    from appliance.shelf import Shelf

    places, proven = Places(config.state, config.runtime), ProvenTime()
    clock = SystemClock(grade=_clock_grade, lower_bound_ms=lambda: proven.at_ms)
    token = token_of(config)
    setting = Setting(
        places=places,
        mode=config.box.mode,
        signing=lambda: signing_of(config, places, clock, token),
        headquarters=Headquarters(Shelf(places.releases), proven),
        uids={
            Role.BOOTH: config.recorder.booth_uid,
            Role.UPLINK: config.recorder.uplink_uid,
            Role.RELEASES: config.recorder.releases_uid,
            **({} if config.recorder.audit_uid is None else {Role.AUDIT: config.recorder.audit_uid}),
        },
        hold_after_ack_h=config.recorder.hold_after_ack_h,
        picture_reserve_share=config.recorder.picture_reserve_share,
        config_sha256=config_sha256,
    )
    Service(setting).run()


def _clock_grade() -> Grade:
    """Who vouches for the kernel's clock: a synchronised network time, a battery-backed clock, or nobody."""
    if Path("/run/systemd/timesync/synchronized").exists():
        return Grade.NETWORK
    try:
        set_by_rtc = Path("/sys/class/rtc/rtc0/hctosys").read_text(encoding="ascii").strip() == "1"
    except OSError:
        return Grade.NONE
    return Grade.RTC if set_by_rtc else Grade.NONE


def booth(config: Config) -> None:
    """Work the lane and serve the officer's page until told to stop; a camera that does not start is shown, no more.

    Raises:
        ConfigError: The page's address cannot be used.
        DeviceFault: There are no lamps to show a result with.
    """
    from appliance.booth.lists_on_hand import KEYS_PATIENCE_S, ListsOnHand
    from appliance.booth.serve import Hardware, run
    from appliance.clock import SystemClock
    from appliance.errors import DeviceFault
    from appliance.hardware_wiring import camera_of, eyes, panel_of, scanner_of, sight
    from appliance.line import RecorderLine, list_keys
    from appliance.shelf import Shelf
    from drivers.api import DeviceError

    keys_line = RecorderLine(config.runtime / "booth.sock", timeout_s=KEYS_PATIENCE_S)
    lists = ListsOnHand(Shelf(config.state / "releases"), lambda: list_keys(keys_line))
    clock = SystemClock(grade=_clock_grade, lower_bound_ms=lambda: lists.current.signed_ms)
    try:
        panel = panel_of(config)
    except DeviceError as error:
        raise DeviceFault(f"lamps: {error}") from error
    if config.post.profile == "carrier":
        from appliance.booth.carrier_serve import run_carrier

        run_carrier(config, scanner_of(config), panel, clock=clock, lists=lists)
        return
    camera, camera_why = None, ""
    try:
        camera = camera_of(config)
    except DeviceError as error:
        camera_why = str(error)
    scanner = None if config.scanner.dialect == "none" else scanner_of(config)
    hardware = Hardware(scanner=scanner, panel=panel, camera=camera, camera_why=camera_why, sight=sight(), eyes=eyes())
    run(config, hardware, clock=clock, lists=lists)


def releases(config: Config) -> None:
    """Verify headquarters' releases and switch to them until told to stop.

    Raises:
        StorageFault, StorageFull: The card; the supervisor starts the process again.
    """
    from appliance.releases.process import run

    run(config)


def uplink(config: Config) -> None:
    """Deliver records and mirror releases until told to stop.

    Raises:
        ConfigError: The box has not been enrolled.
        StorageFault, StorageFull: The card; the supervisor starts the process again.
    """
    from appliance.credentials import UPLINK
    from appliance.enrol.places import EnrolmentPlaces
    from appliance.key_wiring import at_rest_of
    from appliance.uplink.assembly import run

    run(config, at_rest_of(UPLINK, EnrolmentPlaces(config.state).tls_key))


def audit(config: Config) -> None:
    """Serve the log and the sealed bodies to headquarters' auditor until told to stop.

    Raises:
        ConfigError: The box has not been enrolled for it, or cannot listen where box.toml says.
    """
    from appliance.at_rest import AtRest
    from appliance.audit.process import run
    from appliance.credentials import AUDIT, credential

    run(config, AtRest(credential(AUDIT, os.environ)))  # it writes nothing, so root seals its key


def export(config: Config, *, stick: Path, since: int, everything: bool) -> str:
    """Write the log and sealed bodies onto a stick for headquarters; returns what to tell the technician.

    Raises:
        LandlinkError: As `appliance.audit.export.export`.
    """
    from rich.console import Console
    from rich.progress import Progress

    from appliance.audit.export import export

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, redirect_stdout=False) as progress:
        bar = progress.add_task("", total=None)

        def advance(what: str, done: int, total: int) -> None:
            progress.update(bar, description=what, completed=done, total=total)

        sent = export(config, stick, advance, since=since, everything=everything)
    gone = f"; {sent.gone} more are at headquarters by now" if sent.gone else ""
    words = (
        f"The stick in {stick} carries {sent.entries} entries and {sent.bodies} sealed bodies{gone}.\n"
        f"{sent.written} files ({sent.written_bytes / 1_000_000:.1f} MB) are new on it; all was read back.\n"
        f"Next: unmount it, carry it to headquarters, and there: landlink-hq pull {stick}"
    )
    if stick.stat().st_dev == config.state.stat().st_dev:
        words += f"\nBut {stick} lies on this box's own disk: is the stick mounted elsewhere?"
    return words


def seal(config: Config, *, with_key: "WithKey", pin: Path | None, out: Path | None) -> str:
    """Make this box's sealing keys and keep the token's PIN in the file `pin`; returns what to tell the technician.

    With `out` they are kept in that folder, from which nothing here reads them, and nothing is sealed under them.
    """
    import sys

    from appliance.command import named
    from appliance.credentials import PIN, STORE
    from appliance.enrol.places import EnrolmentPlaces
    from appliance.enrol.seal import PIN_BYTES_MAX, seal_audit, seal_box
    from appliance.files import read_regular

    given = None
    if pin is not None:
        with named(pin):
            given = sys.stdin.buffer.read(PIN_BYTES_MAX + 1) if pin == Path("-") else read_regular(pin, PIN_BYTES_MAX)
    store = STORE if out is None else out
    seal_box(store, with_key=with_key, pin=given, in_use=STORE)
    words = f"The sealing keys of this box lie in {store}, encrypted with the key: {with_key}.\n"
    if out is not None:
        return f"{words}Nothing on this box was sealed. Next: copy them to {STORE}, where systemd alone looks for them"
    seal_audit(EnrolmentPlaces(config.state).audit_key, STORE)
    if with_key == "host":
        words += "That key lies on this card too: a thief of the card has both. With a TPM use --with-key tpm2.\n"
    if config.keys.provider == "pkcs11" and not (STORE / PIN).exists():
        return words + "Next: landlink-box seal --pin FILE, since box.toml names a token"
    return words + "Next: landlink-box request --out FILE; on a box that runs: systemctl restart landlink.target"


def request(config: Config, *, out: Path) -> str:
    """Write the enrolment request to `out`; returns what to tell the technician."""
    from appliance.enrol.places import EnrolmentPlaces
    from appliance.enrol.request import make_request
    from appliance.errors import DeviceFault
    from appliance.files import write_durably
    from appliance.formats.enrolment import fingerprint
    from appliance.key_wiring import identity_for_enrolment, sealing_of, token_of
    from appliance.record.places import Places
    from drivers.api import DeviceError

    places, token = EnrolmentPlaces(config.state), token_of(config)
    recorder_places = Places(config.state, config.runtime)

    try:
        signed = make_request(
            config,
            lambda: identity_for_enrolment(places, token),
            lambda: sealing_of(places, token, recorder_places),
        )
    except DeviceError as error:
        raise DeviceFault(str(error)) from None
    write_durably(out, signed, mode=0o644)
    return (
        f"The request of box {config.box.serial} is in {out}.\n"
        f"Fingerprint of the request: {fingerprint(signed)}\n"
        "Next: carry the file to headquarters (landlink-hq issue) and compare the fingerprint there; "
        "then here: landlink-box accept ANSWER"
    )


def accept(config: Config, *, answer: Path) -> str:
    """Verify headquarters' answer in the folder `answer` and install it; returns what to tell the technician."""
    from appliance.credentials import AUDIT, UPLINK
    from appliance.enrol.accept import accept_answer
    from appliance.enrol.places import EnrolmentPlaces, Sealing
    from appliance.formats.enrolment import fingerprint
    from appliance.key_wiring import at_rest_of

    places = EnrolmentPlaces(config.state)
    sealing = Sealing(uplink=at_rest_of(UPLINK, places.tls_key), audit=at_rest_of(AUDIT, places.audit_key))
    accepted = accept_answer(config, answer, sealing)
    return (
        f"Box {accepted.serial} is enrolled with {config.box.domain}.\n"
        f"Fingerprint of headquarters: {fingerprint(accepted.root)}\n"
        "Compare it with the one that headquarters printed; if it differs, do not use this box.\n"
        "Next: systemctl start landlink.target; then landlink-box status"
    )


def status(config: Config, *, as_json: bool) -> tuple[str, bool]:
    """What each process last said of itself, in words or as JSON; and whether nobody has to look into anything."""
    import time

    from appliance import overview

    found = overview.look(config, now_ms=time.time_ns() // 1_000_000)
    return overview.as_json(found) if as_json else overview.in_words(found), overview.well(found)


def disk(config: Config) -> str:
    """What takes how much of this box's disk, and how long there is room at this rate."""
    import time

    from appliance.overview import disk_in_words

    return disk_in_words(config, now_s=time.time())


def check_scanner(config: Config, *, port: str, listen_s: float, tell: Callable[[str], None]) -> bool:
    """Find out which dialect the scanner at `port` ("": the configured one) speaks; whether box.toml says the same.

    Raises:
        Misuse: Neither the command nor box.toml names a port.
        DeviceFault: Nothing is there, another process holds it, or nothing that we know answered.
    """
    from appliance.errors import DeviceFault, Misuse
    from appliance.scan.check import NO_PORT, agrees, in_words, why_not
    from drivers.api import DeviceError
    from drivers.probe import probe

    named = port or config.scanner.port
    if named is None:
        raise Misuse(NO_PORT)
    path = Path(named)
    try:
        found = probe(path, baud=config.scanner.baud, listen_s=listen_s, tell=tell)
    except DeviceError as error:
        raise DeviceFault(why_not(path, str(error))) from None
    tell(in_words(found, path, config.scanner))
    return agrees(found, path, config.scanner)
