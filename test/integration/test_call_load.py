"""Calls at a rate over each pair of transports: none fails, nothing is said twice where the transport is reliable, and a
worker that is killed takes no more than what it held."""
import os
import signal
import threading

import pytest

from support.kahu import MODULES
from support.paths import LONG, free_port
from support.registrar import ANSWER_OPTIONS

pytestmark = [pytest.mark.load, pytest.mark.kahu_only]
TRANSPORTS = ("udp", "tcp", "tls")
SECONDS, RATE = (60, 1000) if LONG else (1, 150)

SCRIPT = "request_route {" + ANSWER_OPTIONS + """
	if (has_totag()) {
		if (loose_route() && !t_relay()) sl_reply_error();
		exit;
	}
	record_route();
	if (!t_relay()) sl_reply_error();
}
"""


def proxy(make_kahu):
    return make_kahu(modules=MODULES + '\nloadmodule "tm.so"\nloadmodule "rr.so"', script=SCRIPT, workers=2,
                     udp_workers=2, params='modparam("tm", "fr_timer", 5000)').start()


def calls(server, up, down, *options):
    flags = [] if up == "tls" else [f"--{up}"]
    return server.load("calls", "--callee", f"{down}:127.0.0.1:{free_port()}", *flags, "--rate", RATE, *options)


@pytest.mark.parametrize("up", TRANSPORTS)
def test_no_call_fails(make_kahu, up):
    server = proxy(make_kahu)
    for down in TRANSPORTS:
        seen = calls(server, up, down, "--seconds", SECONDS)
        assert seen.failed == 0, (down, seen.failures)
        assert seen.completed >= 0.9 * SECONDS * RATE, (down, seen)
        if down != "udp":
            assert seen.requests_repeated == 0, (down, seen)
        if up != "udp" and seen.sent_again == 0:
            assert seen.answers_repeated == 0, (down, seen)
    server.is_well()


class Killer:
    """Kills a TCP worker, a UDP worker, a TCP worker ... of `server`, one each `pause` seconds, while it is entered."""

    def __init__(self, server, pause):
        self.server, self.pause, self.kills, self.over = server, pause, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(self.pause):
            title = ("tcp receiver", "udp receiver")[self.kills % 2]
            victims = self.server.processes_titled(title)
            if victims:
                os.kill(victims[self.kills // 2 % len(victims)], signal.SIGKILL)
                self.kills += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@pytest.mark.parametrize("up,down", [(u, d) for u in TRANSPORTS for d in TRANSPORTS] if LONG else
                         [("tls", "udp"), ("udp", "tls"), ("tls", "tls")])
def test_workers_killed(make_kahu, up, down):
    server = proxy(make_kahu)
    server.allowed_alarms = (r"worker|process|child|died|killed|signal",)
    with Killer(server, 1 if LONG else 0.4) as killer:
        seen = calls(server, up, down, "--seconds", 60 if LONG else 2, "--allow-lost", 100, "--timeout", 8)
    assert killer.kills >= (40 if LONG else 3)
    # A death costs the connection that was being worked on, and with it at most the calls whose message it was.
    assert seen.reopened <= killer.kills, seen
    assert seen.failed + seen.calls_lost <= 3 * killer.kills, (killer.kills, seen)
    assert seen.completed >= 0.9 * seen.calls, seen
    server.is_well()
