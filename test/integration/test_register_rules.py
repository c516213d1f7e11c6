"""What a registrar does with a REGISTER, rule by rule (RFC 3261 10.3, 20.10, RFC 4475)."""
import email.utils
import time

import pytest

from support.kahu import Kahu, wait_until
from support.registrar import LOADED, SCRIPT, contacts, found, known, register
from support.sip import request

pytestmark = pytest.mark.kahu_only
requirement = pytest.mark.requirement

PARAMS = """
modparam("registrar", "min_expires", 60)
modparam("registrar", "max_expires", 7200)
modparam("registrar", "default_expires", 1800)
modparam("usrloc", "cseq_delay", 0)
"""
A, B = "sip:a@127.0.0.1:9", "sip:b@127.0.0.1:9"


@pytest.fixture(scope="module")
def server(tmp_path_factory, certificates):
    dated = SCRIPT.replace('save("location");', 'append_time();\n\t\tsave("location");')
    with Kahu(tmp_path_factory.mktemp("rules"), certificates, modules=LOADED, script=dated, params=PARAMS) as server:
        yield server


@requirement("RG-01")
def test_the_answer_lists_all_contacts_with_what_is_left_of_them(client, user):
    assert register(client, user, f"<{A}>;expires=100", call_id="x").status == 200
    response = register(client, user, f"<{B}>;expires=200", call_id="y")
    assert response.status == 200
    listed = contacts(response)
    assert set(listed) == {A, B} and listed[A] in (99, 100) and listed[B] in (199, 200)
    time.sleep(1.1)
    assert known(client, user)[A] in (98, 99)


@requirement("RG-02")
@pytest.mark.parametrize("contact,expires,status", [
    ("*", 0, 200), ("*", None, 400), ("*", 1, 400), ("*", "x", 400), ("*;expires=0", None, 400),
    (["*", f"<{A}>"], 0, 400), ([f"<{A}>", "*"], 0, 400), (f"*, <{A}>", 0, 400)])
def test_star_removes_all_with_expires_0_and_alone(client, user, contact, expires, status):
    assert register(client, user, f"<{A}>, <{B}>").status == 200
    assert register(client, user, contact, cseq=2, expires=expires).status == status
    assert set(known(client, user)) == (set() if status == 200 else {A, B})


@requirement("RG-03")
@pytest.mark.parametrize("cseq,call_id,status", [
    (6, "same", 200), (5, "same", 400), (4, "same", 400), (1, "other", 200), (5, "other", 200)])
def test_an_old_cseq_changes_nothing(client, user, cseq, call_id, status):
    assert register(client, user, f"<{A}>;expires=100", cseq=5, call_id=f"same{user}").status == 200
    again = register(client, user, f"<{A}>;expires=0", cseq=cseq, call_id=f"{call_id}{user}")
    assert again.status in ({200} if status == 200 else {400, 500})
    assert set(known(client, user)) == (set() if status == 200 else {A})


@requirement("RG-03")
def test_the_same_cseq_within_cseq_delay_is_a_retransmission(make_kahu):
    """Answered as the first one was, and nothing changes."""
    server = make_kahu(modules=LOADED, script=SCRIPT).start()
    with server.udp() as client:
        assert register(client, contact=f"<{A}>;expires=100", cseq=5).status == 200
        assert set(contacts(register(client, contact=f"<{A}>;expires=0", cseq=5))) == {A}
        assert register(client, contact=f"<{A}>;expires=0", cseq=4).status == 400
        assert set(known(client)) == {A}


@requirement("RG-03", "RG-04")
def test_an_old_cseq_for_one_contact_changes_no_other(client, user):
    assert register(client, user, f"<{A}>", cseq=5).status == 200
    assert register(client, user, f"<{B}>, <{A}>;expires=0", cseq=4).status in (400, 500)
    assert set(known(client, user)) == {A}


@requirement("RG-04")
@pytest.mark.parametrize("bad", [
    "<sip:@>", "<not a uri>", "<sip:c@127.0.0.1", f"<{A}>;q=2", f"<sip:{'x' * 600}@127.0.0.1>", '"open <sip:c@127.0.0.1>'])
@pytest.mark.parametrize("first", [True, False])
def test_all_contacts_or_none(client, user, bad, first):
    assert register(client, user, f"<{A}>;expires=100").status == 200
    good = [f"<{A}>;expires=0", f"<{B}>"]
    assert register(client, user, [bad, *good] if first else [*good, bad], cseq=2).status == 400
    assert set(known(client, user)) == {A}


@requirement("RG-05")
def test_min_expires_raises_what_is_too_short(client, user):
    """min_expires_mode 0, Kamailio's default; 0 removes, whatever the minimum."""
    assert contacts(register(client, user, f"<{A}>;expires=1"))[A] in (59, 60)
    assert register(client, user, f"<{A}>;expires=0", cseq=2).status == 200
    assert known(client, user) == {}


