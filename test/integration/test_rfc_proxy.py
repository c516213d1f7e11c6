"""What RFC 3261 section 16 asks of a proxy before and while it forwards (requirements.tsv, PX-01 to PX-12, PX-29):
over t_relay() and over forward()."""
import re

import pytest

from support.paths import TORTURE, free_port
from support.sip import StreamClient, UdpClient, request

MODULES = "\n".join(f'loadmodule "{name}.so"'
                    for name in "ctl pv sl maxfwd sanity siputils textops tm rr usrloc registrar tls".split())
SCRIPT = """
request_route {
	if (is_method("OPTIONS") && $rU == $null && uri == myself && $hdr(Route) == $null) {
		sl_send_reply("200", "OK");
		exit;
	}
	if (!mf_process_maxfwd_header("70")) {
		sl_send_reply("483", "Too Many Hops");
		exit;
	}
	if (!sanity_check()) exit;
	if (is_method("REGISTER")) {
		save("location");
		exit;
	}
	if ($rU == "show") {
		sl_send_reply("299", "$ru");
		exit;
	}
	remove_hf("X-Way");
	if (loose_route()) route(SEND);
	record_route();
	route(SEND);
}
route[SEND] {
	append_hf("X-Seen: $ru\\r\\n");
	@SEND@
	exit;
}
"""
SEND = {"t_relay": "if (!t_relay()) sl_reply_error();", "forward": 'if (!forward()) sl_send_reply("478", "Cannot forward");'}


@pytest.fixture
def proxy(make_kahu):
    def make(how="t_relay", script=SCRIPT, **options):
        script = script.replace("@SEND@", SEND[how])
        return make_kahu(modules=MODULES, script=script, **{"workers": 2, **options}).start()

    return make


@pytest.fixture(scope="module")
def shared(tmp_path_factory, certificates):
    from support.kahu import Kahu
    server = Kahu(tmp_path_factory.mktemp("proxy"), certificates, modules=MODULES, workers=2,
                  script=SCRIPT.replace("@SEND@", SEND["t_relay"]))
    with server:
        yield server


def torture(name):
    return (TORTURE / "rfc4475" / name).read_bytes()


def with_rport(raw):
    """Over UDP the answer is to come back here."""
    return re.sub(rb"^((?:Via|v)\s*:\s*SIP\s*/\s*2\.0\s*/\s*\w+\s+[^;,\r\n]+)", rb"\1;rport", raw, count=1, flags=re.I | re.M)


def answer(server, transport, raw):
    with server.client(transport) as client:
        return client.ask(with_rport(raw) if transport == "udp" else raw)


# --- 16.3: may it be forwarded at all ---------------------------------------------------------------------
@pytest.mark.requirement("PX-01")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("missing", ["From", "To", "Call-ID", "CSeq", "insuf.dat"])
def test_px_01_a_mandatory_header_is_missing(shared, endpoint, transport, missing):
    far = endpoint("udp")
    raw = torture(missing) if missing.endswith(".dat") else request("MESSAGE", far.uri, transport.upper(),
                                                                    **{missing.replace("-", "_"): None})
    response = answer(shared, transport, raw)
    assert response is not None and response.status == 400
    assert far.next(timeout=0.1) is None


@pytest.mark.requirement("PX-01")
@pytest.mark.parametrize("bad", [dict(From="<sip:x"), dict(To="\"x <sip:y@z>"), dict(CSeq="9 OPTIONS"), dict(CSeq="x MESSAGE"),
                                 dict(CSeq="4294967296 MESSAGE"), dict(Call_ID="")])
def test_px_01_a_mandatory_header_is_malformed(shared, endpoint, bad):
    far = endpoint("udp")
    response = answer(shared, "tcp", request("MESSAGE", far.uri, "TCP", **bad))
    assert response is not None and response.status == 400
    assert far.next(timeout=0.1) is None


@pytest.mark.requirement("PX-02")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("name", ["unkscm.dat", "novelsc.dat"])
def test_px_02_unknown_scheme_of_the_request_uri(shared, transport, name):
    assert answer(shared, transport, torture(name)).status == 416


@pytest.mark.requirement("PX-02")
@pytest.mark.parametrize("how", SEND)
def test_px_02_also_when_the_script_checks_nothing(proxy, how):
    server = proxy(how, script='request_route {\n@SEND@\n}\n')
    with server.udp() as client:
        assert client.ask(request("MESSAGE", "nobodyknows:opaque")).status == 416


