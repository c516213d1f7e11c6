"""
What phones do to a registrar and proxy: each function is one scenario.

`world(user, transport)` makes a phone; `up` is the caller's transport, `down` the callee's. Nothing is asserted about what
the server adds: test_beside_kamailio.py compares that. A scenario waits for each message, so that the order is the same.
"""

from .phone import digest_answer
from .sip import request


def ring(alice, bob):
    """Alice calls, Bob's phone rings: her Call, and the INVITE that came."""
    call = alice.call(bob.uri)
    invite = bob.expect("INVITE")
    bob.answer(invite, "180 Ringing")
    alice.expect(180)
    return call, invite


def give_up(alice, bob, call, invite):
    """Alice cancels the call that rings; the CANCEL that came."""
    call.cancel()
    alice.expect(200)
    cancel = bob.expect("CANCEL")
    bob.answer(cancel, "200 OK")
    bob.answer(invite, "487 Request Terminated")
    bob.expect("ACK")
    call.ack_failure(alice.expect(487))
    return cancel


def flood(server, uri, most):
    """OPTIONS from one address until no answer comes, at most so many: how many were answered. Others still are."""
    answered = 0
    with server.udp(source="127.0.0.2", timeout=0.3) as client:
        while answered <= most and client.ask(request("OPTIONS", uri)) is not None:
            answered += 1
        assert client.ask(request("OPTIONS", uri)) is None
    with server.udp() as client:
        assert client.ask(request("OPTIONS", uri)).status == 200
    return answered


def _ring(world, up, down):
    alice, bob = world("alice", up), world("bob", down)
    bob.register()
    return (alice, bob, *ring(alice, bob))


def _talk(world, up, down):
    alice, bob, call, invite = _ring(world, up, down)
    bob.answer(invite, "200 OK", body="v=0\r\n")
    answered = alice.expect(200)
    call.within("ACK", answered)
    bob.expect("ACK")
    return alice, bob, call, invite, answered


def _end(alice, bob, call, answered, cseq):
    call.within("BYE", answered, cseq=cseq)
    bob.answer(bob.expect("BYE"), "200 OK")
    alice.expect(200)


def registers(world, up, _down):
    """New, refreshed, asked for, a second one of other q, removed."""
    bob = world("bob", up)
    bob.register()
    bob.register(cseq=2)
    uri, to = f"sip:{bob.domain}", f"<{bob.uri}>"
    bob.ask("REGISTER", uri, to=to, call_id="reg-bob", cseq=3)
    more = "<sip:bob@127.0.0.9:5099>;q=0.5;expires=600"
    bob.ask("REGISTER", uri, to=to, call_id="reg-other", cseq=1, headers=[f"Contact: {more}"])
    bob.ask("REGISTER", uri, to=to, call_id="reg-bob", cseq=4, headers=[f"Contact: {bob.contact};expires=0"])
    bob.ask("REGISTER", uri, to=to, call_id="reg-bob", cseq=5, headers=["Contact: *", "Expires: 0"])
    bob.ask("REGISTER", uri, to=to, call_id="reg-bob", cseq=6)


def registers_wrongly(world, up, _down):
    bob = world("bob", up)
    uri, to = f"sip:{bob.domain}", f"<{bob.uri}>"
    for wrong in (["Contact: *", "Expires: 60"], ["Contact: *", f"Contact: {bob.contact}", "Expires: 0"],
                  ["Contact: <sip:bob@", "Expires: 60"], [f"Contact: {bob.contact};expires=wrong"]):
        bob.ask("REGISTER", uri, to=to, headers=wrong)
        bob.ignore()  # the file's Kamailio answers 500 after its 400
    bob.register()
    bob.register(cseq=1)  # of the same Call-ID, and not newer
    bob.ignore()


def call(world, up, down):
    alice, bob, call, _, answered = _talk(world, up, down)
    _end(alice, bob, call, answered, 2)