@requirement("RG-05")
def test_min_expires_mode_1_refuses_what_is_too_short(make_kahu):
    mode = 'modparam("registrar", "min_expires_mode", 1)\n'
    server = make_kahu(modules=LOADED, script=SCRIPT, params=PARAMS + mode).start()
    with server.udp() as client:
        for contact, expires in ((f"<{A}>;expires=1", None), (f"<{A}>", 59), (f"<{B}>, <{A}>;expires=59", None)):
            response = register(client, contact=contact, expires=expires)
            assert response.status == 423 and response.header("Min-Expires") == "60", response.raw
            assert known(client) == {}
        assert register(client, contact=f"<{A}>;expires=60").status == 200
        assert register(client, contact=f"<{A}>;expires=0", cseq=2).status == 200
        assert known(client) == {}


@requirement("RG-06")
@pytest.mark.parametrize("contact,header,wanted", [
    (f"<{A}>;expires=100", 200, 100), (f"<{A}>", 200, 200), (f"<{A}>", None, 1800), (f"<{A}>;expires=9999", None, 7200),
    (f"<{A}>;expires=4294967296", None, 7200), (f"<{A}>;expires=280297596632815", None, 7200),
    (f"<{A}>", 1000000000000000000000000000000, 7200), (f"<{A}>", "junk", 1800)])
def test_how_long_a_contact_lives(client, user, contact, header, wanted):
    response = register(client, user, contact, expires=header)
    assert response.status == 200
    assert contacts(response)[A] in (wanted - 1, wanted)


@requirement("RG-08")
def test_one_contact_is_removed_and_the_others_stay(client, user):
    assert register(client, user, f"<{A}>, <{B}>").status == 200
    assert set(contacts(register(client, user, f"<{A}>;expires=0", cseq=2))) == {B}
    assert found(client, user) == B


@requirement("RG-09")
def test_a_query_changes_nothing(client, user):
    assert register(client, user, f"<{A}>;expires=100", cseq=7).status == 200
    for headers in ((), ["Expires: 0"], ["Expires: 3600"]):
        response = register(client, user, "", cseq=8, headers=headers)
        assert response.status == 200 and contacts(response)[A] in (98, 99, 100)
    # The CSeq of a query is not the contact's.
    assert register(client, user, f"<{A}>", cseq=8).status == 200


@requirement("RG-07")
@pytest.mark.parametrize("lifetime", [1, 2])
def test_contacts_end_on_time(make_kahu, lifetime):
    params = 'modparam("registrar", "min_expires", 1)\nmodparam("usrloc", "timer_interval", 1)\n'
    server = make_kahu(modules=LOADED, script=SCRIPT, params=params).start()
    with server.tcp() as client:
        assert register(client, contact=f"<{A}>;expires={lifetime}").status == 200
        registered = time.monotonic()
        while found(client):
            assert time.monotonic() - registered < lifetime + 0.5
            time.sleep(0.02)
        assert time.monotonic() - registered > lifetime - 1  # whole seconds
        assert known(client) == {}
        wait_until(lambda: "alice" not in server.rpc("ul.dump"), 3)


@requirement("RG-10")
def test_date_is_the_time_as_rfc_1123_writes_it(client, user):
    date = register(client, user).header("Date")
    assert date.endswith(" GMT")
    assert abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time()) < 2
    assert email.utils.format_datetime(email.utils.parsedate_to_datetime(date), usegmt=True) == date


@requirement("RG-20")
@pytest.mark.parametrize("name", [
    "null-%00-null", "%00%00", "user;par=u%40example.net", "lambda%3Fok", "a%20b", "semi;x=y?z", "%C3%A9"])
def test_odd_users_and_contacts_come_back_unchanged(client, user, name):
    """RFC 4475: escnull, semiuri, regescrt."""
    contact = f"sip:{name}@127.0.0.1:9;transport=tcp"
    name = f"{name}{user}"
    assert register(client, name, f"<{contact}>").status == 200
    assert set(known(client, name)) == {contact}
    assert found(client, name) == contact
    # Nothing is cut off at the odd character, and nobody else gets the calls.
    for other in (name.partition("%00")[0], name.partition(";")[0], name.partition("%3F")[0], name.replace("%", "%25")):
        if other not in (name, ""):
            assert found(client, other) is None, other


@requirement("RG-20")
def test_escaped_headers_of_a_contact_are_kept(client, user):
    """regescrt: ?Route=%3Csip:...%3E belongs to the URI; it is not followed."""
    contact = "sip:u@127.0.0.1:9?Route=%3Csip:sip.example.com%3E"
    assert register(client, user, f"<{contact}>").status == 200
    assert set(known(client, user)) == {contact}


def test_same_user_in_other_words(client):
    """Escapes of plain characters are undone (19.1.4): %6a is j."""
    assert register(client, "%6aane").status == 200
    assert found(client, "jane") and found(client, "JANE") and found(client, "j%61ne")
    assert client.ask(request("MESSAGE", "sip:jan@127.0.0.1", "TCP")).status == 404
