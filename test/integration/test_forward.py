"""forward() between UDP, TCP and TLS: what the next hop gets, how replies find back, names, dead and slow peers."""
import os
import re
import signal
import socket
import time

import pytest

from support.paths import free_port
from support.process import wait_until
from support.rpc import values
from support.sip import request, tls_context

MODULES = "\n".join(f'loadmodule "{name}.so"' for name in "ctl pv sl maxfwd siputils textops rr tls".split())
SCRIPT = """
request_route {
	if (is_method("OPTIONS") && $rU == $null) {
		sl_send_reply("200", "OK");
		exit;
	}
	if (!mf_process_maxfwd_header("10")) {
		sl_send_reply("483", "Too Many Hops");
		exit;
	}
	if (loose_route()) {
		if (!forward()) sl_send_reply("478", "Cannot forward");
		exit;
	}
	record_route();
	if (!forward()) sl_send_reply("478", "Cannot forward");
}
"""
VERIFYING = """
[server:default]
method = TLSv1.2+
certificate = @CERTS@/server.crt
private_key = @CERTS@/server.key
[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
ca_list = @CERTS@/ca.crt
"""


@pytest.fixture
def proxy(make_kahu):
    def make(**options):
        return make_kahu(modules=MODULES, script=SCRIPT, **{"workers": 2, **options}).start()

    return make


def with_names(server, more=""):
    return f'dns_servers="127.0.0.1:{server.port}"\ndns_retr_time=1\ndns_retr_no=1\n{more}\n'


def message(uri, transport, method="MESSAGE", **more):
    return request(method, uri, transport.upper(), **more)


