"""Transport as RFC 3261 section 18, 3581, 5626, 5630 and 6223 want it (requirements.tsv, TR-...), besides what
test_transports.py shows: what is on the wire, and that whatever comes costs nobody else anything."""
import os
import socket
import struct
import time

import pytest

from support.paths import TORTURE, free_port
from support.process import descendants, family_memory_kb, wait_until
from support.rpc import values
from support.sip import UdpClient, request

STREAMS = ["tcp", "tls"]
MODULES = "\n".join(f'loadmodule "{name}.so"' for name in "ctl pv sl maxfwd siputils textops tm rr tls".split())
# Transactions that end soon: 64 * T1 is 1.3 s.
SHORT = "\n".join(f'modparam("tm", "{name}", {ms})' for name, ms in (("fr_timer", 1000), ("retr_timer1", 20), ("wt_timer", 300)))
RELAY = """
request_route {
	if (is_method("OPTIONS") && $rU == $null) {
		sl_send_reply("200", "OK");
		exit;
	}
	@FIRST@
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	t_check_trans();
	record_route();
	if (!t_relay()) sl_reply_error();
}
"""


@pytest.fixture
def server(shared_kahu):
    yield shared_kahu
    shared_kahu.is_well()


@pytest.fixture
def relay(make_kahu):
    """relay(first="statements", ...): t_relay() of everything but OPTIONS to the server itself."""
    def make(first="", **options):
        return make_kahu(modules=MODULES, script=RELAY.replace("@FIRST@", first), **{"workers": 2, **options}).start()

    return make


# --- framing --------------------------------------------------------------------------------------------
@pytest.mark.requirement("TR-01")
@pytest.mark.parametrize("transport", STREAMS)
def test_two_requests_in_one_record(server, transport):
    """One write, so one TLS record: both are answered, in order; a body is not taken for a message."""
    with server.client(transport) as client:
        inner = request(transport=client.transport)
        sent = [request(transport=client.transport, body=inner.decode()), request(transport=client.transport)]
        client.send(b"".join(sent))
        got = [client.receive() for _ in sent]
        assert [response.status for response in got] == [200, 200]
        for asked, response in zip(sent, got):
            assert b"\r\nCall-ID: %s\r\n" % response.header("Call-ID").encode() in asked.partition(b"\r\n\r\n")[0] + b"\r\n"
        assert client.receive(timeout=0.2) is None, "the body was answered"


@pytest.mark.requirement("TR-03")
@pytest.mark.parametrize("transport", STREAMS)
@pytest.mark.parametrize("count", [1, 3, 7])
def test_crlf_before_a_start_line(server, transport, count):
    with server.client(transport) as client:
        client.send(b"\r\n" * count + request(transport=client.transport))
        assert client.receive().status == 200
        client.send(b"\r\n" * count)
        time.sleep(0.05)
        client.send(request(transport=client.transport))
        assert client.receive().status == 200


@pytest.mark.requirement("TR-04")
@pytest.mark.parametrize("transport", STREAMS)
def test_no_content_length_is_answered_400(server, transport):
    """RFC 2543 did without; on a stream nobody knows where such a message ends."""
    old = (TORTURE / "rfc4475/inv2543.dat").read_bytes()
    without = request(transport=transport.upper(), Content_Length=None)
    compact = request(transport=transport.upper(), Content_Length=None, headers=["X-l: 0", "X-Content-Length: 0"])
    for message in (old, without, compact):
        with server.client(transport) as client, server.client(transport) as other:
            client.send(message)
            assert client.is_closed()
            assert client.pending.startswith(b"SIP/2.0 400 ") and client.pending.count(b"SIP/2.0 ") == 1, client.pending
            assert other.ask(request(transport=transport.upper())).status == 200


@pytest.mark.requirement("TR-04")
def test_no_content_length_may_be_allowed(make_kahu):
    """tcp_accept_no_cl=yes: then there is no body, and the next message follows."""
    server = make_kahu(core="tcp_accept_no_cl=yes").start()
    for transport in STREAMS:
        with server.client(transport) as client:
            client.send(request(transport=client.transport, Content_Length=None) * 2 + request(transport=client.transport))
            assert [client.receive().status for _ in range(3)] == [200] * 3
            client.send(request(transport=client.transport, Content_Length="nonsense"))
            assert client.is_closed()


