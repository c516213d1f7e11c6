"""Registrations: over every transport, by digest, across workers' deaths and restarts; ul.* as kamcmd shows them."""
import hashlib
import os
import re
import signal
import sqlite3
import time

import pytest

from support.kahu import MODULES, wait_until
from support.registrar import ANSWER_OPTIONS
from support.rpc import Fault, values
from support.sip import request

pytestmark = pytest.mark.kahu_only

LOADED = MODULES + "\n" + "\n".join(f'loadmodule "{name}.so"' for name in "db_sqlite auth auth_db usrloc registrar".split())
SCRIPT = "request_route {" + ANSWER_OPTIONS + """
	if (is_method("REGISTER")) {
		if ($rU == "digest" || $tU == "digest") {
			if (!auth_check("127.0.0.1", "subscriber", "1")) {
				auth_challenge("127.0.0.1", "1");
				exit;
			}
		}
		save("location");
		exit;
	}
	$var(u) = $ru;
	if (lookup("location")) {
		sl_send_reply("302", "$ru");
		exit;
	}
	sl_send_reply("404", "Not Found");
	exit;
}
"""


@pytest.fixture
def registrar(make_kahu, tmp_path):
    def make(db_mode=0, params="", **more):
        url = f"sqlite://{tmp_path}/kahu.sqlite"
        text = (f'modparam("usrloc|auth_db", "db_url", "{url}")\nmodparam("usrloc", "db_mode", {db_mode})\n'
                'modparam("usrloc", "timer_interval", 2)\nmodparam("registrar", "min_expires", 1)\n' + params)
        return make_kahu(modules=LOADED, script=SCRIPT, params=text, **more)
    return make


def register(client, user="alice", contact=None, cseq=1, call_id=None, headers=(), expires=600, transport="TCP"):
    contact = f"<sip:{user}@127.0.0.1:9;transport=tcp>;expires={expires}" if contact is None else contact
    lines = [f"Contact: {contact}"] if contact else []
    return client.ask(request("REGISTER", "sip:127.0.0.1", transport, lines + list(headers), To=f"<sip:{user}@127.0.0.1>",
                              From=f"<sip:{user}@127.0.0.1>;tag=1", CSeq=f"{cseq} REGISTER",
                              Call_ID=call_id or f"reg-{user}"))


def found(client, user="alice", transport="TCP"):
    """Where lookup() sends a request for the user; None if nowhere."""
    response = client.ask(request("MESSAGE", f"sip:{user}@127.0.0.1", transport))
    return response.reason if response.status == 302 else None


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_register_look_up_and_unregister(registrar, transport):
    server = registrar().start()
    with server.client(transport) as client:
        name = transport.upper()
        response = register(client, transport=name)
        assert response.status == 200
        assert re.fullmatch(r"<sip:alice@127.0.0.1:9;transport=tcp>;expires=(600|599)", response.header("Contact"))
        assert found(client, transport=name) == "sip:alice@127.0.0.1:9;transport=tcp"
        assert found(client, "bob", name) is None
        assert register(client, cseq=2, expires=0, transport=name).header("Contact") is None
        assert found(client, transport=name) is None


def test_every_worker_sees_what_one_saved(registrar):
    server = registrar().start()
    with server.tcp() as client:
        assert register(client).status == 200
    for _ in range(12):
        with server.tcp() as other:
            assert found(other)


@pytest.mark.parametrize("db_mode", [1, 2, 3])
def test_registrations_survive_a_restart(registrar, tmp_path, db_mode):
    server = registrar(db_mode).start()
    with server.tcp() as client:
        for user in ("alice", "bob", "carol"):
            assert register(client, user).status == 200
        assert register(client, "carol", cseq=2, expires=0).status == 200
    server.finish()
    rows = sqlite3.connect(tmp_path / "kahu.sqlite").execute("SELECT username, contact, cseq FROM location ORDER BY username").fetchall()
    assert rows == [(user, f"sip:{user}@127.0.0.1:9;transport=tcp", 1) for user in ("alice", "bob")]
    server.start()
    with server.tcp() as client:
        assert found(client) and found(client, "bob") and found(client, "carol") is None
        response = register(client, cseq=2)
        assert response.status == 200 and response.header("Contact").count("<") == 1