@pytest.mark.requirement("PX-04", "PX-09", "PX-10", "TR-13")
@pytest.mark.parametrize("to", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("by", ["udp", "tcp", "tls"])
@pytest.mark.requirement("PX-04", "PX-09", "PX-10")
def test_forwards_between_transports(proxy, endpoint, by, to):
    """Request and reply on each pair."""
    server, far = proxy(), endpoint(to)
    with server.client(by) as client:
        response = client.ask(message(far.uri, by, body="hello"))
        got = far.next()
        assert got is not None and got.uri == far.uri and got.body == b"hello"
        assert response is not None and response.status == 200
        assert len(response.all("Via")) == 1 and len(got.all("Via")) == 2
        assert got.all("Via")[0].startswith(f"SIP/2.0/{to.upper()} 127.0.0.1:")
        assert got.header("Max-Forwards") == "69"
        ours = got.all("Record-Route")
        assert len(ours) == (1 if by == to else 2)
        assert (f"transport={to}" in ours[0]) == (to != "udp")
        assert (f"transport={by}" in ours[-1]) == (by != "udp")


def test_a_connection_is_reused_and_made_again(proxy, endpoint):
    server, far = proxy(), endpoint("tcp")
    with server.udp() as client:
        for _ in range(20):
            assert client.ask(message(far.uri, "udp")).status == 200
        assert far.connections == 1
        far.hang_up()
        assert wait_until(lambda: values(server.rpc("core.tcp_info"))["opened_connections"] == "0")
        assert client.ask(message(far.uri, "udp")).status == 200
        assert far.connections == 2


def test_requests_go_back_over_the_connection_they_came_on(proxy, endpoint):
    """What is sent to the source address of an inbound connection uses it."""
    server = proxy()
    with server.tcp() as phone, server.udp() as caller:
        assert phone.ask(request("OPTIONS", transport="TCP")).status == 200
        caller.send(message(f"sip:phone@127.0.0.1:{phone.local_port};transport=tcp", "udp"))
        assert phone.read_bytes(10).startswith(b"MESSAGE sip:phone@")


@pytest.mark.requirement("PX-23")
def test_copies_get_the_same_branch(proxy, endpoint):
    server, far = proxy(), endpoint("udp")
    with server.udp() as client:
        copy = message(far.uri, "udp")
        branches = []
        for data in (copy, copy, message(far.uri, "udp")):
            client.ask(data)
            branches.append(far.next().all("Via")[0].split("branch=")[1].split(";")[0])
    assert branches[0] == branches[1] != branches[2]
    assert all(branch.startswith("z9hG4bK") for branch in branches)


@pytest.mark.requirement("PX-14")
def test_replies_that_are_not_ours_go_nowhere(proxy, endpoint):
    """PX-14, 16.7.3: a single Via, or a top Via of somebody else."""
    server, far = proxy(), endpoint("udp", status="")
    with server.udp() as client:
        client.send(message(far.uri, "udp"))
        reply = far.next().reply()
        vias = [line for line in reply.split(b"\r\n") if line.startswith(b"Via:")]
        for bad in (reply.replace(vias[1] + b"\r\n", b""), reply.replace(b"127.0.0.1:%d" % server.plain_port, b"10.9.9.9")):
            far.socket.sendto(bad, ("127.0.0.1", server.plain_port))
        assert client.receive(timeout=0.3) is None
        far.socket.sendto(reply, ("127.0.0.1", server.plain_port))
        assert client.receive().status == 200


@pytest.mark.requirement("PX-10")
def test_dialog_over_two_record_routes(proxy, endpoint):
    """PX-10: the callee behind TLS sends a BYE to a caller on UDP through both our routes."""
    server, callee, caller = proxy(), endpoint("tls"), endpoint("udp")
    with server.udp() as client:
        client.ask(message(callee.uri, "udp"))
        routes = callee.next().all("Record-Route")
    assert len(routes) == 2
    bye = request("BYE", caller.uri, "TLS", To="<sip:a@b>;tag=x", headers=[f"Route: {', '.join(routes)}"],
                  via_port=callee.port)
    callee.send(bye)
    got = caller.next()
    assert got is not None and got.method == "BYE" and got.all("Route") == []
    assert wait_until(lambda: not callee.responses.empty())
    assert callee.connections == 1


# --- aliases --------------------------------------------------------------------------------------------
def asks_for_alias(port, transport):
    return request("OPTIONS", transport=transport, Via=f"SIP/2.0/{transport} 127.0.0.1:{port};alias;branch=z9hG4bKalias")


def test_aliases_are_used_for_sending(proxy):
    """RFC 5923: what goes to the port in the Via uses the connection that asked for it."""
    server, port = proxy(core="tcp_accept_aliases=yes"), free_port()
    with server.tcp() as peer, server.udp() as caller:
        assert peer.ask(asks_for_alias(port, "TCP")).status == 200
        def arrives():
            caller.send(message(f"sip:bob@127.0.0.1:{port};transport=tcp", "udp"))
            return peer.read_bytes(10, timeout=0.3).startswith(b"MESSAGE")
        assert wait_until(arrives)


@pytest.mark.requirement("UR-08", "UR-09")
def test_ur_09_aliases_of_unknown_peers_are_not_used(proxy, certificates):
    """Over TLS an alias needs a client certificate (UR-08); without one it is an attack."""
    asking = VERIFYING.replace("[client:default]", "verify_client = optional\nca_list = @CERTS@/ca.crt\n[client:default]")
    server = proxy(core="tcp_accept_aliases=yes", tls=asking)
    known = tls_context(certificate=certificates.cert("client"), key=certificates.key("client"))
    for context, welcome in ((tls_context(), False), (known, True)):
        port = free_port()
        with server.tls(context) as peer, server.udp() as caller:
            assert peer.ask(asks_for_alias(port, "TLS")).status == 200
            def arrives():
                caller.send(message(f"sip:bob@127.0.0.1:{port};transport=tls", "udp"))
                return peer.read_bytes(10, timeout=0.3).startswith(b"MESSAGE")
            assert bool(wait_until(arrives, seconds=1.5)) == welcome


# --- TLS ----------------------------------------------------------------------------------------------
def zone_for(name, port, service="_sips._tcp."):
    return {(service + name, "SRV"): [(1, 1, port, "host." + name)], ("host." + name, "A"): ["127.0.0.1"]}


@pytest.mark.requirement("UR-04", "UR-06")
def test_ur_04_tls_servers_prove_their_name(proxy, endpoint, names, certificates):
    """SNI is the domain; a certificate of another name is refused (UR-06)."""
    certificates.run("server", "--name", "right", "--dns", "right.example")
    far, wrong = endpoint("tls", "right"), endpoint("tls", "server")
    dns = names(zone_for("right.example", far.port) | zone_for("wrong.example", wrong.port))
    server = proxy(core=with_names(dns), tls=VERIFYING)
    with server.udp() as client:
        assert client.ask(message("sips:bob@right.example", "udp")).status == 200
        assert far.next().sni == "right.example"
        assert client.ask(message("sips:bob@right.example", "udp")).status == 200
        assert far.connections == 1
        client.send(message("sips:bob@wrong.example", "udp"))
        assert wrong.next(timeout=1) is None
        assert wait_until(lambda: "does not name wrong.example" in server.log())


@pytest.mark.requirement("UR-01")
def test_ur_01_sips_goes_over_tls_only(proxy, endpoint):
    server, plain, far = proxy(), endpoint("udp"), endpoint("tls")
    with server.udp() as client:
        assert client.ask(message(f"sips:bob@127.0.0.1:{far.port};transport=udp", "udp")).status == 200
        got = far.next()
        assert got.uri.startswith("sips:") and got.all("Record-Route")[0].startswith("<sips:")
        client.send(message(f"sips:bob@127.0.0.1:{plain.port};transport=udp", "udp"))
        assert plain.next(timeout=0.5) is None


# --- names --------------------------------------------------------------------------------------------
@pytest.mark.requirement("PX-25")
def test_naptr_then_srv_then_address(proxy, endpoint, names):
    far = endpoint("tcp")
    dns = names({("x.example", "NAPTR"): [(10, 1, "s", "SIP+D2T", "_sip._tcp.x.example"),
                                         (20, 1, "s", "SIP+D2U", "_sip._udp.x.example")],
                 ("_sip._tcp.x.example", "SRV"): [(1, 1, far.port, "host.x.example")],
                 ("host.x.example", "A"): ["127.0.0.1"]})
    server = proxy(core=with_names(dns, "dns_try_naptr=yes"))
    with server.udp() as client:
        for _ in range(5):
            assert client.ask(message("sip:bob@x.example", "udp")).status == 200
        assert far.next().all("Via")[0].startswith("SIP/2.0/TCP")
    asked = [pair for pair in dns.asked]
    assert asked[0] == ("x.example", "NAPTR")
    assert len(asked) == len(set(asked)), "asked for once, then from the cache"


def test_names_that_do_not_exist_are_answered(proxy, names):
    dns = names({})
    server = proxy(core=with_names(dns))
    with server.udp() as client:
        assert client.ask(message("sip:bob@nowhere.example", "udp")).status == 478
        before = len(dns.asked)
        assert client.ask(message("sip:bob@nowhere.example", "udp")).status == 478
        assert len(dns.asked) == before, "remembered"


def test_a_silent_name_server_stops_nobody(proxy, endpoint, names):
    dns, far = names({}, silent=True), endpoint("udp")
    server = proxy(core=with_names(dns))
    with server.udp() as client:
        for _ in range(50):
            client.send(message("sip:bob@slow.example", "udp"))
        started = time.monotonic()
        assert client.ask(message(far.uri, "udp")).status == 200
        assert time.monotonic() - started < 0.5
        assert client.receive(timeout=5).status == 478


def test_host_names_of_the_hosts_file(proxy, endpoint, names):
    dns, far = names({}), endpoint("udp")
    server = proxy(core=with_names(dns))
    with server.udp() as client:
        assert client.ask(message(f"sip:bob@localhost:{far.port}", "udp")).status == 200


# --- peers that do not behave ---------------------------------------------------------------------------
def test_a_refused_connection_is_counted_and_stops_nobody(proxy, endpoint):
    server, far = proxy(), endpoint("tcp")
    with server.udp() as client:
        client.send(message(f"sip:bob@127.0.0.1:{free_port()};transport=tcp", "udp"))
        assert client.ask(message(far.uri, "udp")).status == 200
        assert wait_until(lambda: "tcp.connect_failed" in server.log())
        assert wait_until(lambda: values(server.rpc("core.tcp_info"))["opened_connections"] == "1")


def test_a_peer_that_does_not_read_stops_nobody(proxy, endpoint):
    server = proxy(core="tcp_send_timeout=2\ntcp_conn_wq_max=200000")
    deaf, far = endpoint("tcp", reads=False), endpoint("tcp")
    with server.udp() as client, server.tcp() as other:
        def given_up():
            for _ in range(5):
                client.send(message(deaf.uri, "udp", body="x" * 20000))
            assert other.ask(message(far.uri, "tcp")).status == 200
            return client.receive(timeout=0.01) is not None and "send timeout" in server.log()

        assert wait_until(given_up, seconds=15), server.log()
        while client.receive(timeout=0.5) is not None:
            pass
        started = time.monotonic()
        for _ in range(20):
            assert client.ask(message(far.uri, "udp")).status == 200
        assert time.monotonic() - started < 5


def test_a_tls_peer_that_never_answers_is_given_up(proxy, endpoint):
    server = proxy(core="tls_handshake_timeout=1")
    silent, far = endpoint("tcp", reads=False), endpoint("tls")
    with server.udp() as client:
        client.send(message(f"sip:bob@127.0.0.1:{silent.port};transport=tls", "udp"))
        assert client.ask(message(far.uri, "udp")).status == 200
        assert wait_until(lambda: "tls.handshake.failed" in server.log(), seconds=5)


@pytest.mark.parametrize("to", ["tcp", "tls"])
def test_outgoing_connections_survive_their_worker(proxy, endpoint, to):
    server, far = proxy(), endpoint(to)
    server.allowed_alarms = (r"process\.died",)
    with server.udp() as client:
        assert client.ask(message(far.uri, "udp")).status == 200
        for _ in range(3):
            for pid in server.processes_titled("tcp receiver"):
                os.kill(pid, signal.SIGKILL)
            assert wait_until(lambda: len(server.processes_titled("tcp receiver")) == 2)
            assert wait_until(lambda: (r := client.ask(message(far.uri, "udp"))) is not None and r.status == 200)
        assert far.connections == 1
        for pid in server.processes_titled("tcp main"):
            os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: (r := client.ask(message(far.uri, "udp"))) is not None and r.status == 200)
        assert far.connections == 1
        other = endpoint("tcp")
        assert wait_until(lambda: (r := client.ask(message(other.uri, "udp"))) is not None and r.status == 200)
        other.close()

