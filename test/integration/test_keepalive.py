"""usrloc's keep-alives: requests to those who registered, over the way they registered; who does not answer is gone."""
import re

import pytest

from support.kahu import wait_until
from support.phone import Phone
from support.registrar import LOADED, SCRIPT

PARAMS = """
modparam("usrloc", "timer_interval", 1)
modparam("usrloc", "nat_bflag", 5)
modparam("usrloc", "ka_mode", 1)
modparam("usrloc", "ka_timeout", 3)
modparam("usrloc", "ka_from", "sip:keeper@example.org")
modparam("usrloc", "ka_domain", "example.org")
modparam("usrloc", "ka_loglevel", 1)
modparam("usrloc", "ka_logmsg", " of [$tU] status [$rs]")
"""


def contact_of(server, user):
    """The fields of ul.dump; None when the user is not registered."""
    text = server.rpc("ul.dump")
    text = text if isinstance(text, str) else repr(text)
    found = re.search(rf"AoR['\": ]+{user}\b.*?Last-Modified", text, re.S)
    return found and dict(re.findall(r"([\w-]+)['\"]?: ['\"]?([^\s,'\"]+)", found[0]))


def registered(server, user, transport):
    phone = Phone(server, user, transport)
    assert phone.register().status == 200
    return phone


def pinged(phone, method="OPTIONS"):
    request = phone.expect(method, timeout=8)
    assert request.header("To") == f"<sip:{phone.user}@example.org>"
    assert request.header("From").startswith("<sip:keeper@example.org>;tag=")
    assert request.uri == phone.contact.strip("<>")
    return request


TRANSPORTS = ("udp", "tcp", "tls")


def test_who_answers_stays_and_who_does_not_goes(make_kahu):
    server = make_kahu(modules=LOADED, params=PARAMS, script=SCRIPT).start()
    answering = [registered(server, f"here-{transport}", transport) for transport in TRANSPORTS]
    silent = [registered(server, f"gone-{transport}", transport) for transport in TRANSPORTS]
    try:
        for _ in range(6):  # seconds: more than ka_timeout
            for phone in answering:
                request = pinged(phone)
                assert f"SIP/2.0/{phone.transport.upper()}" in request.header("Via")
                phone.answer(request, "200 OK")
        for phone in answering:
            contact = contact_of(server, phone.user)
            assert contact is not None and 0 < int(contact["KA-Roundtrip"]) < 3_000_000
            assert re.search(rf"keepalive roundtrip: \d\.\d{{6}} sec - ruid \[uloc-[\w-]+\] of \[{phone.user}\] status "
                             r"\[200\]", server.log())
        for phone in silent:
            pinged(phone)
            assert wait_until(lambda user=phone.user: contact_of(server, user) is None, 30)
    finally:
        for phone in answering + silent:
            phone.close()


def test_only_those_behind_nats(make_kahu):
    server = make_kahu(modules=LOADED + 'loadmodule "kex.so"\n', params=PARAMS.replace('"ka_mode", 1', '"ka_mode", 6')
                       + 'modparam("usrloc", "ka_method", "NOTIFY")\n',
                       script=SCRIPT.replace("save(", 'if ($tU != "open") setbflag(5);\n\t\tsave(', 1)).start()
    with registered(server, "natted", "udp") as natted, registered(server, "open", "udp") as open_, \
            registered(server, "natted2", "tcp") as stream:
        for _ in range(6):  # seconds: more than ka_timeout
            natted.answer(pinged(natted, "NOTIFY"), "405 Method Not Allowed")
        assert open_.receive(timeout=0.1) is None
        assert stream.receive(timeout=0.1) is None
        assert int(contact_of(server, "natted")["KA-Roundtrip"]) > 0
        assert int(contact_of(server, "natted2")["KA-Roundtrip"]) == 0


@pytest.mark.kahu_only  # 5.6.3 takes any tag of the right form for an answer to it
def test_an_answer_to_nothing_keeps_nobody(make_kahu):
    server = make_kahu(modules=LOADED, params=PARAMS, script=SCRIPT).start()
    with registered(server, "carol", "udp") as phone:
        asked = pinged(phone)
        tag = asked.header("From").partition("tag=")[2]
        for forged in (tag[:-1], tag + "0", tag.replace("uloc", "ulod"), "uloc-1-1-1-1-1-1", "uloc-", "-----"):
            phone.send(asked.reply().replace(tag.encode(), forged.encode()))
        pinged(phone)  # the server is well, and has read them
        assert contact_of(server, "carol")["KA-Roundtrip"] == "0"
        phone.answer(asked, "200 OK")
        assert wait_until(lambda: contact_of(server, "carol")["KA-Roundtrip"] != "0", 10)
