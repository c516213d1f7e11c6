"""What a script may ask of module tm and tmx, and have them do: seen from both ends.  What Kamailio has was seen there, too:
KAHU_PROGRAM=/usr/sbin/kamailio test/integration/run test_tm_script.py"""
import re
import time

import pytest

from support.kahu import MODULES
from support.paths import free_port
from support.process import wait_until
from support.sip import request

LOADED = MODULES + "\n" + "\n".join(f'loadmodule "{name}.so"' for name in "tm tmx corex xlog usrloc registrar".split())
ROUTES = """
request_route {
	if (is_method("ACK")) exit;
	@FIRST@
	if (!t_relay()) sl_send_reply("500", "Not Relayed");
	exit;
}
"""


@pytest.fixture
def proxy(make_kahu):
    def make(first="", routes="", params="", **options):
        return make_kahu(modules=LOADED, script=ROUTES.replace("@FIRST@", first) + routes,
                         params='modparam("tm", "fr_timer", 800)\n' + params, **options).start()

    return make


def uri_of(far, user="uas"):
    return f"sip:{user}@127.0.0.1:{far.port}"


def final(client, timeout=5):
    response = client.receive(timeout)
    while response is not None and response.status < 200:
        response = client.receive(timeout)
    return response


def seen(server, pattern):
    """What the script logged behind "SAW "."""
    wait_until(lambda: re.search(r"SAW " + pattern, server.log()) is not None)
    return re.findall(r"SAW (.*)", server.log())


def answer(server, far, asked, status, tag="x", extra=()):
    text = asked.reply(status, extra=extra).decode()
    text = text.replace(f"To: {asked.header('To')}", f"To: {asked.header('To')};tag={tag}")
    far.socket.sendto(text.encode(), ("127.0.0.1", server.plain_port))


# --- event_route[tm:branch-failure:...] ---------------------------------------------------------------------
def test_a_branch_that_fails_is_replaced_while_others_go_on(proxy, endpoint):
    slow, bad, spare = endpoint(status=""), endpoint(status="404 Gone"), endpoint(status="")
    server = proxy(f'append_branch("{uri_of(bad)}"); t_on_branch_failure("one");', f"""
event_route[tm:branch-failure:one] {{
	xlog("L_ERR", "SAW $T_reply_code $T_reply_reason $T_branch_idx\\n");
	if ($T_reply_code == 404) {{
		append_branch("{uri_of(spare)}");
		t_relay();
	}}
}}
""")
    with server.udp() as client:
        client.send(request("INVITE", uri_of(slow)))
        ringing, asked = slow.next(), spare.next()
        assert ringing is not None and asked is not None and asked.uri == uri_of(spare)
        assert bad.next().method == "INVITE" and bad.next().method == "ACK"
        answer(server, slow, ringing, "486 Busy")
        answer(server, spare, asked, "200 OK")
        assert final(client).status == 200
    assert seen(server, "486") == ["404 Gone 1", "486 Busy 0"]


def test_it_runs_for_a_timeout_and_before_the_failure_route(proxy, endpoint):
    server = proxy('t_on_branch_failure("one"); t_on_failure("ALL");', """
event_route[tm:branch-failure:one] {
	xlog("L_ERR", "SAW branch $T_reply_code\\n");
}
failure_route[ALL] {
	xlog("L_ERR", "SAW all $T_reply_code\\n");
}
""")
    with server.udp() as client:
        client.send(request("INVITE", f"sip:bob@127.0.0.1:{free_port()}"))
        assert final(client).status == 408
    assert seen(server, "all") == ["branch 408", "all 408"]


def test_reuse_branch(proxy, endpoint):
    busy = endpoint(status="503 Full")
    server = proxy('t_on_branch_failure("again");', """
event_route[tm:branch-failure:again] {
	if (!t_reuse_branch()) exit;
	xlog("L_ERR", "SAW $ru\\n");
	t_relay();
}
""")
    with server.udp() as client:
        client.send(request("MESSAGE", uri_of(busy, "alice")))
        assert final(client).status in (500, 503)
    assert [busy.next().uri, busy.next().uri] == [uri_of(busy, "alice")] * 2 and busy.next(timeout=0.2) is None
    assert seen(server, "sip") == [uri_of(busy, "alice")]