# --- with transactions ------------------------------------------------------------------------------------
RELAY_MODULES = MODULES.replace('loadmodule "rr.so"', 'loadmodule "tm.so"\nloadmodule "rr.so"')
RELAY = """
request_route {
	if (is_method("OPTIONS") && $rU == $null) {
		sl_send_reply("200", "OK");
		exit;
	}
	if (!t_relay()) sl_reply_error();
}
"""


@pytest.mark.parametrize("to", ["tcp", "tls"])
@pytest.mark.requirement("PX-27")
def test_the_next_server_is_tried_when_the_first_refuses(make_kahu, endpoint, names, to):
    """SRV names a dead server first; the call succeeds all the same, with another branch."""
    far, service = endpoint(to), {"tcp": "_sip._tcp.", "tls": "_sips._tcp."}[to]
    dns = names({(service + "x.example", "SRV"): [(1, 1, free_port(), "host.x.example"), (2, 1, far.port, "host.x.example")],
                 ("host.x.example", "A"): ["127.0.0.1"]})
    server = make_kahu(modules=RELAY_MODULES, script=RELAY, workers=2, core=with_names(dns)).start()
    with server.udp() as client:
        client.send(message(f"sip:bob@x.example;transport={to}", "udp"))
        response = client.receive(timeout=8)  # long before fr_timer
        assert response is not None and response.status == 200


