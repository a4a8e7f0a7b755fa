"""A box with each provider of keys, in the very configuration that starts unattended, and its card as a thief has it.

The card is `card/`: the box's state, its box.toml and the store of encrypted credentials. What systemd decrypts at a
start lies in `memory/`, and what a TPM or a token holds in `chip/`: a thief of the card has neither.
"""

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final

import pytest

from appliance.credentials import AUDIT, PIN, RECORDER, UPLINK, credential
from appliance.enrol.seal import WithKey, seal_box
from appliance.formats.age import Recipient
from appliance.formats.downlink import ListKey, Message, VoiceKey, seal_downlink
from appliance.formats.enrolment import Request, verify_request
from appliance.formats.receipt import LogReceipt
from appliance.formats.wire import Deliver
from appliance.releases.take import take_release
from appliance.shelf import Shelf
from provisioning.authority.enrolment import issue
from tests.scenarios.made_headquarters import NOW_MS, box_toml, headquarters
from tests.scenarios.recorder_bed import ORIGIN, REPOSITORY, Bed, append, list_keys, message, record, recorded
from tests.tokens import LABEL, SoftToken, Token, TpmToken
from tests.tokens import PIN as TOKEN_PIN

LIST_KEY: Final = bytes(range(32))
VOICE_KEY: Final = bytes(range(32, 64))
PROVIDERS: Final = ("open files", "files under the host's key", "files under the TPM", "SoftHSM", "TPM token")
TOOLS: Final = {
    "open files": (),
    "files under the host's key": ("systemd-creds",),
    "files under the TPM": ("systemd-creds", "swtpm", "tpm2_ptool"),
    "SoftHSM": ("softhsm2-util",),
    "TPM token": ("swtpm", "tpm2_ptool"),
}


