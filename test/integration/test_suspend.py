"""t_suspend() and t_continue() for requests and for replies, and onsend_route for replies and other servers of a name: each
seen from both ends, through Kahu and through Debian's Kamailio."""
import os
import re
import signal

import pytest

from support.kahu import BASE, IS_KAMAILIO, wait_until
from support.phone import Phone
from support.process import is_alive
from support.sip import request
from test_beside_kamailio import KAMAILIO

pytestmark = [pytest.mark.skipif(IS_KAMAILIO, reason="would compare Kamailio with itself"), pytest.mark.kahu_only]

MODULES = "\n".join(f'loadmodule "{name}.so"' for name in "ctl kex tm tmx sl pv xlog siputils textops corex tls".split())
PARAMS = """
modparam("tm", "fr_timer", 1000)
modparam("tm", "fr_inv_timer", 1500)
"""
SCRIPT = """
request_route {
	if (is_method("INFO")) {
		if (t_continue("$(hdr(X-Index){s.int})", "$(hdr(X-Label){s.int})", "GO")) sl_send_reply("200", "Continued");
		else sl_send_reply("404", "None");
		exit;
	}
	if (is_method("ACK")) exit;
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	$avp(k) = "kept";
	setflag(3);
	append_hf("X-Before: 1\\r\\n");
	t_on_failure("F");
	t_on_reply("R");
	if ($rU == "reply" || $rU == "later") {
		$du = "sip:127.0.0.1:@FAR@";
		t_relay();
		exit;
	}
	if (t_suspend()) xlog("L_ERR", "WAITS $T(id_index) $T(id_label)\\n");
	exit;
}
route[GO] {
	$var(request) = t_is_request_route();
	$var(failure) = t_is_failure_route();
	$var(reply) = t_is_reply_route();
	xlog("L_ERR", "SEEN $rm $rs $avp(k) $var(request) $var(failure) $var(reply) $(msg(len){s.int})\\n");
	if ($rU == "answer") {
		t_reply("486", "Busy Here");
		exit;
	}
	if ($rU == "nothing") exit;
	if ($rs == $null) {
		$du = "sip:127.0.0.1:@FAR@";
		append_hf("X-After: 1\\r\\n");
		if (isflagset(3)) t_on_failure("F");
		t_relay();
		exit;
	}
	append_hf("X-Reply-After: 1\\r\\n");
}
onreply_route[R] {
	if ($hdr(X-Hold)) {
		append_hf("X-Reply-Before: 1\\r\\n");
		if (t_suspend()) xlog("L_ERR", "WAITS $T(id_index) $T(id_label)\\n");
		drop;
	}
}
failure_route[F] {
	xlog("L_ERR", "SEEN failure $T_reply_code\\n");
	if ($rU == "later" && t_suspend()) xlog("L_ERR", "WAITS $T(id_index) $T(id_label)\\n");
}
"""


@pytest.fixture(params=["kahu", "kamailio"])
def kind(request):
    if request.param == "kamailio" and not KAMAILIO.exists():
        pytest.skip("Debian's package kamailio is not installed")
    return request.param


@pytest.fixture
def serve(make_kahu, endpoint):
    made = []

    def make(kind, script=SCRIPT, status=None, **more):
        far = endpoint(status=status)
        made.append(make_kahu(config=BASE, modules=MODULES, script=script.replace("@FAR@", str(far.port)),
                              **{"params": PARAMS, "workers": 1, **more}).be(kind))
        return made[-1].start(), far

    yield make
    for server in made:
        if server.kind == "kamailio":
            server.kill()


def waiting(server, count=1):
    """Index and label of what was suspended last."""
    found = lambda: re.findall(r"WAITS (\d+) (\d+)", server.log())  # noqa: E731
    assert wait_until(lambda: len(found()) >= count, 10), server.log()[-2000:]
    return found()[-1]


def go_on(server, which):
    with server.udp() as client:
        return client.ask(request("INFO", headers=[f"X-Index: {which[0]}", f"X-Label: {which[1]}"])).status


def seen(server):
    return re.findall(r"SEEN (.*)", server.log())


def answer(server, far, asked, status, *headers):
    far.socket.sendto(asked.reply(status, extra=headers), ("127.0.0.1", server.plain_port))


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_a_request_goes_on_once_as_a_failure_route(serve, kind, method):
    server, far = serve(kind, status="200 OK")
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build(method, "sip:bob@127.0.0.1"))
        which = waiting(server)
        if method == "INVITE":
            caller.expect(100)
        assert go_on(server, which) == 200 and go_on(server, which) == 404
        got = far.next()
        assert got.all("X-Before") == ["1"] and got.all("X-After") == ["1"]
        caller.expect(200)
    assert [line.rsplit(" ", 1)[0] for line in seen(server)] == [f"{method} <null> kept -1 1 -1"]


@pytest.mark.parametrize("user,status", [("answer", 486), ("nothing", 500)])
def test_a_continued_route_that_does_not_relay(serve, kind, user, status):
    server, far = serve(kind)
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build("INVITE", f"sip:{user}@127.0.0.1"))
        assert go_on(server, waiting(server)) == 200
        caller.expect(100)
        caller.expect(status)
        assert len(seen(server)) == 1, "no failure route"
        assert far.requests.empty()


def test_who_is_not_continued(serve, kind):
    server, _ = serve(kind)
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build("INVITE", "sip:bob@127.0.0.1"))
        which = waiting(server)
        caller.expect(100)
        caller.expect(408, timeout=5)
        assert go_on(server, which) == 404
    assert seen(server) == ["failure 408"]