def folded(transport, length_header):
    """Every header cut in the places where RFC 3261 7.3.1 and 25.1 let it be."""
    return "\r\n".join([
        "OPTIONS sip:127.0.0.1 SIP/2.0", f"Via\t :\r\n  SIP  /\r\n 2.0\r\n\t/{transport}\r\n 127.0.0.1:5060\r\n ;branch\r\n =",
        "\tz9hG4bKfolded ;\r\n rport", "Max-Forwards  :", " 70", "f\t:\r\n \"A folded\r\n\tname\"", " <sip:a@127.0.0.1>", " ;tag", " =", " x1",
        "t :\r\n <sip:b@127.0.0.1>", "i :\r\n  folded@127.0.0.1", "CSeq:", "\t9 ", " OPTIONS", "Subject:", " a", "",
    ]) + length_header + "\r\n\r\n"


@pytest.mark.requirement("TR-07")
@pytest.mark.parametrize("transport", STREAMS)
@pytest.mark.parametrize("length", ["l:5", "l :\r\n 5", "L\t: \r\n\t5 ", "Content-Length:\r\n \r\n\t5\r\n ",
                                    "CONTENT-LENGTH  :  5", "content-length:0005"])
def test_folded_headers_and_compact_forms(server, transport, length):
    with server.client(transport) as client:
        client.send(folded(client.transport, length).encode() + b"OPTIO" + request(transport=client.transport))
        first, second = client.receive(), client.receive()
        assert first is not None and first.status == 200
        assert "CSeq:" in "".join(first.lines) and first.header("Call-ID") == "folded@127.0.0.1", first.lines
        assert first.header("CSeq").split() == ["9", "OPTIONS"]
        assert second is not None and second.status == 200


@pytest.mark.requirement("TR-07")
@pytest.mark.parametrize("transport", STREAMS)
def test_wsinv(server, transport):
    """RFC 4475 3.1.1.1: folds and blanks in every place; a valid INVITE, answered as one."""
    with server.client(transport) as client:
        client.send((TORTURE / "rfc4475/wsinv.dat").read_bytes() + request(transport=client.transport))
        first, second = client.receive(), client.receive()
        assert first.status == 405 and first.header("CSeq").split() == ["0009", "INVITE"], first.lines
        assert ", ".join(first.all("Via")).count("branch") == 3
        assert second.status == 200


# --- where answers go -----------------------------------------------------------------------------------
@pytest.mark.requirement("TR-09")
@pytest.mark.parametrize("how", ["t_relay", "forward"])
@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_reply_when_the_connection_is_gone(relay, endpoint, kind, how):
    """RFC 3261 18.2.2: then the sent-by of the Via is tried, over a connection of our own."""
    server, far, waiting = relay("" if how == "t_relay" else "forward(); exit;"), endpoint("udp", status=""), endpoint(kind)
    with server.client(kind) as client:
        client.send(request("MESSAGE", far.uri, kind.upper(), via_port=waiting.port))
        got = far.next()
    time.sleep(0.1)
    far.socket.sendto(got.reply(), ("127.0.0.1", server.plain_port))
    raw = waiting.responses.get(timeout=3)
    assert raw.startswith(b"SIP/2.0 200 ") and raw.count(b"Via:") == 1
    server.is_well()


@pytest.mark.requirement("TR-09")
@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_reply_with_nowhere_to_go_is_dropped(relay, endpoint, kind):
    """Nobody at the sent-by either, or set_reply_no_connect(): nothing but the reply is lost."""
    for first in ("", "set_reply_no_connect();"):
        server = relay(first, params=SHORT)
        far, waiting = endpoint("tcp", status=""), endpoint(kind)

        def ten():
            for _ in range(10):
                with server.client(kind) as client:
                    client.send(request("MESSAGE", far.uri, kind.upper(), via_port=waiting.port if first else free_port()))
                    got = far.next()
                far.send(got.reply())
            server.is_well()
            assert wait_until(lambda: values(server.rpc("tm.stats"))["current"] == "0", 5)
            return server.heap_used()

        server.warm_up()
        before = ten()
        assert ten() < before + 64 * 1024
        assert waiting.connections == 0
        server.finish()


@pytest.mark.requirement("TR-10")
@pytest.mark.parametrize("transport", ["udp", *STREAMS])
@pytest.mark.parametrize("host,marked", [("phone.example", True), ("10.1.2.3", True), ("127.0.0.1", False)])
def test_received_is_added_when_sent_by_is_another_host(server, transport, host, marked):
    with server.client(transport) as client:
        via = f"SIP/2.0/{client.transport} {host}:{client.local_port};branch=z9hG4bKrec"
        answer = client.ask(request(transport=client.transport, Via=via)).header("Via")
        assert answer == via + (";received=127.0.0.1" if marked else "")


