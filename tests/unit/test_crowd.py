"""Who goes when one place too many is asked for."""

from appliance.crowd import who_goes


def first(place: str) -> str:
    return place[0]


def test_the_first_of_whoever_has_most_goes() -> None:
    assert who_goes(["a1", "b1", "c1", "b2"], first) == "b1"
    assert who_goes(["a1", "b1"], first) == "a1"
    assert who_goes([], first) is None


def test_a_newcomer_counts_with_its_holder_and_stays() -> None:
    assert who_goes(["a1", "b1"], first, newcomer="b2") == "b1"
    assert who_goes([], first, newcomer="b1") is None
