"""Accounting beyond answers: early media, ACK, CANCEL, direction, legs and filtered codes, the lines and rows of Debian's Kamailio and
of Kahu for the same calls.

One thing is other on purpose: the CANCEL of a call has a row, too. Kamailio's lacks the To tag, and its own schema refuses it."""
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from support.kahu import IS_KAMAILIO, MODULES, wait_until
from support.phone import Phone
from support.scenarios import give_up, ring
from test_beside_kamailio import KAMAILIO

SCHEMA = Path("/usr/share/kamailio/db_sqlite/acc-create.sql")
pytestmark = [pytest.mark.skipif(IS_KAMAILIO, reason="would compare Kamailio with itself"), pytest.mark.kahu_only,
              pytest.mark.skipif(not (KAMAILIO.exists() and SCHEMA.exists()),
                                 reason="Debian's packages kamailio and kamailio-sqlite-modules are not installed")]

SCRIPT = """
request_route {
	setflag(@FLAG@);
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	if (has_totag()) {
		if (loose_route()) t_relay();
		else if (is_method("ACK") && t_check_trans()) t_relay();
		exit;
	}
	t_check_trans();
	setflag(2);
	setflag(3);
	$avp(src) = "first";
	$avp(dst) = "to first";
	$avp(src) = "second";
	record_route();
	$du = "sip:127.0.0.1:@BOB@";
	t_on_failure("FAILED");
	t_relay();
}
failure_route[FAILED] {
	setflag(1);
}
"""
COMMON = """
modparam("rr", "append_fromtag", 1)
modparam("acc", "log_flag", 1)
modparam("acc", "log_missed_flag", 2)
modparam("acc", "failed_transaction_flag", 3)
modparam("acc", "log_extra", "from=$fU;to=$tU;method=$rm;none=$avp(none)")
modparam("acc", "db_url", "sqlite:///@DB@")
modparam("acc", "db_flag", 1)
modparam("acc", "db_missed_flag", 2)
modparam("acc", "db_extra", "src_user=$fU")
"""
EVERYTHING = "".join(f'modparam("acc", "{name}", 1)\n' for name in
                     ("early_media", "report_ack", "report_cancels", "detect_direction"))
LEGS = 'modparam("acc", "multi_leg_info", "leg_src=$avp(src);leg_dst=$avp(dst)")\n'
MARK = "# script"
CASES = {
    "nothing": ("", 1),
    "everything": (EVERYTHING + LEGS, 1),
    "filter": ('modparam("acc", "failed_filter", "404,487")\n', 1),
    "flagged-late": ('modparam("acc", "acc_prepare_flag", 3)\n' + EVERYTHING, 4),
}
COLUMNS = "method, from_tag, to_tag, callid, sip_code, sip_reason, src_user, leg_src, leg_dst"


def database(path):
    with closing(sqlite3.connect(path)) as file:
        file.executescript("CREATE TABLE version (table_name VARCHAR(32), table_version INTEGER);" + SCHEMA.read_text())
        for table in ("acc", "missed_calls"):
            for column in ("src_user", "leg_src", "leg_dst"):
                file.execute(f"ALTER TABLE {table} ADD COLUMN {column} VARCHAR(64)")
        file.commit()


def rows(path):
    with closing(sqlite3.connect(path)) as file:
        return [(table, *row) for table in ("acc", "missed_calls")
                for row in file.execute(f"SELECT {COLUMNS} FROM {table} WHERE method != 'CANCEL' ORDER BY id")]


def answered_call(alice, bob):
    call, invite = ring(alice, bob)
    for _ in range(2):
        bob.answer(invite, "183 Session Progress", body="v=0\r\n")
        alice.expect(183)
    bob.answer(invite, "200 Fine")
    call.within("ACK", alice.expect(200))
    bob.expect("ACK")
    bob.ask_back("INVITE", invite, cseq=7)
    alice.answer(alice.expect("INVITE"), "200 OK")
    bob.expect(200)
    bob.ask_back("ACK", invite, cseq=7)
    alice.expect("ACK")
    bob.ask_back("BYE", invite, cseq=8)
    alice.answer(alice.expect("BYE"), "200 OK")
    bob.expect(200)
    return call


def cancelled_call(alice, bob):
    call, invite = ring(alice, bob)
    give_up(alice, bob, call, invite)
    return call


def refused_call(alice, bob):
    call = alice.call(bob.uri)
    bob.answer(bob.expect("INVITE"), "404 Nobody Here")
    call.ack_failure(alice.expect(404))
    bob.expect("ACK")
    return call


def accounts(make_kahu, directory, kind, params, flag, expected=None):
    """(lines, rows) of the three calls, without what differs from run to run; as soon as they are as expected."""
    path = directory / f"{kind}.db"
    database(path)
    modules = MODULES + "".join(f'\nloadmodule "{name}.so"' for name in ("tm", "rr", "db_sqlite", "acc"))
    server = make_kahu(modules=modules, params=COMMON.replace("@DB@", str(path)) + params, script=MARK, workers=1)
    with Phone(server, "alice", "udp") as alice, Phone(server, "bob", "udp") as bob:
        text = SCRIPT.replace("@BOB@", str(bob.link.local_port)).replace("@FLAG@", str(flag))
        text = server.config_file.read_text().replace(MARK, text)
        server.config_file.write_text(text)
        log_start = len(server.log())  # the directory, and the log, are those of both servers
        server.be(kind).start()
        calls = [scenario(alice, bob) for scenario in (answered_call, cancelled_call, refused_call)]
    names = {call.call_id: f"call{i}" for i, call in enumerate(calls)} | {call.tag: f"caller{i}" for i, call in enumerate(calls)}

    def plain(text):
        for name, number in names.items():
            text = re.sub(rf"\b{re.escape(name)}\b", number, text)
        return re.sub(r"timestamp=\d+", "timestamp=T", text)

    def found():
        return ([plain(line) for line in re.findall(r"ACC: (.*)", server.log()[log_start:])],
                [tuple(plain(str(field)) for field in row) for row in rows(path)])
    if expected is None:
        time.sleep(0.5)  # Kamailio writes a line and a row as it sends what they are about
    else:
        wait_until(lambda: found() == expected)
    server.kill()
    return found()


@pytest.mark.parametrize("case", CASES)
def test_the_same_lines_and_rows(make_kahu, tmp_path, case):
    params, flag = CASES[case]
    theirs = accounts(make_kahu, tmp_path, "kamailio", params, flag)
    ours = accounts(make_kahu, tmp_path, "kahu", params, flag, expected=theirs)
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1]
    with closing(sqlite3.connect(tmp_path / "kahu.db")) as file:
        assert file.execute("SELECT count(*) FROM acc WHERE method = 'CANCEL'").fetchone()[0] == (case == "everything")
    assert len(ours[0]) >= 2, ours
    assert (case == "everything") == any("request acknowledged" in line for line in ours[0])