@pytest.mark.requirement("PX-27")
def test_an_overloaded_server_and_a_silent_one_are_followed_by_the_next(make_kahu, endpoint, names):
    busy, silent, far = endpoint("udp", status="503 Overloaded"), endpoint("udp", status=""), endpoint("udp")
    ports = (busy.port, silent.port, far.port)
    dns = names({("_sip._udp.x.example", "SRV"): [(n, 1, port, "host.x.example") for n, port in enumerate(ports)],
                 ("host.x.example", "A"): ["127.0.0.1"]})
    server = make_kahu(modules=RELAY_MODULES, script=RELAY, workers=2, core=with_names(dns),
                       params='modparam("tm", "fr_timer", 1000)').start()
    with server.udp() as client:
        client.send(message("sip:bob@x.example", "udp", method="INVITE"))
        responses = [client.receive(timeout=6)]
        while responses[-1] is not None and responses[-1].status < 200:
            responses.append(client.receive(timeout=6))
        assert responses[-1] is not None and responses[-1].status == 200
    branches = {one.next().all("Via")[0] for one in (busy, silent, far)}
    assert len(branches) == 3
    assert busy.next().method == "ACK"


def test_a_script_forbids_the_next_server(make_kahu, endpoint, names):
    busy, far = endpoint("udp", status="503 Overloaded"), endpoint("udp")
    dns = names({("_sip._udp.x.example", "SRV"): [(1, 1, busy.port, "h.example"), (2, 1, far.port, "h.example")],
                 ("h.example", "A"): ["127.0.0.1"]})
    server = make_kahu(modules=RELAY_MODULES, script=RELAY.replace("if (!t_relay", "t_set_disable_failover(1);\n\tif (!t_relay"),
                       core=with_names(dns)).start()
    with server.udp() as client:
        assert client.ask(message("sip:bob@x.example", "udp")).status == 500
    assert far.next(timeout=0.2) is None


