"""UDP, TCP and TLS: framing, keep-alives, wrong input, IPv6.  One bad peer costs nobody else anything."""
import socket
import ssl
import time

import pytest

from support.kahu import BASE, wait_until
from support.sip import StreamClient, UdpClient, request, tls_context

STREAMS = ["tcp", "tls"]


@pytest.fixture
def server(shared_kahu):
    yield shared_kahu
    shared_kahu.is_well()  # whatever a test sent


@pytest.mark.requirement("TR-01")
@pytest.mark.parametrize("transport", STREAMS)
def test_pipelined_requests_are_answered_in_order(server, transport):
    with server.client(transport) as client:
        requests = [request(transport=client.transport) for _ in range(50)]
        client.send(b"".join(requests))
        for sent in requests:
            response = client.receive()
            assert response.status == 200
            assert f"\r\nCSeq: {response.header('CSeq')}\r\n".encode() in sent


@pytest.mark.requirement("TR-02")
@pytest.mark.parametrize("transport", STREAMS)
def test_byte_by_byte(server, transport):
    with server.client(transport) as client:
        data = request(transport=client.transport, body="v=0\r\n")
        for i in range(len(data)):
            client.send(data[i:i + 1])
        assert client.receive().status == 200


@pytest.mark.parametrize("transport", STREAMS)
def test_requests_cut_at_every_place(server, transport):
    with server.client(transport) as client:
        data = request(transport=client.transport, body="hello")
        for cut in range(1, len(data), 7):
            client.send(data[:cut])
            client.send(data[cut:])
            assert client.receive().status == 200


@pytest.mark.requirement("TR-17")
@pytest.mark.parametrize("transport", STREAMS)
def test_keep_alive_ping_is_answered(server, transport):
    """RFC 5626 section 3.5.1: CRLF CRLF gives CRLF, also between and right before messages."""
    with server.client(transport) as client:
        client.send(b"\r\n\r\n")
        assert client.read_bytes(2) == b"\r\n"
        client.send(b"\r\n\r\n" + request(transport=client.transport))
        assert client.read_bytes(2, timeout=1).startswith(b"\r\n")
        client.send(request(transport=client.transport))
        assert client.receive().status == 200


def test_keep_alive_over_udp_is_no_message(server):
    with server.udp() as client:
        client.send(b"\r\n\r\n")
        client.send(b"\0")
        client.send(b"")
        assert client.ask(request()).status == 200


@pytest.mark.requirement("TR-06")
@pytest.mark.parametrize("transport", STREAMS)
@pytest.mark.parametrize("length", ["-1", "nonsense", "4294967296", "18446744073709551616", "99999999999999999999", "1 2",
                                    "+5", "0x10", "5;x", "", "4294967297", "2147483648", "\x00", "5\x00"])
def test_wrong_content_length_ends_the_connection(server, transport, length):
    """Never taken for a length: the stream cannot be framed any more."""
    with server.client(transport) as client:
        client.send(request(transport=client.transport, Content_Length=length))
        assert client.is_closed()
        assert b" 200 " not in client.pending
    assert server.heap_used() < 64 << 20, "nothing of such a size was allocated"


@pytest.mark.requirement("TR-04")
@pytest.mark.parametrize("transport", STREAMS)
def test_missing_content_length_ends_the_connection(server, transport):
    with server.client(transport) as client:
        client.send(request(transport=client.transport, Content_Length=None))
        assert client.is_closed()
        assert b" 200 " not in client.pending


@pytest.mark.requirement("TR-05")
@pytest.mark.parametrize("transport", STREAMS)
def test_two_different_content_lengths_are_refused(server, transport):
    """Nobody behind us may see another message than we do."""
    with server.client(transport) as client:
        inner = request("REGISTER", transport=client.transport)
        client.send(request(transport=client.transport, headers=[f"Content-Length: {len(inner)}"]) + inner)
        assert client.is_closed()
        assert client.pending.count(b"SIP/2.0 200") == 0