# --- variables ----------------------------------------------------------------------------------------------
def test_variables_of_other_messages(proxy, endpoint):
    far = endpoint(status="404 Not Here")
    server = proxy('t_on_failure("F"); t_on_reply("R"); t_newtran(); xlog("L_ERR", "SAW 1 $T(id_index) $T(id_label)\\n");', """
onreply_route[R] {
	xlog("L_ERR", "SAW 2 $T_req($fU) $T_req($rm) $T_req($ru) $T(id_index) $T(id_label) $T_branch_idx $rs\\n");
}
failure_route[F] {
	xlog("L_ERR", "SAW 3 $T_rpl($rs) $T_rpl($hdr(X-Why)) $T_reply_code $T_reply_reason $T(reply_type) $T(id_label)\\n");
}
""")
    far.status = ""
    with server.udp() as client:
        client.send(request("MESSAGE", uri_of(far)))
        answer(server, far, far.next(), "404 Not Here", extra=["X-Why: because"])
        assert final(client).status == 404
    one, two, three = [line.split() for line in seen(server, "3")]
    assert two == ["2", "test", "MESSAGE", uri_of(far), *one[1:], "0", "404"]
    assert three == ["3", "404", "because", "404", "Not", "Here", "0", one[2]]


def test_the_invite_of_a_cancel(proxy, endpoint):
    far = endpoint(status="180 Ringing")
    server = proxy("""
	if (is_method("CANCEL")) {
		xlog("L_ERR", "SAW $T_inv($rm) $T_inv($hdr(X-One))\\n");
		if (t_relay_cancel()) sl_send_reply("481", "None");
		exit;
	}
	""")
    with server.udp() as client:
        invite = request("INVITE", uri_of(far), headers=["X-One: two"])
        client.send(invite)
        assert far.next().method == "INVITE"
        assert client.receive().status in (100, 180)
        far.status = ""
        client.send(re.sub(rb"X-One: two\r\n", b"", invite.replace(b"INVITE", b"CANCEL")))
        assert seen(server, "INVITE") == ["INVITE two"]
        wait_until(lambda: (got := far.next()) is not None and got.method == "CANCEL")


def test_local_responses_are_shown(proxy, endpoint):
    far = endpoint(status="486 Busy")
    server = proxy('if (is_method("MESSAGE")) { t_newtran(); t_reply("480", "Not Now"); exit; }', """
event_route[tm:local-response] {
	xlog("L_ERR", "SAW $rs $rr $ci\\n");
}
""")
    with server.udp() as client:
        for method, status in (("INVITE", 486), ("MESSAGE", 480)):
            client.send(request(method, uri_of(far), Call_ID=f"the-{method}"))
            assert final(client).status == status
    assert seen(server, "480")[-1] == "480 Not Now the-MESSAGE"
    assert all("486" not in line for line in seen(server, "480")), "that was not made here"


# --- functions ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mode,drop,expected", [
    (None, "", 500), (0, "", 404), (1, "", 500), (2, "", 500), (3, "", 500), (0, "t_drop_replies();", 500),
    (0, 't_drop_replies("l");', 500), (3, 't_drop_replies("n");', 404)])
def test_failures_that_are_dropped_do_not_compete(proxy, endpoint, mode, drop, expected):
    first, second = endpoint(status="404 No"), endpoint(status="500 Broken")
    server = proxy('t_on_failure("F");', f"""
failure_route[F] {{
	{drop}
	$ru = "{uri_of(second)}";
	t_relay();
}}
""", params="" if mode is None else f'modparam("tm", "failure_reply_mode", {mode})\n')
    with server.udp() as client:
        client.send(request("MESSAGE", uri_of(first)))
        assert final(client).status == expected


def test_retransmission_timers_of_one_request(proxy, endpoint):
    far = endpoint(status="")
    server = proxy("t_set_retr(50, 100);")
    with server.udp() as client:
        client.send(request("MESSAGE", uri_of(far)))
        assert final(client, timeout=2) is None
        count = 0
        while far.next(timeout=0.05) is not None:
            count += 1
    # 50, 100, 100 ... until fr_timer: at least six in 800 ms, where T1 = 500 ms would send two.
    assert count >= 6


def test_lumps_are_saved_when_the_script_says_so(proxy, endpoint):
    first, second = endpoint(status="404 No"), endpoint()
    server = proxy("""
	t_newtran();
	append_hf("X-One: 1\\r\\n");
	t_save_lumps();
	append_hf("X-Two: 2\\r\\n");
	t_on_failure("F");
	""", f"""
failure_route[F] {{
	append_hf("X-Three: 3\\r\\n");
	$ru = "{uri_of(second)}";
	t_relay();
}}
""")
    with server.udp() as client:
        client.send(request("MESSAGE", uri_of(first)))
        assert final(client).status == 200
    names = ("X-One", "X-Two", "X-Three")
    got = first.next()
    assert [got.header(name) for name in names] == ["1", "2", None]
    got = second.next()
    assert [got.header(name) for name in names] == ["1", None, "3"]


