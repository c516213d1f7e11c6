"""Requests over TCP and TLS to a peer that closes the connection instead of answering: whoever waits is told at once."""
import socket
import struct
import threading
import time

import pytest

from support.phone import Phone

pytestmark = pytest.mark.kahu_only

MODULES = "\n".join(f'loadmodule "{name}.so"' for name in "ctl pv sl tm tmx maxfwd siputils textops xlog tls".split())
SCRIPT = """
request_route {
	if (is_method("CANCEL")) { t_relay(); exit; }
	$du = "sip:127.0.0.1:@FIRST@;transport=@PROTO@";
	if ($rU == "next") t_on_failure("NEXT");
	if (!t_relay()) sl_reply_error();
	exit;
}
failure_route[NEXT] {
	if (t_branch_timeout() || t_branch_replied()) exit;
	xlog("L_ERR", "SEEN $T_reply_code\\n");
	$du = "sip:127.0.0.1:@SECOND@";
	t_relay();
}
"""
SOON = 5.0  # fr_timer is 30 s


def reset(peer):
    peer.shutdown(socket.SHUT_RD)  # wakes who reads it: else the descriptor stays open under it
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def hang_up(endpoint, how):
    """As a peer that closes in order, or one that died."""
    while endpoint.open:
        peer = endpoint.open.pop()
        if how == "reset":
            reset(peer)
        else:
            peer.shutdown(socket.SHUT_RDWR)
            peer.close()


@pytest.fixture
def serve(make_kahu, endpoint):
    def make(transport, status=None):
        first, second = endpoint(transport, status=status), endpoint("udp")
        script = SCRIPT
        for name, value in (("FIRST", first.port), ("SECOND", second.port), ("PROTO", transport)):
            script = script.replace(f"@{name}@", str(value))
        return make_kahu(modules=MODULES, script=script, workers=2).start(), first, second

    return make


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_a_peer_that_takes_a_request_and_goes(serve, transport, method, how):
    kahu, first, _ = serve(transport)
    with Phone(kahu, "caller", "udp") as caller:
        for _ in range(2):  # over a new connection, and over the next
            caller.send(caller.build(method, "sip:any@127.0.0.1"))
            assert first.next() is not None
            began = time.monotonic()
            hang_up(first, how)
            assert caller.expect(500).reason == "Service Unavailable"
            assert time.monotonic() - began < SOON


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_the_failure_route_tries_another(serve, transport):
    kahu, first, second = serve(transport)
    with Phone(kahu, "caller", "udp") as caller:
        caller.send(caller.build("INVITE", "sip:next@127.0.0.1"))
        assert first.next() is not None
        hang_up(first, "reset")
        assert second.next() is not None
        caller.expect(200)
        assert "SEEN 503" in kahu.log()


def test_one_of_many_requests_of_a_connection(serve):
    """Those that were answered stay answered; all others are told."""
    kahu, first, _ = serve("tcp")
    with Phone(kahu, "caller", "udp") as caller:
        calls = [caller.build("MESSAGE", "sip:any@127.0.0.1", call_id=f"call-{i}") for i in range(40)]
        for call in calls:
            caller.send(call)
        taken = [first.next() for _ in calls]
        assert all(taken)
        for request in taken[::2]:
            first.send(request.reply())
        answers = {}
        while len(answers) < 20:
            answer = caller.receive(5)
            answers[answer.header("Call-ID")] = answer.status
        hang_up(first, "close")
        while len(answers) < 40:
            answer = caller.receive(5)
            assert answer is not None, answers
            assert answers.setdefault(answer.header("Call-ID"), answer.status) == answer.status
        assert {request.header("Call-ID"): 500 - 300 * (i % 2 == 0) for i, request in enumerate(taken)} == answers


def test_who_rings_may_answer_over_another_connection(serve):
    kahu, first, _ = serve("tcp", status="180 Ringing")
    with Phone(kahu, "caller", "udp") as caller:
        caller.send(caller.build("INVITE", "sip:any@127.0.0.1"))
        ringing = first.next()
        caller.expect(180)
        hang_up(first, "close")
        assert caller.receive(1.0) is None
        with kahu.tcp() as again:
            again.send(ringing.reply())
            caller.expect(200)


def test_a_peer_that_closes_as_the_request_is_sent(serve):
    """Its end and the request meet on the way: whatever the server hears first, nobody waits for the timer."""
    kahu, first, _ = serve("tcp", status="200 OK")
    with Phone(kahu, "caller", "udp") as caller:
        for i in range(60):
            closing = threading.Thread(target=hang_up, args=(first, "reset" if i % 2 else "close"))
            caller.send(caller.build("MESSAGE", "sip:any@127.0.0.1", call_id=f"call-{i}"))
            closing.start()
            answer = caller.receive(SOON)
            assert answer is not None and answer.status in (200, 500), answer
            closing.join()
