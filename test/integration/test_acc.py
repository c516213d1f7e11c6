"""Accounting rows in a database: what module acc writes for calls answered, missed and refused. Its lines in the log are
compared with Kamailio's in test_beside_kamailio.py."""
import os
import signal
import sqlite3
from contextlib import closing

import pytest

from support.kahu import MODULES, wait_until
from support.phone import Phone

pytestmark = pytest.mark.kahu_only
SCRIPT = """
request_route {
	if (is_method("REGISTER")) {
		save("location");
		exit;
	}
	if (is_method("ACK|CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	t_check_trans();
	setflag(1);
	setflag(2);
	if ($rU == "refused") {
		setflag(3);
		t_newtran();
		t_reply("403", "Not You");
		exit;
	}
	if (!has_totag() && !lookup("location")) {
		sl_send_reply("404", "Not Found");
		exit;
	}
	if (is_method("INVITE")) t_on_failure("ELSEWHERE");
	t_relay();
}
failure_route[ELSEWHERE] {
	if (t_check_status("480")) {
		$ru = "sip:@BOB@";
		t_relay();
	}
}
"""
PARAMS = """
modparam("acc", "db_url", "sqlite://@DIRECTORY@/acc.db")
modparam("tm", "fr_timer", 300)
modparam("acc", "db_flag", 1)
modparam("acc", "db_missed_flag", 2)
modparam("acc", "failed_transaction_flag", 3)
modparam("acc", "db_extra", "src_user=$fU;dst_user=$rU")
"""


@pytest.fixture
def server(make_kahu, tmp_path):
    modules = MODULES + "".join(f'\nloadmodule "{name}.so"' for name in ("tm", "usrloc", "registrar", "acc"))
    server = make_kahu(modules=modules, script=SCRIPT.replace("@BOB@", "nobody@127.0.0.1:9"), 
                       params=PARAMS.replace("@DIRECTORY@", str(tmp_path)))
    server.database = tmp_path / "acc.db"
    return server.start()


def rows(server, table):
    with closing(sqlite3.connect(server.database)) as file:
        return file.execute(f"SELECT method, sip_code, sip_reason, src_user, dst_user FROM {table} ORDER BY id").fetchall()


def call(alice, bob, status):
    call = alice.call(bob.uri)
    invite = bob.expect("INVITE")
    bob.answer(invite, status)
    if status.startswith("2"):
        call.within("ACK", alice.expect(200))
        bob.expect("ACK")
    else:
        bob.expect("ACK")
        final = alice.receive()
        while final is not None and final.status < 200:
            final = alice.receive()
        call.ack_failure(final)


def test_rows(server):
    with Phone(server, "alice", "tls") as alice, Phone(server, "bob", "udp") as bob:
        bob.register()
        call(alice, bob, "200 OK")
        call(alice, bob, "486 Busy Here")
        call(alice, bob, "480 Away")  # a failure route tries elsewhere, in vain: missed once
        refused = alice.call(f"sip:refused@{alice.domain}")
        refused.ack_failure(alice.expect(403))
    assert wait_until(lambda: len(rows(server, "missed_calls")) >= 3)
    assert rows(server, "acc") == [("INVITE", "200", "OK", "alice", "bob"), ("INVITE", "403", "Not You", "alice", "refused")]
    assert [row[1:] for row in rows(server, "missed_calls")] == [
        ("486", "Busy Here", "alice", "bob"), ("480", "Away", "alice", "bob"), ("403", "Not You", "alice", "refused")]


def test_a_killed_worker_loses_no_row(server):
    """What was queued is written, whoever dies: workers, and the timer process that writes."""
    server.allowed_alarms = ("process.died",)
    with Phone(server, "alice", "udp") as alice, Phone(server, "bob", "udp") as bob:
        bob.register()
        for _ in range(20):
            call(alice, bob, "200 OK")
        for title in ("udp receiver", "timer"):
            for pid in server.processes_titled(title):
                os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: len(rows(server, "acc")) >= 20)
    assert len(rows(server, "acc")) <= 21, "at most the row that was being written appears twice"


def test_rows_wait_for_the_database(server):
    with Phone(server, "alice", "udp") as alice, Phone(server, "bob", "udp") as bob:
        bob.register()
        with closing(sqlite3.connect(server.database)) as file:
            file.execute("BEGIN EXCLUSIVE")
            call(alice, bob, "200 OK")
            assert wait_until(lambda: "acc.write_failed" in server.log())
            call(alice, bob, "200 OK")
            file.rollback()
    assert wait_until(lambda: len(rows(server, "acc")) == 2)


def test_mistakes_are_found(make_kahu):
    modules = MODULES + '\nloadmodule "tm.so"\nloadmodule "acc.so"'
    for params, message in (
            ('modparam("acc", "db_flag", 1)', "need db_url"),
            ('modparam("acc", "db_flag", 1)\nmodparam("acc", "db_url", "nosql://x")', "db_url"),
            ('modparam("acc", "db_flag", 1)\nmodparam("acc", "db_url", "sqlite:///x/y")\n'
             'modparam("acc", "db_extra", "a b=$fU")', "no name of a column"),
            ('modparam("acc", "failed_filter", "404,99")', "failed_filter: '99'"),
            ('modparam("acc", "multi_leg_info", "leg=$fU")', "no name=$avp(name)"),
            ('modparam("acc", "multi_leg_info", "leg")', "no name=$avp(name)")):
        code, output = make_kahu(modules=modules, params=params).check()
        assert code != 0 and message in output, output