def test_t_drop_answers_nobody(proxy, endpoint):
    server = proxy('t_on_failure("F");', """
failure_route[F] {
	xlog("L_ERR", "SAW dropped\\n");
	t_drop("503");
	xlog("L_ERR", "SAW more\\n");
}
""")
    far = endpoint(status="404 No")
    with server.udp() as client:
        client.send(request("MESSAGE", uri_of(far)))
        assert final(client, timeout=0.5) is None
    assert seen(server, "dropped") == ["dropped"]


@pytest.mark.parametrize("how,line", [
    ("answer", 't_reply_callid("$hdr(X-Call)", "$hdr(X-CSeq)", "488", "From Outside")'),
    ("cancel", 't_cancel_callid("$hdr(X-Call)", "$hdr(X-CSeq)", "3", "200")')])
def test_calls_ended_from_another_request(proxy, endpoint, how, line):
    far = endpoint(status="180 Ringing")
    server = proxy(f"""
	if (is_method("INFO")) {{
		if ({line}) sl_send_reply("200", "Done");
		else sl_send_reply("404", "None");
		exit;
	}}
	t_on_failure("F");
	""", 'failure_route[F] { if (isflagset(3)) xlog("L_ERR", "SAW flag\\n"); }')
    with server.udp() as client, server.udp() as other:
        client.send(request("INVITE", uri_of(far), Call_ID="the-call", CSeq="7 INVITE"))
        invite = far.next()
        assert invite.method == "INVITE"
        time.sleep(0.1)
        far.status = ""
        assert other.ask(request("INFO", headers=["X-Call: another", "X-CSeq: 7"])).status == 404
        assert other.ask(request("INFO", headers=["X-Call: the-call", "X-CSeq: 7"])).status == 200
        cancel = far.next()
        assert cancel.method == "CANCEL"
        answer(server, far, cancel, "200 OK")
        answer(server, far, invite, "487 Terminated")
        if how == "cancel":
            assert "cause=200" in cancel.header("Reason")
            assert final(client).status == 487 and seen(server, "flag")
        else:
            response = final(client)
            assert (response.status, response.reason) == (488, "From Outside")


def test_replicas_go_elsewhere_and_their_answers_nowhere(proxy, endpoint):
    mirror = endpoint(status="603 Decline")
    server = proxy(f"""
	if (is_method("REGISTER")) {{
		t_replicate("{uri_of(mirror)}");
		sl_send_reply("200", "OK");
		exit;
	}}
	""")
    with server.udp() as client:
        assert client.ask(request("REGISTER", "sip:a.example", headers=["Contact: <sip:x@127.0.0.1>"])).status == 200
        assert client.receive(timeout=0.3) is None
    copy = mirror.next()
    assert copy.method == "REGISTER" and copy.uri == "sip:a.example" and len(copy.all("Via")) == 2
    assert copy.header("Contact") == "<sip:x@127.0.0.1>"


def test_uac_send(proxy, endpoint):
    far = endpoint()
    server = proxy(f"""
	if (is_method("INFO")) {{
		t_uac_send("OPTIONS", "{uri_of(far)}", "", "", "From: sip:me@a.example;tag=1\\r\\nTo: sip:you@b.example\\r\\n", "");
		sl_send_reply("200", "OK");
		exit;
	}}
	""")
    with server.udp() as client:
        assert client.ask(request("INFO")).status == 200
    assert far.next().method == "OPTIONS"


def test_suspended_requests(proxy, endpoint):
    """Continued by another request; without that, 408 after fr_timer and the failure route."""
    far = endpoint()
    server = proxy(f"""
	if (is_method("INFO")) {{
		if (t_continue("$hdr(X-Index)", "$hdr(X-Label)", "GO_ON")) sl_send_reply("200", "OK");
		else sl_send_reply("404", "None");
		exit;
	}}
	t_on_failure("F");
	if (t_suspend()) {{
		xlog("L_ERR", "SAW $T(id_index) $T(id_label)\\n");
		exit;
	}}
	""", f"""
route[GO_ON] {{
	$ru = "{uri_of(far)}";
	append_hf("X-Continued: yes\\r\\n");
	t_on_failure("F");
	t_relay();
}}
failure_route[F] {{
	t_reply("480", "Waited");
}}
""")
    with server.udp() as client, server.udp() as other:
        client.send(request("INVITE", "sip:bob@127.0.0.1"))
        index, label = seen(server, r"\d")[0].split()
        assert far.next(timeout=0.1) is None
        go_on = [f"X-Index: {index}", f"X-Label: {label}"]
        assert other.ask(request("INFO", headers=go_on)).status == 200
        assert far.next().header("X-Continued") == "yes"
        assert final(client).status == 200
        assert other.ask(request("INFO", headers=go_on)).status == 404, "once"
        client.send(request("MESSAGE", "sip:bob@127.0.0.1"))
        response = final(client)
        assert (response.status, response.reason) == (480, "Waited")


