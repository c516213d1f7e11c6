"""registrar's script functions beside save() and lookup(): $ulc, events, XAVPs, answers sent later; as Kamailio's manual has
them, and so in Kamailio, too (KAHU_PROGRAM=/usr/sbin/kamailio)."""
import re

import pytest

from support.kahu import wait_until
from support.registrar import ANSWER_OPTIONS, LOADED, register
from support.sip import request

MORE = "".join(f'loadmodule "{name}.so"\n' for name in ("kex", "xlog"))
PARAMS = """
modparam("usrloc", "timer_interval", 1)
modparam("registrar", "min_expires", 1)
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
modparam("registrar", "xavp_cfg", "reg")
modparam("registrar", "xavp_rcd", "rcd")
modparam("registrar", "xavp_rcd_mask", 16)
modparam("registrar", "received_avp", "$avp(RECEIVED)")
modparam("registrar", "lookup_filter_mode", 1)
"""
# X-Do says what is asked; the answer is the reason phrase.
SCRIPT = "request_route {" + ANSWER_OPTIONS + """
	$xavp(reg=>nothing) = 1;
	if (is_method("REGISTER")) {
		if ($hdr(X-Received) != $null) $avp(RECEIVED) = $hdr(X-Received);
		if ($hdr(X-Most) != $null) $xavp(reg[0]=>max_contacts) = $(hdr(X-Most){s.int});
		if ($hdr(X-Expires) != $null) $xavp(reg[0]=>expires) = $(hdr(X-Expires){s.int});
		if ($hdr(X-Q) != $null) $xavp(reg[0]=>q) = $(hdr(X-Q){s.int});
		if ($hdr(X-Flags) == "3") setbflag(3);
		if ($hdr(X-Do) == "later") {
			save("location", "0x2");
			append_to_reply("X-Code: $rc\\r\\n");
			reg_send_reply();
			exit;
		}
		save("location");
		exit;
	}
	if ($hdr(X-Flags) != $null) $xavp(reg[0]=>rlf_bflags) = $(hdr(X-Flags){s.int});
	if ($hdr(X-Match) != $null) $xavp(reg[0]=>match_contact) = $hdr(X-Match);
	if ($hdr(X-From) != $null) $xavp(reg[0]=>match_received) = $hdr(X-From);
	$var(do) = $hdr(X-Do);
	route($var(do));
	exit;
}
route[contacts] {
	if (!reg_fetch_contacts("location", "$ru", "c")) {
		sl_send_reply("302", "none $ulc(c=>count)");
		exit;
	}
	$var(all) = $ulc(c=>aor) + " " + $ulc(c=>domain) + " " + $ulc(c=>count);
	$var(i) = 0;
	while ($var(i) < $ulc(c=>count)) {
		$var(all) = $var(all) + " " + $(ulc(c=>addr)[$var(i)]) + "," + $(ulc(c=>q)[$var(i)]) + "," + $(ulc(c=>callid)[$var(i)])
			+ "," + $(ulc(c=>cseq)[$var(i)]) + "," + $(ulc(c=>cflags)[$var(i)]) + "," + $(ulc(c=>user_agent)[$var(i)])
			+ "," + $(ulc(c=>methods)[$var(i)]);
		$var(i) = $var(i) + 1;
	}
	reg_free_contacts("c");
	sl_send_reply("302", "all $var(all) then $ulc(c=>aor)");
}
route[optional] {
	reg_fetch_contacts("location", "$ru", "o");
	sl_send_reply("302", "is $ulc(o=>path) $ulc(o=>received) $ulc(o=>instance) $ulc(o=>socket)");
}
route[record] {
	lookup("location");
	sl_send_reply("302", "is $rc $xavp(rcd=>contact) $xavp(rcd=>received) $xavp(rcd=>path) $(xavp(rcd=>ruid){s.substr,0,4})");
}
route[registered] {
	registered("location", "$ru", "$(hdr(X-Option){s.int})", "$(hdr(X-Action){s.int})");
	sl_send_reply("302", "is $rc $xavp(rcd=>contact)");
}
route[unregister] {
	unregister("location", "$ru");
	sl_send_reply("302", "$rc");
}
route[unregister_one] {
	reg_fetch_contacts("location", "$ru", "u");
	unregister("location", "$ru", "$ulc(u=>ruid)");
	$var(first) = $rc;
	unregister("location", "$ru", "uloc-1-2-3");
	sl_send_reply("302", "is $var(first) $rc");
}
event_route[usrloc:contact-expired] {
	xlog("L_ERR", "<<expired $ulc(exp=>aor) $ulc(exp=>addr) $ulc(exp=>callid)>>\\n");
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory, certificates):
    from support.kahu import Kahu
    with Kahu(tmp_path_factory.mktemp("registrar"), certificates, modules=LOADED + MORE, params=PARAMS, script=SCRIPT) as made:
        yield made


def ask(client, user, what, *headers):
    response = client.ask(request("MESSAGE", f"sip:{user}@127.0.0.1", "TCP", [f"X-Do: {what}", *headers, "X-End: 1"]))
    assert response.status == 302, response.raw
    # Kamailio takes a text that begins with a variable for that variable: the first word is a word.
    return response.reason.removeprefix("is ").removeprefix("all ")


def test_fetched_contacts(client, user):
    assert ask(client, user, "contacts").startswith("none")
    register(client, user, contact=f"<sip:{user}@127.0.0.1:1>;q=0.5", headers=["User-Agent: one", "X-Flags: 3"])
    register(client, user, contact=f"<sip:{user}@127.0.0.1:2>;q=0.7", call_id=f"two-{user}", cseq=5,
             headers=["User-Agent: two", "Allow: INVITE, BYE"])
    said = ask(client, user, "contacts")
    assert said == (f"{user} location 2 sip:{user}@127.0.0.1:2,700,two-{user},5,0,two,9 "
                    f"sip:{user}@127.0.0.1:1,500,reg-{user},1,8,one,4294967295 then <null>")


def test_nothing_is_left_of_the_registration_before(server, client, user):
    """A REGISTER without User-Agent right after one that had it, in the same process."""
    register(client, user, contact=f"<sip:{user}@127.0.0.1:1>", headers=["User-Agent: first", "X-Q: 100"])
    register(client, f"{user}b", contact=f"<sip:{user}b@127.0.0.1:1>")
    said = ask(client, f"{user}b", "contacts")
    assert f"sip:{user}b@127.0.0.1:1,-1,reg-{user}b,1,0,n/a," in said
    agent = re.search(r"User-Agent: (.*)", server.rpc("ul.lookup", "location", f"{user}b"))[1]
    methods = re.search(r"Methods: (.*)", server.rpc("ul.lookup", "location", f"{user}b"))[1]
    assert (agent, methods) == ("n/a", "-1")


@pytest.mark.kahu_only  # Kamailio 5.6.3 does not survive it
def test_what_a_contact_may_lack(client, user):
    register(client, user, contact=f"<sip:{user}@127.0.0.1:1>")
    path, received, instance, socket = ask(client, user, "optional").split()
    assert (path, received, instance) == ("<null>", "<null>", "<null>") and socket.startswith("tcp:127.0.0.1:")
    register(client, user, cseq=2, contact=f'<sip:{user}@127.0.0.1:1>;+sip.instance="<urn:uuid:1>"',
             headers=["Path: <sip:10.0.0.1;lr>", "X-Received: sip:10.0.0.2:5066"])
    path, received, instance, _ = ask(client, user, "optional").split()
    assert (path, received, instance) == ("<sip:10.0.0.1;lr>", "sip:10.0.0.2:5066", "<urn:uuid:1>")


def test_the_record_that_lookup_found(client, user):
    assert ask(client, user, "record") == "-1 <null> <null> <null> "
    register(client, user, contact=[f"<sip:{user}@127.0.0.1:1>;q=0.2"], headers=["X-Received: sip:10.0.0.2:5066"])
    register(client, user, contact=[f"<sip:{user}@127.0.0.1:2>;q=0.1"], call_id="x")
    assert ask(client, user, "record") == f"1 sip:{user}@127.0.0.1:1 sip:10.0.0.2:5066 <null> uloc"


def test_registered_by_more_than_the_name(client, user):
    register(client, user, contact=f"<sip:{user}@127.0.0.1:1>", headers=["X-Received: sip:10.0.0.2:5066"])
    contact = f"sip:{user}@127.0.0.1:1"
    none = ("X-Option: 0", "X-Action: 0")
    assert ask(client, user, "registered", *none) == f"1 {contact}"
    assert ask(client, user, "registered", "X-Option: 0", "X-Action: 2") == "1 <null>"
    for option, headers, yes in [(4, [f"X-Match: {contact}"], True), (4, ["X-Match: sip:else"], False),
                                 (2, ["X-From: sip:10.0.0.2:5066"], True), (2, ["X-From: sip:10.0.0.3"], False),
                                 (6, [f"X-Match: {contact}", "X-From: sip:10.0.0.2:5066"], True),
                                 (6, [f"X-Match: {contact}", "X-From: sip:10.0.0.3"], False)]:
        said = ask(client, user, "registered", f"X-Option: {option}", "X-Action: 0", *headers)
        assert said == (f"1 {contact}" if yes else "-1 <null>"), (option, headers)


def test_wishes_for_one_registration(client, user):
    response = register(client, user, contact=f"<sip:{user}@127.0.0.1:1>;expires=600;q=0.3", headers=["X-Expires: 77", "X-Q: 900"])
    assert response.status == 200 and ";expires=77" in response.header("Contact") and "q=0.9" in response.header("Contact")
    response = register(client, user, contact=f"<sip:{user}@127.0.0.1:2>", cseq=2, headers=["X-Most: 1"])
    assert response.status == 503
    assert register(client, user, contact=f"<sip:{user}@127.0.0.1:2>", cseq=3, headers=["X-Most: 2"]).status == 200


def test_contacts_are_filtered_by_their_flags(client, user):
    register(client, user, contact=f"<sip:{user}@127.0.0.1:1>", headers=["X-Flags: 3"])
    assert ask(client, user, "record").startswith(f"1 sip:{user}@127.0.0.1:1")
    assert ask(client, user, "record", "X-Flags: 8").startswith(f"1 sip:{user}@127.0.0.1:1")
    assert ask(client, user, "record", "X-Flags: 4").startswith("-1 ")


def test_the_answer_may_be_sent_later(client, user):
    response = register(client, user, headers=["X-Do: later", "X-End: 1"])
    assert response.status == 200 and response.header("X-Code") == "1" and f"sip:{user}@" in response.header("Contact")
    response = register(client, user, contact="*", expires=5, cseq=2, headers=["X-Do: later", "X-End: 1"])
    assert response.status == 400 and response.header("X-Code") == "-1"


def test_unregister(client, user):
    assert ask(client, user, "unregister") == "1"  # nobody there is no error: Kamailio 5.6.3, unlike its manual
    for number in (1, 2):
        register(client, user, contact=f"<sip:{user}@127.0.0.1:{number}>", cseq=number)
    assert ask(client, user, "unregister_one") == "1 -3"
    assert " 1 sip:" in ask(client, user, "contacts")
    assert ask(client, user, "unregister") == "1"
    assert ask(client, user, "contacts").startswith("none")


def test_the_event_of_a_contact_that_expired(server, client, user):
    register(client, user, contact=f"<sip:{user}@127.0.0.1:1>", expires=1)
    said = f"<<expired {user} sip:{user}@127.0.0.1:1 reg-{user}>>"
    assert wait_until(lambda: said in server.log(), 5)
    register(client, user, contact=f"<sip:{user}@127.0.0.1:1>", expires=600, cseq=2)
    register(client, user, contact=f"<sip:{user}@127.0.0.1:1>", expires=0, cseq=3)
    assert not wait_until(lambda: len(re.findall(re.escape(said), server.log())) > 1, 2)
