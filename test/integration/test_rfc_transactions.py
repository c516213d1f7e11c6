"""Rows TX of requirements.tsv: transactions over UDP, TCP and TLS, seen from both of their ends."""
import time

import pytest

from support.kahu import MODULES
from support.paths import SOURCE
from support.sip import request

requirement = pytest.mark.requirement
LOADED = MODULES + '\nloadmodule "tm.so"\nloadmodule "rr.so"'
SCRIPT = """
request_route {
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		else sl_send_reply("481", "Call/Transaction Does Not Exist");
		exit;
	}
	t_check_trans();
	if (uri == myself) {
		if (!t_newtran()) exit;
		$shv(runs) = $shv(runs) + 1;
		t_reply("200", "Run $shv(runs)");
		exit;
	}
	if (!t_relay()) sl_reply_error();
}
reply_route {
	if (!t_check_trans()) drop;
}
"""


@pytest.fixture
def proxy(make_kahu):
    def make(params="", **more):
        return make_kahu(modules=LOADED, script=SCRIPT, params=params, **more).start()

    return make


def answer(server, far, asked, status, **more):
    """Answers a request that came over UDP."""
    far.socket.sendto(asked.reply(status, **more), ("127.0.0.1", server.plain_port))


def statuses(client, seconds=0.5):
    """Statuses of all that comes until it is silent for so long."""
    found = []
    while (response := client.receive(timeout=seconds)) is not None:
        found.append(response.status)
    return found


def again(data, method, **headers):
    """A CANCEL or ACK for an INVITE that was sent."""
    text = data.decode().replace("INVITE sip", f"{method} sip", 1).replace(" INVITE\r\n", f" {method}\r\n")
    for name, value in headers.items():
        text = "\r\n".join(f"{name}: {value}" if line.startswith(f"{name}:") else line for line in text.split("\r\n"))
    return text.encode()


@requirement("TX-01")
@pytest.mark.parametrize("by", ["udp", "tcp", "tls"])
def test_100_comes_before_anybody_answers(proxy, endpoint, by):
    server, far = proxy(), endpoint(status="")
    with server.client(by) as client:
        assert client.ask(request("INVITE", far.uri, by.upper())).status == 100
        assert far.next().method == "INVITE"


@requirement("TX-02")
def test_a_repeated_invite_gets_the_last_answer_and_goes_nowhere(proxy, endpoint):
    server, far = proxy(), endpoint(status="")
    with server.udp() as client:
        invite = request("INVITE", far.uri)
        assert client.ask(invite).status == 100
        asked = far.next()
        assert client.ask(invite).status == 100
        answer(server, far, asked, "183 Session Progress")
        assert client.receive().status == 183
        assert client.ask(invite).status == 183
        answer(server, far, asked, "486 Busy Here")
        assert client.receive().status == 486
        assert client.ask(invite).status == 486
        assert far.next().method == "ACK"
        assert far.next(timeout=0.3) is None


@requirement("TX-03")
def test_the_callee_repeats_its_200_not_the_proxy(proxy, endpoint):
    server, far = proxy(), endpoint(status="")
    with server.udp() as client:
        invite = request("INVITE", far.uri)
        client.ask(invite)
        asked = far.next()
        for _ in range(3):
            answer(server, far, asked, "200 OK")
            assert client.receive().status == 200
        client.send(invite)
        assert client.receive(timeout=0.7) is None and far.next(timeout=0.1) is None
        answer(server, far, asked, "200 OK")
        assert client.receive().status == 200


@requirement("TX-04", "PX-13")
def test_a_200_of_no_transaction_goes_nowhere(proxy, endpoint):
    server, far = proxy(), endpoint(status="")
    with server.udp() as client:
        client.ask(request("INVITE", far.uri))
        good = far.next().reply("200 OK")
        branch = good.split(b"branch=")[1].split(b"\r")[0].split(b";")[0]
        for forged in (good.replace(branch, branch[:-4] + b"0000"), good.replace(branch, b"z9hG4bKforged"),
                       good.replace(branch, branch + b"1")):
            far.socket.sendto(forged, ("127.0.0.1", server.plain_port))
        assert client.receive(timeout=0.4) is None
        far.socket.sendto(good, ("127.0.0.1", server.plain_port))
        assert client.receive().status == 200


