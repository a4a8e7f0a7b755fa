"""The page's door: which requests are the officer's own, before any of them means anything.

1. Host: only the names under which the page is served; a foreign name that leads here (DNS rebinding) is turned away.
2. Session: every request but the page itself carries the cookie that the page gave. It is a random number and its MAC
   under a key of this process, so nothing is stored and nobody makes one up; what reads with the cookie of another run
   is given one of this run, with its token, so a page stays open across a restart.
3. Origin: whatever changes something was sent by the page, as far as the browser says who sent it.
4. CSRF: whatever changes something carries the token of its session, a MAC as well.
5. Size: a body of at most BODY_BYTES_MAX.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from appliance.errors import ConfigError, Malformed, Refused

COOKIE: Final = "landlink"
BODY_BYTES_MAX: Final = 16_384
FIELDS_MAX: Final = 16

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=(), serial=()",
    "Referrer-Policy": "same-origin",  # with "no-referrer" a browser may call the page's own forms foreign (rule 3)
    "X-Content-Type-Options": "nosniff",
}
"""On every answer: nothing from elsewhere, nothing kept by the browser, nothing framed."""

_SESSION: Final = re.compile(r"([0-9a-f]{64})([0-9a-f]{64})")
_ANOTHER_RUN: Final = "The page is from before a restart of the box. It renews itself now: choose again."


class Misdirected(Refused):
    """The request names a host that is not this page."""


class OfAnotherRun(Refused):
    """The session is not one of this process: from before a restart, or made up."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Says which requests may pass.

    Args:
        hosts: Allowed values of the Host header.
        key: 32 random bytes of this process.
    """

    hosts: frozenset[str]
    key: bytes

    def check_host(self, request: Request) -> None:
        """Rule 1. Raises Misdirected."""
        if request.headers.get("host", "").lower() not in self.hosts:
            raise Misdirected("This page is not served under that name.")

    def session(self, request: Request) -> str:
        """Rule 2. Raises OfAnotherRun, and Refused when the request has no session."""
        session = request.cookies.get(COOKIE, "")
        parts = _SESSION.fullmatch(session)
        if not parts:
            raise Refused("Open the page first.")
        if not hmac.compare_digest(parts[2], self._mac("session", parts[1])):
            raise OfAnotherRun(_ANOTHER_RUN)
        return session

    def new_session(self) -> str:
        """A fresh session."""
        number = secrets.token_hex(32)
        return number + self._mac("session", number)

    def token(self, session: str) -> str:
        """The CSRF token of a session."""
        return self._mac("token", session)

    def check_origin(self, request: Request) -> None:
        """Rule 3; whoever is no browser says nothing of it. Raises Refused."""
        sender = request.headers.get("sec-fetch-site", "same-origin")
        here = f"http://{request.headers.get('host', '')}".lower()
        if sender != "same-origin" or request.headers.get("origin", here).lower() != here:
            raise Refused("Only the page itself may say this.")

    async def form(self, request: Request) -> dict[str, str]:
        """Rules 2 to 5; the fields of a form, without its token.

        Raises:
            Refused: No session, or not the session's token; or another page sent it.
            Malformed: Not a form, too long, a field twice or too many fields.
        """
        self.check_origin(request)
        session = self.session(request)
        fields = _fields(await _body(request), request.headers.get("content-type", ""))
        if not hmac.compare_digest(fields.pop("csrf", "").encode(), self.token(session).encode()):
            raise Refused(_ANOTHER_RUN)
        return fields

    def _mac(self, use: str, of: str) -> str:
        return hmac.new(self.key, f"{use}:{of}".encode("ascii"), hashlib.sha256).hexdigest()


def allowed_hosts(address: str, port: int) -> frozenset[str]:
    """The Host headers of a page at this address; loopback is also called localhost.

    Raises:
        ConfigError: The address stands for every network of the box, which the page must not serve.
    """
    ip = ipaddress.ip_address(address)
    if ip.is_unspecified:
        raise ConfigError(f"box.toml: page.host: {address} is every network; name the booth's own address")
    names = [f"[{ip}]" if ip.version == 6 else str(ip)]
    if ip.is_loopback:
        names.append("localhost")
    return frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if port == 80 else frozenset())


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise Malformed("form", f"at most {BODY_BYTES_MAX} bytes")
    return body


def _fields(body: bytes, content_type: str) -> dict[str, str]:
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Malformed("form", "only application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=FIELDS_MAX,
            errors="strict",
            strict_parsing=True,
        )
    except (ValueError, UnicodeDecodeError):
        raise Malformed("form", f"at most {FIELDS_MAX} fields, urlencoded UTF-8") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Malformed("form", "a field stands twice")
    return fields
