"""The report of an exhibit: what was recorded and what proves it, to be read by a judge; HTML and PDF, English and Lao.

The HTML has no script and fetches nothing; the PDF (PDF/A-3u, fonts inside) is made of it by WeasyPrint where that and
its Debian libraries are installed, and else left out: any browser prints the HTML.
"""

import base64
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from appliance.files import read_regular, storage, write_durably
from appliance.recorded import PICTURE_BYTES_MAX
from provisioning.exhibit.contents import Exhibit
from provisioning.exhibit.report_story import Story
from provisioning.exhibit.words_of import LANGUAGES, read_words, source_hash

NAMES: Final = {"en": "report", "lo": "report.lo"}
TOOLS: Final = ("check_log.go", "check_statement.mjs", "open_body.mjs")
"""Short programs on top of libraries that others wrote; the report names the commands."""
POLICY: Final = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"
JPEG: Final = b"\xff\xd8\xff"
HERE: Final = Path(__file__).parent


def write_report(exhibit: Exhibit, folder: Path) -> None:
    """Write `report.html`, `report.lo.html`, where possible the same as PDF, and `tools/` into an exhibit's folder.

    Raises:
        StorageFault, StorageFull: Something cannot be read or written.
    """
    pictures = _pictures(exhibit, folder)
    pages = {language: report_page(exhibit, language, pictures) for language in LANGUAGES}
    for language, page in pages.items():
        write_durably(folder / f"{NAMES[language]}.html", page.encode())
    with storage(f"making {folder / 'tools'}"):
        (folder / "tools").mkdir(mode=0o700, exist_ok=True)
    for name in TOOLS:
        write_durably(folder / "tools" / name, (HERE / "templates" / name).read_bytes())
    _write_pdfs(exhibit, pages, folder)


def report_page(exhibit: Exhibit, language: str, pictures: Mapping[str, bytes]) -> str:
    """The report in one language; `pictures` are JPEG images by their path in the folder."""
    style = (HERE / "templates" / "report.css").read_text(encoding="utf-8")
    pages = Environment(
        loader=PackageLoader("provisioning.exhibit", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = {path: f"data:image/jpeg;base64,{base64.b64encode(image).decode()}" for path, image in pictures.items()}
    return pages.get_template("report.html").render(
        story=Story(exhibit, read_words(f"report.{language}")),
        exhibit=exhibit,
        language=language,
        policy=f"{POLICY}; style-src {source_hash(style)}",
        style=Markup(style),  # noqa: S704 - our own style sheet
        pictures=shown,
    )


def _pictures(exhibit: Exhibit, folder: Path) -> dict[str, bytes]:
    """The images of an exhibit, each bounded and of the kind that a box stores; what is none is told in words.

    A booth that was taken over may record anything as a picture of a record, years later too: no reason for no report.
    """
    entries = [entry for entry in (exhibit.entry, *exhibit.related) if entry is not None and entry.picture]
    images: dict[str, bytes] = {}
    for entry in entries:
        with storage(f"reading {entry.picture}"):
            image = read_regular(folder / entry.picture, PICTURE_BYTES_MAX)
        if image.startswith(JPEG):
            images[entry.picture] = image
    return images


def _write_pdfs(exhibit: Exhibit, pages: Mapping[str, str], folder: Path) -> None:
    try:
        from weasyprint import HTML  # noqa: PLC0415 - it takes a second, and only here
        from weasyprint.urls import URLFetcher  # noqa: PLC0415 - as above
    except (ImportError, OSError) as error:
        lacking = "WeasyPrint" if isinstance(error, ImportError) else "Debian's libpango-1.0-0 and libpangoft2-1.0-0"
        print(f"No PDF was written: {lacking} is not installed. report.html prints to one.", file=sys.stderr)
        return
    for language, page in pages.items():
        document = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols={"data"}))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # WeasyPrint leaves its colour profile to the collector
            content = document.write_pdf(pdf_variant="pdf/a-3u", pdf_identifier=exhibit.checkpoint.digest.encode())
        assert isinstance(content, bytes), "without a target it gives the document"
        write_durably(folder / f"{NAMES[language]}.pdf", content)
