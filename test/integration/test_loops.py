"""Requests that come back (RFC 5393): loops end, spirals go on, and one request never becomes many.  Rows PX-19 and PX-20."""
import pytest

from support.kahu import MODULES
from support.rpc import values
from support.sip import request

requirement = pytest.mark.requirement
pytestmark = pytest.mark.kahu_only

LOADED = MODULES + "\n" + "\n".join(f'loadmodule "{name}.so"' for name in "tm corex usrloc registrar".split())
# User "loop" stays where it is; "first" becomes "second", who is at X-To; "fork" and "retry" go to all of X-To, "retry" then to
# X-Then; others are registered, or are reached by their URI.
SCRIPT = """
request_route {
	if (is_method("ACK")) exit;
	if (!mf_process_maxfwd_header("20")) {
		sl_send_reply("483", "Too Many Hops");
		exit;
	}
	if (is_method("REGISTER")) {
		save("location");
		exit;
	}
	t_check_trans();
	if ($rU == "first") $rU = "second";
	else if ($rU == "second") $ru = $(hdr(X-To)[0]);
	else if ($rU == "fork" || $rU == "retry") {
		$var(i) = 1;
		$var(to) = $(hdr(X-To)[0]);
		while ($(hdr(X-To)[$var(i)]) != $null) {
			append_branch("$(hdr(X-To)[$var(i)])");
			$var(i) = $var(i) + 1;
		}
		if ($rU == "retry") t_on_failure("RETRY");
		$ru = $var(to);
	} else if (uri == myself && $rU != "loop") {
		if (!lookup("location")) {
			sl_send_reply("404", "Not Found");
			exit;
		}
	}
	if (!t_relay()) sl_reply_error();
}
failure_route[RETRY] {
	append_branch("$(hdr(X-Then)[0])");
	append_branch("$(hdr(X-Then)[1])");
	t_relay();
}
"""


@pytest.fixture
def proxy(make_kahu):
    def make(params=""):
        return make_kahu(modules=LOADED, script=SCRIPT, workers=2,
                         params='modparam("registrar", "append_branches", 1)\n' + params).start()

    return make


def to(server, user, *targets, method="MESSAGE", breadth=None, then=()):
    headers = [f"X-To: {far.uri}" for far in targets] + [f"X-Then: {far.uri}" for far in then]
    headers += [] if breadth is None else [f"Max-Breadth: {breadth}"]
    return request(method, f"sip:{user}@127.0.0.1:{server.plain_port}", headers=headers)


def final(client, timeout=5):
    response = client.receive(timeout)
    while response is not None and response.status < 200:
        response = client.receive(timeout)
    return response


@requirement("PX-19")
@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
def test_a_loop_is_482(proxy, method):
    server = proxy()
    with server.udp() as client:
        client.send(to(server, "loop", method=method))
        assert final(client).status == 482
    assert int(values(server.rpc("tm.stats"))["total"]) == 1


@requirement("PX-19")
@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
def test_a_spiral_is_none(proxy, endpoint, method):
    server, far = proxy(), endpoint()
    with server.udp() as client:
        client.send(to(server, "first", far, method=method))
        assert final(client).status == 200
    asked = far.next()
    ours = [via for via in asked.all("Via") if f":{server.plain_port};" in via]
    assert asked.method == method and len(ours) == 2


@requirement("PX-19")
def test_contacts_that_name_each_other(proxy):
    """RFC 5393 3: with two such contacts each of 70 hops would double what is under way."""
    server = proxy()
    names = [f"sip:{user}@127.0.0.1:{server.plain_port}" for user in ("a", "b", "c")]
    with server.udp() as client:
        for cseq, who in enumerate(names):
            for other in names:
                assert client.ask(request("REGISTER", f"sip:127.0.0.1:{server.plain_port}", headers=[f"Contact: <{other}>"],
                                          To=f"<{who}>", From=f"<{who}>;tag=1", Call_ID=f"{who}{other}")).status == 200
        client.send(to(server, "a"))
        response = final(client, timeout=10)
    assert response is not None and response.status in (482, 440)
    # a, then b and c, then c and b: more are loops, and end as such.
    assert int(values(server.rpc("tm.stats"))["total"]) <= 5 + 3


def breadths(far_ends):
    return [asked.all("Max-Breadth") for asked in (far.next() for far in far_ends)]


@requirement("PX-20")
@pytest.mark.parametrize("given,count,expected", [
    (None, 1, []), (None, 2, ["30", "30"]), (None, 3, ["20", "20", "20"]), ("1", 1, ["1"]), ("70", 1, ["60"]), ("2", 2, ["1", "1"]),
    ("5", 2, ["2", "3"]), ("1000000", 2, ["30", "30"]), ("junk", 2, ["30", "30"]),
])
def test_breadth_is_divided(proxy, endpoint, given, count, expected):
    server, far_ends = proxy(), [endpoint() for _ in range(count)]
    with server.udp() as client:
        client.send(to(server, "fork", *far_ends, breadth=given))
        assert final(client).status == 200
    got = breadths(far_ends)
    assert sorted(value for values in got for value in values) == expected and all(len(values) <= 1 for values in got)


@requirement("PX-20")
@pytest.mark.parametrize("given,count", [("1", 2), ("2", 3), ("0", 1)])
def test_too_little_breadth_is_440(proxy, endpoint, given, count):
    server, far_ends = proxy(), [endpoint() for _ in range(count)]
    with server.udp() as client:
        client.send(to(server, "fork", *far_ends, breadth=given))
        response = final(client)
        assert (response.status, response.reason) == (440, "Max-Breadth Exceeded")
    assert all(far.next(timeout=0.1) is None for far in far_ends)


@requirement("PX-20")
def test_breadth_of_branches_that_ended_is_used_again(proxy, endpoint):
    """RFC 5393 5.3.3.1."""
    server, busy, then = proxy(), [endpoint(status="486 Busy") for _ in range(2)], [endpoint() for _ in range(2)]
    with server.udp() as client:
        client.send(to(server, "retry", *busy, breadth="4", then=then))
        assert final(client).status == 200
    assert breadths(busy) == breadths(then) == [["2"], ["2"]]


@requirement("PX-20")
def test_it_can_be_left_to_others(proxy, endpoint):
    server, far_ends = proxy('modparam("tm", "max_breadth", 0)\n'), [endpoint(), endpoint()]
    with server.udp() as client:
        for given, expected in ((None, []), ("7", ["7"]), ("1", ["1"])):
            client.send(to(server, "fork", *far_ends, breadth=given))
            assert final(client).status == 200
            assert breadths(far_ends) == [expected, expected]