@pytest.mark.requirement("PX-03")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_px_03_max_forwards_0(shared, endpoint, transport):
    far = endpoint("udp")
    assert answer(shared, transport, request("MESSAGE", far.uri, transport.upper(), Max_Forwards="0")).status == 483
    assert answer(shared, transport, request("INVITE", far.uri, transport.upper(), Max_Forwards="0")).status == 483
    assert answer(shared, transport, torture("zeromf.dat")).status in (200, 483)
    assert far.next(timeout=0.2) is None


@pytest.mark.requirement("PX-04")
@pytest.mark.parametrize("how", SEND)
@pytest.mark.parametrize("looks", [True, False])
def test_px_04_max_forwards_of_what_is_forwarded(proxy, endpoint, how, looks):
    """One less as the script's mf_process_maxfwd_header() has it; 70 where there was none, by it or by the core."""
    server, far = proxy(how, SCRIPT if looks else SCRIPT.replace('!mf_process_maxfwd_header("70")', "1 == 2")), endpoint("udp")
    with server.udp() as client:
        for came, goes in [("70", "69"), ("1", "0"), ("255", "254")] * looks + [(None, "70")]:
            assert client.ask(request("MESSAGE", far.uri, Max_Forwards=came)).status == 200
            assert far.next().all("Max-Forwards") == [goes]


@pytest.mark.requirement("PX-05")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_px_05_proxy_require(shared, endpoint, transport):
    """RFC 4475 3.3.7: an extension nobody has."""
    far = endpoint("udp")
    for raw, unknown in ((torture("bext01.dat"), {"noProxiesSupportThis", "norDoAnyProxiesSupportThis"}),
                         (request("MESSAGE", far.uri, transport.upper(), headers=["Proxy-Require: a", "Proxy-Require: b, c"]), set("abc"))):
        response = answer(shared, transport, raw)
        assert response.status == 420
        assert {tag.strip() for line in response.all("Unsupported") for tag in line.split(",")} == unknown
    assert far.next(timeout=0.1) is None


# --- 16.4: routes -----------------------------------------------------------------------------------------
def routes(*uris):
    return [f"Route: <{uri}>" for uri in uris]


@pytest.mark.requirement("PX-06")
@pytest.mark.parametrize("how", SEND)
@pytest.mark.parametrize("user", ["", "x@"])
def test_px_06_what_a_strict_router_sends(proxy, endpoint, how, user):
    """The example of 16.12.1.2: our Record-Route is in the Request-URI, the target is the last Route."""
    server, far = proxy(how), endpoint("udp")
    own = f"sip:{user}127.0.0.1:{server.plain_port};lr"
    with server.udp() as client:
        client.ask(request("BYE", own, To="<sip:b@127.0.0.1>;tag=x", headers=routes(f"sip:127.0.0.1:{far.port};lr", "sip:callee@u2.example.com")))
        got = far.next()
        assert got.uri == "sip:callee@u2.example.com" and got.all("Route") == [f"<sip:127.0.0.1:{far.port};lr>"]
        client.ask(request("BYE", own, To="<sip:b@127.0.0.1>;tag=x", headers=routes(far.uri)))
        got = far.next()
        assert got.uri == far.uri and got.all("Route") == []


@pytest.mark.requirement("PX-07")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_px_07_own_maddr_is_stripped(shared, transport):
    """16.4: maddr of ours, reached by the port and transport it names: all three go, the host says what is meant."""
    port = shared.tls_port if transport == "tls" else shared.plain_port
    way = "" if transport == "udp" else f";transport={transport}"

    def shown(uri):
        with shared.client(transport) as client:
            return client.ask(request("MESSAGE", uri, transport.upper())).reason

    assert shown(f"sip:show@example.com:{port}{way};maddr=127.0.0.1;user=phone") == "sip:show@example.com;user=phone"
    for other in (f"sip:show@example.com:{port}{way};maddr=127.0.0.9", f"sip:show@example.com:{port + 1}{way};maddr=127.0.0.1",
                  f"sip:show@example.com:{port};maddr=127.0.0.1;transport=sctp"):
        assert shown(other) == other


