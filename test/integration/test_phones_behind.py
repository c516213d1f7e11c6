"""Phones that only their own connection reaches: Path, outbound flows, GRUUs, sips (RFC 3327, 5626, 5627, 5630)."""
import re

import pytest

from support.kahu import wait_until
from support.phone import Phone
from support.registrar import ANSWER_OPTIONS, LOADED, SAVE_REGISTER, contacts, register
from support.sip import request

pytestmark = pytest.mark.kahu_only
requirement = pytest.mark.requirement

MODULES = LOADED + "".join(f'loadmodule "{name}.so"\n' for name in ("tm", "rr"))
SCRIPT = "request_route {" + ANSWER_OPTIONS + SAVE_REGISTER + """
	if (is_method("ACK|CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	if (!lookup("location")) {
		sl_reply_error();
		exit;
	}
	t_on_failure("NEXT_FLOW");
	if (!t_relay()) sl_reply_error();
	exit;
}
failure_route[NEXT_FLOW] {
	if (t_check_status("430|408") && t_next_contact_flow()) {
		t_on_failure("NEXT_FLOW");
		t_relay();
	}
}
"""
PARAMS = """
modparam("registrar", "use_path", 1)
modparam("registrar", "outbound_mode", 1)
modparam("registrar", "flow_timer", 90)
"""
INSTANCE = '"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'


@pytest.fixture
def server(make_kahu):
    return make_kahu(modules=MODULES, script=SCRIPT, params=PARAMS).start()


class Flows(Phone):
    """A phone with an instance, whose flows are numbered."""

    def register_flow(self, reg_id=1, cseq=1, instance=INSTANCE, headers=("Supported: outbound, path",), contact=None):
        contact = contact or f"{self.contact};+sip.instance={instance};reg-id={reg_id}"
        return self.ask("REGISTER", f"sip:{self.domain}", cseq=cseq, to=f"<{self.uri}>", call_id=f"flow{reg_id}-{self.user}",
                        headers=[f"Contact: {contact}", *headers])


def ask_for(caller, uri, method="MESSAGE"):
    """Sends a request for the URI; the answer is for the test to wait for."""
    caller.send(caller.build(method, uri))


@requirement("RG-11")
def test_path_needs_supported(server, user, endpoint):
    edge = endpoint("tcp")
    path = f"Path: <sip:{edge.host}:{edge.port};transport=tcp;lr>"
    with server.tcp() as client:
        response = register(client, user, headers=[path])
        assert response.status == 420 and response.header("Unsupported") == "path"
        assert contacts(register(client, user, contact="")) == {}
        response = register(client, user, headers=[path, "Supported: path"], cseq=2)
        assert response.status == 200 and response.header("Path") == path.partition(": ")[2]
        assert register(client, user, contact=f"<sip:{user}@127.0.0.1:9>", headers=["Path: junk", "Supported: path"],
                        cseq=3).status == 400
    with Phone(server, "caller", "udp") as caller:
        ask_for(caller, f"sip:{user}@{caller.domain}")
        got = edge.next()
        assert got.uri == f"sip:{user}@127.0.0.1:9;transport=tcp"
        assert got.header("Route") == path.partition(": ")[2]
        caller.expect(200)


@pytest.mark.parametrize("hidden,shown", [
    ("sip:192.0.2.7:5062", ';received="sip:192.0.2.7:5062"'),
    ("sip:192.0.2.7%0d%0aX-Injected:%20yes", None),
    ("sip:192.0.2.7%22;x=%22", None),
])
def test_received_of_a_path_is_a_uri_or_nothing(make_kahu, user, hidden, shown):
    """It comes escaped, and goes into the header Contact of answers."""
    params = PARAMS + 'modparam("registrar", "path_use_received", 1)\n'
    server = make_kahu(modules=MODULES, script=SCRIPT, params=params).start()
    with server.tcp() as client:
        response = register(client, user, headers=[f"Path: <sip:127.0.0.1;lr;received={hidden}>", "Supported: path"])
        assert response.status == 200 and response.header("X-Injected") is None
        assert (shown or ";received=") in response.header("Contact") or not shown
        assert shown or ";received=" not in response.header("Contact")


@requirement("RG-11")
def test_a_path_of_several_hops_stays_in_order(server, user, endpoint):
    edge = endpoint("udp")
    hops = [f"<sip:{edge.host}:{edge.port};lr>", "<sip:second@127.0.0.2;lr>", "<sip:third@127.0.0.3;lr>"]
    with server.tcp() as client:
        headers = [f"Path: {hops[0]}, {hops[1]}", f"Path: {hops[2]}", "Supported: path"]
        response = register(client, user, headers=headers)
        assert ", ".join(response.all("Path")).split(", ") == hops
    with Phone(server, "caller", "udp") as caller:
        ask_for(caller, f"sip:{user}@{caller.domain}")
        assert ", ".join(edge.next().all("Route")).split(", ") == hops


