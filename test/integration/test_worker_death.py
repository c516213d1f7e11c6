"""A worker that is killed is replaced; the connections of the others live on."""
import os
import re
import signal
import time

import pytest

from support.kahu import wait_until
from support.sip import request

pytestmark = pytest.mark.kahu_only


def counter(server, name):
    return int(re.search(rf"\b{name}\s*=\s*(\d+)", server.rpc("stats.get_statistics", "all"))[1])


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


def test_private_memory(make_kahu):
    """Without OpenSSL in the segment the TLS connections of a dead worker end at once, not when the peer asks next."""
    server = make_kahu(core="tls_shared_memory=no", workers=2).start()
    server.allowed_alarms = (r"worker|process|child|died|killed|signal",)
    clients = [server.tls() for _ in range(20)] + [server.tcp() for _ in range(10)]
    for client in clients:
        assert client.ask(request(transport=client.transport)).status == 200
    lost_before = counter(server, "lost_with_worker")
    begun = time.monotonic()
    os.kill(server.processes_titled("tcp receiver")[0], signal.SIGKILL)
    lasting, took = list(clients), 0
    while time.monotonic() < begun + 1.5:
        still = [client for client in lasting if not client.is_closed(0.002)]
        if len(still) < len(lasting):
            lasting, took = still, time.monotonic() - begun
    assert all(client.ask(request(transport=client.transport)).status == 200 for client in lasting)
    ended = [client for client in clients if client not in lasting]
    print(f"{len(ended)} of 30 ended after {took * 1000:.0f} ms")
    assert 8 <= len(ended) <= 12 and all(client.transport == "TLS" for client in ended), "one worker's half of them"
    assert took < 1
    assert counter(server, "lost_with_worker") - lost_before == len(ended)
    assert counter(server, "adopted") > 0, "TCP goes on"
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
    successor = next(pid for pid in server.processes_titled("udp receiver") if pid not in workers)
    assert wait_until(lambda: re.search(rf"process\.replaced .*pid={successor}\b", server.log()), 5), "the log does not say so"
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
