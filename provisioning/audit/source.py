"""Where a log is pulled from: any tlog-tiles folder (a box's card, a stick, a mirror) or the collector's address.

A source is believed in nothing: it gives bytes, within bounds, and whoever pulls verifies them.
"""

import http.client
import ssl
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from appliance.errors import ConfigError, StorageFault, Untrusted, UplinkFault
from appliance.files import open_regular
from appliance.formats.note import NOTE_BYTES_MAX
from provisioning.authority.home import Home

TIMEOUT_S: Final = 30.0
ATTEMPTS: Final = 3


class Source(Protocol):
    """One log and its sealed bodies, somewhere."""

    @property
    def name(self) -> str:
        """How to name this source to a person."""
        ...

    def read(self, path: str, *, bytes_max: int) -> bytes | None:
        """The file at `path` of the tlog-tiles tree; None when there is none.

        Raises:
            Untrusted: It is longer than `bytes_max`.
            StorageFault, UplinkFault: It cannot be read now.
        """
        ...

    def body(self, index: int, *, bytes_max: int) -> bytes | None:
        """The sealed body of entry `index`; None when it is not there. Raises as `read`."""
        ...


class FolderSource:
    """A log in a folder, with the folder of its bodies where there is one.

    Args:
        tree: The tlog-tiles tree; holds `checkpoint`.
        bodies: Holds `<index>.age` (a mirror) or `<index>.<priority>.age` (a box).
    """

    def __init__(self, tree: Path, bodies: Path) -> None:
        self._tree = tree
        self._bodies = _bodies_in(bodies)

    @property
    def name(self) -> str:
        """How to name this source to a person."""
        return str(self._tree)

    def read(self, path: str, *, bytes_max: int) -> bytes | None:
        """The file at `path` of the tree; None when there is none. Raises as `Source.read`."""
        return _read(self._tree / path, bytes_max)

    def body(self, index: int, *, bytes_max: int) -> bytes | None:
        """The sealed body of entry `index`; None when it is not there. Raises as `Source.read`."""
        path = self._bodies.get(index)
        return None if path is None else _read(path, bytes_max)


def folder_sources(folder: Path) -> dict[str, FolderSource]:
    """The logs that lie in a folder, by the origin that each checkpoint claims (verified by whoever pulls).

    The folder may be the tree itself, a box's state folder, headquarters' `pulled`, or a collector's data.

    Raises:
        ConfigError: There is no such folder, or no log in it.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder")
    found = {
        folder: folder.parent / "bodies" if folder.name == "log" else folder / "bodies",
        folder / "log": folder / "bodies",
        **{path.parent: path.parent / "bodies" for path in folder.glob("*/*/checkpoint")},
        **{
            path.parent: folder / "bodies" / path.parent.relative_to(folder / "log")
            for path in folder.glob("log/*/*/checkpoint")
        },
    }
    sources: dict[str, FolderSource] = {}
    for tree, bodies in found.items():
        checkpoint = _read(tree / "checkpoint", NOTE_BYTES_MAX)
        if checkpoint is not None:
            origin = checkpoint.partition(b"\n")[0].decode("utf-8", "replace")
            sources[origin] = FolderSource(tree, bodies)
    if not sources:
        raise ConfigError(
            f"{folder}: no log lies there (no file named checkpoint); name the folder that holds it, "
            "a box's state folder, or a collector's data folder"
        )
    return sources


def _bodies_in(folder: Path) -> dict[int, Path]:
    """Bodies by index; none where there is no such folder."""
    return {
        int(path.name.split(".")[0]): path
        for path in folder.glob("*.age")
        if path.name.split(".")[0].isascii() and path.name.split(".")[0].isdecimal()
    }


def _read(path: Path, bytes_max: int) -> bytes | None:
    try:
        with open_regular(path) as file:
            content = file.read(bytes_max + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageFault(f"reading {path}: {error.strerror}") from None
    if len(content) > bytes_max:
        raise Untrusted(f"{path}: longer than {bytes_max} bytes")
    return content


class CollectorSource:
    """The collector's mirror of one log, over mutual TLS with the auditor's certificate; one connection, kept.

    Args:
        address: `https://HOST:PORT`.
        origin: The log that is fetched.
        tls: Context with the auditor's certificate, trusting headquarters' authority alone.
    """

    def __init__(self, address: str, origin: str, tls: ssl.SSLContext) -> None:
        parts = urlsplit(address)
        if parts.scheme != "https" or not parts.hostname:
            raise ConfigError(f"{address}: not an address of the form https://HOST:PORT")
        self._address = f"https://{parts.netloc}"
        self._origin = origin
        self._connection = http.client.HTTPSConnection(
            parts.hostname, parts.port or 443, timeout=TIMEOUT_S, context=tls
        )

    @property
    def name(self) -> str:
        """How to name this source to a person."""
        return f"{self._address}/log/{self._origin}"

    def read(self, path: str, *, bytes_max: int) -> bytes | None:
        """The file at `path` of the tree; None when there is none. Raises as `Source.read`."""
        return self._get(f"/log/{self._origin}/{path}", bytes_max)

    def body(self, index: int, *, bytes_max: int) -> bytes | None:
        """The sealed body of entry `index`; None when it has not arrived. Raises as `Source.read`."""
        return self._get(f"/bodies/{self._origin}/{index}.age", bytes_max)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _get(self, path: str, bytes_max: int) -> bytes | None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._ask(path, bytes_max)
            except ssl.SSLError as error:
                raise UplinkFault(
                    f"{self._address}: TLS refused ({error.reason}); is this the collector of this home, "
                    "and the auditor's certificate the one that it knows (hq/ca)?"
                ) from None
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()  # a kept connection may have been ended by the far end
                if attempt == ATTEMPTS or isinstance(error, ConnectionRefusedError):
                    raise UplinkFault(
                        f"{self._address} does not answer ({type(error).__name__}); is the collector running "
                        "(landlink-hq collect)?"
                    ) from None
        raise AssertionError

    def _ask(self, path: str, bytes_max: int) -> bytes | None:
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        content = response.read(bytes_max + 1)
        if len(content) > bytes_max:
            self._connection.close()
            raise Untrusted(f"{self._address}{path}: longer than {bytes_max} bytes")
        if response.status == http.HTTPStatus.OK:
            return content
        if response.status == http.HTTPStatus.NOT_FOUND:
            return None
        self._connection.close()
        raise UplinkFault(f"{self._address}{path}: answered {response.status} {response.reason}")


def auditor_tls(home: Home) -> ssl.SSLContext:
    """The auditor's side of mutual TLS. Raises ConfigError when the home's certificates cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(home.ca / "ca.crt"))
        context.load_cert_chain(home.ca / "auditor.crt", home.ca / "auditor.key")
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{home.ca}: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