def test_ul_commands(registrar):
    server = registrar().start()
    with server.tcp() as client:
        register(client, headers=["User-Agent: phone/1"])
    printed = server.rpc("ul.lookup", "location", "alice")
    wanted = ("Address Expires Q Call-ID CSeq User-Agent Received Path State Flags CFlags Socket Methods Ruid Instance Reg-Id "
              "Server-Id Tcpconn-Id Keepalive Last-Keepalive KA-Roundtrip Last-Modified").split()
    assert [name for name in re.findall(r"^\s*([\w-]+):", printed, re.M) if name in wanted] == wanted
    assert "Contacts: {\n\t\tContact: {\n\t\t\tAddress: sip:alice@" in printed  # as Kamailio nests it
    assert "phone/1" in printed and "CS_NEW" in printed
    server.rpc("ul.add", "location", "bob", "sip:bob@10.0.0.1", 100, 0.5, ".", 0, 0, 0)
    with server.tcp() as client:
        assert found(client, "bob") == "sip:bob@10.0.0.1"
    server.rpc("ul.rm_contact", "location", "bob", "sip:bob@10.0.0.1")
    server.rpc("ul.rm", "location", "alice")
    with pytest.raises(Fault):
        server.rpc("ul.lookup", "location", "alice")
    server.rpc("ul.flush")
    with pytest.raises(Fault):
        server.rpc("ul.db_users", "location")


def answer(challenge, user, password, method="REGISTER", uri="sip:127.0.0.1"):
    field = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    hash_ = {"SHA-256": hashlib.sha256}.get(field.get("algorithm"), hashlib.md5)
    digest = lambda text: hash_(text.encode()).hexdigest()
    ha1, ha2 = digest(f"{user}:{field['realm']}:{password}"), digest(f"{method}:{uri}")
    response = digest(f"{ha1}:{field['nonce']}:00000001:abc:auth:{ha2}")
    extra = f", algorithm={field['algorithm']}" if "algorithm" in field else ""
    return (f'Authorization: Digest username="{user}", realm="{field["realm"]}", nonce="{field["nonce"]}", uri="{uri}", '
            f'qop=auth, nc=00000001, cnonce="abc", response="{response}"{extra}')


@pytest.mark.requirement("RG-18", "RG-19")
@pytest.mark.parametrize("algorithm", ["", "SHA-256"])
def test_digest_users(registrar, algorithm):
    server = registrar(params=f'modparam("auth", "algorithm", "{algorithm}")\nmodparam("auth", "nonce_count", 1)\n').start()
    server.rpc("auth_db.user_add", "digest@127.0.0.1", "secret")
    assert server.rpc("auth_db.user_list") == "digest@127.0.0.1"
    with server.tls() as client:
        first = register(client, "digest")
        assert first.status == 401
        challenge = first.header("WWW-Authenticate")
        wrong = register(client, "digest", headers=[answer(challenge, "digest", "wrong")])
        nobody = register(client, "digest", headers=[answer(challenge, "nobody", "secret")])
        assert wrong.status == nobody.status == 401  # RG-18: not to be told apart
        right = answer(challenge, "digest", "secret")
        assert register(client, "digest", headers=[right]).status == 200
        assert register(client, "digest", headers=[right]).status == 401  # replayed
    server.rpc("auth_db.user_remove", "digest@127.0.0.1")
    with server.tls() as client:
        challenge = register(client, "digest").header("WWW-Authenticate")
        assert register(client, "digest", cseq=2, headers=[answer(challenge, "digest", "secret")]).status == 401


def test_workers_die_while_phones_register(registrar):
    """A worker killed every 0.2 s: no registration that was answered is lost, and the location table stays whole."""
    server = registrar(workers=2).start()
    server.allowed_alarms = ("process.died .*cause=killed signal=9",)
    known = {}
    for turn in range(25):
        try:
            with server.tcp() as client:
                for i in range(40):
                    user = f"u{turn}x{i % 20}"
                    response = register(client, user, cseq=i + 1)
                    if response is not None and response.status == 200:
                        known[user] = True
                    if i == 20:
                        victims = server.processes_titled("tcp receiver")
                        os.kill(victims[turn % len(victims)], signal.SIGKILL)
        except (OSError, AssertionError, TypeError, AttributeError):
            time.sleep(0.2)
    assert len(known) > 100
    wait_until(server.answers, 10)
    with server.tcp() as client:
        for user in known:
            assert found(client, user), user