@pytest.mark.requirement("TR-10")
@pytest.mark.parametrize("transport", ["udp", *STREAMS])
def test_received_is_in_what_is_forwarded(relay, endpoint, transport):
    server, far = relay(), endpoint("udp")
    with server.client(transport) as client:
        via = f"SIP/2.0/{client.transport} phone.example:{client.local_port};branch=z9hG4bKfwd"
        client.send(request("MESSAGE", far.uri, Via=via))
        assert far.next().all("Via")[1] == via + ";received=127.0.0.1"


@pytest.mark.requirement("TR-11")
@pytest.mark.parametrize("sent_by", ["127.0.0.1:5060", "127.0.0.1", "phone.example:9", "[2001:db8::1]:5060"])
def test_rport_without_value(server, sent_by):
    """RFC 3581 4: both parameters, and the answer goes to where the request came from."""
    with server.udp() as client:
        client.send(request(Via=f"SIP/2.0/UDP {sent_by};rport;branch=z9hG4bKrport"))
        via = client.receive().header("Via")
        assert f";rport={client.local_port};" in via + ";" and ";received=127.0.0.1;" in via + ";"


@pytest.mark.requirement("TR-12")
def test_reply_of_a_server_behind_us_goes_to_the_port_of_the_via(relay, endpoint):
    """Also when it comes through us: with rport to the source, without to sent-by."""
    server, far = relay(), endpoint("udp")
    with UdpClient(server.plain_port) as listener, UdpClient(server.plain_port) as sender:
        sender.send(request("MESSAGE", far.uri, via_port=listener.local_port).replace(b";rport", b""))
        assert listener.receive().status == 200 and sender.receive(timeout=0.2) is None
        sender.send(request("MESSAGE", far.uri, via_port=listener.local_port))
        assert sender.receive().status == 200 and listener.receive(timeout=0.2) is None


@pytest.mark.requirement("TR-11")
@pytest.mark.parametrize("send", ["t_relay()", "forward()"])
def test_replies_leave_by_the_socket_the_request_came_to(relay, endpoint, send):
    """RFC 3581 4, also if the request was sent on by another: a NAT lets nothing else in."""
    port, far = free_port(), endpoint("udp")
    server = relay(f'force_send_socket("udp:127.0.0.1:{port}"); {send}; exit;', core=f"listen=udp:127.0.0.1:{port}")
    with server.udp() as client:
        assert client.ask(request("MESSAGE", far.uri)).status == 200
        assert far.next().all("Via")[0].startswith(f"SIP/2.0/UDP 127.0.0.1:{port};")
        far.status = ""
        client.send(request("MESSAGE", far.uri))
        forged = far.next().reply().replace(b";l=", b";l=ffff")  # nobody chooses a socket that is not there
        far.socket.sendto(forged, ("127.0.0.1", port))
        server.is_well()


@pytest.mark.requirement("TR-13")
@pytest.mark.parametrize("to", ["udp", "tcp", "tls"])
def test_the_via_names_the_transport_used(relay, endpoint, to):
    """RFC 3261 18.1.1; over WebSocket there is no sending yet."""
    server, far = relay(), endpoint(to)
    port = server.tls_port if to == "tls" else server.plain_port
    with server.tls() as client:
        assert client.ask(request("MESSAGE", far.uri, "TLS")).status == 200
    assert far.next().all("Via")[0].startswith(f"SIP/2.0/{to.upper()} 127.0.0.1:{port};branch=z9hG4bK")


@pytest.mark.requirement("TR-14")
@pytest.mark.parametrize("send", ["t_relay()", "forward()"])
@pytest.mark.parametrize("other", ["TCP", "tls"])
def test_requests_too_large_for_a_datagram(relay, endpoint, send, other):
    """18.1.1: above udp_mtu another transport is taken, to the same port, with a Via and Record-Route that say so."""
    far = endpoint("udp", port=free_port())
    large = endpoint(other.lower(), port=far.port)
    server = relay(f"record_route(); {send}; exit;", core=f"udp_mtu=1300\nudp_mtu_try_proto={other}")
    with server.udp() as client:
        assert client.ask(request("INVITE", far.uri, body="x" * 500)).status in (100, 200)
        assert far.next().all("Via")[0].startswith("SIP/2.0/UDP ")
        client.send(request("INVITE", far.uri, body="x" * 1200))
        got = large.next()
        assert got.all("Via")[0].startswith(f"SIP/2.0/{other.upper()} ") and len(got.all("Record-Route")) == 2
        assert f"transport={other.lower()}" in got.all("Record-Route")[0]
        assert far.next(timeout=0.2) is None and large.next(timeout=0.2) is None


