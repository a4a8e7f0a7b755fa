"""The offline page of an exhibit in a real browser: what was altered is red, and what is text stays text."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from provisioning.exhibit.verifier_page import verifier_page, write_verifier
from tests.browser.exhibit_page import failed, runs, settled
from tests.exhibit_records import Chosen
from tests.exhibit_samples import COSIGNER, Made, make_exhibit

pytestmark = pytest.mark.browser

MARKUP = "</script><script>document.title='hit'</script><img src=x onerror=alert(1)>"
"""What somebody might write into a note."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_exhibit(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def folder(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exhibit as it is handed over."""
    written = made.write(tmp_path_factory.mktemp("exhibit"))
    write_verifier(written)
    return written


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    """Opened by double click, with the network off."""
    context = browser.new_context(offline=True)
    shown = context.new_page()
    asked: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto((folder / "verify.html").as_uri())
    settled(shown)
    yield shown
    assert asked == [(folder / "verify.html").as_uri()], "the page asks for nothing but itself"
    context.close()


def choose(page: Page, folder: Path) -> None:
    """As somebody who doubts the copies inside the page."""
    before = runs(page)
    page.locator("#folder").set_input_files(folder / "evidence")
    settled(page, before=before)


def speak(page: Page, language: str) -> None:
    before = runs(page)
    page.click(f"[data-language={language}]")
    settled(page, before=before)


def test_every_step_of_a_good_exhibit_holds(page: Page) -> None:
    expect(page.locator("#summary")).to_have_class("holds")
    assert page.locator(".step.holds").count() == page.locator(".step").count() > 50
    expect(page.locator("#summary")).to_contain_text("entry 3 of the log landlink.example/la-0001.1")
    expect(page.locator("#summary")).to_contain_text("before 2026-10-27 12:50:00 UTC")
    expect(page.locator("#summary")).to_contain_text(
        "at 2026-10-27 10:20:00 UTC; so it was made after that, if the box"
    )


def test_the_page_never_says_that_a_document_or_a_story_is_true(page: Page) -> None:
    words = page.locator("body").inner_text().lower()
    assert "does not say whether what was recorded is right" in words
    assert not {"genuine", "authentic", "guilty", "score"} & set(words.split())


def test_it_speaks_lao_and_english(page: Page) -> None:
    speak(page, "lo")
    expect(page.locator("h1")).to_have_text("ການກວດສອບຫຼັກຖານ")
    assert page.locator("html").get_attribute("lang") == "lo"
    speak(page, "en")
    expect(page.locator("h1")).to_have_text("Check of an exhibit")


def test_what_trust_rests_on_stands_before_the_result(page: Page, made: Made) -> None:
    text = page.locator("main").inner_text()
    assert 0 < text.index(made.exhibit.trust.root_sha256) < text.index("The files fit together.")
    page.locator(".trust details").evaluate("details => { details.open = true }")
    for key in (made.exhibit.trust.identity_fingerprint, made.exhibit.trust.log_vkey):
        expect(page.locator("#trust")).to_contain_text(key)


def flipped(content: bytes, at: int = -1) -> bytes:
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


def in_text(old: str, new: str) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        assert old.encode() in content
        return content.replace(old.encode(), new.encode(), 1)

    return change


def cosignature(algorithm: int) -> Callable[[bytes], bytes]:
    """Another character in the last signature line (ML-DSA-44) or the one before it (Ed25519)."""

    def change(content: bytes) -> bytes:
        lines = content.decode().split("\n")
        line = lines[algorithm]
        assert line.startswith(f"— {COSIGNER} ")
        at = len(line) - 20
        lines[algorithm] = line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1 :]
        return "\n".join(lines).encode()

    return change


WITHOUT_EXHIBIT = {"exhibit", "readable", "shown", "time", "custody", "custody_sum"}
"""Steps that compare a file with what the report shows."""

