"""One `box.toml` becomes one frozen tree; unknown keys and values out of range refuse to start, by name.

Every key is documented in systemd/box.toml, the example that ships. What every post sets alike is a constant elsewhere.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from appliance.errors import ConfigError
from appliance.formats.rules import LinkClass
from appliance.model import Mode, Noun, Word
from appliance.recorded import Direction

CONFIG_BYTES_MAX: Final = 65_536

Uid = Annotated[int, Meta(ge=0, le=2**31 - 1)]
PinNumber = Annotated[int, Meta(ge=0, le=27)]
PathText = Annotated[str, Meta(min_length=1, max_length=1_024, pattern=r"\A/")]
SocketPathText = Annotated[str, Meta(min_length=1, max_length=90, pattern=r"\A/")]
"""A unix socket's address holds 107 bytes, so folders of sockets are short."""


class BoxConfig(Noun, frozen=True, kw_only=True):
    """Which box this is and where its things lie.

    Attributes:
        serial: As on the label.
        domain: Headquarters' name; the first half of every origin.
        state: Durable files.
        runtime: Sockets and status files, gone at a reboot.
    """

    serial: Annotated[str, Meta(pattern=r"\A[A-Z0-9][A-Z0-9-]{1,30}\Z")]
    domain: Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9.-]{1,62}\Z")]
    mode: Mode = Mode.LIVE
    state: PathText = "/var/lib/landlink"
    runtime: SocketPathText = "/run/landlink"


class PostConfig(Noun, frozen=True, kw_only=True):
    """The post and the lane that this box stands at.

    Attributes:
        duty_telephone: What the page tells the officer to call when the box cannot check.
        profile: "carrier" for an airline's desk or a hotel: only number, type and country of a document are looked at,
            and the answer is to continue or to call.
        link: How the post reaches headquarters, and so how old its lists may be before the page says so.
    """

    name: Word
    lane: Word = "1"
    direction: Direction = Direction.ENTRY
    duty_telephone: Word
    profile: Literal["border", "carrier"] = "border"
    link: LinkClass = "mobile"


class ScannerConfig(Noun, frozen=True, kw_only=True):
    """The document scanner.

    Attributes:
        dialect: What it speaks; "wedge" is a reader that types like a keyboard. "rte" is not confirmed on hardware.
            "none": there is no scanner, and the camera alone reads.
        port: A serial line under /dev/serial/by-id/; for "wedge" a keyboard under /dev/input/by-id/; not for "none".
        framing: For the generic dialect: what stands around a document's text; "none" is ended by silence.
        lrc: For the generic dialect with framing "stx-etx": a longitudinal redundancy check follows ETX.
        rte_length, rte_check, rte_flag: For the dialect rte: how its length and check byte are made, and the flag of a
            document (drivers/scanner/rte.py); "any" accepts whatever comes.
    """

    dialect: Literal["elyctis", "honeywell", "rte", "generic", "wedge", "none"]
    port: PathText | None = None
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 115200
    framing: Literal["none", "stx-etx"] = "none"
    lrc: bool = False
    rte_length: Literal["any", "data", "to-bcc", "all"] = "any"
    rte_check: Literal["any", "xor", "xor-data", "xor-all", "sum"] = "any"
    rte_flag: Annotated[int, Meta(ge=0, le=255)] | Literal["any"] = "any"


class CameraConfig(Noun, frozen=True, kw_only=True):
    """The camera over the document; `simulated` speaks to the desk simulator at `socket`.

    Attributes:
        wait_ms: How long after the scanner's last byte a light may wait for the camera's reading of the same page.
        white, infrared, ultraviolet: BCM pins of its lamps; None where none is fitted, or the white one is always on.
    """

    kind: Literal["none", "picamera2", "simulated"] = "none"
    socket: SocketPathText | None = None
    wait_ms: Annotated[int, Meta(ge=0, le=2_000)] = 500
    white: PinNumber | None = None
    infrared: PinNumber | None = None
    ultraviolet: PinNumber | None = None


class PanelConfig(Noun, frozen=True, kw_only=True):
    """Lamps, buzzer and buttons by BCM pin number; `simulated` shows them to the desk simulator at `socket`.

    Attributes:
        lid: A switch under the lid of the case, closed to ground while the case is closed; None where none is fitted.
    """

    pins: Literal["lgpio", "simulated"] = "lgpio"
    socket: SocketPathText | None = None
    green: PinNumber = 17
    amber: PinNumber = 27
    red: PinNumber = 22
    buzzer: PinNumber = 18
    start: PinNumber = 5
    supervisor: PinNumber = 6
    lid: PinNumber | None = None


class PageConfig(Noun, frozen=True, kw_only=True):
    """The booth's page; ignored when systemd passes the socket in."""

    host: Annotated[str, Meta(pattern=r"\A[0-9a-f.:]{3,45}\Z")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1024, le=65535)] = 8080