def test_a_failure_route_suspends(serve, kind):
    """The failure that it runs for is forgotten (failure_reply_mode)."""
    server, far = serve(kind)
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build("INVITE", "sip:later@127.0.0.1"))
        answer(server, far, far.next(), "404 No")
        waiting(server)
        caller.expect(100)
        caller.expect(408, timeout=5)


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
@pytest.mark.parametrize("status", ["183 Progress", "200 Fine", "404 No"])
def test_a_reply_goes_on_once(serve, kind, method, status):
    server, far = serve(kind)
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build(method, "sip:reply@127.0.0.1"))
        asked = far.next()
        answer(server, far, asked, status, "X-Hold: 1")
        which = waiting(server)
        if method == "INVITE":
            caller.expect(100)
        assert go_on(server, which) == 200 and go_on(server, which) == 404
        if method == "INVITE" or status[0] != "1":  # RFC 4320 4.1: Kahu passes no provisional to a non-INVITE on
            got = caller.expect(int(status[:3]))
            assert got.all("X-Reply-Before") == ["1"] and got.all("X-Reply-After") == ["1"]
    expected = [f"{method} {status[:3]} kept -1 -1 1"] + (["failure 404"] if status[0] == "4" else [])
    assert [re.sub(r" \d+$", "", line) if "kept" in line else line for line in seen(server)] == expected


def test_what_the_far_end_repeats_meanwhile_is_absorbed(serve):
    server, far = serve("kahu")
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build("INVITE", "sip:reply@127.0.0.1"))
        asked = far.next()
        for _ in range(5):
            answer(server, far, asked, "200 Fine", "X-Hold: 1")
        which = waiting(server)
        caller.expect(100)
        answer(server, far, asked, "180 Late", "X-Hold: 1")
        assert go_on(server, which) == 200
        caller.expect(200)
        assert len(re.findall("WAITS", server.log())) == 1
        answer(server, far, asked, "200 Fine")  # its ACK was lost
        caller.expect(200)


def test_a_final_reply_takes_the_place_of_a_provisional_one(serve):
    server, far = serve("kahu")
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build("INVITE", "sip:reply@127.0.0.1"))
        asked = far.next()
        answer(server, far, asked, "183 Progress", "X-Hold: 1")
        waiting(server)
        answer(server, far, asked, "200 Fine", "X-Hold: 1")
        which = waiting(server, 2)
        assert go_on(server, which) == 200 and go_on(server, which) == 404
        caller.expect(100)
        caller.expect(200)


def test_a_reply_that_nobody_continues_ends_with_its_timer(serve):
    server, far = serve("kahu")
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build("INVITE", "sip:reply@127.0.0.1"))
        answer(server, far, far.next(), "200 Fine", "X-Hold: 1")
        which = waiting(server)
        caller.expect(100)
        caller.expect(408, timeout=5)
        assert go_on(server, which) == 404
    assert seen(server) == ["failure 408"]


@pytest.mark.parametrize("user", ["bob", "reply"])
def test_it_waits_in_the_segment(serve, user):
    """The worker that suspended it dies: another continues."""
    server, far = serve("kahu", params="")
    server.allowed_alarms = ("process.died",)
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build("INVITE", f"sip:{user}@127.0.0.1"))
        if user == "reply":
            answer(server, far, far.next(), "200 Fine", "X-Hold: 1")
        which = waiting(server)
        (worker,) = server.processes_titled("udp receiver")
        os.kill(worker, signal.SIGKILL)
        assert wait_until(lambda: not is_alive(worker) and server.processes_titled("udp receiver") not in ([worker], []))
        with server.tcp() as other:
            other.send(request("INFO", transport="TCP", headers=[f"X-Index: {which[0]}", f"X-Label: {which[1]}"]))
            assert other.receive(5).status == 200
        if user == "bob":
            answer(server, far, far.next(), "200 Fine")
        caller.expect(100)
        caller.expect(200)


# --- onsend_route --------------------------------------------------------------------------------------------------
ONSEND = """
request_route {
	if (is_method("ACK|CANCEL")) exit;
	t_on_failure("F");
	$du = "sip:127.0.0.1:@FAR@";
	if (!t_relay()) xlog("L_ERR", "SEEN not relayed\\n");
	exit;
}
onsend_route {
	if (is_request()) {
		if ($rU == "stopped") drop;
		return;
	}
	xlog("L_ERR", "SEEN onsend $rs\\n");
	if ($hdr(X-Drop)) drop;
}
failure_route[F] { xlog("L_ERR", "SEEN failure $T_reply_code\\n"); }
"""


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
@pytest.mark.parametrize("status", ["200 Fine", "404 No"])
def test_a_final_reply_that_is_dropped_has_come(serve, kind, method, status):
    """Nobody upstream hears of it, or of anything else."""
    server, far = serve(kind, script=ONSEND, core="onsend_route_reply=yes")
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build(method, "sip:bob@127.0.0.1"))
        asked = far.next()
        answer(server, far, asked, status, "X-Drop: 1")
        if method == "INVITE":
            caller.expect(100)
            if status[0] == "4" and kind == "kahu":  # Kamailio sends it, but not always
                assert wait_until(lambda: any(one.method == "ACK" for one in list(far.requests.queue)))
        assert caller.receive(2.2) is None
    lines = [f"onsend {status[:3]}"] + (["failure 404"] if status[0] == "4" else [])
    assert sorted(seen(server)) == sorted(lines)


def test_a_request_that_is_dropped_was_not_relayed(serve, kind):
    server, far = serve(kind, script=ONSEND, core="onsend_route_reply=yes")
    with Phone(server, "caller", "udp") as caller:
        caller.send(caller.build("MESSAGE", "sip:stopped@127.0.0.1"))
        assert wait_until(lambda: "not relayed" in server.log())
        assert far.requests.empty()
    assert [line for line in seen(server) if "onsend" not in line] == ["not relayed"]
