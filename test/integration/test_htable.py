"""htable: tables read from SQLite and written back, walks, in Kahu and in Debian's Kamailio alike."""
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from support.kahu import BASE, IS_KAMAILIO
from support.rpc import Fault
from support.sip import request
from test_beside_kamailio import KAMAILIO

SCHEMA = Path("/usr/share/kamailio/db_sqlite/htable-create.sql")
pytestmark = [pytest.mark.skipif(IS_KAMAILIO, reason="would compare Kamailio with itself"), pytest.mark.kahu_only]

MODULES = "\n".join(f'loadmodule "{name}.so"' for name in "ctl kex tm sl pv xlog siputils textops tls db_sqlite htable".split())
PARAMS = """
modparam("htable", "db_url", "sqlite:///@DB@")
modparam("htable", "htable", "a=>size=4;dbtable=htable;dbmode=1;")
modparam("htable", "htable", "c=>size=4;dbtable=pairs;cols='name,number';")
modparam("htable", "htable", "d=>size=4;dbtable=pairs;cols='name,number,word';")
modparam("htable", "htable", "walked=>size=2;")
"""
SCRIPT = """
request_route {
	$sht(walked=>x1) = 1;
	$sht(walked=>x2) = "two";
	$sht(walked=>x3) = 3;
	$var(sum) = "";
	$var(n) = 0;
	sht_iterator_start("i", "walked");
	while (sht_iterator_next("i")) {
		$var(n) = $var(n) + 1;
	}
	sht_iterator_end("i");
	sht_iterator_start("i", "walked");
	while (sht_iterator_next("i")) {
		if ($shtitkey(i) == "x2") sht_iterator_sets("i", "TWO");
		if ($shtitkey(i) == "x3") sht_iterator_rm("i");
	}
	sht_iterator_end("i");
	$sht(a=>stored) = "kept";
	sl_send_reply("200", "Values $sht(a=>text) $sht(a=>number) $sht(a=>list[0]) $sht(a=>list[1]) $sht(a=>list::size) $sht(c=>one) $sht(d=>one) $sht(d=>two) $var(n) $sht(walked=>x2) $sht(walked=>x3)");
}
"""


def database(path):
    with closing(sqlite3.connect(path)) as file:
        file.executescript("CREATE TABLE version (table_name VARCHAR(32), table_version INTEGER);" + SCHEMA.read_text())
        file.executemany("INSERT INTO htable (key_name, key_type, value_type, key_value) VALUES (?,?,?,?)",
                         [("text", 0, 0, "hello"), ("number", 0, 1, "42"), ("list", 1, 0, "l0"), ("list", 1, 0, "l1")])
        file.execute("CREATE TABLE pairs (name VARCHAR(64), number INTEGER, word VARCHAR(64))")
        file.executemany("INSERT INTO pairs VALUES (?,?,?)", [("one", 1, "eins"), ("two", 2, None)])
        file.commit()


def rows(path):
    with closing(sqlite3.connect(path)) as file:
        return dict(file.execute("SELECT key_name, key_value FROM htable").fetchall())


@pytest.fixture(params=["kahu", "kamailio"])
def server(request, make_kahu, tmp_path):
    if not (KAMAILIO.exists() and SCHEMA.exists()):
        pytest.skip("Debian's packages kamailio and kamailio-sqlite-modules are not installed")
    path = tmp_path / "tables.db"
    database(path)
    made = make_kahu(config=BASE, modules=MODULES, params=PARAMS.replace("@DB@", str(path)), script=SCRIPT, workers=1)
    made.database = path
    try:
        yield made.be(request.param).start()
    finally:
        if made.process is not None and made.running():
            made.kill()


def ask(server):
    with server.udp() as client:
        return client.ask(request()).reason


def test_read_walked_reloaded_and_stored(server):
    assert ask(server) == "Values hello 42 l0 l1 2 1 1,eins 2,* 3 TWO <null>"
    with closing(sqlite3.connect(server.database)) as file:
        file.execute("UPDATE htable SET key_value='changed' WHERE key_name='text'")
        file.execute("DELETE FROM htable WHERE key_name='number'")
        file.commit()
    server.rpc("htable.reload", "a")
    assert ask(server).startswith("Values changed <null> l0 l1 2 ")
    server.rpc("htable.store", "a")
    assert rows(server.database)["stored"] == "kept" and rows(server.database)["text"] == "changed"
    with pytest.raises(Fault):
        server.rpc("htable.reload", "walked")


@pytest.mark.parametrize("server", ["kahu"], indirect=True)
def test_written_when_the_server_stops(server):
    ask(server)
    server.finish()
    assert rows(server.database) | {"stored": "kept", "text": "hello"} == rows(server.database)


@pytest.mark.parametrize("server", ["kahu"], indirect=True)
def test_a_database_that_is_gone_changes_nothing(server):
    assert ask(server).startswith("Values hello 42")
    with closing(sqlite3.connect(server.database)) as file:
        file.execute("DROP TABLE htable")
    with pytest.raises(Fault, match="htable"):
        server.rpc("htable.reload", "a")
    assert ask(server).startswith("Values hello 42")
    server.allowed_alarms = ("htable.not_stored",)


@pytest.mark.parametrize("params, reason", [
    ('modparam("htable", "htable", "a=>size=4;dbtable=t;")', "db_url"),
    ('modparam("htable", "db_url", "sqlite:///tmp/x.db")\nmodparam("htable", "htable", "a=>size=4;dbtable=t t;")', "no name"),
    ('modparam("htable", "htable", "a=>size=4;cols=one;")', "cols"),
])
def test_mistakes_are_found_at_start(make_kahu, params, reason):
    code, text = make_kahu(config=BASE, modules=MODULES, params=params, script="request_route { exit; }").check()
    assert code != 0 and reason in text, text