@pytest.mark.requirement("PX-08")
@pytest.mark.parametrize("how", SEND)
def test_px_08_every_own_name_is_taken_off(proxy, endpoint, how):
    """Listeners, aliases and advertised addresses; names of others stay and are followed."""
    more, seen = free_port(), free_port()
    server = proxy(how, core=f"listen=udp:127.0.0.2:{more}\nlisten=tcp:127.0.0.3:{more} advertise proxy.example:{seen}\n"
                             f"alias=\"alias.example\"\nalias=udp:port.example:5070\n")
    far = endpoint("udp")
    ours = [f"sip:127.0.0.1:{server.plain_port};lr", f"sip:127.0.0.1:{server.plain_port};transport=tcp;lr",
            f"sip:127.0.0.1:{server.tls_port};transport=tls;lr", f"sips:127.0.0.1:{server.tls_port};lr",
            f"sip:127.0.0.2:{more};lr", f"sip:127.0.0.3:{more};transport=tcp;lr", f"sip:proxy.example:{seen};transport=tcp;lr",
            "sip:alias.example;lr", "sip:ALIAS.example:5060;lr", "sip:port.example:5070;lr"]
    with server.udp() as client:
        for own in ours:
            client.ask(request("MESSAGE", far.uri, headers=routes(own)))
            got = far.next()
            assert got is not None and got.all("Route") == [] and got.uri == far.uri, own
        for other in (f"sip:127.0.0.1:{far.port};lr", f"sip:x@127.0.0.1:{far.port};lr;x=y"):
            client.ask(request("MESSAGE", "sip:somebody@example.com", headers=routes(ours[0], other)))
            got = far.next()
            assert got.all("Route") == [f"<{other}>"] and got.uri == "sip:somebody@example.com"


@pytest.mark.requirement("PX-12")
@pytest.mark.parametrize("how", SEND)
def test_px_12_a_strict_next_hop(proxy, endpoint, how):
    """16.6.6: without lr its URI goes into the Request-Line, and the target behind the other Routes."""
    server, far = proxy(how), endpoint("udp")
    own, last = f"sip:127.0.0.1:{server.plain_port};lr", "sip:last.example.com;lr"
    with server.udp() as client:
        client.ask(request("MESSAGE", "sip:target@example.com", headers=routes(own, far.uri, last)))
        got = far.next()
        assert got.uri == far.uri and got.all("Route") == [f"<{last}>", "<sip:target@example.com>"]
        client.ask(request("MESSAGE", "sip:target@example.com", headers=[f"Route: <{own}>, <{far.uri}>, <{last}>"]))
        got = far.next()
        assert got.uri == far.uri and ", ".join(got.all("Route")) == f"<{last}>, <sip:target@example.com>"


# --- 16.6: what is changed, and what is not ---------------------------------------------------------------
@pytest.mark.requirement("PX-09")
@pytest.mark.parametrize("how", SEND)
def test_px_09_record_route_goes_before_those_that_are_there(proxy, endpoint, how):
    server, far = proxy(how), endpoint("tcp")
    there = ["Record-Route: <sip:first.example;lr>", "Record-Route: <sip:second.example;lr>"]
    with server.udp() as client:
        client.ask(request("INVITE", far.uri, headers=there))
        got = far.next()
        ours = got.all("Record-Route")
        assert ours[2:] == [line[14:] for line in there] and len(ours) == 4
        callee_side, caller_side = ours[:2]
        assert all(re.match(r"<sip:127\.0\.0\.1:\d+[^>]*;lr[;>]", one) for one in ours[:2]), ours
    # Either side reaches us by the one next to it.
    uri = callee_side.strip("<>").partition(";")[0]
    with StreamClient(int(uri.rpartition(":")[2])) as callee:
        assert callee.ask(request(uri=uri, transport="TCP")).status == 200
    uri = caller_side.strip("<>").partition(";")[0]
    with UdpClient(int(uri.rpartition(":")[2])) as caller:
        assert caller.ask(request(uri=uri)).status == 200


def has_ipv6():
    import socket
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.mark.requirement("PX-10")
@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
@pytest.mark.parametrize("how", SEND)
def test_px_10_two_record_routes_between_address_families(proxy, endpoint, how):
    port, far = free_port(), endpoint("udp")
    server = proxy(how, core=f"listen=udp:[::1]:{port}")
    with UdpClient(port, host="::1") as client:
        client.send(request("INVITE", far.uri, Via=f"SIP/2.0/UDP [::1]:{client.local_port};branch=z9hG4bKsix"))
        ours = far.next().all("Record-Route")
        assert len(ours) == 2 and all(";r2=on" in one for one in ours)
        assert ours[0].startswith(f"<sip:127.0.0.1:{server.plain_port};") and ours[1].startswith(f"<sip:[::1]:{port};")
        # The BYE of the caller: both are taken off, and it leaves by the other socket.
        while client.receive(timeout=0.3) is not None:
            pass
        client.send(request("BYE", far.uri, To="<sip:b@127.0.0.1>;tag=x", headers=[f"Route: {ours[1]}", f"Route: {ours[0]}"],
                            Via=f"SIP/2.0/UDP [::1]:{client.local_port};branch=z9hG4bKsix2"))
        while (got := far.next()).method != "BYE":
            pass
        assert got.all("Route") == [] and got.all("Via")[0].startswith(f"SIP/2.0/UDP 127.0.0.1:{server.plain_port}")