@pytest.mark.parametrize("transport", STREAMS)
@pytest.mark.parametrize("what", ["start line", "header", "headers", "body"])
def test_oversized_messages_end_the_connection(server, transport, what):
    mega = 8 * 1024 * 1024
    with server.client(transport) as client:
        text = {
            "start line": b"OPTIONS sip:" + b"a" * mega,
            "header": b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: " + b"a" * mega,
            "headers": b"OPTIONS sip:127.0.0.1 SIP/2.0\r\n" + b"X: y\r\n" * (mega // 6),
            "body": request(transport=client.transport, Content_Length=str(mega)) + b"b" * mega,
        }[what]
        try:
            client.send(text)
        except (ConnectionError, ssl.SSLError, TimeoutError):
            return  # closed while we were still sending
        assert client.is_closed(5)


@pytest.mark.parametrize("transport", STREAMS)
def test_garbage_ends_the_connection(server, transport):
    with server.client(transport) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        assert client.is_closed()


def test_tls_on_the_plain_port_and_plain_on_the_tls_port(server):
    with socket.create_connection(("127.0.0.1", server.plain_port), timeout=3) as raw, pytest.raises((ssl.SSLError, OSError)):
        tls_context().wrap_socket(raw).close()
    with StreamClient(server.tls_port) as client:
        client.send(request(transport="TCP"))
        assert client.is_closed()
        assert b"SIP/2.0" not in client.pending


def test_half_closed_client_still_gets_its_answer(server):
    with server.tcp() as client:
        client.send(request(transport="TCP"))
        client.socket.shutdown(socket.SHUT_WR)
        response = client.receive()
        assert response is not None and response.status == 200


@pytest.mark.parametrize("transport", STREAMS)
def test_client_that_does_not_read_is_bounded(server, transport):
    """A peer that asks and never reads fills its queue (tcp_conn_wq_max) and is dropped; the others are served."""
    with server.client(transport) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        data = request(transport=client.transport) * 100
        client.socket.settimeout(0.5)
        try:
            for _ in range(2000):
                client.send(data)
        except (OSError, ssl.SSLError):
            pass
        server.is_well()


@pytest.mark.kahu_only
def test_a_flood_of_datagrams_is_no_hang(make_kahu):
    """More than the worker can answer, for longer than the watchdog waits: timers and signals have their turn all the same."""
    script = """
request_route {
	$var(i) = 0;
	while ($var(i) < 3000) $var(i) = $var(i) + 1;
	sl_send_reply("200", "OK");
}
"""
    server = make_kahu(core="worker_watchdog=2\nmax_while_loops=100000", udp_workers=1, script=script).start()
    workers = server.processes_titled("udp receiver")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        flood.bind(("127.0.0.1", 0))
        data, until = request(via_port=flood.getsockname()[1]), time.monotonic() + 5
        while time.monotonic() < until:
            for _ in range(50):
                flood.sendto(data, ("127.0.0.1", server.plain_port))
        assert server.processes_titled("udp receiver") == workers
        server.stop()


@pytest.mark.requirement("TR-08")
def test_answers_go_back_where_the_request_came_from(server):
    with server.tls() as one, server.tls() as two:
        first, second = request(transport="TLS"), request(transport="TLS")
        one.send(first)
        two.send(second)
        for client, sent in ((two, second), (one, first)):
            assert client.receive().header("Call-ID").encode() in sent


@pytest.mark.requirement("TR-12")
def test_udp_without_rport_goes_to_the_port_of_the_via(server):
    """RFC 3261 section 18.2.2."""
    with UdpClient(server.plain_port) as listener, UdpClient(server.plain_port) as sender:
        text = request(via_port=listener.local_port).replace(b";rport", b"")
        sender.send(text)
        assert listener.receive().status == 200
        assert sender.receive(timeout=0.2) is None


@pytest.mark.kahu_only
def test_slow_message_is_given_up(make_kahu):
    """A message must be complete in tcp_msg_read_timeout, whatever trickles in."""
    server = make_kahu(core="tcp_msg_read_timeout=1").start()
    with server.tcp() as client, server.tls() as secure:
        begun = time.monotonic()
        for _ in range(8):
            for slow in (client, secure):
                try:
                    slow.send(b"OPTIONS sip:x SIP/2.0\r\nX: "[:3])
                except OSError:
                    pass
            time.sleep(0.25)
        assert client.is_closed(3) and secure.is_closed(3)
        assert time.monotonic() - begun < 6
    server.is_well()


def test_idle_connections_end_after_their_lifetime(make_kahu):
    server = make_kahu(core="tcp_connection_lifetime=2", params='modparam("tls", "connection_timeout", 2)').start()
    with server.tcp() as client, server.tls() as secure:
        for each in (client, secure):
            assert each.ask(request(transport=each.transport)).status == 200
        assert not client.is_closed(0.5)
        assert client.is_closed(8) and secure.is_closed(8)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
def test_ipv6(make_kahu):
    more = "listen=udp:[::1]:@PLAIN@\nlisten=tcp:[::1]:@PLAIN@\nlisten=tls:[::1]:@TLS@\n"
    server = make_kahu(config=BASE.replace("@MODULES@", more + "@MODULES@"))
    server.start()
    with UdpClient(server.plain_port, host="::1") as client:
        response = client.ask(request(uri="sip:[::1]"))
        assert response.status == 200
        assert "received=::1" in response.header("Via").replace("[", "").replace("]", "")
    with StreamClient(server.plain_port, host="::1") as client:
        assert client.ask(request(uri="sip:[::1]", transport="TCP")).status == 200
    with StreamClient(server.tls_port, host="::1", context=tls_context()) as client:
        assert client.ask(request(uri="sip:[::1]", transport="TLS")).status == 200


@pytest.mark.kahu_only
def test_connection_limits(make_kahu):
    """At tcp_max_connections a new connection is closed, those that exist are served, and it recovers."""
    server = make_kahu(connections=20).start()
    clients = [server.tcp() for _ in range(30)]
    try:
        served = [client for client in clients if client.ask(request(transport="TCP"))]
        assert 15 <= len(served) <= 20
        assert all(client.is_closed(1) for client in clients if client not in served)
        assert all(client.ask(request(transport="TCP")) for client in served)
    finally:
        for client in clients:
            client.close()
    assert wait_until(lambda: "opened_connections: 0" in server.rpc("core.tcp_info"), 5)
    server.is_well()
