"""The fuzz targets for a moment each, and what earlier runs kept; `make fuzz` goes on for ten minutes each.

Guided runs need atheris, which has wheels for x86-64; where there is none they are left out, and Hypothesis chooses.
"""

import importlib.util
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.campaign import KINDS, guide
from tests.fuzz.corpus import inputs_of, steps
from tests.fuzz.mutation import mutate
from tests.fuzz.planted import PLANTED
from tests.fuzz.targets import TARGETS

guided = pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="no atheris for this machine")


@pytest.mark.parametrize("name", TARGETS)
@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    seed = data.draw(st.sampled_from(inputs_of(name, target)))
    target.run(mutate(seed, random.Random(data.draw(st.integers(0, 2**64 - 1)))))


@pytest.mark.parametrize("name", TARGETS)
def test_what_earlier_runs_kept_still_keeps_the_promise(name: str) -> None:
    for data in inputs_of(name, TARGETS[name]):
        TARGETS[name].run(data)


def test_another_way_through_the_code_is_told_from_the_same_one() -> None:
    zone = TARGETS["mrz"]
    assert steps(zone, b"A" * 30) == steps(zone, b"B" * 30)
    assert steps(zone, zone.seeds()[1]) - steps(zone, b"A" * 30)


@guided
@pytest.mark.parametrize(("name", "code"), [("planted-raise", 77), ("planted-hang", 70), ("planted-hoard", 71)])
def test_a_broken_promise_a_hang_and_a_hoard_are_found(name: str, code: int) -> None:
    outcome = guide(name, PLANTED[name], seconds=20, seed=1)
    assert outcome.finding == KINDS[code]
    assert list(outcome.folder.glob("found-*"))


@guided
def test_a_guided_run_takes_more_branches_than_its_seeds() -> None:
    outcome = guide("mrz", TARGETS["mrz"], seconds=3, seed=1)
    assert outcome.finding == ""
    assert outcome.executions > 100
    assert outcome.edges > 100