@requirement("RG-12")
def test_a_flow_replaces_the_one_of_its_number(server, user):
    with Flows(server, user, "tls") as one, Flows(server, user, "tls") as two, Flows(server, user, "tcp") as again:
        response = one.register_flow(1)
        assert response.status == 200
        assert response.header("Require") == "outbound" and response.header("Flow-Timer") == "90"
        assert len(contacts(two.register_flow(2))) == 2
        # Another URI, but the same instance and number.
        left = contacts(again.register_flow(1, cseq=2))
        assert len(left) == 2 and again.contact[1:-1] in left and one.contact[1:-1] not in left
        other = INSTANCE.replace("f81d", "0000")
        assert len(contacts(one.register_flow(1, cseq=3, instance=other))) == 3


@requirement("RG-12")
@pytest.mark.parametrize("headers,contact,status", [
    (["Supported: path"], None, 200),                   # no outbound: the number does not count
    (["Supported: outbound, path"], "{};reg-id=1", 200),  # nor without an instance
    (["Supported: outbound, path"], f"{{}};+sip.instance={INSTANCE};reg-id=0", 400)])
def test_what_is_no_flow(server, user, headers, contact, status):
    with Flows(server, user, "tls") as phone:
        response = phone.register_flow(headers=headers, contact=contact and contact.format(phone.contact))
        assert response.status == status and response.header("Require") is None


@requirement("RG-12")
@pytest.mark.parametrize("path,status", [
    ("Path: <sip:127.0.0.1:9;lr;ob>", 200), ("Path: <sip:127.0.0.1:9;lr>", 439), (None, 439)])
def test_the_first_hop_must_know_outbound(server, user, path, status):
    with server.tcp() as client:
        headers = ["Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKphone", "Supported: outbound, path"]
        response = register(client, user, headers=headers + [path] * (path is not None),
                            contact=f"<sip:{user}@127.0.0.1:9>;+sip.instance={INSTANCE};reg-id=1")
        assert response.status == status
        assert len(contacts(register(client, user, contact=""))) == (status == 200)


@requirement("RG-14")
def test_only_one_flow_of_a_phone_is_tried_and_the_next_when_it_is_gone(server, user):
    with Flows(server, user, "tls") as first, Phone(server, "caller", "udp") as caller:
        assert first.register_flow(1).status == 200
        with Flows(server, user, "tls") as second:
            assert second.register_flow(2).status == 200
            ask_for(caller, first.uri)
            rings = [phone for phone in (first, second) if phone.receive(0.5) is not None]
            assert len(rings) == 1, "a phone is called once, not over each of its flows"
        ask_for(caller, first.uri)
        first.expect("MESSAGE")


@requirement("RG-14")
@pytest.mark.parametrize("failure", ["430 Flow Failed", "408 Request Timeout"])
def test_the_next_flow_is_tried_when_the_edge_reports_a_failed_one(server, user, endpoint, failure):
    edges = [endpoint("udp", status=failure), endpoint("udp")]
    with server.tcp() as client, Phone(server, "caller", "udp") as caller:
        for reg_id, edge in enumerate(edges, 1):
            headers = [f"Path: <sip:{edge.host}:{edge.port};lr;ob>", "Supported: outbound, path",
                       "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKphone"]
            assert register(client, user, headers=headers, call_id=f"{user}-{reg_id}",
                            contact=f"<sip:{user}@127.0.0.1:9>;+sip.instance={INSTANCE};reg-id={reg_id}").status == 200
        uri = f"sip:{user}@{caller.domain}"
        ask_for(caller, uri)
        caller.expect(200)
        assert edges[1].next().method == "MESSAGE" and edges[1].next(0.3) is None
        # Two flows were saved in the same second: which one is first is not said.
        assert edges[0].requests.qsize() <= 1