def callee_hangs_up(world, up, down):
    alice, bob, _, invite, _ = _talk(world, up, down)
    bob.hang_up(invite)
    alice.answer(alice.expect("BYE"), "200 OK")
    bob.expect(200)


def within_a_call(world, up, down):
    """re-INVITE, INFO, UPDATE, NOTIFY without a dialog of its own."""
    alice, bob, call, _, answered = _talk(world, up, down)
    call.within("INVITE", answered, cseq=2)
    bob.answer(bob.expect("INVITE"), "200 OK", body="v=0\r\n")
    alice.expect(200)
    call.within("ACK", answered, cseq=2)
    bob.expect("ACK")
    for cseq, method in enumerate(("INFO", "UPDATE", "MESSAGE", "REFER", "NOTIFY"), 3):
        call.within(method, answered, cseq=cseq)
        bob.answer(bob.expect(method), "200 OK")
        alice.expect(200)
    call.within("OPTIONS", answered, cseq=9)
    bob.answer(bob.expect("OPTIONS"), "481 Call Does Not Exist")
    alice.expect(481)
    _end(alice, bob, call, answered, 10)


def acknowledged_provisional(world, up, down):
    """PRACK (RFC 3262) passes within the early dialog."""
    alice, bob, call, invite = _ring(world, up, down)
    bob.answer(invite, "183 Session Progress")
    progress = alice.expect(183)
    call.within("PRACK", progress, cseq=2)
    bob.answer(bob.expect("PRACK"), "200 OK")
    alice.expect(200)
    bob.answer(invite, "200 OK", body="v=0\r\n")
    answered = alice.expect(200)
    call.within("ACK", answered, cseq=1)
    bob.expect("ACK")
    _end(alice, bob, call, answered, 3)


def cancelled(world, up, down):
    give_up(*_ring(world, up, down))


def refused(world, up, down):
    """Busy, declined, not acceptable, redirected, out of order: one call each."""
    alice, bob = world("alice", up), world("bob", down)
    bob.register()
    for status in ("486 Busy Here", "603 Decline", "488 Not Acceptable Here", "404 Not Found", "302 Moved Temporarily",
                   "500 Server Internal Error", "503 Service Unavailable", "401 Unauthorized"):
        call = alice.call(bob.uri)
        bob.answer(bob.expect("INVITE"), status)
        bob.expect("ACK")
        final = alice.receive()
        while final is not None and final.status < 200:
            final = alice.receive()
        call.ack_failure(final)


def not_answered(world, up, down):
    """408 after fr_inv_timer, and CANCEL."""
    alice, bob, call, invite = _ring(world, up, down)
    call.ack_failure(alice.expect(408, timeout=10))
    bob.answer(bob.expect("CANCEL"), "200 OK")
    bob.answer(invite, "487 Request Terminated")
    bob.expect("ACK")


def dead(world, up, down):
    """Nothing comes from the callee: INVITE again over UDP, at 0.5 and 1.5 s, 408 after fr_timer, no CANCEL."""
    alice, bob = world("alice", up), world("bob", down)
    bob.register()
    call = alice.call(bob.uri)
    call.ack_failure(alice.expect(408, timeout=10))
    while bob.receive(0.2) is not None:
        pass


def slow_to_ring(world, up, down):
    """Over UDP the callee gets the INVITE again after half a second, and no more once it rings."""
    alice, bob = world("alice", up), world("bob", down)
    bob.register()
    call = alice.call(bob.uri)
    invite = bob.expect("INVITE")
    bob.receive(0.8)
    bob.answer(invite, "180 Ringing")
    alice.expect(180)
    bob.receive(1.2)
    bob.answer(invite, "480 Temporarily Unavailable")
    bob.expect("ACK")
    call.ack_failure(alice.expect(480))