class RecorderConfig(Noun, frozen=True, kw_only=True):
    """Who may speak to the recorder, and how long it keeps what headquarters has.

    Attributes:
        booth_uid, uplink_uid, releases_uid, audit_uid: The one uid allowed at each role's socket; no audit_uid, no
            socket for the audit.
        hold_after_ack_h: A body stays this long after headquarters' receipt, hours between headquarters-signed times.
        picture_reserve_share: Share of the disk kept for records and the log; pictures are refused when less is free.
    """

    booth_uid: Uid
    uplink_uid: Uid
    releases_uid: Uid
    audit_uid: Uid | None = None
    hold_after_ack_h: Annotated[int, Meta(ge=0, le=8760)] = 168
    picture_reserve_share: Annotated[float, Meta(ge=0.01, le=0.5)] = 0.2


class KeysConfig(Noun, frozen=True, kw_only=True):
    """Where the box's identity key lives.

    Attributes:
        provider: "file", or "pkcs11" for a token: a TPM through tpm2-pkcs11, a secure element, SoftHSM. The token's PIN
            comes as a credential (systemd/README.md, Keys) and never stands here.
        module: pkcs11 only: the token's library.
        token: pkcs11 only: the token's label.
    """

    provider: Literal["file", "pkcs11"] = "file"
    module: PathText | None = None
    token: Annotated[str, Meta(min_length=1, max_length=32)] = "landlink"  # noqa: S105 - its label


class UplinkConfig(Noun, frozen=True, kw_only=True):
    """The way to headquarters' collector.

    Attributes:
        stick: Where a stick from headquarters is mounted while there is one.
    """

    host: Annotated[str, Meta(pattern=r"\A[a-zA-Z0-9.-]{1,253}\Z")]
    port: Annotated[int, Meta(ge=1, le=65535)] = 443
    rate_bytes_per_s: Annotated[int, Meta(ge=500, le=125_000_000)] = 32_000
    stick: PathText = "/media/landlink"


class AuditConfig(Noun, frozen=True, kw_only=True):
    """Where the log is served to headquarters' auditor, as long as `landlink-box audit` runs.

    Attributes:
        host: Address to listen at.
        rate_bytes_per_s: What all connections together are given at most: the link is not this service's alone.
        connections: How many auditors' connections there may be at once.
    """

    host: Annotated[str, Meta(pattern=r"\A[0-9a-f.:]{2,45}\Z")] = "0.0.0.0"  # noqa: S104 - the firewall and mutual TLS decide
    port: Annotated[int, Meta(ge=1024, le=65535)] = 8443
    rate_bytes_per_s: Annotated[int, Meta(ge=500, le=125_000_000)] = 250_000
    connections: Annotated[int, Meta(ge=1, le=32)] = 4


class Config(Noun, frozen=True, kw_only=True):
    """The whole tree."""

    box: BoxConfig
    post: PostConfig
    scanner: ScannerConfig
    recorder: RecorderConfig
    uplink: UplinkConfig
    camera: CameraConfig = CameraConfig()
    panel: PanelConfig = PanelConfig()
    page: PageConfig = PageConfig()
    keys: KeysConfig = KeysConfig()
    audit: AuditConfig = AuditConfig()

    @property
    def state(self) -> Path:
        """Folder of durable files."""
        return Path(self.box.state)

    @property
    def runtime(self) -> Path:
        """Folder of sockets and status files."""
        return Path(self.box.runtime)


def parse_config(text: bytes) -> Config:
    """Parse a box.toml.

    Raises:
        ConfigError: Not TOML, an unknown key, a value out of its range: named, with what is allowed.
    """
    if len(text) > CONFIG_BYTES_MAX:
        raise ConfigError(f"box.toml: {len(text)} bytes, at most {CONFIG_BYTES_MAX}")
    try:
        tree = tomllib.loads(text.decode("utf-8"))
        config = msgspec.convert(tree, Config, strict=True)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, msgspec.ValidationError) as error:
        raise ConfigError(f"box.toml: {error}") from None
    for name, device in (("camera", config.camera.kind), ("panel", config.panel.pins)):
        if device == "simulated" and getattr(config, name).socket is None:
            raise ConfigError(f"box.toml: {name}.socket is missing; a simulated {name} needs the desk's socket")
    if config.camera.white is None and (config.camera.infrared, config.camera.ultraviolet) != (None, None):
        raise ConfigError("box.toml: camera.white is missing; other lamps need a white one that goes out for them")
    if config.scanner.dialect == "none" and (config.camera.kind == "none" or config.post.profile == "carrier"):
        raise ConfigError("box.toml: scanner.dialect is none, but there is no camera to read instead of a scanner")
    if config.scanner.dialect != "none" and config.scanner.port is None:
        raise ConfigError("box.toml: scanner.port is missing; a scanner is reached through its port")
    if config.keys.provider == "pkcs11" and config.keys.module is None:
        raise ConfigError("box.toml: keys.module is missing; a token is reached through its PKCS#11 library")
    return config


def config_sha256(path: Path) -> str:
    """SHA-256 of the file at `path`, hexadecimal. Raises ConfigError when it cannot be read."""
    return hashlib.sha256(_content(path)).hexdigest()


def read_config(path: Path) -> Config:
    """Read and parse the file at `path`. Raises ConfigError, also when the file cannot be read."""
    return parse_config(_content(path))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; write it as systemd/box.toml shows, or name another: landlink-box --config FILE"
        ) from None
