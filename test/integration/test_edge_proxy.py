"""An edge proxy: Path, flow tokens, dialogs over the connection that a phone made (RFC 3327, RFC 5626)."""
import os
import re
import signal

import pytest

from support.kahu import wait_until
from support.phone import Phone
from support.registrar import ANSWER_OPTIONS, LOADED, SAVE_REGISTER
from support.rpc import values
from support.sip import request

requirement = pytest.mark.requirement
EDGE_MODULES = "".join(f'loadmodule "{name}.so"\n' for name in
                       "ctl pv sl maxfwd siputils textops tls tm outbound rr path".split())
# The edge of Kamailio's manual of module outbound, shortened.
EDGE = "request_route {" + ANSWER_OPTIONS + """
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	if (has_totag()) {
		if (!loose_route()) route(REFUSE);
		route(RELAY);
	}
	if (is_method("REGISTER")) {
		remove_hf("Route");
		add_path();
		$du = "sip:127.0.0.1:@REGISTRAR@";
	} else {
		if (is_method("INVITE|SUBSCRIBE")) record_route();
		if (@via[2] == "") {
			remove_hf("Route");
			$du = "sip:127.0.0.1:@REGISTRAR@";
		} else if (!loose_route()) {
			route(REFUSE);
		}
	}
	route(RELAY);
}
route[REFUSE] {
	switch ($rc) {
	case -2:
		sl_send_reply("403", "Forbidden");
		exit;
	default:
		if (!is_method("ACK")) sl_send_reply("404", "Not Found");
		exit;
	}
}
route[RELAY] {
	if (!t_relay()) sl_reply_error();
	exit;
}
"""
REGISTRAR = "request_route {" + ANSWER_OPTIONS + SAVE_REGISTER + """
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	if (has_totag()) {
		if (loose_route()) t_relay();
		exit;
	}
	if (is_method("INVITE")) record_route();
	if (!lookup("location")) {
		sl_send_reply("404", "Not Found");
		exit;
	}
	if (!t_relay()) sl_reply_error();
}
"""
REGISTRAR_PARAMS = 'modparam("registrar", "use_path", 1)\nmodparam("registrar", "outbound_mode", 1)\n'


class Network:
    """A registrar, and in front of it an edge that phones know."""

    def __init__(self, make_kahu, files=None):
        if files:
            self.registrar = make_kahu("registrar", config=files("registrar")).start()
            self.edge = make_kahu("edge", config=files("edge", self.registrar.plain_port)).start()
            return
        self.registrar = make_kahu("registrar", modules=LOADED + 'loadmodule "tm.so"\nloadmodule "rr.so"\n',
                                   script=REGISTRAR, params=REGISTRAR_PARAMS).start()
        self.edge = make_kahu("edge", modules=EDGE_MODULES, workers=2,
                              script=EDGE.replace("@REGISTRAR@", str(self.registrar.plain_port))).start()

    def phone(self, user, transport):
        """Behind NAT: nobody reaches what its Contact says."""
        phone = Phone(self.edge, user, transport, domain=f"127.0.0.1:{self.registrar.plain_port}")
        phone.contact = f"<sip:{user}@192.0.2.1:9;transport={transport};ob>"
        return phone

    def register(self, phone, reg_id=1):
        instance = f'"<urn:uuid:00000000-0000-0000-0000-{phone.link.local_port:012d}>"'
        response = phone.ask("REGISTER", f"sip:{phone.domain}", to=f"<{phone.uri}>", headers=[
            f"Contact: {phone.contact};+sip.instance={instance};reg-id={reg_id}", "Supported: path, outbound"])
        assert response.status == 200, response.raw
        return response


EXAMPLES = "/usr/share/doc/kamailio/examples/outbound"


def example(name, registrar_port=0):
    """Debian's example of an edge proxy or its registrar, without two modules that its Kamailio no longer has."""
    with open(f"{EXAMPLES}/{name}.cfg") as file:
        text = file.read()
    if registrar_port:
        assert "a.b.c.d" in text and "!5060!" in text
        text = text.replace("a.b.c.d", "127.0.0.1").replace("!5060!", f"!{registrar_port}!")
    text = "\n".join(line for line in text.split("\n") if "mi_rpc" not in line and "mi_fifo" not in line)
    ours = """
log_stderror=yes
auto_aliases=no
enable_tls=yes
loadmodule "tls.so"
modparam("tls", "config", "@DIR@/tls.cfg")
modparam("ctl", "binrpc", "unix:@DIR@/ctl.sock")
listen=udp:127.0.0.1:@PLAIN@
listen=tcp:127.0.0.1:@PLAIN@
listen=tls:127.0.0.1:@TLS@
"""
    head, marker, rest = text.partition("####### Routing Logic ########")
    assert marker
    return head + ours + marker + rest


