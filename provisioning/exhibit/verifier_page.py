"""`verify.html`: one file that checks an exhibit in any browser, offline, opened by double click.

The evidence lies inside the page, since a page opened from a disk may read no file beside it; whoever doubts the copies
chooses the folder, and the page checks the files themselves and compares them byte for byte. Nothing is fetched: the
policy in its head allows exactly one script and one style sheet, by their hashes, and no address at all.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from appliance.errors import Refused
from appliance.files import storage, write_durably
from provisioning.exhibit.words_of import LANGUAGES, read_words, source_hash

SCRIPTS: Final = (
    "bytes.js",
    "cbor.js",
    "ed25519.js",
    "keccak.js",
    "mldsa44.js",
    "cose.js",
    "log.js",
    "tuf.js",
    "steps.js",
    "former.js",
    "answers.js",
    "release.js",
    "nothing.js",
    "custody.js",
    "view.js",
)
"""In the order in which they need each other; they are one script in the page."""
POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'"
EMBEDDED_BYTES_MAX: Final = 32 * 1024 * 1024
"""Evidence that lies inside the page, which a browser then holds three times; of more, the folder is chosen."""
HERE: Final = Path(__file__).parent


def write_verifier(folder: Path) -> None:
    """Write `verify.html` into an exhibit's folder, with the files of its `evidence/` inside.

    Raises:
        Refused: There is no evidence.
        StorageFault: Something cannot be read or written.
    """
    write_durably(folder / "verify.html", verifier_page(_evidence(folder)).encode())


def verifier_page(evidence: Mapping[str, bytes]) -> str:
    """The page for these files, by path (`evidence/statement.cose`)."""
    script, style = verifier_script() + _part("view.js"), _part("style.css")
    policy = f"{POLICY}; script-src {source_hash(script)}; style-src {source_hash(style)}"
    words = {
        language: read_words(f"verifier.{language}") | {"act": read_words(f"report.{language}")["act"]}
        for language in LANGUAGES
    }
    pages = Environment(
        loader=PackageLoader("provisioning.exhibit", "verifier"), autoescape=True, undefined=StrictUndefined
    )
    return pages.get_template("page.html").render(
        policy=policy,
        words=words,
        style=Markup(style),  # noqa: S704 - our own style sheet
        script=Markup(script),  # noqa: S704 - our own script
        words_json=_inert(words),
        evidence_json=_inert({path: base64.b64encode(content).decode() for path, content in evidence.items()}),
    )


def verifier_script() -> str:
    """All of the page's script but what shows it, so that it runs without a browser too."""
    return "".join(_part(name) for name in SCRIPTS if name != "view.js")


def _part(name: str) -> str:
    return (HERE / "verifier" / name).read_text(encoding="utf-8")


def _inert(value: object) -> Markup:
    """JSON that no browser takes for markup, wherever it stands: without a single angle bracket or ampersand."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - no markup is left in it


def _evidence(folder: Path) -> dict[str, bytes]:
    with storage(f"reading the evidence in {folder}"):
        paths = sorted(path for path in (folder / "evidence").rglob("*") if path.is_file())
        total = sum(path.stat().st_size for path in paths)
        if not paths:
            raise Refused(f"{folder} holds no evidence; `landlink-hq exhibit` writes it")
        if total > EMBEDDED_BYTES_MAX:
            return {}
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
