"""Rows PX of requirements.tsv about forks, answers and servers: what each target sees, and what the caller is told."""
import pytest

from support.kahu import MODULES
from support.sip import request

requirement = pytest.mark.requirement
pytestmark = pytest.mark.kahu_only

LOADED = MODULES + "\n" + "\n".join(f'loadmodule "{name}.so"' for name in "tm rr corex usrloc registrar".split())
# A request to user "fork" goes to each URI of its X-To headers at once; one to "queue" to the contacts registered, by q.
SCRIPT = """
request_route {
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	t_check_trans();
	if (is_method("REGISTER")) {
		save("location");
		exit;
	}
	if (has_totag()) {
		if (loose_route() && !t_relay()) sl_reply_error();
		exit;
	}
	record_route();
	if ($rU == "fork") {
		$var(i) = 1;
		$ru = $(hdr(X-To)[0]);
		while ($(hdr(X-To)[$var(i)]) != $null) {
			append_branch("$(hdr(X-To)[$var(i)])");
			$var(i) = $var(i) + 1;
		}
	}
	if ($rU == "queue") {
		if (!lookup("location") || !t_load_contacts() || !t_next_contacts()) {
			sl_send_reply("404", "Not Found");
			exit;
		}
		t_on_failure("NEXT");
	}
	if (!t_relay()) sl_reply_error();
}
failure_route[NEXT] {
	if (t_is_canceled()) exit;
	if (t_next_contacts()) {
		t_on_failure("NEXT");
		t_relay();
	}
}
"""


@pytest.fixture
def proxy(make_kahu):
    def make(core="", params=""):
        return make_kahu(modules=LOADED, script=SCRIPT, core=core, workers=2,
                         params='modparam("registrar", "append_branches", 1)\n' + params).start()

    return make


def fork(server, *targets, method="INVITE"):
    """A request for all of them."""
    return request(method, f"sip:fork@127.0.0.1:{server.plain_port}", headers=[f"X-To: {far.uri}" for far in targets])


def answer(server, far, asked, status, tag="x", extra=()):
    text = asked.reply(status, extra=extra).decode()
    text = text.replace(f"To: {asked.header('To')}", f"To: {asked.header('To')};tag={tag}")
    far.socket.sendto(text.encode(), ("127.0.0.1", server.plain_port))


def next_final(client):
    while (response := client.receive()) is not None and response.status < 200:
        pass
    return response


def next_other_than(far, asked):
    """The next that is no copy of a request that came already."""
    while (got := far.next()) is not None and got.raw == asked.raw:
        pass
    return got


def accept_cancel(server, far, asked):
    cancel = next_other_than(far, asked)
    assert cancel is not None and cancel.method == "CANCEL" and cancel.all("Via") == asked.all("Via")[:1]
    answer(server, far, cancel, "200 OK")
    answer(server, far, asked, "487 Request Terminated")
    assert far.next().method == "ACK"


@requirement("PX-13")
def test_each_branch_has_its_own_name(proxy, endpoint):
    server, fars = proxy(), [endpoint(status="") for _ in range(4)]
    with server.udp() as client:
        client.send(fork(server, *fars))
        branches = {far.next().all("Via")[0].split("branch=")[1] for far in fars}
    assert len(branches) == 4 and all(branch.startswith("z9hG4bK") for branch in branches)


@requirement("PX-15")
def test_every_provisional_and_every_200_goes_up(proxy, endpoint):
    server, one, two = proxy(), endpoint(status=""), endpoint(status="")
    with server.udp() as client:
        client.send(fork(server, one, two))
        first, second = one.next(), two.next()
        for far, asked, tag in ((one, first, "one"), (two, second, "two"), (one, first, "one")):
            answer(server, far, asked, "183 Session Progress", tag)
            seen = client.receive()
            seen = client.receive() if seen.status == 100 else seen
            assert seen.status == 183 and seen.header("To").endswith(f"tag={tag}")
        answer(server, one, first, "200 OK", "one")
        assert next_final(client).header("To").endswith("tag=one")
        assert next_other_than(two, second).method == "CANCEL"
        answer(server, two, second, "200 OK", "two")  # it was faster
        assert next_final(client).header("To").endswith("tag=two")


BEST = [
    (("486 Busy", "603 Decline"), 603), (("404 Not Found", "503 Overloaded"), 404), (("302 Moved", "404 Not Found"), 302),
    (("486 Busy", "480 Away"), 480), (("401 Who", "404 Not Found"), 401), (("500 Broken", "486 Busy"), 486),
]