@pytest.mark.requirement("TR-14")
@pytest.mark.parametrize("core", ["", "udp_mtu=500", "udp_mtu=500\nudp_mtu_try_proto=UDP"])
def test_datagrams_may_be_as_large_as_they_are(relay, endpoint, core):
    """Nothing changes unless both parameters ask for it."""
    server, far = relay(core=core), endpoint("udp")
    with server.udp() as client:
        assert client.ask(request("MESSAGE", far.uri, body="x" * 20_000)).status == 200


# --- keep-alives ----------------------------------------------------------------------------------------
@pytest.mark.requirement("TR-17", "TR-18")
@pytest.mark.parametrize("transport", STREAMS)
def test_pings_around_messages(server, transport):
    """In one write: each ping is answered by one CRLF, each message by its answer."""
    with server.client(transport) as client:
        one, two = request(transport=client.transport), request(transport=client.transport)
        client.send(b"\r\n\r\n" + one + b"\r\n\r\n" + two + b"\r\n\r\n")
        raw = client.read_bytes(100_000, timeout=0.5)
        assert raw.startswith(b"\r\nSIP/2.0 200 ") and raw.endswith(b"\r\n\r\n\r\n"), raw
        middle = raw[2:-2].split(b"\r\n\r\n")
        assert [part[:14].strip() for part in middle] == [b"SIP/2.0 200 OK", b"SIP/2.0 200", b""], raw
        for cut in range(1, 4):
            client.send(b"\r\n\r\n"[:cut])
            time.sleep(0.02)
            client.send(b"\r\n\r\n"[cut:])
            assert client.read_bytes(2) == b"\r\n"
        assert client.ask(request(transport=client.transport)).status == 200


@pytest.mark.requirement("TR-17")
def test_pings_may_be_left_unanswered(make_kahu):
    server = make_kahu(core="tcp_crlf_ping=no").start()
    with server.tls() as client:
        client.send(b"\r\n\r\n" + request(transport="TLS"))
        assert client.read_bytes(100_000, timeout=0.4).startswith(b"SIP/2.0 200 ")


@pytest.mark.requirement("TR-19")
@pytest.mark.parametrize("transport", ["udp", *STREAMS])
@pytest.mark.parametrize("keep", ["keep", "keep=120"])
def test_keep_is_left_untouched(server, relay, endpoint, transport, keep):
    """RFC 6223 4: who does not negotiate it gives the parameter back as it came, so that nobody relies on it."""
    far = endpoint("udp")
    with server.client(transport) as client:
        via = f"SIP/2.0/{client.transport} 127.0.0.1:{client.local_port};{keep};branch=z9hG4bKkeep"
        assert client.ask(request("REGISTER", transport=client.transport, Via=via)).header("Via") == via
    with relay().client(transport) as client:
        via = f"SIP/2.0/{client.transport} 127.0.0.1:{client.local_port};{keep};branch=z9hG4bKkeep"
        client.send(request("INVITE", far.uri, Via=via))
        assert far.next().all("Via")[1] == via


# --- too much, too slow, gone -----------------------------------------------------------------------------
@pytest.mark.requirement("TR-15")
@pytest.mark.parametrize("transport", STREAMS)
@pytest.mark.parametrize("what", ["headers", "one header", "body"])
def test_a_hundred_megabytes(make_kahu, transport, what):
    """More than msg_recv_max_size: 513 where it can be said, and the end of the connection; memory is bounded."""
    server = make_kahu(workers=2).start()
    server.is_well()
    start = request(transport=transport.upper(), Content_Length=str(100 << 20))
    head = start[: start.index(b"Content-Length")]
    begin, more = {"headers": (head, b"X-Filler: yes\r\n" * 4096), "one header": (head + b"X: ", b"x" * 65536),
                   "body": (start, b"b" * 65536)}[what]
    memory, sent = family_memory_kb(server.pid), 0
    with server.client(transport) as client:
        try:
            client.send(begin)
            while sent < 100 << 20:
                client.send(more)
                sent += len(more)
        except OSError:
            pass
        assert sent < 20 << 20, "taken without end"
        assert client.is_closed()
    grown = family_memory_kb(server.pid) - memory
    assert grown < 8 * 1024, f"{grown} KB"
    server.is_well()