# --- the race -----------------------------------------------------------------------------------------------
def test_copies_that_come_at_the_same_time(make_kahu, endpoint):
    """t_precheck_trans(): of the copies of a request that several processes have, one goes through the script."""
    far = endpoint()
    server = make_kahu(modules=LOADED, udp_workers=4, script="""
request_route {
	if (t_precheck_trans()) {
		t_check_trans();
		exit;
	}
	t_check_trans();
	$var(i) = 0;
	while ($var(i) < 20000) $var(i) = $var(i) + 1;
	xlog("L_ERR", "SAW $ci\\n");
	t_relay();
}
""", core="max_while_loops=100000\nmax_script_steps=1000000" ).start()
    with server.udp() as client:
        for number in range(20):
            copy = request("MESSAGE", uri_of(far), Call_ID=f"copy-{number}")
            for _ in range(4):
                client.send(copy)
            assert final(client).status == 200
    assert sorted(set(seen(server, "copy-19"))) == sorted(seen(server, "copy-19")), "no copy went through twice"
    assert far.requests.qsize() == 20


# --- everything of the two manuals is known -----------------------------------------------------------------
ALL = r"""
request_route {
	t_newtran(); t_check_trans(); t_precheck_trans(); t_lookup_request(); t_lookup_cancel(); t_lookup_cancel("1");
	t_on_failure("F"); t_on_branch("B"); t_on_reply("R"); t_on_branch_failure("bf");
	t_set_fr(10000); t_set_fr(10000, 2000); t_reset_fr(); t_set_retr(500, 4000); t_reset_retr();
	t_set_max_lifetime(120000, 0); t_reset_max_lifetime(); t_set_auto_inv_100(0); t_set_disable_6xx(1);
	t_set_disable_failover(1); t_set_disable_internal_reply(1); t_set_no_e2e_cancel_reason(1); t_use_uac_headers();
	if (t_is_set("branch_route") || t_is_set("failure_route") || t_is_set("onreply_route")) exit;
	t_save_lumps(); t_flush_flags(); t_flush_xflags(); t_release(); t_retransmit_reply(); t_clean();
	t_reply("404", "Not found"); t_send_reply("404", "Not found"); t_relay_cancel();
	t_forward_nonack("127.0.0.1", "5060"); t_forward_nonack_udp("127.0.0.1", "5060");
	t_forward_nonack_tcp("127.0.0.1", "5060"); t_forward_nonack_tls("127.0.0.1", "5060");
	t_relay("127.0.0.1", "5060"); t_relay_to_udp("127.0.0.1", "5060"); t_relay_to_tcp(); t_relay_to_tls();
	t_relay_to("tcp:127.0.0.1:5060"); t_relay_to("0x01"); t_relay_to("tls:127.0.0.1", "4"); t_relay_to();
	t_replicate("sip:127.0.0.1:5060;transport=tcp"); t_replicate("127.0.0.1", "5060"); t_replicate();
	t_replicate_udp("127.0.0.1", "5060"); t_replicate_tcp("127.0.0.1", "5060"); t_replicate_tls("127.0.0.1", "5060");
	t_replicate_to("tcp", "127.0.0.1:5060");
	t_uac_send("OPTIONS", "sip:a@127.0.0.1", "", "", "From: sip:b@c;tag=1\r\nTo: sip:d@e", "");
	t_load_contacts(); t_next_contacts(); t_next_contact_flow();
	t_cancel_callid("123qaz", "5", "22"); t_cancel_callid("123qaz", "5", "22", "200"); t_reply_callid("1", "5", "458", "x");
	if (t_suspend()) exit;
	t_continue("123", "456", "GO");
	if (t_is_request_route() || t_is_failure_route() || t_is_branch_route() || t_is_reply_route()) exit;
	xlog("$T_inv($ru) $T_req($fu) $T(id_index) $T(id_label) $T_reply_last");
}
route[GO] {
	if (t_is_canceled() || t_is_expired() || t_any_replied() || t_any_timeout() || t_grep_status("486")) exit;
	$var(ts) = t_get_status_code();
	t_drop();
}
branch_route[B] { xlog("$T_branch_idx"); }
onreply_route[R] {
	if (t_check_status("(486)|(408)") || t_is_retr_async_reply()) t_cancel_branches("others");
	xlog("$T_reply_code $T_reply_reason $T_reply_ruid $T_branch_idx $T_req($ru) $T_branch(flags) $T_branch(uri)");
}
failure_route[F] {
	t_drop_replies(); t_drop_replies("l");
	if (t_branch_timeout() && !t_branch_replied()) t_drop("503");
	xlog("$T_rpl($rs) $T(reply_code) $T(reply_type) $T(branch_index) $T_reply_code");
}
event_route[tm:branch-failure:bf] { t_reuse_branch(); t_relay(); exit; }
event_route[tm:local-request] { t_set_fr(10000, 10000); }
event_route[tm:local-response] { xlog("x"); }
"""
PARAMETERS = {
    "fr_timer": 30000, "fr_inv_timer": 120000, "max_inv_lifetime": 180000, "max_noninv_lifetime": 32000, "wt_timer": 5000,
    "retr_timer1": 500, "retr_timer2": 4000, "noisy_ctimer": 1, "restart_fr_on_each_reply": 1, "auto_inv_100": 1,
    "auto_inv_100_reason": "trying", "unix_tx_timeout": 500, "aggregate_challenges": 1, "reparse_invite": 1,
    "ac_extra_hdrs": "X-A", "blst_503": 0, "blst_503_def_timeout": 0, "blst_503_min_timeout": 0, "blst_503_max_timeout": 120,
    "blst_methods_add": 1, "blst_methods_lookup": 1, "cancel_b_method": 1, "reparse_on_dns_failover": 1, "on_sl_reply": "stateless",
    "contacts_avp": "tm_contacts", "contact_flows_avp": "tm_flows", "fr_timer_avp": "$avp(f)", "fr_inv_timer_avp": "$avp(i)",
    "unmatched_cancel": 0, "ruri_matching": 1, "via1_matching": 1, "callid_matching": 1, "callid_cseq_matching": 0,
    "pass_provisional_replies": 0, "default_code": 500, "default_reason": "x", "disable_6xx_block": 0, "local_ack_mode": 0,
    "failure_reply_mode": 3, "faked_reply_prio": 0, "local_cancel_reason": 1, "e2e_cancel_reason": 1, "remap_503_500": 1,
    "failure_exec_mode": 0, "dns_reuse_rcv_socket": 1, "xavp_contact": "ulattrs", "event_callback": "f",
    "event_callback_lres_sent": "f", "relay_100": 0, "rich_redirect": 0, "exec_time_check": 1, "reply_relay_mode": 1, "enable_uac_fr": 0,
}