@pytest.mark.requirement("UR-06")
def test_ur_06_the_next_server_is_tried_after_a_wrong_certificate(make_kahu, endpoint, names, certificates):
    certificates.run("server", "--name", "right", "--dns", "right.example")
    wrong, right = endpoint("tls", "server"), endpoint("tls", "right")
    dns = names({("_sips._tcp.right.example", "SRV"): [(1, 1, wrong.port, "h.example"), (2, 1, right.port, "h.example")],
                 ("h.example", "A"): ["127.0.0.1"]})
    server = make_kahu(modules=RELAY_MODULES, script=RELAY, workers=2, core=with_names(dns), tls=VERIFYING).start()
    with server.udp() as client:
        client.send(message("sips:bob@right.example", "udp"))
        response = client.receive(timeout=6)
        assert response is not None and response.status == 200
    assert wrong.next(timeout=0.1) is None


def test_what_waits_for_silent_name_servers_is_bounded(make_kahu, names):
    """By bytes: 32 MB of requests wait in a process, the others are refused at once, and all is forgotten in time."""
    dns = names({}, silent=True)
    core = f'dns_servers="127.0.0.1:{dns.port}"\ndns_retr_time=3\ndns_retr_no=1\ndns_use_search_list=no'
    script = "request_route { if (is_method(\"OPTIONS\")) { sl_send_reply(\"200\", \"OK\"); exit; } if (!forward()) sl_send_reply(\"503\", \"Busy\"); }"
    server = make_kahu(core=core, script=script, workers=1, udp_workers=1).start()

    def refuses_no_more(client):
        before = refused()
        client.send(message("sip:a@later.example", "tcp", body="x" * 50_000))
        time.sleep(0.3)
        return refused() == before

    def refused():
        return int(re.search(r"\brefused = (\d+)", server.rpc("stats.get_statistics", "dns:"))[1])

    with server.tcp(timeout=20) as client:
        for number in range(900):
            client.send(message(f"sip:a@n{number}.example", "tcp", body="x" * 50_000))
        client.send(message("sip:127.0.0.1", "tcp", "OPTIONS"))
        while client.receive().status != 200:
            pass
        assert 100 < (before := refused()) < 800
        assert wait_until(lambda: refuses_no_more(client), 20), "there is room again when the others were told"
        assert refused() >= before
