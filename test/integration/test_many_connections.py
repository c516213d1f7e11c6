"""Idle connections cost little and give everything back; half-open ones cost nobody else anything."""
import time

import pytest

from support.kahu import IS_KAMAILIO, wait_until
from support.load import finish_load, start_load
from support.process import family_memory_kb


@pytest.mark.load
def test_idle_connections(make_kahu, long_or_short):
    count = long_or_short(10_000, 1_000)
    server = make_kahu(connections=count + 100).start()
    server.load("idle", "--total", 200, "--request")  # what is allocated once is not what a connection costs
    wait_until(lambda: "opened_connections: 0" in server.rpc("tls.info"), 5)
    used = server.heap_used()
    result = server.load("idle", "--total", count, "--hold", 1, "--request", "--server-pid", server.pid, timeout=1200)
    assert result.failed == 0, result.failures
    assert result.answered == result.still_open == count
    assert result.server_kb_per_connection <= 20 or IS_KAMAILIO, result.server_kb_per_connection
    # After the close the segment is back.
    assert wait_until(lambda: "opened_connections: 0" in server.rpc("tls.info"), 10)
    assert wait_until(lambda: server.heap_used() - used < 256 * 1024, 5) or IS_KAMAILIO, server.heap_used() - used
    server.is_well()


@pytest.mark.load
@pytest.mark.kahu_only
@pytest.mark.parametrize("kind", ["silent", "half-hello", "after-hello"])
def test_half_open_connections_do_not_stop_new_ones(make_kahu, long_or_short, kind):
    """More of them than tls_max_connections allows, and all are closed in time."""
    limit, timeout = long_or_short((2048, 10), (256, 3))
    server = make_kahu(connections=limit, params=f'modparam("tls", "handshake_timeout", {timeout})').start()
    with server.tls() as old:
        from support.sip import request
        assert old.ask(request(transport="TLS")).status == 200
        flood = start_load("halfopen", server.tls_port, "--total", limit * 3 // 2, "--kind", kind, "--seconds",
                           timeout + 4, "--expect-closed", "--concurrency", 20)
        time.sleep(0.5)
        good = server.load("handshake", "--rate", 50, "--seconds", timeout + 1, "--request", "--timeout", 5)
        assert good.failed == 0, good.failures
        assert good.succeeded > 45 * timeout
        closed = finish_load(flood)
        assert closed.failed == 0, closed.failures
        assert closed.lifetime_max_us < (timeout + 2) * 1e6
        assert old.ask(request(transport="TLS")).status == 200, "an established connection gave way"
    assert wait_until(lambda: "opened_connections: 0" in server.rpc("tls.info"), 5)


@pytest.mark.load
def test_memory_does_not_grow_with_the_number_of_handshakes(make_kahu, long_or_short):
    server = make_kahu().start()
    many = long_or_short(20_000, 2_000)
    server.load("handshake", "--total", many, "--request")
    used, memory = server.heap_used(), family_memory_kb(server.pid)
    result = server.load("handshake", "--total", many, "--request")
    assert result.failed == 0, result.failures
    assert wait_until(lambda: server.heap_used() - used < 64 * 1024, 5), server.heap_used() - used
    # Whole pages go back and forth; that is not growth.
    assert family_memory_kb(server.pid) - memory < 4096


@pytest.mark.load
def test_open_loop_requests(make_kahu):
    """At a rate far below what it can do, nothing waits."""
    server = make_kahu().start()
    result = server.load("requests", "--rate", 2000, "--seconds", 3, "--concurrency", 100)
    assert result.failed == 0, result.failures
    assert result.answer_p50_us < 5_000


@pytest.mark.load
@pytest.mark.parametrize("transport", ["--tls", "--tcp", "--udp"])
@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER"])
def test_requests_on_persistent_connections(shared_kahu, transport, method):
    # Over UDP no more than fits into a socket's receive buffer: what the kernel drops is not the server's fault.
    options = {"--tls": ["1.3", "--depth", 8], "--tcp": ["--depth", 8], "--udp": ["--depth", 1]}[transport]
    result = shared_kahu.load("requests", transport, *options, "--total", 20_000, "--concurrency", 40, "--method", method)
    assert result.failed == 0, result.failures
    assert result.answered == 20_000