def test_all_of_the_manuals_is_known(make_kahu):
    lines = [f'modparam("tm", "{name}", ' + (f'"{value}")' if isinstance(value, str) else f"{value})")
             for name, value in PARAMETERS.items()]
    lines.append('modparam("tmx", "precheck_trans", 1)')
    code, said = make_kahu(modules=LOADED, script=ALL, params="\n".join(lines)).check()
    assert code == 0 and not re.search(r"unknown|error", said, re.I), said


# --- where to: transport and address by name -----------------------------------------------------------------
@pytest.mark.parametrize("call", ['t_relay_to_avp("udp", "@FAR@")', 't_forward_nonack_to("udp", "@FAR@")',
                                  '$ru = "sip:x@@FAR@"; t_forward_nonack_uri()'])
def test_requests_go_where_the_function_says(proxy, endpoint, call):
    far = endpoint()
    server = proxy(call.replace("@FAR@", f"127.0.0.1:{far.port}") + "; exit;")
    with server.udp() as client:
        client.send(request("MESSAGE", uri="sip:nobody@192.0.2.1", via_port=client.local_port))
        assert final(client).status == 200


def test_a_transport_that_is_none_is_refused(proxy):
    server = proxy('$var(t) = "sctp"; if (!t_relay_to_avp("$var(t)", "127.0.0.1:9")) sl_send_reply("499", "No"); exit;')
    with server.udp() as client:
        client.send(request("MESSAGE", uri="sip:nobody@192.0.2.1", via_port=client.local_port))
        assert final(client).status == 499
