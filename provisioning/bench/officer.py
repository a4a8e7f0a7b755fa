"""The rehearsal's officer: works the booth's page over HTTP as a browser does, with its session and its forms."""

import http.client
import http.cookies
import json
import re
from typing import Any, Final
from urllib.parse import urlencode

from appliance.errors import DeviceFault

CSRF: Final = re.compile(r'name="csrf"\s+(?:value|content)="([^"]+)"')
PAGE_BYTES_MAX: Final = 1 << 20
TIMEOUT_S: Final = 15.0


class Officer:
    """One officer at one page.

    Args:
        port: The page's port on loopback.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookie = ""
        self._csrf = ""

    def state(self) -> dict[str, Any]:
        """What the page shows now (GET /state). Raises DeviceFault when the page does not answer."""
        self._sign_in()
        status, body = self._exchange("GET", "/state")
        if status != http.client.OK:
            self._cookie = ""
            raise DeviceFault(f"the booth's page answered {status} to GET /state")
        return dict(json.loads(body))

    def submit(self, form: str, **fields: str | int) -> None:
        """Send one of the page's forms (outcome, typed, person, document, crossing).

        Raises:
            DeviceFault: The page does not answer, or refuses the form; its words are in the text.
        """
        self._sign_in()
        status, body = self._exchange("POST", f"/{form}", urlencode({**fields, "csrf": self._csrf}))
        if status >= http.client.BAD_REQUEST:
            self._cookie = ""
            raise DeviceFault(f"the booth's page answered {status} to /{form}: {body[:200]}")

    def _sign_in(self) -> None:
        if self._cookie:
            return
        status, page = self._exchange("GET", "/")
        found = CSRF.search(page)
        if status != http.client.OK or found is None:
            raise DeviceFault(f"the booth's page answered {status} and gave no form")
        self._csrf = found.group(1)

    def _exchange(self, method: str, path: str, form: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        headers = {"Cookie": self._cookie} if self._cookie else {}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body=form, headers=headers)
            answer = connection.getresponse()
            if answer.length is None or answer.length > PAGE_BYTES_MAX:
                raise DeviceFault("the booth's page gave an answer without a length, or one that is too long")
            body = answer.read().decode("utf-8", "replace")  # to its end: a page that died half-way is no answer
            given = http.cookies.SimpleCookie(answer.headers.get("Set-Cookie", ""))
            if given:
                self._cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in given.items())
        except (OSError, http.client.HTTPException) as error:
            self._cookie = ""
            raise DeviceFault(f"the booth's page does not answer ({type(error).__name__})") from None
        finally:
            connection.close()
        return answer.status, body
