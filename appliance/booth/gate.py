"""The page's door: which requests are the officer's own, before any of them means anything.

1. Host: only the names under which the page is served; a foreign name that leads here (DNS rebinding) is turned away.
2. Session: every request but the page itself carries the cookie that the page gave.
3. CSRF: whatever changes something carries the token of that session; it is a MAC of the session under a key of this
   process, so nothing is stored. A page that was open across a restart is given its new token with the next event.
4. Size: a body of at most BODY_BYTES_MAX.
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
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer: nothing from elsewhere, nothing kept by the browser, nothing framed."""

_SESSION: Final = re.compile(r"[0-9a-f]{64}")


class Misdirected(Refused):
    """The request names a host that is not this page."""


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
        """Rule 2. Raises Refused when the request has no session."""
        session = request.cookies.get(COOKIE, "")
        if not _SESSION.fullmatch(session):
            raise Refused("Open the page first.")
        return session

    def new_session(self) -> str:
        """A fresh session."""
        return secrets.token_hex(32)

    def token(self, session: str) -> str:
        """The CSRF token of a session."""
        return hmac.new(self.key, session.encode("ascii"), hashlib.sha256).hexdigest()

    async def form(self, request: Request) -> dict[str, str]:
        """Rules 2 to 4; the fields of a form, without its token.

        Raises:
            Refused: No session, or not the session's token.
            Malformed: Not a form, too long, a field twice or too many fields.
        """
        session = self.session(request)
        fields = _fields(await _body(request), request.headers.get("content-type", ""))
        if not hmac.compare_digest(fields.pop("csrf", "").encode(), self.token(session).encode()):
            raise Refused("The page is from before a restart of the box. It renews itself now: choose again.")
        return fields


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
