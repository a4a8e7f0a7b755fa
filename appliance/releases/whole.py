"""Whether the lists of a release hold, every page of them: at each load only what is read is verified."""

from appliance.errors import Untrusted
from appliance.formats.pages import PageFile, Source
from appliance.formats.release import Damaged, Release


def check_whole(release: Release) -> None:
    """Raises Untrusted, Malformed or StorageFault for a list that does not."""
    if isinstance(release.persons, Damaged):
        raise Untrusted(release.persons.why)
    if isinstance(release.documents, Damaged):
        raise Untrusted(release.documents.why)
    for source in release.documents:
        check_pages(source)


def check_pages(source: Source) -> None:
    """Raises Untrusted, Malformed or StorageFault for a page that does not hold."""
    for _ in PageFile(source).parts():
        pass  # each page is verified as it is read
