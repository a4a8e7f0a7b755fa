"""PKCS#11 tokens of the tests: SoftHSM in a folder, and a TPM emulator with tpm2-pkcs11 on it; both can be taken away.

Processes reach the emulator through tpm_manager.py, which is to it what /dev/tpmrm0 is to a chip.
"""

import atexit
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Protocol

PIN: Final = "24681357"
OFFICER_PIN: Final = "87654321"
LABEL: Final = "landlink"
SOFTHSM: Final = Path("/usr/lib/softhsm/libsofthsm2.so")
READY_S: Final = 60.0
MANAGER: Final = Path(__file__).with_name("tpm_manager.py")


class Token(Protocol):
    """A token with the label `landlink` and the user's PIN `PIN`."""

    module: Path
    environment: Mapping[str, str]

    def take_away(self) -> None:
        """As if it were pulled, or its chip had died."""
        ...

    def bring_back(self) -> None:
        """The same token, as it was."""
        ...


@dataclass
class SoftToken:
    """SoftHSM: everything is files."""

    folder: Path
    module: Path = SOFTHSM

    def __post_init__(self) -> None:
        self.files = self.folder / "tokens"
        self.files.mkdir()
        conf = self.folder / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.files}\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.environment = {"SOFTHSM2_CONF": str(conf)}
        command = ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", OFFICER_PIN, "--pin", PIN]
        subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, check=True)

    def take_away(self) -> None:
        self.files.rename(self.folder / "pulled")
        self.files.mkdir()

    def bring_back(self) -> None:
        self.files.rmdir()
        (self.folder / "pulled").rename(self.files)

    def close(self) -> None:
        pass


@dataclass
class TpmToken:
    """tpm2-pkcs11 on swtpm: its `files`, a folder that exists, hold keys that this TPM alone can load.

    Without files it is a TPM and no token. One that is `manufactured` is like no other; the rest are copies of one,
    made once, since that takes seconds.
    """

    folder: Path
    files: Path | None = None
    manufactured: bool = False
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chip = self.folder / "chip"
        self.chip.mkdir()
        (self.module,) = Path("/usr/lib").glob("*/libtpm2_pkcs11.so.1")
        self.address = f"cmd:exec {sys.executable} -IS {MANAGER} reach {self.folder / 'door'}"
        self.device = f"swtpm:path={self.folder / 'door.anew'}"
        """As systemd-creds reaches it: systemd cannot open a way by a command."""
        (self.folder / "door.anew.ctrl").symlink_to("tpm.ctrl")
        self.environment = {
            "TPM2_PKCS11_TCTI": self.address,
            "TPM2TOOLS_TCTI": self.address,
            "TPM2_PKCS11_STORE": str(self.files),
            "TSS2_LOG": "all+none",
            "TPM2_PKCS11_LOG_LEVEL": "0",
        }
        if self.manufactured:
            setup = ["swtpm_setup", "--tpm2", "--tpmstate", self.chip, "--overwrite"]
            subprocess.run(setup, capture_output=True, check=True)
            self._switch_on()
            # A power cut counts as a failed try, and a few of these lock a TPM: systemd/README.md says so.
            self._run("tpm2_dictionarylockout", "--setup-parameters", "--max-tries=31", "--recovery-time=60")
            if self.files is not None and not any(self.files.iterdir()):
                self._run("tpm2_ptool", "init", "--path", str(self.files))
                pins = ("--sopin", OFFICER_PIN, "--userpin", PIN)
                self._run("tpm2_ptool", "addtoken", "--pid", "1", *pins, "--label", LABEL, "--path", str(self.files))
            return
        chip, files = _another_chip()
        shutil.copytree(chip, self.chip, dirs_exist_ok=True)
        if self.files is not None:
            shutil.copytree(files, self.files, dirs_exist_ok=True)
        self._switch_on()

    def take_away(self) -> None:
        while self.running:
            process = self.running.pop()
            process.terminate()
            process.communicate(timeout=READY_S)

    def bring_back(self) -> None:
        self._switch_on()

    def close(self) -> None:
        self.take_away()

    def _switch_on(self) -> None:
        tpm, door = self.folder / "tpm", self.folder / "door"
        for path in (tpm, door, self.folder / "door.anew"):
            path.unlink(missing_ok=True)
        command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.chip}", "--server"]
        command += [f"type=unixio,path={tpm}", "--ctrl", f"type=unixio,path={tpm}.ctrl"]
        self._start(*command, "--flags", "not-need-init,startup-clear")
        self._start(sys.executable, "-IS", str(MANAGER), "serve", str(door), str(tpm))
        appears(door)

    def _start(self, *command: str) -> None:
        self.running.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )

    def _run(self, *command: str) -> None:
        subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, check=True)


@cache
def _another_chip() -> tuple[Path, Path]:
    """A chip and the files of its token, switched off."""
    folder = Path(mkdtemp(prefix="c-"))
    atexit.register(shutil.rmtree, folder)
    (folder / "files").mkdir()
    token = TpmToken(folder, folder / "files", manufactured=True)
    token.close()
    return token.chip, folder / "files"


def appears(path: Path) -> None:
    """Wait until there is something at `path`."""
    deadline = time.monotonic() + READY_S
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not appear"
        threading.Event().wait(0.005)
