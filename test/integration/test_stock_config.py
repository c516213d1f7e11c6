"""Debian's kamailio.cfg: only ports, and paths of certificates, are other than in the file that the package ships."""
from pathlib import Path

import pytest

from support.kahu import Kahu
from support.phone import Phone
from support.scenarios import flood, give_up, ring

STOCK = Path("/etc/kamailio/kamailio.cfg")
LISTEN = "listen=udp:127.0.0.1:@PLAIN@\nlisten=tcp:127.0.0.1:@PLAIN@\nlisten=tls:127.0.0.1:@TLS@\n"

pytestmark = [pytest.mark.skipif(not STOCK.exists(), reason="Debian's package kamailio is not installed"),
              pytest.mark.kahu_only]


def stock(directory, certificates, *defines):
    text = STOCK.read_text().replace("#!KAMAILIO\n", "#!KAMAILIO\n" + LISTEN, 1)
    assert LISTEN in text
    text = text.replace("/etc/kamailio/tls.cfg", "@DIR@/tls.cfg")
    options = [option for define in ("WITH_TLS", *defines) for option in ("-A", define)]
    server = Kahu(directory, certificates, config=text, options=options)
    server.address = f"unix:{server.run_directory}/kamailio_ctl"
    return server


@pytest.fixture(scope="module")
def server(tmp_path_factory, certificates):
    with stock(tmp_path_factory.mktemp("stock"), certificates) as server:
        yield server


@pytest.fixture
def phones(server):
    """phones("alice", "udp"): a registered phone; all are unregistered and closed at the end."""
    made = []

    def make(user, transport, on=server):
        phone = Phone(on, user, transport)
        made.append(phone)
        response = phone.register()
        assert response.status == 200 and phone.contact in response.header("Contact"), response.raw
        return phone

    yield make
    for phone in made:
        phone.ask("REGISTER", f"sip:{phone.domain}", cseq=90, to=f"<{phone.uri}>", headers=["Contact: *", "Expires: 0"],
                  call_id=f"reg-{phone.user}")
        phone.close()


PAIRS = [(a, b) for a in ("udp", "tcp", "tls") for b in ("udp", "tcp", "tls")]


@pytest.mark.parametrize("defines", [
    (), ("WITH_ANTIFLOOD",), ("WITH_DEBUG",),
    ("WITH_AUTH", "WITH_USRLOCDB", 'DBURL="sqlite:///nowhere/kamailio.db"'),
])
def test_is_accepted(tmp_path, certificates, defines):
    options = [option for define in ("WITH_TLS", *defines) for option in ("-A", define)]
    code, output = stock(tmp_path, certificates, *defines).check(*options)
    assert code == 0 and "ok" in output, output


@pytest.mark.parametrize("up,down", PAIRS)
def test_call(phones, up, down):
    """INVITE 180 200 ACK, BYE from the one side or the other."""
    alice, bob = phones("alice", up), phones("bob", down)
    call, invite = ring(alice, bob)
    assert invite.uri == bob.contact[1:-1] and invite.header("Max-Forwards") == "69" and invite.body == b"v=0\r\n"
    assert len(invite.all("Record-Route")) == (1 if up == down else 2)
    bob.answer(invite, "200 OK", body="v=0\r\n")
    answered = alice.expect(200)
    call.within("ACK", answered)
    assert bob.expect("ACK").uri == bob.contact[1:-1]
    if up < down:
        call.within("BYE", answered, cseq=2)
        bob.answer(bob.expect("BYE"), "200 OK")
        alice.expect(200)
    else:
        bob.hang_up(invite)
        bye = alice.expect("BYE")
        assert bye.uri == alice.contact[1:-1] and not bye.all("Route")
        alice.answer(bye, "200 OK")
        bob.expect(200)


def test_repeated_messages_over_udp(phones):
    """INVITE again: the last answer again, nothing reaches the callee; 180 again passes; the proxy repeats no 200."""
    alice, bob = phones("alice", "udp"), phones("bob", "udp")
    call = alice.call(bob.uri)
    invite = bob.expect("INVITE")
    bob.answer(invite, "180 Ringing")
    alice.expect(180)
    again = {"from_tag": call.tag, "call_id": call.call_id, "branch": call.branch}
    alice.send(alice.build("INVITE", bob.uri, body="v=0\r\n", **again))
    alice.expect(180)
    assert bob.receive(0.3) is None
    for _ in range(2):
        bob.answer(invite, "200 OK")
        answered = alice.expect(200)
    call.within("ACK", answered)
    bob.expect("ACK")
    assert alice.receive(0.7) is None and bob.receive(0.1) is None


@pytest.mark.parametrize("up,down", [("udp", "udp"), ("tls", "udp"), ("tcp", "tls")])
def test_cancel(phones, up, down):
    alice, bob = phones("alice", up), phones("bob", down)
    call, invite = ring(alice, bob)
    cancel = give_up(alice, bob, call, invite)
    assert cancel.all("Via") == invite.all("Via")[:1]