ALTERED: list[tuple[str, Callable[[bytes], bytes], set[str]]] = [
    ("body.age", flipped, {"body"}),
    ("record.cbor", flipped, {"commitment", "readable"}),
    ("record.json", in_text("PHOMMASAK", "PHOMMASAX"), {"readable"}),
    ("statement.cose", flipped, {"statement", "place", "shown"}),
    ("proof.tlog-proof", in_text("index 3", "index 4"), {"place", "shown", "receipt"}),
    ("checkpoint", in_text("\n13\n", "\n12\n"), {"checkpoint", "cosigned_ed25519", "cosigned_mldsa44", "exhibit"}),
    ("checkpoint", cosignature(-3), {"cosigned_ed25519"}),
    ("checkpoint", cosignature(-2), {"cosigned_mldsa44"}),
    ("epoch.cose", flipped, {"epoch", "epoch_place"}),
    ("epoch.tlog-proof", in_text("index 0", "index 1"), {"epoch_place"}),
    ("identity.der", flipped, {"epoch", "epoch_place", "roster", "exhibit"}),
    ("log.vkey", in_text("la-0001.1+", "la-0001.2+"), {"roster", "checkpoint", "place", "epoch_place", "exhibit"}),
    ("receipt.cose", flipped, {"receipt"}),
    ("receipts.key", flipped, {"receipt", "roster"}),
    ("after.checkpoint", in_text("\n2\n", "\n1\n"), {"after"}),
    ("time.json", in_text("rtc", "none"), {"time"}),
    ("roster/1.root.json", in_text('"version":1}', '"version":2}'), {"roster", "exhibit"}),
    ("roster/roster.target.json", in_text("LA-0001", "LA-0002"), {"roster"}),
    ("roster/roster.json", in_text('"length":', '"length":1'), {"roster"}),
    ("roster/snapshot.json", in_text('"version":1}', '"version":2}'), {"roster"}),
    ("roster/lists.json", in_text('"version":1}', '"version":2}'), {"roster"}),
    ("exhibit.json", in_text('"index": 3', '"index": 2'), {"shown"}),
    ("entries/2/picture.jpg", flipped, {"picture"}),
    ("exhibit.json", lambda _: b"null", WITHOUT_EXHIBIT),
    ("exhibit.json", lambda _: b'{"related": []', WITHOUT_EXHIBIT),
    ("exhibit.json", in_text('"to": "Clerk', '"to": "Klerk'), {"custody"}),
    ("custody/1.cbor", flipped, {"custody"}),
    ("custody/reached.json", in_text('"count":1,', '"count":2,'), {"custody_sum"}),
    ("custody/checkpoint", in_text("\n3\n", "\n2\n"), {"custody"}),
]


@pytest.mark.parametrize(("name", "change", "red"), ALTERED)
def test_an_altered_file_is_named_by_the_step_that_fails(
    page: Page, made: Made, tmp_path: Path, name: str, change: Callable[[bytes], bytes], red: set[str]
) -> None:
    path = f"evidence/{name}"
    with_it = path.rpartition("/")[0] if name.startswith("entries/") else path  # the piece needs its neighbours
    few = {
        each: content
        for each, content in made.files.items()
        if not each.startswith("evidence/entries/") or each.startswith(with_it)
    }
    Made(made.exhibit, {**few, path: change(made.files[path])}).write(tmp_path)
    choose(page, tmp_path)
    expect(page.locator("#compared .fails").get_by_text(path).first).to_be_visible()
    expect(page.locator("#summary")).to_have_class("fails")
    assert failed(page) == red


def test_the_folder_itself_is_compared_byte_for_byte(page: Page, folder: Path) -> None:
    choose(page, folder)
    expect(page.locator("#compared .holds")).to_contain_text("are the same, byte for byte")
    assert page.locator("#compared .fails").count() == 0
    expect(page.locator("#summary")).to_have_class("holds")


def test_markup_in_a_note_or_a_name_stays_text(browser: Browser, tmp_path: Path) -> None:
    chosen = Chosen(note=MARKUP, case=MARKUP)
    folder = make_exhibit(tmp_path / "home", chosen).write(tmp_path / "exhibit")
    (folder / "evidence" / "entries" / "x").mkdir()
    (folder / "evidence" / "entries" / "x" / "<img src=x onerror=alert(1)>").write_bytes(b"a hostile name")
    write_verifier(folder)
    page = browser.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto((folder / "verify.html").as_uri())
    settled(page)
    assert page.title() == "Check of an exhibit"
    assert dialogs == []
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 3
    expect(page.locator("#summary")).to_have_class("holds")
    page.close()


def test_a_file_that_is_not_here_is_no_tick(page: Page, made: Made, tmp_path: Path) -> None:
    few = {path: content for path, content in made.files.items() if path.count("/") < 2}
    del few["evidence/receipt.cose"], few["evidence/after.checkpoint"], few["evidence/body.age"]
    Made(made.exhibit, few).write(tmp_path)
    choose(page, tmp_path)
    unchecked = {step.get_attribute("data-step") for step in page.locator(".step.open").all()}
    assert {"receipt", "after", "body", "roster"} <= unchecked


def test_an_exhibit_that_is_too_large_for_a_page_is_checked_when_its_folder_is_chosen(
    browser: Browser, made: Made, tmp_path: Path
) -> None:
    folder = made.write(tmp_path)
    (folder / "verify.html").write_text(verifier_page({}), encoding="utf-8")
    page = browser.new_page()
    page.goto((folder / "verify.html").as_uri())
    settled(page)
    expect(page.locator("#summary")).to_contain_text("too large to lie inside the page")
    expect(page.locator("#summary")).to_have_class("open")
    choose(page, folder)
    expect(page.locator("#summary")).to_have_class("holds")
    page.close()
