"""A session with a PKCS#11 token, logged in: found by its label, opened anew when the token was pulled and came back.

Rules:
- What fails is tried once more with the token's library started anew: only so do tokens notice that they were away.
- A PIN that was refused is not tried again by this process: tokens lock themselves after a few wrong ones.
- No error says more than what happened: neither the PIN nor what was signed or opened.
"""

import contextlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final, TypeVar

import pkcs11
from pkcs11 import PKCS11Error, Session

from drivers.api import DeviceError

PIN_REFUSED: Final = frozenset({"PinIncorrect", "PinInvalid", "PinLenRange", "PinExpired", "PinLocked"})
T = TypeVar("T")


class TokenSession:
    """The way to one token; nothing is opened before it is first used.

    Args:
        module: The token's PKCS#11 library.
        label: The token's label.
        pin: Gives the user's PIN; may raise DeviceError.
    """

    def __init__(self, module: Path, label: str, pin: Callable[[], str]) -> None:
        self._module = module
        self._label = label
        self._pin = pin
        self._session: Session | None = None
        self._refused = ""

    def ask(self, question: Callable[[Session], T]) -> T:
        """The token's answer; it is asked once more in a new session when it has none. Raises DeviceError."""
        if self._session is not None:
            with contextlib.suppress(PKCS11Error, DeviceError):
                return question(self._session)
            self.close()
        with self._in_words():
            self._session = self._open(writing=False)
            return question(self._session)

    def change(self, task: Callable[[Session], None]) -> None:
        """Do something in a session that may write, and close it. Raises DeviceError."""
        self.close()
        with self._in_words():
            self._session = self._open(writing=True)
            task(self._session)
        self.close()

    def close(self) -> None:
        """Let the token go; the next question opens it."""
        if self._session is not None:
            with contextlib.suppress(PKCS11Error):
                self._session.close()
            self._session = None

    def _open(self, *, writing: bool) -> Session:
        if self._refused:
            raise DeviceError(self._refused)
        pin = self._pin()
        library = pkcs11.lib(str(self._module))
        library.reinitialize()  # a library looks for its tokens when it starts
        return library.get_token(token_label=self._label).open(rw=writing, user_pin=pin)

    @contextlib.contextmanager
    def _in_words(self) -> Generator[None]:
        try:
            yield
        except DeviceError:
            self.close()
            raise
        except PKCS11Error as error:
            self.close()
            raise DeviceError(self._words(error)) from None

    def _words(self, error: Exception) -> str:
        kind = type(error).__name__
        if kind in PIN_REFUSED:
            self._refused = (
                f"the token {self._label!r} refuses the PIN ({kind}); it is not tried again before the next start. "
                "Give the right one: landlink-box seal --pin FILE"
            )
            return self._refused
        if kind == "NoSuchToken":
            return f"there is no token with the label {self._label!r} at {self._module}; is it plugged in?"
        if kind == "MultipleTokensReturned":
            return f"there are several tokens with the label {self._label!r}; unplug the others"
        if kind == "PKCS11Error":  # the library itself could not be loaded
            return f"the token's library {self._module} cannot be used"
        return f"the token {self._label!r} does not answer as it should ({kind})"
