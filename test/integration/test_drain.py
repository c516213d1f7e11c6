"""A server that is asked to end: what is under way is finished first, whoever dies meanwhile."""
import os
import signal
import time
from contextlib import ExitStack

import pytest

from support.injection import Injection
from support.kahu import MODULES, wait_until
from support.process import is_alive
from support.rpc import values
from support.sip import request

pytestmark = pytest.mark.kahu_only
STEPS = (2, 3, 6, 10)  # of the two locks that an answer takes: some while one is held
KINDS = ("tcp receiver", "udp receiver", "timer", "tcp main", "ctl handler")


def relaying(make_kahu, far, name="server", **more):
    script = f'request_route {{ $du = "sip:127.0.0.1:{far.port}"; t_check_trans(); if (!t_relay()) sl_reply_error(); }}'
    server = make_kahu(name, modules=MODULES + '\nloadmodule "tm.so"', script=script, **more).start()
    server.allowed_alarms = (r"process\.died",)
    return server


def ringing(far, caller):
    """The INVITE as it arrived."""
    assert caller.ask(request("INVITE", transport=caller.transport)).status == 100
    assert caller.receive().status == 180
    return far.next()


def test_by_command(make_kahu):
    server = make_kahu(workers=1).start()
    with server.tls() as client:
        assert client.ask(request(transport="TLS")).status == 200
        assert int(values(server.rpc("core.drain", 20))["connections"]) >= 1
        assert server.process.wait(3) == 0


def test_waits_for_calls_being_set_up(make_kahu, endpoint):
    """What was asked before is answered, new requests are told 503, then the server is gone; without answers, in time."""
    far = endpoint(status="180 Ringing")
    server = relaying(make_kahu, far)
    with server.udp() as caller, server.udp() as late:
        assert caller.ask(request("INVITE")).status == 100
        assert caller.receive().status == 180
        server.rpc("core.drain", 10)
        time.sleep(0.5)
        refused = late.ask(request("INVITE"))
        assert refused.status == 503 and refused.header("Retry-After")
        assert server.running()
        far.socket.sendto(far.next().reply("200 OK"), ("127.0.0.1", server.plain_port))
        assert caller.receive().status == 200
        assert server.process.wait(3) == 0
    server = relaying(make_kahu, far, "impatient")
    server.allowed_alarms = ("drain_incomplete",)
    with server.udp() as caller:
        assert caller.ask(request("INVITE")).status == 100
        server.rpc("core.drain", 1)
        assert server.process.wait(4) == 0
        assert "server.drain_incomplete" in server.log()


def begin_draining(server, seconds=30):
    server.rpc("core.drain", seconds)
    assert wait_until(lambda: refuses_connections(server), 5)


def refuses_connections(server):
    try:
        server.tcp(timeout=1).close()
        return False
    except OSError:
        return True


@pytest.mark.parametrize("kind", KINDS)
def test_calls_being_set_up_outlive(make_kahu, endpoint, kind):
    """A process of that kind: it is replaced as ever, and the server still leaves by itself."""
    far = endpoint(status="180 Ringing")
    server = relaying(make_kahu, far, workers=2, udp_workers=2)
    with ExitStack() as open_ones:
        callers = [open_ones.enter_context(client()) for client in (server.tls, server.tls, server.udp)]
        calls = [ringing(far, caller) for caller in callers]
        victim = server.processes_titled(kind)[0]
        begin_draining(server)
        os.kill(victim, signal.SIGKILL)
        assert wait_until(lambda: server.log().count("process.died") == 1, 5)
        for call, caller in zip(calls, callers):
            far.socket.sendto(call.reply(), ("127.0.0.1", server.plain_port))
            assert caller.receive(10).status == 200
        assert server.process.wait(10) == 0
    assert "server.drain_incomplete" not in server.log()


def test_locks_of_the_dead_are_released(make_kahu, endpoint, tmp_path):
    """A worker dies at steps of the locks that it takes for an answer; the answer comes again, as over UDP it does."""
    far, injection = endpoint(status="180 Ringing"), Injection(tmp_path)
    server = relaying(make_kahu, far, workers=1, udp_workers=2, env=injection.env)
    with ExitStack() as open_ones:
        callers = [open_ones.enter_context(server.udp()) for _ in STEPS]
        calls = [ringing(far, caller) for caller in callers]
        begin_draining(server)
        for step, call, caller in zip(STEPS, calls, callers):
            injection.order(server.processes_titled("udp receiver"), f"lock:{step}:0")

            def answered():
                far.socket.sendto(call.reply(), ("127.0.0.1", server.plain_port))
                return caller.receive(0.2)

            assert wait_until(answered, 10).status == 200
        assert server.process.wait(10) == 0
    assert server.log().count("write_locks=1") >= 2


def test_locks_of_who_dies_while_ending_are_released(make_kahu, endpoint, tmp_path):
    """SIGTERM: two workers have half a message each, of the same transaction; one dies with its lock."""
    far, injection = endpoint(status="180 Ringing"), Injection(tmp_path)
    server = relaying(make_kahu, far, workers=2, core="exit_timeout=15", env=injection.env)
    message = request("INVITE", transport="TCP")
    with server.tcp() as one, server.tcp() as other:
        for client in (one, other):
            client.send(message[:-4])
        workers = server.processes_titled("tcp receiver")
        time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        assert wait_until(lambda: refuses_connections(server), 5)
        injection.order(workers, "lock:2:0")
        one.send(message[-4:])
        assert wait_until(lambda: "write_locks=1" in server.log(), 5)
        injection.order(filter(is_alive, workers), "off:0:0")
        other.send(message[-4:])
        assert other.receive(5).status == 100
        assert server.process.wait(10) == 0


@pytest.mark.parametrize("core,order,code", [("", "damage:0:0", 0), ("worker_restart=no", "lock:2:0", 1)],
                         ids=["segment not to be trusted", "no worker is replaced"])
def test_a_drain_is_given_up(make_kahu, endpoint, tmp_path, core, order, code):
    far, injection = endpoint(status="180 Ringing"), Injection(tmp_path)
    server = relaying(make_kahu, far, core=core, env=injection.env)
    with server.udp() as caller:
        call = ringing(far, caller)
        begin_draining(server)
        injection.order(server.processes_titled("udp receiver"), order)
        far.socket.sendto(call.reply(), ("127.0.0.1", server.plain_port))
        assert server.process.wait(10) == code
    assert server.log().count("server.ready") == 1
    assert ("server.drain_given_up" in server.log()) == (code == 0)