@pytest.fixture
def network(make_kahu):
    return Network(make_kahu)


def token_of(header):
    return re.search(r"sip:([^@>;]*)@", header)[1]


def set_up_call(caller, callee):
    """Both ends of an answered call: (the caller's side, its 200, the INVITE that the callee got)."""
    call = caller.call(callee.uri)
    invite = callee.expect("INVITE")
    callee.answer(invite, "200 OK")
    answered = caller.expect(200)
    call.within("ACK", answered)
    callee.expect("ACK")
    return call, answered, invite


@requirement("RG-13")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_registered_phone_is_reached_over_its_flow(network, transport):
    with network.phone("alice", transport) as phone, network.phone("caller", "udp") as caller:
        response = network.register(phone)
        assert response.header("Require") == "outbound"
        path = response.header("Path")
        assert re.fullmatch(rf"<sip:[\w-]{{39,50}}@127\.0\.0\.1:{network.edge.plain_port};lr;ob>", path)
        caller.send(caller.build("MESSAGE", phone.uri))
        got = phone.expect("MESSAGE")
        assert got.header("Route") is None
        phone.answer(got, "200 OK")
        caller.expect(200)


@requirement("RG-13")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_requests_in_a_dialog_go_over_the_flows_both_ways(network, transport):
    with network.phone("alice", transport) as alice, network.phone("bob", transport) as bob:
        network.register(alice), network.register(bob)
        call, answered, invite = set_up_call(alice, bob)
        call.within("INFO", answered, cseq=2)
        bob.answer(bob.expect("INFO"), "200 OK")
        alice.expect(200)
        bob.hang_up(invite)
        alice.answer(alice.expect("BYE"), "200 OK")
        bob.expect(200)


@requirement("RG-13")
def test_a_token_that_was_changed_is_refused(network):
    with network.phone("alice", "tls") as alice, network.phone("bob", "udp") as bob:
        path, _ = network.register(alice).header("Path"), network.register(bob)
        call, answered, _ = set_up_call(alice, bob)
        token, other = token_of(answered.header("Record-Route")), token_of(path)
        routes = [value for value in reversed(answered.all("Record-Route"))]
        target = re.search(r"<([^>]+)>", answered.header("Contact"))[1]

        def ask(token_, cseq):
            headers = [f"Route: {value.replace(token, token_)}" for value in routes]
            alice.send(alice.build("INFO", target, to=answered.header("To"), from_tag=call.tag, call_id=call.call_id,
                                   cseq=cseq, headers=headers))

        swapped = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
        for number, forged in enumerate((swapped, token[:-1], token + "A", other[:16] + token[16:], "A" * len(token))):
            ask(forged, 10 + number)
            alice.expect(403)
        assert bob.receive(0.2) is None
        ask(token, 30)
        bob.expect("INFO")
    # And Path's, in a request that a registrar sends: it has two Vias.
    headers = [f"Route: {path.replace(other, 'A' * len(other))}", "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKbefore"]
    with network.edge.udp() as client:
        assert client.ask(request("MESSAGE", "sip:alice@192.0.2.1", "UDP", headers)).status == 403


@requirement("RG-13")
def test_a_flow_that_has_ended_is_430(network):
    with network.phone("caller", "udp") as caller, network.phone("carol", "udp") as carol:
        network.register(carol)
        with network.phone("alice", "tls") as alice:
            network.register(alice)
            call, answered, invite = set_up_call(alice, carol)
            uri = alice.uri
        # What is written to a connection whose end nobody has seen yet is answered by nobody.
        assert wait_until(lambda: values(network.edge.rpc("tls.info"))["opened_connections"] == "0", 5)
        carol.hang_up(invite)
        carol.expect(430)
        caller.send(caller.build("MESSAGE", uri))
        caller.expect(430)