@dataclass
class KeyBed(Bed):
    """A box whose keys lie as its provider has them."""

    provider: str = ""
    token: SoftToken | TpmToken | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def card(self) -> Path:
        return self.folder / "card"

    @property
    def state(self) -> Path:
        return self.card / "state"

    @property
    def store(self) -> Path:
        return self.card / "credstore.encrypted"

    @property
    def tpm2_device(self) -> str:
        return self.token.device if isinstance(self.token, TpmToken) else ""

    @cached_property
    def request(self) -> Request:
        return verify_request((self.state / "identity" / "request.cbor").read_bytes())

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`landlink-box` as root runs it on this box."""
        command = [sys.executable, "-m", "appliance", "--config", str(self.folder / "box.toml"), *arguments]
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)

    def spawn(self, *wrapper: str) -> subprocess.Popen[bytes]:
        with self.output.open("ab") as output:
            process = subprocess.Popen(
                [*wrapper, sys.executable, "-m", "appliance", "--config", str(self.folder / "box.toml"), "recorder"],
                cwd=REPOSITORY,
                env={**os.environ, **self.environment},
                stdout=output,
                stderr=output,
            )
        self.running.append(process)
        return process

    def record(self, *, origin: str = ORIGIN) -> LogReceipt:
        """Record one screening, and verify its receipt as the booth does."""
        line = self.line()
        try:
            return recorded(line, append(record(origin=origin)), self.verifier)
        finally:
            line.close()

    def list_keys(self) -> tuple[bytes, ...]:
        line = self.line()
        try:
            return list_keys(line)
        finally:
            line.close()

    def hear(self, said: Message, counter: int) -> None:
        """Headquarters says something to this box alone."""
        recipient: Recipient = self.request.age_recipient()
        line = self.line("uplink")
        line.ask(Deliver(sealed=seal_downlink(message(self, said, counter), recipient)))
        line.close()

    @property
    def keys_in_token(self) -> bool:
        return self.provider in ("SoftHSM", "TPM token")

    def take_keys_away(self) -> None:
        """The token is pulled; systemd has no credential to give; the file is gone."""
        if self.keys_in_token:
            assert self.token is not None
            self.token.take_away()
        elif self.environment:
            (self.folder / "memory" / RECORDER).rename(self.folder / "away")
        else:
            (self.state / "recorder" / "identity.key").rename(self.folder / "away")

    def bring_keys_back(self) -> None:
        if self.keys_in_token:
            assert self.token is not None
            self.token.bring_back()
        elif self.environment:
            (self.folder / "away").rename(self.folder / "memory" / RECORDER)
        else:
            (self.folder / "away").rename(self.state / "recorder" / "identity.key")

    def power_cut(self) -> None:
        """Everything ends at once."""
        process = self.running[-1]
        process.kill()
        process.wait()

    def end(self) -> None:
        self.close()
        if self.token is not None:
            self.token.close()


def make_bed(provider: str, folder: Path) -> KeyBed:
    """An enrolled box that has its list key and voice key, has recorded twice, and lost its power in between."""
    for tool in TOOLS[provider]:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing (tests/install-tools)")
    if TOOLS[provider] and os.geteuid() != 0:
        pytest.skip("needs root: credentials are root's")
    bed = KeyBed(folder=folder, home=headquarters(folder / "hq"), provider=provider)
    for name in ("run", "memory", "chip", "card/state/recorder"):
        (folder / name).mkdir(parents=True)
    (folder / "card/state/recorder").chmod(0o700)
    text = box_toml(folder).decode().replace(f"{folder}/state", str(bed.state))
    match provider:
        case "files under the host's key":
            _credentials(bed, "host", None)
        case "files under the TPM":
            bed.token = TpmToken(folder / "chip")
            _credentials(bed, "tpm2", None)
        case "SoftHSM":
            bed.token = SoftToken(folder / "chip")
            text += _token_toml(bed.token)
            _given(bed, {PIN: TOKEN_PIN.encode()})
        case "TPM token":
            store = bed.state / "recorder" / "token"
            store.mkdir()
            bed.token = TpmToken(folder / "chip", store)
            text += _token_toml(bed.token)
            _given(bed, {PIN: TOKEN_PIN.encode()})
    if bed.token is not None:
        bed.environment |= bed.token.environment
    (folder / "box.toml").write_text(text)
    shutil.copy(folder / "box.toml", bed.card)
    _enrol(bed)
    bed.start()
    bed.record()
    bed.hear(ListKey(key=LIST_KEY), 1)
    bed.hear(VoiceKey(key=VOICE_KEY), 2)
    bed.settle()
    bed.power_cut()
    return bed


@cache
def bed_of(provider: str) -> KeyBed:
    """One such box for all tests; whoever starts it switches it off again."""
    folder = Path(mkdtemp(prefix="k-"))
    bed = make_bed(provider, folder)
    atexit.register(rmtree, folder)
    atexit.register(bed.end)
    return bed


def thief_of(bed: KeyBed, folder: Path) -> KeyBed:
    """The card in another machine: the same software, and nothing that was not on the card."""
    shutil.copytree(bed.card, folder / "card", symlinks=True)
    (folder / "run").mkdir()
    text = (bed.card / "box.toml").read_text().replace(str(bed.folder), str(folder))
    (folder / "box.toml").write_text(text)
    return KeyBed(folder=folder, home=bed.home, provider=bed.provider)


def _credentials(bed: KeyBed, with_key: WithKey, pin: bytes | None) -> None:
    """What `landlink-box seal` writes on the card, and what systemd makes of it at each start."""
    seal_box(bed.store, with_key=with_key, pin=pin, tpm2_device=bed.tpm2_device)
    names = (RECORDER, UPLINK, AUDIT, *([PIN] if pin else []))
    given = {name: credential(name, {}, bed.store, tpm2_device=bed.tpm2_device) for name in names}
    _given(bed, {name: secret for name, secret in given.items() if secret is not None})


def _given(bed: KeyBed, secrets: Mapping[str, bytes]) -> None:
    for name, secret in secrets.items():
        (bed.folder / "memory" / name).write_bytes(secret)
    bed.environment["CREDENTIALS_DIRECTORY"] = str(bed.folder / "memory")


def _token_toml(token: Token) -> str:
    return f'[keys]\nprovider = "pkcs11"\nmodule = "{token.module}"\ntoken = "{LABEL}"\n'


def _enrol(bed: KeyBed) -> None:
    asked = bed.command("request", "--out", str(bed.folder / "request"))
    assert asked.returncode == 0, asked.stderr
    issue(bed.home, (bed.folder / "request").read_bytes(), bed.folder / "answer", serial="LA-0001", now_ms=NOW_MS)
    accepted = bed.command("accept", str(bed.folder / "answer"))
    assert accepted.returncode == 0, accepted.stderr
    take_release(Shelf(bed.state / "releases"), bed.state / "mirror", lower_bound_ms=NOW_MS, keys=())
