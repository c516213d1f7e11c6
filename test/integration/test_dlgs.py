"""dlgs: calls through a stateful proxy and through a stateless one, counted and listed; a worker killed in between; what Kamailio's
newest stock file has of it. Debian's Kamailio 5.6.3 has no such module."""
import os
import signal

import pytest

from support.kahu import MODULES, wait_until
from support.phone import Phone
from support.rpc import Fault, structs, values

pytestmark = pytest.mark.kahu_only
STATES = ("init", "progress", "answered", "confirmed", "terminted", "notanswered")
SCRIPT = """
request_route {
	if (is_method("REGISTER")) {
		save("location");
		exit;
	}
	if (is_method("INVITE")) {
		if (!has_totag()) dlgs_init("$fu", "$tu", "from $si");
		dlgs_tags_add("$si");
	} else if (is_method("ACK|BYE|CANCEL")) dlgs_update();
	if ($rU == "count") {
		$var(any) = dlgs_count("any", "eq", "*");
		$var(src) = dlgs_count("src", "sw", "sip:alice@");
		$var(tags) = dlgs_tags_count("$si");
		sl_send_reply("200", "Any $var(any) src $var(src) tags $var(tags)");
		exit;
	}
	if (@STATEFUL@) {
		if (is_method("CANCEL") && !t_check_trans()) exit;
		t_check_trans();
		if ($rU == "refused") {
			t_newtran();
			t_reply("403", "Not You");
			exit;
		}
	} else if ($rU == "refused") {
		sl_send_reply("403", "Not You");
		exit;
	}
	if (loose_route() || has_totag()) {
		if (@STATEFUL@) t_relay(); else forward();
		exit;
	}
	record_route();
	lookup("location");
	if (@STATEFUL@) t_relay(); else forward();
}
"""
PARAMS = """
modparam("dlgs", "timer_interval", 1)
modparam("dlgs", "finish_lifetime", 1)
modparam("dlgs", "max_dialogs", 5)
"""


@pytest.fixture(params=["stateful", "stateless"])
def server(request, make_kahu):
    modules = MODULES + "".join(f'\nloadmodule "{name}.so"' for name in ("tm", "rr", "usrloc", "registrar", "dlgs"))
    made = make_kahu(modules=modules, params=PARAMS, script=SCRIPT.replace("@STATEFUL@", str(int(request.param == "stateful"))))
    return made.start()


def active(server):
    """Calls by state: {'confirmed': 1}."""
    counts = values(server.rpc("dlgs.stats").partition("active")[2])
    return {state: int(counts[state]) for state in STATES if counts[state] != "0"}


def ever(server, state):
    """Calls in that state, and those that were when they were taken out."""
    return sum(int(values(part)[state]) for part in server.rpc("dlgs.stats").split("active"))


def is_soon(server, **expected):
    assert wait_until(lambda: active(server) == expected), f"{active(server)} is not {expected}"


def counted(phone):
    return phone.ask("OPTIONS", f"sip:count@{phone.domain}").reason


def test_a_call(server):
    with Phone(server, "alice", "udp") as alice, Phone(server, "bob", "tcp") as bob:
        bob.register()
        assert counted(alice) == "Any -1 src -1 tags -1"
        call = alice.call(bob.uri)
        invite = bob.expect("INVITE")
        is_soon(server, init=1)
        bob.answer(invite, "180 Ringing")
        alice.expect(180)
        is_soon(server, progress=1)
        bob.answer(invite, "200 OK")
        answer = alice.expect(200)
        is_soon(server, answered=1)
        call.within("ACK", answer)
        bob.expect("ACK")
        is_soon(server, confirmed=1)
        assert counted(alice) == "Any 1 src 1 tags 1"

        (row,) = structs(server.rpc("dlgs.list"))
        assert list(row) == "count src dst data ruid callid ftag ttag ts_init ts_answer state".split()
        assert (row["src"], row["dst"], row["data"]) == (alice.uri, bob.uri, "from 127.0.0.1")
        assert (row["callid"], row["ftag"], row["ttag"], row["state"]) == (call.call_id, call.tag, "callee", "3")
        assert row["ruid"].startswith("dlgs-") and int(row["ts_answer"]) >= int(row["ts_init"]) > 1_700_000_000
        assert structs(server.rpc("dlgs.get", "src", "eq", alice.uri)) == [row]
        assert structs(server.rpc("dlgs.getall", "data", "re", "127.*1$")) == [row]
        assert structs(server.rpc("dlgs.getall", "dst", "ne", bob.uri)) == []
        assert list(structs(server.rpc("dlgs.briefing"))[0]) == "count src dst callid state".split()
        with pytest.raises(Fault, match="Invalid Field"):
            server.rpc("dlgs.get", "who", "eq", "x")
        with pytest.raises(Fault, match="Invalid Parameters"):
            server.rpc("dlgs.getall", "src")

        bob.hang_up(invite)
        alice.answer(alice.expect("BYE"), "200 OK")
        bob.expect(200)
        is_soon(server)  # terminated, and taken out after finish_lifetime
        assert ever(server, "terminted") == 1
        assert counted(alice) == "Any -1 src -1 tags -1"


