"""The fuzz targets for a moment each, with Hypothesis choosing the changes: `python -m tests.fuzz NAME` goes on."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutation import mutate
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    seed = data.draw(st.sampled_from(target.seeds()))
    target.run(mutate(seed, random.Random(data.draw(st.integers(0, 2**64 - 1)))))


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_themselves_keep_the_promise(name: str) -> None:
    for seed in TARGETS[name].seeds():
        TARGETS[name].run(seed)