@requirement("PX-16")
@pytest.mark.parametrize("statuses,best", BEST, ids=[str(best) + "-of-" + "-".join(s[:3] for s in given) for given, best in BEST])
def test_the_best_answer_goes_up(proxy, endpoint, statuses, best):
    server, fars = proxy(), [endpoint(status=""), endpoint(status="")]
    with server.udp() as client:
        client.send(fork(server, *fars, method="MESSAGE"))
        for far, status in zip(fars, statuses):
            answer(server, far, far.next(), status)
        assert next_final(client).status == best


@requirement("PX-16")
def test_challenges_of_all_branches_go_up(proxy, endpoint):
    server, fars = proxy(), [endpoint(status="") for _ in range(3)]
    challenges = ["WWW-Authenticate: Digest realm=\"a\", nonce=\"1\"", "Proxy-Authenticate: Digest realm=\"b\", nonce=\"2\"",
                  "Proxy-Authenticate: Digest realm=\"c\", nonce=\"3\""]
    with server.udp() as client:
        client.send(fork(server, *fars, method="MESSAGE"))
        for far, status, challenge in zip(fars, ("401 Who", "407 Who", "407 Who"), challenges):
            answer(server, far, far.next(), status, extra=[challenge])
        response = next_final(client)
    assert response.status in (401, 407)
    assert len(response.all("WWW-Authenticate")) == 1
    assert sorted(value.split('"')[1] for value in response.all("Proxy-Authenticate")) == ["b", "c"]


@requirement("PX-17")
def test_503_becomes_500(proxy, endpoint):
    server, far = proxy(), endpoint(status="503 Overloaded")
    with server.udp() as client:
        client.send(request("MESSAGE", far.uri))
        assert next_final(client).status == 500


@requirement("PX-18")
@pytest.mark.parametrize("status", ["200 OK", "600 Nowhere"])
def test_the_others_are_cancelled(proxy, endpoint, status):
    server, winner, loser = proxy(), endpoint(status=""), endpoint(status="")
    with server.udp() as client:
        client.send(fork(server, winner, loser))
        asked, rings = winner.next(), loser.next()
        answer(server, loser, rings, "180 Ringing")
        answer(server, winner, asked, status)
        accept_cancel(server, loser, rings)
        assert next_final(client).status == int(status[:3])


@requirement("PX-21")
def test_by_q_one_after_the_other_and_equals_at_once(proxy, endpoint):
    server = proxy()
    first, second, third = (endpoint(status="") for _ in range(3))
    with server.udp() as client:
        for n, (far, q) in enumerate(((third, "0.1"), (first, "0.9"), (second, "0.9"))):
            assert client.ask(request("REGISTER", "sip:127.0.0.1", headers=[f"Contact: <{far.uri}>;q={q}"], To="<sip:queue@127.0.0.1>",
                                      From="<sip:queue@127.0.0.1>;tag=1", Call_ID=f"queue-{n}")).status == 200
        client.send(request("INVITE", f"sip:queue@127.0.0.1:{server.plain_port}"))
        one, two = first.next(), second.next()
        assert one.method == two.method == "INVITE" and third.next(timeout=0.3) is None
        answer(server, first, one, "486 Busy Here")
        assert next_other_than(first, one).method == "ACK" and third.next(timeout=0.3) is None
        answer(server, second, two, "480 Away")
        assert next_other_than(second, two).method == "ACK"
        answer(server, third, third.next(), "200 OK")
        assert next_final(client).status == 200


@requirement("PX-22")
def test_a_redirection_goes_to_the_caller(proxy, endpoint):
    """The proxy follows it only if its script does."""
    server, far, elsewhere = proxy(), endpoint(status=""), endpoint()
    with server.udp() as client:
        client.send(request("INVITE", far.uri))
        answer(server, far, far.next(), "302 Moved", extra=[f"Contact: <{elsewhere.uri}>"])
        response = next_final(client)
        assert response.status == 302 and response.header("Contact") == f"<{elsewhere.uri}>"
    assert elsewhere.next(timeout=0.2) is None


@requirement("PX-24")
def test_a_call_outlives_the_registration(proxy, endpoint):
    server, callee = proxy(), endpoint(status="")
    with server.udp() as client:
        def register(expires, cseq):
            return client.ask(request("REGISTER", "sip:127.0.0.1", headers=[f"Contact: <{callee.uri}>;expires={expires}"],
                                      To="<sip:queue@127.0.0.1>", From="<sip:queue@127.0.0.1>;tag=1", Call_ID="queue",
                                      CSeq=f"{cseq} REGISTER")).status

        assert register(60, 1) == 200
        invite = request("INVITE", f"sip:queue@127.0.0.1:{server.plain_port}")
        client.send(invite)
        asked = callee.next()
        answer(server, callee, asked, "200 OK", "callee", [f"Contact: <{callee.uri}>"])
        answered = next_final(client)
        assert register(0, 2) == 200
        assert client.ask(request("MESSAGE", f"sip:queue@127.0.0.1:{server.plain_port}")).status == 404
        bye = request("BYE", callee.uri, To=answered.header("To"), From=answered.header("From"), Call_ID=answered.header("Call-ID"),
                      headers=[f"Route: {value}" for value in reversed(answered.all("Record-Route"))])
        client.send(bye)
        while (got := callee.next()) is not None and got.method != "BYE":
            pass
        assert got is not None and not got.all("Route")
        answer(server, callee, got, "200 OK")
        assert next_final(client).status == 200


