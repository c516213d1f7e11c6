"""Processes die at chosen steps of locks, heap and queues while they do what they are for; test/crash/sweep.py takes
every step, here are a few of each operation."""
import random

import pytest

from support.paths import LONG
from support.sweep import POINTS, SweptServer

pytestmark = pytest.mark.kahu_only
STEPS = 40 if LONG else 3


@pytest.fixture(scope="module")
def swept(tmp_path_factory, certificates):
    with SweptServer(tmp_path_factory.mktemp("swept"), certificates) as server:
        yield server


@pytest.mark.parametrize("operation", SweptServer.OPERATIONS)
def test_a_process_dies_in(swept, operation):
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    deaths = 0
    for point in POINTS:
        result = swept.sweep(operation, point, lambda steps: sorted(dice.sample(range(steps), min(STEPS, steps))))
        print(result, "seed", seed)
        assert not result.problems
        deaths += result.deaths
    assert deaths, "nothing was reached"


def test_the_different_places_of_an_operation_are_found(swept):
    """What sweep.py --places goes by: step 0 is one, no place comes twice, and one can die there."""
    steps, places = swept.steps("reload", "lock"), swept.places("reload")
    print(steps, {point: len(firsts) for point, firsts in places.items()})
    assert places["lock"][0] == 0 and 100 < len(places["lock"]) < steps
    result = swept.sweep("reload", "lock", lambda _: [places["lock"][len(places["lock"]) // 2]])
    assert result.deaths == 1 and not result.problems
