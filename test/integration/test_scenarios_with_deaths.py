"""
The scenarios of test_beside_kamailio.py while workers are killed: phones see the same messages as without.

One worker of each kind, so that each death hits the phones: SIGKILL before one of the messages that they send, each in its turn
(under KAHU_LONG=1 before every one, a second apart). What a worker has in hand as it dies may be lost (test_injected_deaths.py); what it does not, may not.
"""
import difflib
import os
import signal
import time

import pytest

from support import scenarios
from support.paths import LONG
from test_beside_kamailio import ENDED, USERS, World, cases, play, pytestmark, served_from
from test_stock_config import stock

INTERVAL = 1.0 if LONG else 0.3
__all__ = ["pytestmark"]  # where Debian's Kamailio and its database are


class Deaths:
    """Before the n-th message of a scenario a worker dies: no two within INTERVAL seconds."""

    def __init__(self, server):
        self.server, self.last, self.turn, self.count = server, 0.0, 0, 0

    def before(self, message):
        """For the world of one play: counts what its phones send."""
        sent = 0

        def about_to_send():
            nonlocal sent
            sent += 1
            if sent == message:
                self.kill_one()
        return about_to_send

    def rest(self):
        time.sleep(max(0.0, self.last + INTERVAL - time.monotonic()))

    def kill_one(self):
        kind = ("tcp receiver", "udp receiver")[self.turn % 2]
        self.turn += 1
        for pid in self.server.processes_titled(kind):
            os.kill(pid, signal.SIGKILL)
        self.count += 1
        self.last = time.monotonic()


@pytest.fixture(scope="module")
def server(tmp_path_factory, certificates):
    server = served_from(stock, tmp_path_factory.mktemp("deaths"), certificates, USERS,
                         lambda text: text.replace("\nchildren=8\n", "\nchildren=1\ntcp_children=1\n"))
    server.allowed_alarms = (r"process\.died",)
    try:
        server.start()
        assert [len(server.processes_titled(kind)) for kind in ("udp receiver", "tcp receiver")] == [1, 1]
        yield server
        server.finish()
    finally:
        server.kill()


@pytest.fixture(scope="module")
def deaths(server):
    return Deaths(server)


@pytest.mark.parametrize("scenario,up,down", cases(scenarios.ALL, [("tls", "udp"), ("tcp", "tls")]))
def test_phones_notice_nothing(server, deaths, scenario, up, down):
    expected = play(scenario, World(server), up, down)
    assert ENDED not in expected, expected
    messages = expected.count(" sent\n")
    for message in range(1, messages + 1) if LONG else [1 + (deaths.turn * 5) % messages]:
        for _ in range(2):  # on a busy machine the successor may come after the first repetition of a message
            deaths.rest()
            before = deaths.count
            got = play(scenario, World(server, deaths.before(message)), up, down)
            if got == expected:
                break
        difference = list(difflib.unified_diff(expected.split("\n"), got.split("\n"), "undisturbed", "with a death", lineterm=""))
        assert not difference, f"before message {message}:\n" + "\n".join(difference)
        assert deaths.count > before
