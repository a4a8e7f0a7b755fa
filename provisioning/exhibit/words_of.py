"""What the pages of an exhibit share: their languages, their catalogues of sentences, and hashes for their policies."""

import base64
import hashlib
import tomllib
from pathlib import Path
from typing import Any, Final

LANGUAGES: Final = ("en", "lo")
WORDS: Final = Path(__file__).parent / "words"


def read_words(name: str) -> dict[str, Any]:
    """A catalogue: sentences by key, in tables; `{names}` are filled in where they are shown."""
    return tomllib.loads((WORDS / f"{name}.toml").read_text(encoding="utf-8"))


def source_hash(text: str) -> str:
    """A source expression of Content Security Policy for exactly this script or style sheet."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