@pytest.mark.requirement("TR-15")
@pytest.mark.parametrize("transport", STREAMS)
def test_a_message_too_large_is_answered_513(make_kahu, transport):
    server = make_kahu(core="msg_recv_max_size=8192\ntcp_rd_buf_size=8192").start()
    with server.client(transport) as client:
        assert client.ask(request(transport=client.transport, body="b" * 7000)).status == 200
        client.send(request(transport=client.transport, body="b" * 9000))
        assert client.is_closed() and client.pending.startswith(b"SIP/2.0 513 "), client.pending
    server.is_well()


@pytest.mark.kahu_only
@pytest.mark.requirement("TR-16")
@pytest.mark.parametrize("transport", STREAMS)
def test_five_hundred_slow_senders(make_kahu, transport):
    """Each sends a byte now and then: all are closed in time, and nobody else waits."""
    server = make_kahu(core="tcp_msg_read_timeout=2", workers=2, connections=1024).start()
    head = request(transport=transport.upper())[:-40]
    slow = [server.client(transport) for _ in range(500)]
    begun, worst = time.monotonic(), 0.0
    try:
        with server.client(transport) as good:
            for turn in range(8):
                for client in slow[turn % 4::4]:
                    try:
                        client.send(head[turn * 3:turn * 3 + 3])
                    except OSError:
                        pass
                asked = time.monotonic()
                assert good.ask(request(transport=good.transport)).status == 200
                worst = max(worst, time.monotonic() - asked)
        assert worst < 0.5, f"others waited {worst:.2f} s"
        assert all(client.is_closed(max(0.05, begun + 8 - time.monotonic())) for client in slow)
    finally:
        for client in slow:
            client.close()
    assert wait_until(lambda: "opened_connections: 0" in server.rpc("core.tcp_info"), 5)
    server.is_well()


def open_files(server):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in [server.pid, *descendants(server.pid)])


def vanish(client, how):
    """As the kernel ends the connections of a process that is killed: without a word of TLS, by FIN or by reset."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", *how))
    os.close(client.socket.detach())


@pytest.mark.requirement("TR-23")
def test_clients_that_vanish_in_the_middle_of_transactions(relay, endpoint, long_or_short):
    """Neither descriptors nor memory stay behind."""
    far, server = endpoint("tcp", status=""), relay(params=SHORT)
    rounds = long_or_short(1000, 120)

    def once(number):
        client = server.client(STREAMS[number % 2])
        client.send(request("INVITE", far.uri, client.transport))
        assert far.next() is not None
        vanish(client, (number // 2 % 2, 0))

    server.warm_up()
    for number in range(100):
        once(number)

    def is_quiet():
        return (values(server.rpc("core.tcp_info"))["opened_connections"] == "1"  # to the next hop
                and values(server.rpc("tm.stats"))["current"] == "0")

    assert wait_until(is_quiet, 8)
    time.sleep(4)  # until what is freed late is free
    files, memory = open_files(server), server.heap_used()
    for number in range(rounds):
        once(number)
    assert wait_until(is_quiet, 8)
    assert open_files(server) <= files + 2, "descriptors left"
    assert wait_until(lambda: server.heap_used() - memory < 32 * 1024, 15, 0.2), server.heap_used() - memory
    server.is_well()


@pytest.mark.requirement("TR-23")
@pytest.mark.parametrize("transport", STREAMS)
def test_a_next_hop_that_vanishes_is_an_error_for_the_caller(relay, endpoint, transport):
    """RFC 3261 18.4: 503 (500 upstream, 16.7) or 408, in bounded time; what is sent afterwards gets a new connection."""
    server, far = relay(params='modparam("tm", "fr_timer", 1500)'), endpoint(transport, status="")
    with server.udp() as client:
        client.send(request("INVITE", far.uri))
        assert far.next() is not None
        far.hang_up()
        answers = [client.receive(timeout=4) for _ in range(2)]
        assert answers[0].status == 100 and answers[1].status in (408, 477, 500, 503), answers
        far.status = "200 OK"
        assert client.ask(request("MESSAGE", far.uri)).status == 200
    assert far.connections == 2