@requirement("TX-05")
def test_a_repeated_request_is_answered_from_its_transaction(proxy):
    server = proxy()
    with server.udp() as client:
        register = request("REGISTER", f"sip:127.0.0.1:{server.plain_port}")
        first = client.ask(register)
        assert first.raw == client.ask(register).raw
        assert client.ask(request("REGISTER", f"sip:127.0.0.1:{server.plain_port}")).reason != first.reason


def arrivals(far, begun, seconds):
    """When requests arrived, in seconds since `begun`."""
    found = []
    while (left := begun + seconds - time.monotonic()) > 0:
        if far.next(timeout=left) is not None:
            found.append(time.monotonic() - begun)
    return found


@pytest.mark.load
@requirement("TX-06", "TX-07")
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_requests_are_repeated_over_udp_only(proxy, endpoint, certificates, long_or_short, method):
    """At 0.5, 1.5, 3.5 ... s; by default until fr_timer (30 s), at 64 T1 (32 s) for a standing B."""
    seconds = long_or_short(34, 4)
    server = proxy('modparam("tm", "fr_timer", 32000)')
    udp, tls = endpoint(status=""), endpoint("tls", status="")
    begun = time.monotonic()
    with server.udp() as client, server.udp() as other:
        other.send(request(method, tls.uri))
        client.send(request(method, udp.uri))
        times = arrivals(udp, begun, seconds)
        doubling = [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
        if method == "MESSAGE":
            doubling = [0, 0.5, 1.5, 3.5, *(n + 0.5 for n in range(7, 32, 4))]
        wanted = [at for at in doubling if at < seconds]
        assert len(times) == len(wanted) and all(abs(a - b) < 0.45 for a, b in zip(times, wanted)), times
        assert tls.next() is not None and tls.next(timeout=0.1) is None
        if seconds > 32:
            final = [s for s in statuses(client) if s >= 200]
            assert final == ([408] if method == "INVITE" else [])


@requirement("TX-08")
def test_timer_c_cancels_what_rings(proxy, endpoint):
    server, far = proxy('modparam("tm", "fr_inv_timer", 800)'), endpoint(status="180 Ringing")
    with server.udp() as client:
        client.send(request("INVITE", far.uri))
        asked = far.next()
        cancel = far.next()
        assert cancel.method == "CANCEL" and cancel.all("Via") == asked.all("Via")[:1]
        answer(server, far, asked, "487 Request Terminated")
        assert [s for s in statuses(client) if s >= 200][0] == 408


@requirement("TX-08")
def test_timer_c_of_the_default_configuration_is_three_minutes():
    assert 'modparam("tm", "fr_inv_timer", 181000)' in (SOURCE / "etc/kahu.cfg").read_text()


@requirement("TX-09", "TX-10")
def test_cancel_waits_for_a_provisional_answer(proxy, endpoint):
    server, far = proxy(), endpoint(status="")
    with server.udp() as client:
        invite = request("INVITE", far.uri)
        assert client.ask(invite).status == 100
        asked = far.next()
        assert client.ask(again(invite, "CANCEL")).status == 200
        assert far.next(timeout=0.3) is None
        answer(server, far, asked, "180 Ringing")
        cancel = far.next()
        assert cancel.method == "CANCEL" and cancel.all("Via") == asked.all("Via")[:1]
        assert cancel.uri == asked.uri and cancel.header("CSeq").split()[0] == asked.header("CSeq").split()[0]
        answer(server, far, cancel, "200 OK")
        answer(server, far, asked, "487 Request Terminated")
        assert {s for s in statuses(client) if s >= 200} == {487}
        assert far.next().method == "ACK"


@requirement("TX-09")
def test_cancel_of_nothing_is_481(proxy, endpoint):
    server, far = proxy(), endpoint(status="")
    with server.udp() as client:
        assert client.ask(request("CANCEL", far.uri)).status == 481
    assert far.next(timeout=0.2) is None


@requirement("TX-11")
@pytest.mark.parametrize("to", ["udp", "tls"])
def test_each_hop_has_its_own_ack(proxy, endpoint, to):
    """The proxy's ACK is there before the caller's, which goes no further."""
    server, far = proxy(), endpoint(to, status="486 Busy Here")
    with server.udp() as client:
        invite = request("INVITE", far.uri)
        client.send(invite)
        while (response := client.receive()).status < 200:
            pass
        asked, ack = far.next(), far.next()
        assert ack.method == "ACK" and ack.all("Via") == asked.all("Via")[:1]
        client.send(again(invite, "ACK", To=response.header("To")))
        assert far.next(timeout=0.3) is None and client.receive(timeout=0.6) is None


@requirement("TX-12")
@pytest.mark.parametrize("by", ["udp", "tls"])
def test_no_408_but_for_invite(proxy, endpoint, by):
    server, far = proxy('modparam("tm", "fr_timer", 300)'), endpoint(status="")
    with server.client(by) as client:
        assert client.ask(request("MESSAGE", far.uri, by.upper())) is None
        assert far.next().method == "MESSAGE"
        client.send(request("INVITE", far.uri, by.upper()))
        assert statuses(client, 0.5)[:2] == [100, 408]


@requirement("TX-13")
@pytest.mark.parametrize("by", ["udp", "tls"])
def test_provisional_answers_are_for_invite(proxy, endpoint, by):
    server, far = proxy(), endpoint(status="")
    with server.client(by) as client:
        client.send(request("MESSAGE", far.uri, by.upper()))
        asked = far.next()
        answer(server, far, asked, "100 Trying")
        answer(server, far, asked, "183 Session Progress")
        assert client.receive(timeout=0.4) is None
        answer(server, far, asked, "200 OK")
        assert client.receive().status == 200


@requirement("TX-14")
def test_the_same_branch_of_two_clients(proxy, endpoint):
    server, far = proxy(), endpoint(status="")
    with server.udp() as one, server.udp() as two:
        first = request("MESSAGE", far.uri, via_port=one.local_port)
        branch = first.split(b"branch=")[1].split(b";")[0].decode()
        one.send(first)
        asked_by_one = far.next()
        two.send(request("MESSAGE", far.uri, Via=f"SIP/2.0/UDP 127.0.0.1:{two.local_port};branch={branch};rport"))
        asked_by_two = far.next()
        assert asked_by_two.header("Call-ID") != asked_by_one.header("Call-ID")
        answer(server, far, asked_by_one, "200 One")
        answer(server, far, asked_by_two, "200 Two")
        assert one.receive().reason == "One" and two.receive().reason == "Two"


@requirement("TX-14")
def test_the_same_branch_of_two_methods(proxy, endpoint):
    server, far = proxy(), endpoint(status="")
    with server.udp() as client:
        first = request("MESSAGE", far.uri)
        client.send(first)
        client.send(first.replace(b"MESSAGE", b"INFO"))
        assert {far.next().method, far.next().method} == {"MESSAGE", "INFO"}


@requirement("TX-15")
@pytest.mark.parametrize("branch", [";branch=1", ";branch=z9hg4", ""])
def test_peers_without_magic_cookie(proxy, endpoint, branch):
    """RFC 2543: retransmissions, CANCEL and ACK are found by Request-URI, tags, Call-ID, CSeq and Via."""
    server, far = proxy(), endpoint(status="")
    with server.udp() as client:
        invite = request("INVITE", far.uri, Via=f"SIP/2.0/UDP 127.0.0.1:{client.local_port}{branch}")
        assert client.ask(invite).status == 100
        asked = far.next()
        assert client.ask(invite).status == 100 and far.next(timeout=0.2) is None
        answer(server, far, asked, "180 Ringing")
        assert client.receive().status == 180
        assert client.ask(again(invite, "CANCEL")).status == 200
        cancel = far.next()
        assert cancel.method == "CANCEL"
        answer(server, far, cancel, "200 OK")
        answer(server, far, asked, "487 Request Terminated")
        refused = client.receive()
        assert refused.status == 487
        assert far.next().method == "ACK"
        client.send(again(invite, "ACK", To=refused.header("To")))
        assert client.receive(timeout=0.7) is None, "the 487 is not repeated: the ACK was understood"
        other = invite.replace(b"CSeq: ", b"CSeq: 9")
        assert client.ask(other).status == 100 and far.next().method == "INVITE"