@pytest.mark.parametrize("up,down", [("udp", "tls"), ("tls", "tcp")])
def test_busy(phones, up, down):
    alice, bob = phones("alice", up), phones("bob", down)
    call = alice.call(bob.uri)
    bob.answer(bob.expect("INVITE"), "486 Busy Here")
    assert bob.expect("ACK").header("CSeq") == "1 ACK"
    call.ack_failure(alice.expect(486))


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_nobody_of_that_name(phones, transport):
    alice = phones("alice", transport)
    call = alice.call(f"sip:nobody@{alice.domain}")
    call.ack_failure(alice.expect(404))
    assert alice.ask("MESSAGE", f"sip:nobody@{alice.domain}").status == 404


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_options_and_refusals(server, phones, transport):
    alice = phones("alice", transport)
    response = alice.ask("OPTIONS", f"sip:{alice.domain}")
    assert (response.status, response.reason) == (200, "Keepalive")
    assert alice.ask("MESSAGE", "sip:bob@198.51.100.7").reason == "Not relaying"
    assert alice.ask("MESSAGE", f"sip:{alice.domain}").status == 484
    assert alice.ask("BYE", f"sip:bob@{alice.domain}", to=f"<sip:bob@{alice.domain}>;tag=1").reason == "Not here"
    alice.send(alice.build("OPTIONS", f"sip:{alice.domain}", headers=["User-Agent: friendly-scanner"]))
    assert alice.receive(0.2) is None


def test_two_phones_of_one_user_ring(phones):
    """Parallel forking: the second is cancelled when the first answers."""
    alice, desk, mobile = phones("alice", "tls"), phones("bob", "udp"), phones("bob", "tls")
    call = alice.call(desk.uri)
    first, second = desk.expect("INVITE"), mobile.expect("INVITE")
    desk.answer(first, "180 Ringing", tag="desk")
    mobile.answer(second, "180 Ringing", tag="mobile")
    alice.expect(180), alice.expect(180)
    mobile.answer(second, "200 OK", tag="mobile")
    answered = alice.expect(200)
    desk.answer(desk.expect("CANCEL"), "200 OK")
    desk.answer(first, "487 Request Terminated", tag="desk")
    desk.expect("ACK")
    call.within("ACK", answered)
    mobile.expect("ACK")


def test_no_answer(tmp_path, certificates):
    """The timers of the file are 30 and 120 s; tm's are changed by RPC, as cfg_rpc allows for Kamailio's."""
    server = stock(tmp_path, certificates).start()
    try:
        server.rpc("cfg.set_now_int", "tm", "fr_inv_timer", 600)
        with Phone(server, "alice", "tcp") as alice, Phone(server, "bob", "udp") as bob:
            bob.register()
            call = alice.call(bob.uri)
            bob.answer(bob.expect("INVITE"), "180 Ringing")
            alice.expect(180)
            call.ack_failure(alice.expect(408))
            bob.expect("CANCEL")
        server.finish()
    finally:
        server.kill()


def test_floods_are_not_heard(tmp_path, certificates):
    """WITH_ANTIFLOOD: 16 requests in 2 s, then silence for that address; this machine's own are not counted."""
    server = stock(tmp_path, certificates, "WITH_ANTIFLOOD").start()
    try:
        assert 15 <= flood(server, f"sip:127.0.0.1:{server.plain_port}", 40) < 40
        assert "127.0.0.2" in server.rpc("htable.dump", "ipban")
        server.allowed_alarms = ("pike blocking",)
        server.finish()
    finally:
        server.kill()


def test_digest_users(tmp_path, certificates):
    """WITH_AUTH and WITH_USRLOCDB on SQLite: registrations survive a restart, calls are challenged."""
    url = f"sqlite://{tmp_path}/kamailio.db"
    server = stock(tmp_path, certificates, "WITH_AUTH", "WITH_USRLOCDB", f'DBURL="{url}"').start()
    try:
        domain = f"127.0.0.1:{server.plain_port}"
        for user in ("alice", "bob"):
            server.rpc("auth_db.user_add", f"{user}@127.0.0.1", "secret")
        password = {"password": "secret"}
        with Phone(server, "alice", "tls", **password) as alice, Phone(server, "bob", "udp", **password) as bob:
            assert Phone(server, "bob", "udp").register().status == 401
            assert Phone(server, "bob", "udp", password="wrong").register().status == 401
            assert alice.register().status == 200 and bob.register().status == 200
            alice.call(f"sip:bob@{domain}")
            invite = bob.expect("INVITE")
            assert not invite.all("Proxy-Authorization") and invite.header("CSeq") == "2 INVITE"
            bob.answer(invite, "486 Busy Here")
            assert alice.expect(486).header("To").endswith(";tag=callee")
            server.finish()
            server.start()
            assert "sip:bob@" in server.rpc("ul.dump")
        server.finish()
    finally:
        server.kill()
