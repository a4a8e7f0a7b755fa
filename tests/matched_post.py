"""A small post at which one traveller is a possible match, for tests of what follows."""

from appliance.booth.events import BadgeSaid, Moved
from appliance.booth.inquirer import LOOK_S
from appliance.booth.state import OpenCase
from appliance.recorded import Stage
from tests.small_post import WANTED_NAME, MemoryRecorder, SmallPost, passport

TO_ASKED = (Stage.FIRST_LINE_VERIFIED, Stage.SECONDARY, Stage.CONFIRMATION_REQUESTED)
BADGE = "7701"


def with_a_match(recorder: MemoryRecorder | None = None, *, steps: int = 0) -> tuple[SmallPost, str]:
    """A post with one possible match, so many steps on its way to headquarters."""
    post = SmallPost(recorder)
    post.clerk.idle()
    post.clerk.say(BadgeSaid(badge=BADGE))
    post.lay(*passport("PA7654321", *WANTED_NAME))
    of = str(post.state.shown)
    for stage in TO_ASKED[:steps]:
        post.clerk.say(Moved(of=of, now=stage))
    return post, of


def case(post: SmallPost, of: str) -> OpenCase:
    found = post.state.find(of)
    assert found is not None
    return found


def look(post: SmallPost) -> None:
    """A second later."""
    post.wait(LOOK_S)
    post.clerk.idle()