def slow_to_acknowledge(world, up, down):
    """Over UDP the caller gets the 486 again, and no more once it has acknowledged it."""
    alice, bob, call, invite = _ring(world, up, down)
    bob.answer(invite, "486 Busy Here")
    bob.expect("ACK")
    busy = alice.expect(486)
    alice.receive(0.8)
    call.ack_failure(busy)
    alice.receive(1.2)


def _is_called(alice, carol, call):
    invite = carol.expect("INVITE")
    carol.answer(invite, "180 Ringing")
    alice.expect(180)
    carol.answer(invite, "200 OK", body="v=0\r\n")
    answered = alice.expect(200)
    call.within("ACK", answered)
    carol.expect("ACK")
    _end(alice, carol, call, answered, call.cseq + 1)


def forwarded(world, up, down):
    """Bob's calls go to Carol's phone: he registered its address."""
    alice, bob, carol = world("alice", up), world("bob", "udp"), world("carol", down)
    carol.ask("OPTIONS", f"sip:{carol.domain}")  # over a stream: the connection over which it is called
    bob.ask("REGISTER", f"sip:{bob.domain}", to=f"<{bob.uri}>", headers=[f"Contact: {carol.contact}", "Expires: 600"])
    _is_called(alice, carol, alice.call(bob.uri))


def elsewhere(world, up, down):
    """To an address that is not the server's: forwarded for users that it knows, refused where there are none."""
    alice, carol = world("alice", up), world("carol", down)
    carol.ask("OPTIONS", f"sip:{carol.domain}")
    call = alice.call(carol.contact[1:-1])
    if alice.password is None:
        call.ack_failure(alice.expect(403))
    else:
        _is_called(alice, carol, call)


def nobody_of_that_name(world, up, _down):
    alice = world("alice", up)
    call = alice.call(f"sip:nobody@{alice.domain}")
    call.ack_failure(alice.expect(404))
    for method in ("MESSAGE", "OPTIONS", "SUBSCRIBE", "PUBLISH"):
        alice.ask(method, f"sip:nobody@{alice.domain}")


def for_the_server(world, up, _down):
    """What it answers itself."""
    alice = world("alice", up)
    alice.ask("OPTIONS", f"sip:{alice.domain}")
    alice.ask("MESSAGE", f"sip:{alice.domain}")
    if alice.password is None:
        alice.ask("MESSAGE", "sip:bob@198.51.100.7")  # not relayed
    alice.ask("BYE", f"sip:bob@{alice.domain}", to=f"<sip:bob@{alice.domain}>;tag=1")
    alice.send(alice.build("CANCEL", f"sip:bob@{alice.domain}"))
    alice.receive(0.3)
    alice.ask("OPTIONS", f"sip:{alice.domain}", headers=["Expires: soon"])


def message(world, up, down):
    alice, bob = world("alice", up), world("bob", down)
    bob.register()
    more = {"from_tag": "m", "call_id": f"message-{alice.link.local_port}", "body": "hello"}
    headers = ["Content-Type: text/plain", "X-Odd:  two  spaces "]
    alice.send(alice.build("MESSAGE", bob.uri, headers=headers, **more))
    if alice.password is not None:
        challenge = alice.expect(407).header("Proxy-Authenticate")
        value = digest_answer(challenge, alice.user, alice.password, "MESSAGE", bob.uri)
        alice.send(alice.build("MESSAGE", bob.uri, headers=[*headers, f"Proxy-Authorization: {value}"], cseq=2, **more))
    bob.answer(bob.expect("MESSAGE"), "202 Accepted")
    alice.expect(202)