# --- RFC 3263 ---------------------------------------------------------------------------------------------
def with_names(server, more=""):
    return f'dns_servers="127.0.0.1:{server.port}"\ndns_retr_time=1\ndns_retr_no=1\n{more}\n'


@requirement("PX-26")
def test_sips_asks_for_tls_only(proxy, endpoint, names):
    tls, tcp = endpoint("tls"), endpoint("tcp")
    dns = names({("x.example", "NAPTR"): [(10, 1, "s", "SIP+D2T", "_sip._tcp.x.example"),
                                         (20, 1, "s", "SIPS+D2T", "_sips._tcp.x.example")],
                 ("_sip._tcp.x.example", "SRV"): [(1, 1, tcp.port, "host.x.example")],
                 ("_sips._tcp.x.example", "SRV"): [(1, 1, tls.port, "host.x.example")],
                 ("host.x.example", "A"): ["127.0.0.1"]})
    server = proxy(with_names(dns, "dns_try_naptr=yes"))
    with server.udp() as client:
        client.send(request("MESSAGE", "sips:bob@x.example"))
        assert next_final(client).status == 200
        assert tls.next().uri == "sips:bob@x.example" and tcp.next(timeout=0.2) is None
    assert ("_sip._tcp.x.example", "SRV") not in dns.asked and ("_sip._udp.x.example", "SRV") not in dns.asked


@requirement("PX-26")
def test_sips_without_srv_goes_to_port_5061(proxy, endpoint, names):
    far = endpoint("tls", host="127.0.0.61", port=5061)
    dns = names({("plain.example", "A"): ["127.0.0.61"]})
    server = proxy(with_names(dns))
    with server.udp() as client:
        client.send(request("MESSAGE", "sips:bob@plain.example"))
        assert next_final(client).status == 200
    assert far.next().method == "MESSAGE"


@requirement("PX-28")
def test_weights_share_the_load(proxy, endpoint, names):
    heavy, light, later = endpoint(), endpoint(), endpoint()
    dns = names({("_sip._udp.x.example", "SRV"): [(1, 90, heavy.port, "h.example"), (1, 10, light.port, "h.example"),
                                                 (2, 100, later.port, "h.example")],
                 ("h.example", "A"): ["127.0.0.1"]})
    server = proxy(with_names(dns))
    with server.udp() as client:
        for _ in range(300):
            client.send(request("MESSAGE", "sip:bob@x.example"))
            assert next_final(client).status == 200
    # 270 are expected, with a deviation of 5: this fails once in a million runs.
    assert 240 < heavy.requests.qsize() < 300 and light.requests.qsize() > 0 and later.requests.qsize() == 0


@requirement("PX-27")
@pytest.mark.parametrize("answer_of_first", ["", "503 Full"], ids=["silent", "overloaded"])
@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
def test_the_next_server_may_be_reached_over_another_transport(proxy, endpoint, names, method, answer_of_first):
    """NAPTR names UDP first, TLS next: the Via and both Record-Routes are those of the second transport."""
    udp, tls = endpoint(status=answer_of_first), endpoint("tls")
    dns = names({("x.example", "NAPTR"): [(10, 1, "s", "SIP+D2U", "_sip._udp.x.example"),
                                         (20, 1, "s", "SIPS+D2T", "_sips._tcp.x.example")],
                 ("_sip._udp.x.example", "SRV"): [(1, 1, udp.port, "host.x.example")],
                 ("_sips._tcp.x.example", "SRV"): [(1, 1, tls.port, "host.x.example")],
                 ("host.x.example", "A"): ["127.0.0.1"]})
    server = proxy(with_names(dns, "dns_try_naptr=yes"), params='modparam("tm", "fr_timer", 700)\n')
    with server.udp() as client:
        client.send(request(method, "sip:bob@x.example", headers=["X-Kept: yes"]))
        assert next_final(client).status == 200
    first, second = udp.next(), tls.next()
    via = second.all("Via")
    assert via[0].startswith(f"SIP/2.0/TLS 127.0.0.1:{server.tls_port};branch=z9hG4bK") and len(via) == 2
    assert first.all("Via")[0].split("branch=")[1] != via[0].split("branch=")[1]
    assert ["transport=tls" in value for value in second.all("Record-Route")] == [True, False]
    assert (second.uri, second.header("X-Kept")) == ("sip:bob@x.example", "yes")
