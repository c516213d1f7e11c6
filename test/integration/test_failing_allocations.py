"""Allocations fail while a server works: one of them, or all from there on, as when the segment is full.  Nobody dies,
nothing stays behind, what comes next works; KAHU_LONG=1 takes many more of each operation's allocations."""
import random

import pytest

from support.failing import FailingServer
from support.paths import LONG

pytestmark = pytest.mark.kahu_only
OPERATIONS = ("handshake-1.2", "handshake-1.3", "options", "register", "invite", "invite-replies", "reload",
              "first-after-reload", "connect", "connect-worker")
TRIED = 100 if LONG else 3


@pytest.fixture(scope="module")
def failing(tmp_path_factory, certificates):
    with FailingServer(tmp_path_factory.mktemp("failing"), certificates) as server:
        yield server


@pytest.mark.parametrize("operation", OPERATIONS)
def test_allocations_fail_in(failing, operation):
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    failed = 0
    for kind in ("fail", "full"):
        result = failing.fail(operation, kind, lambda about: sorted(dice.sample(range(about), min(about, TRIED))))
        print(result, "seed", seed)
        assert not result.problems
        assert result.failed, "no allocation was reached"
        failed += result.failed
    left = failing.left()
    print("left behind:", left)
    # OpenSSL 3.0 itself forgets a block of 96 bytes at a few of its failed allocations (3 of 640 in a handshake).
    assert left.pop("openssl", 0) <= max(4, failed // 20) * 96
    assert not left