def other_headers(raw, ours):
    """The header lines that a proxy may not touch, byte by byte."""
    head = raw.partition(b"\r\n\r\n")[0].split(b"\r\n", 1)[1]
    fields = re.split(rb"\r\n(?![ \t])", head)
    return [field for field in fields if not re.match(rb"(?:%s)[ \t]*:" % b"|".join(ours), field, re.I)]


@pytest.mark.requirement("PX-11")
@pytest.mark.parametrize("how", SEND)
@pytest.mark.parametrize("name", ["longreq.dat", "mpart01.dat", "wsinv.dat", "intmeth.dat", "esc02.dat"])
def test_px_11_everything_else_is_left_as_it_came(proxy, endpoint, how, name):
    server, far = proxy(how), endpoint("tcp")
    raw = torture(name)
    target = f"{far.uri};z=%7a".encode()
    raw = raw.replace(raw.split(b" ", 2)[1], target, 1)
    raw = raw.replace(b"services.example.com", f"127.0.0.1:{far.port};transport=tcp".encode())  # a Route that it has
    touched = [b"Via", b"v", b"Max-Forwards", b"Record-Route", b"X-Seen", b"Route"]
    with server.tcp() as client:
        client.send(raw)
        got = far.next()
        assert got is not None, server.log()[-2000:]
    assert got.raw.split(b" ", 2)[1] == target
    assert other_headers(got.raw, touched) == other_headers(raw, touched)
    assert got.body == raw.partition(b"\r\n\r\n")[2]


@pytest.mark.requirement("PX-11")
@pytest.mark.parametrize("how", SEND)
def test_px_11_unknown_headers_and_their_order(proxy, endpoint, how):
    server, far = proxy(how), endpoint("udp")
    odd = ["X-A:1", "x-b :  two  ", "X-A: 3", "Warning: 399 x \"a\"", "X-A:\r\n  folded \r\n\tmore", "X-Empty:", "c: application/x",
           "Warning: 399 y \"b\"", "X-Bytes: \u00fc\u4e2d", "!%*_+`'~-.: token"]
    body = "\x00\x01 binary \r\n\r\nMESSAGE x SIP/2.0\r\n\x7f"
    with server.udp() as client:
        sent = request("MESSAGE", far.uri, headers=odd, body=body)
        client.send(sent)
        got = far.next()
    touched = [b"Via", b"Max-Forwards", b"Record-Route", b"X-Seen"]
    assert other_headers(got.raw, touched) == other_headers(sent, touched)
    assert got.body == body.encode()


# --- 19.1.4: when two URIs are the same -------------------------------------------------------------------
SAME = [("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        ("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
         "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"),
        ("sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x"),
        ("sip:a@127.0.0.1;lr;x=Y", "sip:a@127.0.0.1;X=y;lr")]
OTHER = [("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
         ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"), ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
         ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
         ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
         ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"), ("sip:a@x.com;user=phone", "sip:a@x.com"),
         ("sip:a@x.com;maddr=1.2.3.4", "sip:a@x.com"), ("sip:a@x.com;ttl=1", "sip:a@x.com"),
         ("sip:a@x.com;method=INVITE", "sip:a@x.com"), ("sip:a@x.com", "sips:a@x.com"),
         ("sip:a@x.com;newparam=5", "sip:a@x.com;newparam=6"), ("sip:a:pw@x.com", "sip:a@x.com"),
         ("sip:%61:pw@x.com", "sip:a:PW@x.com"), ("sip:a%3bb@x.com", "sip:ab@x.com")]


@pytest.mark.requirement("PX-29")
def test_px_29_contacts_are_compared_as_uris(shared):
    """The examples of RFC 3261 19.1.4 and one for each parameter that counts: one binding, or two."""
    def contacts(first, second, number):
        with shared.tcp() as client:
            for cseq, contact in enumerate((first, second), 1):
                response = client.ask(request("REGISTER", "sip:127.0.0.1", "TCP", [f"Contact: <{contact}>"], CSeq=f"{cseq} REGISTER",
                                              To=f"<sip:u{number}@127.0.0.1>", Call_ID=f"px29-{number}"))
                assert response.status == 200
            return ", ".join(response.all("Contact")).count("expires=")

    same = [contacts(*pair, number) for number, pair in enumerate(SAME)]
    other = [contacts(*pair, number + 100) for number, pair in enumerate(OTHER)]
    assert [pair for pair, count in zip(SAME, same) if count != 1] == []
    assert [pair for pair, count in zip(OTHER, other) if count != 2] == []