@requirement("RG-13")
def test_tokens_outlive_workers_and_reloads(network):
    edge = network.edge
    edge.allowed_alarms = (r"worker|process|child|died|killed|signal",)

    def kill_workers():
        before = edge.processes_titled("udp receiver") + edge.processes_titled("tcp receiver")
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not set(before) & set(edge.processes_titled("receiver")) and
                          len(edge.processes_titled("receiver")) == len(before), 5)

    with network.phone("alice", "tls") as alice, network.phone("bob", "udp") as bob:
        network.register(alice), network.register(bob)
        call, answered, invite = set_up_call(bob, alice)
        for cseq, disturb in enumerate((kill_workers, lambda: edge.rpc("tls.reload"), kill_workers), 2):
            disturb()
            call.within("INFO", answered, cseq=cseq)
            alice.answer(alice.expect("INFO"), "200 OK")
            bob.expect(200)
            alice.hang_up(invite, cseq=cseq)
            bob.answer(bob.expect("BYE"), "200 OK")
            alice.expect(200)


@requirement("RG-13")
@pytest.mark.parametrize("params,status", [("", 403), ('modparam("outbound", "flow_token_secret", "s3cret")\n', 404)])
def test_a_secret_makes_tokens_outlive_the_server(make_kahu, endpoint, params, status):
    """A datagram's flow needs no connection: it is there after a restart, if the token is still known."""
    script = """
request_route {
	if (is_method("OPTIONS")) sl_send_reply("200", "OK");
	if (is_method("REGISTER")) {
		add_path();
		$du = "sip:127.0.0.1:@SINK@";
		forward();
	}
	if (is_method("MESSAGE")) {
		loose_route();
		if ($rc == -2) sl_send_reply("403", "Forbidden");
		else sl_send_reply("404", "$rc $du");
	}
	exit;
}
"""
    def sees(server, endpoint_, client):
        register = request("REGISTER", "sip:127.0.0.1", "UDP", ["Contact: <sip:a@127.0.0.1>;reg-id=1"])
        client.send(register)
        return endpoint_.next().header("Path")

    sink = endpoint("udp", status=None)
    server = make_kahu(modules=EDGE_MODULES, params=params, script=script.replace("@SINK@", str(sink.port))).start()
    with server.udp() as client, server.udp() as other:
        path = sees(server, sink, client)
        ask = request("MESSAGE", "sip:a@127.0.0.1", "UDP", [f"Route: {path}"])
        answer = other.ask(ask)
        assert (answer.status, answer.reason) == (404, f"2 sip:127.0.0.1:{client.local_port}")
        server.finish()
        server.start()
        answer = other.ask(ask)
        assert answer.status == status
        assert status == 403 or answer.reason == f"2 sip:127.0.0.1:{client.local_port}"


@requirement("RG-13")
@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_the_examples_that_debian_ships(make_kahu, transport):
    if not os.path.exists(EXAMPLES):
        pytest.skip("no /usr/share/doc on this machine")
    network = Network(make_kahu, example)
    with network.phone("alice", transport) as alice, network.phone("bob", "tcp") as bob:
        response = network.register(alice)
        assert response.header("Require") == "outbound" and response.header("Flow-Timer") == "20"
        network.register(bob)
        call, answered, invite = set_up_call(bob, alice)
        call.within("INFO", answered, cseq=2)
        alice.answer(alice.expect("INFO"), "200 OK")
        bob.expect(200)
        alice.hang_up(invite)
        bob.answer(bob.expect("BYE"), "200 OK")
        alice.expect(200)


def test_keep_alives_of_udp_flows(make_kahu):
    """RFC 5626 4.4.2: a Binding request to where SIP is sent, answered with the address it came from."""
    server = make_kahu(modules=EDGE_MODULES + 'loadmodule "stun.so"\n').start()
    with server.udp() as phone:
        transaction = bytes(range(12))
        phone.send(b"\0\1\0\0\x21\x12\xa4\x42" + transaction)
        got = phone.socket.recv(1500)
        assert got[:2] == b"\1\1" and got[4:20] == b"\x21\x12\xa4\x42" + transaction
        port = int.from_bytes(got[26:28], "big") ^ 0x2112
        address = bytes(a ^ b for a, b in zip(got[28:32], b"\x21\x12\xa4\x42"))
        assert (address, port) == (b"\x7f\0\0\1", phone.local_port)
        for junk in (b"\0\1\0\4\x21\x12\xa4\x42" + transaction, b"\0" * 20, b"\1\1\0\0\x21\x12\xa4\x42" + transaction):
            phone.send(junk)
        assert phone.ask(request()).status == 200