def two_ring(world, up, down):
    """Parallel forking: the second is cancelled when the first answers."""
    alice, desk, mobile = world("alice", up), world("bob", down, "desk"), world("bob", "udp", "mobile")
    desk.register(), mobile.ask("REGISTER", f"sip:{mobile.domain}", to=f"<{mobile.uri}>", call_id="reg-mobile",
                                headers=[f"Contact: {mobile.contact};expires=600"])
    call = alice.call(desk.uri)
    first, second = desk.expect("INVITE"), mobile.expect("INVITE")
    desk.answer(first, "180 Ringing", tag="desk")
    alice.expect(180)
    mobile.answer(second, "180 Ringing", tag="mobile")
    alice.expect(180)
    mobile.answer(second, "200 OK", tag="mobile")
    answered = alice.expect(200)
    desk.answer(desk.expect("CANCEL"), "200 OK")
    desk.answer(first, "487 Request Terminated", tag="desk")
    desk.expect("ACK")
    call.within("ACK", answered)
    mobile.expect("ACK")
    call.within("BYE", answered, cseq=2)
    mobile.answer(mobile.expect("BYE"), "200 OK", tag="mobile")
    alice.expect(200)


def both_refuse(world, up, down):
    """Best response of a fork: 4xx, unless a 6xx is among them."""
    alice, desk, mobile = world("alice", up), world("bob", down, "desk"), world("bob", "udp", "mobile")
    desk.register(), mobile.ask("REGISTER", f"sip:{mobile.domain}", to=f"<{mobile.uri}>", call_id="reg-mobile",
                                headers=[f"Contact: {mobile.contact};expires=600"])
    for one, other in (("486 Busy Here", "404 Not Found"), ("480 Temporarily Unavailable", "503 Service Unavailable")):
        call = alice.call(desk.uri)
        first, second = desk.expect("INVITE"), mobile.expect("INVITE")
        desk.answer(first, one, tag="desk")
        desk.expect("ACK")
        mobile.answer(second, other, tag="mobile")
        mobile.expect("ACK")
        final = alice.receive()
        while final is not None and final.status < 200:
            final = alice.receive()
        call.ack_failure(final)


def repeated(world, up, down):
    """All comes twice: INVITE, 200, ACK, and over UDP BYE (over streams Kahu forgets what it has answered, RFC 3261 17.2.2)."""
    alice, bob, call, invite = _ring(world, up, down)
    alice.send(next(data for way, data in reversed(alice.messages) if way == "sent" and data.startswith(b"INVITE")))
    alice.expect(180)
    for _ in range(2):
        bob.answer(invite, "200 OK", body="v=0\r\n")
        answered = alice.expect(200)
    for _ in range(2):
        call.within("ACK", answered)
        bob.expect("ACK")
    bye = alice.build("BYE", invite_target(answered), to=answered.header("To"), from_tag=call.tag, call_id=call.call_id,
                      cseq=call.cseq + 1, headers=[f"Route: {value}" for value in reversed(answered.all("Record-Route"))])
    alice.send(bye)
    bob.answer(bob.expect("BYE"), "200 OK")
    alice.expect(200)
    if up == "udp":
        alice.send(bye)
        alice.expect(200)
    bob.receive(0.2)


def invite_target(response):
    return response.header("Contact").partition("<")[2].partition(">")[0]


def hops(world, up, _down):
    """None left, and none counted."""
    for n, (old, new) in enumerate(((b"Max-Forwards: 70", b"Max-Forwards: 0"), (b"Max-Forwards: 70\r\n", b""))):
        phone = world("alice", up, f"alice{n}")
        phone.send(phone.build("OPTIONS", f"sip:{phone.domain}").replace(old, new))
        phone.receive(0.3)


ALL = [registers, registers_wrongly, call, callee_hangs_up, within_a_call, acknowledged_provisional, cancelled, refused,
       nobody_of_that_name, for_the_server, forwarded, elsewhere, message, two_ring, both_refuse, repeated, hops]
SLOW = [slow_to_ring, slow_to_acknowledge, not_answered, dead]  # for servers whose timers are short
ONE_SIDED = {registers, registers_wrongly, nobody_of_that_name, for_the_server, hops}  # `down` does not matter
