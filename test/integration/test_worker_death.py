"""A worker that is killed is replaced; the connections of the others live on."""
import os
import signal

import pytest

from support.kahu import wait_until
from support.sip import request

pytestmark = pytest.mark.kahu_only


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_tcp_worker(make_kahu, number):
    server = make_kahu().start()
    server.allowed_alarms = (r"worker|process|child|died|killed|signal",)
    workers = server.processes_titled("tcp receiver")
    assert len(workers) == 4
    clients = [server.tls() for _ in range(40)]
    try:
        for client in clients:
            assert client.ask(request(transport="TLS")).status == 200
        os.kill(workers[0], number)
        assert wait_until(lambda: set(server.processes_titled("tcp receiver")) != set(workers), 5), "not noticed"
        assert wait_until(lambda: len(server.processes_titled("tcp receiver")) == 4, 5), "not replaced"
        alive = 0
        for client in clients:
            try:
                alive += client.ask(request(transport="TLS")) is not None
            except OSError:
                pass
        assert alive >= 39, f"{40 - alive} of 40 connections were lost"
    finally:
        for client in clients:
            client.close()
    server.is_well()


@pytest.mark.load
def test_worker_killed_under_load(make_kahu):
    server = make_kahu().start()
    server.allowed_alarms = (r"worker|process|child|died|killed|signal",)
    for _ in range(3):
        victim = server.processes_titled("tcp receiver")[1]
        result = server.load("requests", "--seconds", 2, "--concurrency", 40, "--depth", 2, "--total", 100_000,
                             "--at-half", f"kill -9 {victim}", "--timeout", 3)
        assert result.connections_lost <= 1, result.failures
        server.is_well()


def test_udp_worker(make_kahu):
    server = make_kahu(udp_workers=2).start()
    server.allowed_alarms = (r"worker|process|child|died|killed|signal",)
    workers = server.processes_titled("udp receiver")
    os.kill(workers[0], signal.SIGKILL)
    assert wait_until(lambda: len(server.processes_titled("udp receiver")) == 2
                      and set(server.processes_titled("udp receiver")) != set(workers), 5)
    for _ in range(20):
        with server.udp() as client:
            assert client.ask(request()).status == 200


def test_supervisor_killed_leaves_no_orphans(make_kahu):
    from support.process import is_alive
    server = make_kahu().start()
    family = server.processes()
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    assert wait_until(lambda: not any(map(is_alive, family)), 5), [pid for pid in family if is_alive(pid)]