@requirement("RG-15")
def test_gruus(server, user):
    with Phone(server, user, "tcp") as one, Phone(server, user, "tcp") as other, Phone(server, "caller", "udp") as caller:
        def register_as(phone, instance, supported=("Supported: gruu",)):
            return phone.ask("REGISTER", f"sip:{phone.domain}", to=f"<{phone.uri}>", call_id=f"{user}{instance[-6:]}",
                             headers=[f"Contact: {phone.contact};+sip.instance={instance}", *supported])
        register_as(other, INSTANCE.replace("bf6", "000"))
        assert "gruu" not in register_as(other, INSTANCE.replace("bf6", "111"), ()).header("Contact")
        value = next(v for v in register_as(one, INSTANCE).header("Contact").split(", <") if "bf6" in v)
        public, temporary = (re.search(f'{kind}-gruu="([^"]+)"', value)[1] for kind in ("pub", "temp"))
        assert public == f"sip:{user}@127.0.0.1;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
        assert user not in temporary and temporary.endswith("@127.0.0.1;gr")
        for gruu in (public, temporary):
            ask_for(caller, gruu)
            assert one.expect("MESSAGE").uri == one.contact[1:-1]
            assert other.receive(0.2) is None
        for gruu in (public.replace("bf6", "222"), temporary.replace("uloc", "loc"), re.sub("-[0-9a-f]+@", "-1@", temporary)):
            ask_for(caller, gruu)
            caller.expect(404)


@requirement("RG-16")
def test_a_sips_contact_is_called_by_its_sip_name_over_tls(server, user, endpoint):
    """RFC 5630 5.3: the request stays sip for the phone, and TLS all the same."""
    with Phone(server, user, "tls") as phone, Phone(server, "caller", "udp") as caller:
        phone.contact = f"<sips:{user}@127.0.0.1:{phone.link.local_port}>"
        assert phone.register().status == 200
        ask_for(caller, phone.uri)
        assert phone.expect("MESSAGE").uri == f"sip:{user}@127.0.0.1:{phone.link.local_port}"
    # Not over its connection, but to where it listens.
    listening = endpoint("tls")
    with server.udp() as client, Phone(server, "caller", "udp") as caller:
        where = f"{user}@127.0.0.1:{listening.port}"
        assert register(client, f"{user}x", contact=f"<sips:{where}>").status == 200
        ask_for(caller, f"sip:{user}x@127.0.0.1")
        assert listening.next().uri == f"sip:{where}"
        # A sips request stays sips.
        ask_for(caller, f"sips:{user}x@127.0.0.1")
        assert listening.next().uri == f"sips:{where}"


@requirement("RG-17")
def test_a_sips_request_never_goes_to_a_sip_contact(server, user):
    with Phone(server, user, "tls") as phone, Phone(server, "caller", "tls") as caller:
        assert phone.register().status == 200
        ask_for(caller, phone.uri.replace("sip:", "sips:"))
        refused = caller.expect(480)
        assert re.fullmatch(r'380 127\.0\.0\.1 "SIPS Not Allowed"', refused.header("Warning"))
        assert phone.receive(0.2) is None
        ask_for(caller, f"sips:nobody@{caller.domain}")
        assert caller.expect(404).header("Warning") is None


@requirement("RG-21")
@pytest.mark.parametrize("contact", ["sip:{}@192.0.2.1:5060;transport=tls", "sip:{}@127.0.0.1:9;transport=tls", "sip:{}@nowhere.invalid"])
def test_a_phone_is_reached_over_its_connection_while_it_lives(server, user, contact):
    """Whatever its Contact says; and not at all once the connection has ended."""
    with Phone(server, "caller", "udp") as caller:
        with Phone(server, user, "tls") as phone:
            phone.contact = f"<{contact.format(user)}>"
            uri = phone.uri
            assert phone.register().status == 200
            ask_for(caller, uri)
            request_ = phone.expect("MESSAGE")
            phone.answer(request_, "200 OK")
            caller.expect(200)
        if "192.0.2.1" in contact:  # nobody answers there: it would take its time
            return
        ask_for(caller, uri)
        response = caller.receive(8)
        assert response is not None and response.status in (404, 477, 478, 480), response and response.raw


@requirement("RG-21")
def test_handle_lost_tcp_forgets_contacts_with_their_connection(make_kahu):
    params = PARAMS + 'modparam("usrloc", "handle_lost_tcp", 1)\nmodparam("usrloc", "timer_interval", 1)\n'
    server = make_kahu(modules=MODULES, script=SCRIPT, params=params).start()
    with Phone(server, "caller", "udp") as caller:
        with Phone(server, "alice", "tls") as phone:
            assert phone.register().status == 200
            ask_for(caller, phone.uri)
            phone.expect("MESSAGE")
        caller.expect(480)  # nobody waits for the timer
        wait_until(lambda: "alice" not in server.rpc("ul.dump"), 5)
        ask_for(caller, phone.uri)
        caller.expect(404)
