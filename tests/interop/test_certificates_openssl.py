"""OpenSSL, which others wrote, agrees with headquarters' certificates: purpose, names and chain."""

import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.enrol.accept import accept_answer
from provisioning.authority.enrolment import issue
from provisioning.authority.home import Home
from tests.scenarios.made_headquarters import NOW_MS, ask, config, headquarters

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command"),
]


def openssl_verify(home: Home, certificate: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    at = ("-attime", str(NOW_MS // 1000))
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-CAfile",
        str(home.ca / "ca.crt"),
        *at,
        *arguments,
        str(certificate),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return headquarters(tmp_path_factory.mktemp("openssl") / "hq")


@pytest.mark.parametrize("name", [("-verify_hostname", "localhost"), ("-verify_ip", "127.0.0.1")])
def test_the_collectors_certificate_is_for_a_server_by_its_names(home: Home, name: tuple[str, str]) -> None:
    done = openssl_verify(home, home.ca / "collector.crt", "-purpose", "sslserver", *name)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("-purpose", "sslclient"), ("-verify_hostname", "elsewhere.example"), ("-verify_ip", "10.0.0.1")],
)
def test_the_collectors_certificate_is_for_nothing_else(home: Home, arguments: tuple[str, str]) -> None:
    assert openssl_verify(home, home.ca / "collector.crt", *arguments).returncode != 0


def test_the_auditors_and_a_boxs_certificate_are_for_clients_only(home: Home, tmp_path: Path) -> None:
    box = config(tmp_path / "box")
    issue(home, ask(box), tmp_path / "answer", serial=None, now_ms=NOW_MS)
    accept_answer(box, tmp_path / "answer")
    for certificate in (home.ca / "auditor.crt", box.state / "uplink" / "tls.crt"):
        assert openssl_verify(home, certificate, "-purpose", "sslclient").returncode == 0
        assert openssl_verify(home, certificate, "-purpose", "sslserver").returncode != 0


def test_the_authority_signs_no_other_authority(home: Home) -> None:
    text = subprocess.run(
        ["openssl", "x509", "-in", str(home.ca / "ca.crt"), "-noout", "-text"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "CA:TRUE, pathlen:0" in text
    assert "Certificate Sign, CRL Sign" in text
