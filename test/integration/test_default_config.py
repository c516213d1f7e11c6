"""etc/kahu.cfg, the configuration that kahu has built in: registrar and proxy with users in SQLite."""
import re
import stat
import subprocess

import pytest

from support.kahu import Kahu
from support.paths import KAHU, KAHUCMD, SOURCE
from support.phone import Phone
from support.scenarios import flood, give_up, ring
from support.sip import request

pytestmark = pytest.mark.kahu_only
DOMAIN = "example.test"


@pytest.fixture(scope="module")
def server(tmp_path_factory, certificates):
    directory = tmp_path_factory.mktemp("default")
    options = ["-A", f'CERTIFICATE="{certificates.cert()}"', "-A", f'PRIVATE_KEY="{certificates.key()}"',
               "-A", f'DBURL="sqlite://{directory}/state/kahu.db"', "-A", f'DOMAIN="{DOMAIN}"']
    server = Kahu(directory, None, config=(SOURCE / "etc/kahu.cfg").read_text())
    for transport, port in (("udp", server.plain_port), ("tcp", server.plain_port), ("tls", server.tls_port)):
        options += ["-l", f"{transport}:127.0.0.1:{port}"]
    server.argv += options
    server.options = options
    server.address = f"unix:{server.run_directory}/kahu_ctl"
    with server:
        for user in ("alice", "bob"):
            command = [KAHUCMD, "-s", server.address, "auth_db.user_add", f"{user}@{DOMAIN}", "secret"]
            subprocess.run(command, check=True, timeout=10)
        yield server


def phone(server, user, transport="tls", password="secret"):
    return Phone(server, user, transport, domain=DOMAIN, password=password)


def test_is_accepted_as_it_is_built_in(server):
    """Also under -c, which makes no database."""
    options = [o.replace("/state/", "/nowhere/") for o in server.options]
    done = subprocess.run([KAHU, "-c", "-E", *options], text=True, capture_output=True, timeout=20)
    assert done.returncode == 0 and "WARN" not in done.stderr, done.stderr
    assert not (server.directory / "nowhere").exists()


def test_answers_keep_alives(server):
    for transport in ("udp", "tcp", "tls"):
        with server.client(transport) as client:
            assert client.ask(request("OPTIONS", f"sip:{DOMAIN}", transport.upper())).status == 200


def test_database_is_not_for_others(server):
    folder = server.directory / "state"
    for path in (folder, *folder.iterdir()):
        assert not path.stat().st_mode & stat.S_IRWXO, path
    assert b"secret" not in b"".join(path.read_bytes() for path in folder.iterdir())


def test_call_over_tls_and_a_restart(server):
    with phone(server, "alice") as alice, phone(server, "bob") as bob:
        assert alice.register().status == 200 and bob.register().status == 200
        call, invite = ring(alice, bob)
        assert "Proxy-Authorization" not in "\n".join(invite.lines)
        bob.answer(invite, "200 OK")
        answered = alice.expect(200)
        call.within("ACK", answered)
        bob.expect("ACK")
        bob.hang_up(invite)
        alice.answer(alice.expect("BYE"), "200 OK")
        bob.expect(200)
        server.finish()
        server.start()
        known = server.rpc("ul.dump")
        assert bob.contact[1:-1] in known and alice.contact[1:-1] in known
    with phone(server, "alice", "udp") as alice:
        assert alice.register(cseq=9).status == 200


@pytest.mark.requirement("RG-13")
def test_calls_between_phones_that_only_their_connections_reach(server):
    """Their Contacts lead nowhere; a token that was changed leads nowhere either."""
    with phone(server, "alice") as alice, phone(server, "bob", "tcp") as bob:
        alice.contact, bob.contact = ("<sip:%s@192.0.2.7:9;transport=%s>" % it for it in (("alice", "tls"), ("bob", "tcp")))
        assert bob.register(cseq=20).status == 200
        call = alice.call(bob.uri)
        invite = bob.expect("INVITE")
        bob.answer(invite, "200 OK")
        answered = alice.expect(200)
        call.within("ACK", answered)
        bob.expect("ACK")
        call.within("INFO", answered, cseq=3)
        bob.answer(bob.expect("INFO"), "200 OK")
        alice.expect(200)
        forged = re.sub(rb"sip:[\w-]{40}", b"sip:" + b"A" * 40, answered.raw, count=2)
        assert forged != answered.raw
        call.within("INFO", type(answered)(forged), cseq=4)
        alice.expect(403)
        bob.hang_up(invite)
        alice.answer(alice.expect("BYE"), "200 OK")
        bob.expect(200)


@pytest.mark.parametrize("up,down", [("udp", "tls"), ("tls", "tcp")])
def test_cancelled_call(server, up, down):
    with phone(server, "alice", up) as alice, phone(server, "bob", down) as bob:
        assert bob.register(cseq=30).status == 200
        give_up(alice, bob, *ring(alice, bob))


@pytest.mark.parametrize("user,password", [("alice", "wrong"), ("nobody", "secret"), ("alice", None)])
def test_others_do_not_register(server, user, password):
    with phone(server, user, password=password) as other:
        assert other.register().status == 401


def test_a_user_registers_no_other(server):
    with phone(server, "alice") as alice:
        contact = [f"Contact: {alice.contact}"]
        response = alice.ask("REGISTER", f"sip:{DOMAIN}", to=f"<sip:bob@{DOMAIN}>", headers=contact)
        assert response.status in (401, 403), response.raw


def test_a_phone_that_is_gone_hides_no_other(server):
    """Its connection is refused at once, maybe before the INVITE for the other one is on its way."""
    with phone(server, "alice") as alice:
        for turn in range(5):
            with phone(server, "bob") as gone:
                assert gone.register(cseq=40 + 4 * turn).status == 200
            with phone(server, "bob", "tcp") as bob:
                assert bob.register(cseq=42 + 4 * turn).status == 200
                call = alice.call(bob.uri)
                bob.answer(bob.expect("INVITE"), "486 Busy Here")
                bob.expect("ACK")
                call.ack_failure(alice.expect(486))
                bob.ask("REGISTER", f"sip:{DOMAIN}", cseq=90, to=f"<{bob.uri}>", headers=["Contact: *", "Expires: 0"])


def test_floods_are_not_heard(server):
    """64 requests in 2 s from one address; this machine's own are not counted."""
    assert 60 <= flood(server, f"sip:{DOMAIN}", 140) < 140


def test_strangers_call_our_users_only(server):
    with Phone(server, "eve", "udp", domain="elsewhere.test") as eve, phone(server, "bob", "udp") as bob:
        assert bob.register(cseq=20).status == 200
        eve.call(bob.uri)
        bob.answer(bob.expect("INVITE"), "486 Busy Here")
        eve.expect(486)
        assert eve.ask("MESSAGE", "sip:somebody@198.51.100.7").reason == "Not Relaying"
        assert eve.ask("MESSAGE", f"sip:nobody@{DOMAIN}").status == 404
        assert eve.ask("BYE", bob.uri, to=f"<{bob.uri}>;tag=x").status == 404


def test_nobody_calls_in_the_name_of_a_user(server):
    with phone(server, "alice", password=None) as eve:
        call = eve.call(f"sip:bob@{DOMAIN}")
        call.ack_failure(eve.expect(407))