def test_calls_that_nobody_answers(server):
    with Phone(server, "alice", "tls") as alice, Phone(server, "bob", "udp") as bob, Phone(server, "carol", "udp") as carol:
        bob.register()
        carol.register()
        refused = alice.call(f"sip:refused@{alice.domain}")
        refused.ack_failure(alice.expect(403))
        assert ever(server, "notanswered") == 1
        busy = alice.call(bob.uri)
        bob.answer(bob.expect("INVITE"), "486 Busy Here")
        busy.ack_failure(alice.expect(486))
        gone = alice.call(carol.uri)
        carol.answer(carol.expect("INVITE"), "180 Ringing")
        alice.expect(180)
        gone.cancel()
        is_soon(server)
        assert (ever(server, "notanswered"), ever(server, "terminted")) == (3, 0)


def test_calls_outlive_a_worker(server):
    server.allowed_alarms = ("process.died",)
    with Phone(server, "alice", "udp") as alice, Phone(server, "bob", "udp") as bob:
        bob.register()
        call = alice.call(bob.uri)
        bob.answer(bob.expect("INVITE"), "200 OK")
        call.within("ACK", alice.expect(200))
        bob.expect("ACK")
        is_soon(server, confirmed=1)
        (victim,) = server.processes_titled("udp receiver")
        os.kill(victim, signal.SIGKILL)
        assert wait_until(lambda: victim not in server.processes_titled("udp receiver"))
        assert counted(alice) == "Any 1 src 1 tags 1"
        assert active(server) == {"confirmed": 1}


def test_a_flood_is_bounded(server):
    with Phone(server, "alice", "udp") as alice:
        calls = [alice.call(f"sip:count@{alice.domain}") for _ in range(8)]
        for _ in calls:
            alice.expect(200)
        assert sum(active(server).values()) == 5
        assert "dlgs.not_tracked" in server.log()


NEWEST = """
#!trydef MSG_MAX_SIZE 16384
#!trydef RURI_MAX_SIZE 512
#!ifndef NOTHING
#!define WITH_HTABLE
#!endif
async_workers_group="name=udp;workers=2;nonblock=0;usleep=0"
udp_receiver_mode=1
tls_threads_mode=2
tcp_accept_iplimit=1024
@MODULES@
loadmodule "tm.so"
loadmodule "dlgs.so"
modparam("dlgs", "timer_interval", 10)
modparam("dlgs", "init_lifetime", 180)
modparam("dlgs", "active_lifetime", 7200)
modparam("dlgs", "finish_lifetime", 10)
request_route {
	if ($msg(len) > MSG_MAX_SIZE || $(ru{s.len}) > RURI_MAX_SIZE) {
		xalert("too large\\n");
		sl_send_reply("413", "Message Too Large");
		exit;
	}
	if (is_method("INVITE")) dlgs_init("$fu", "$tu", "my data");
	if (is_method("ACK|BYE|CANCEL")) dlgs_update();
	if (!t_relay()) send_reply_error();
}
"""


def test_what_the_newest_stock_file_adds_is_known(make_kahu):
    modules = MODULES + '\nloadmodule "xlog.so"'
    code, output = make_kahu(config=NEWEST.replace("@MODULES@", modules)).check()
    assert code == 0 and "ERROR" not in output, output
