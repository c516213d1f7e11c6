"""Rows UR of requirements.tsv: sips URIs, and who is at the other end of a TLS connection."""
import pytest

from support.paths import free_port
from support.process import wait_until
from support.sip import request, tls_context

MODULES = "\n".join(f'loadmodule "{name}.so"' for name in "ctl pv sl maxfwd siputils textops rr tm tls".split())
# X-Target and X-Next-Hop stand in for what a registrar or a dispatcher would find.
RELAY = """
request_route {
	if (loose_route()) {
		t_relay();
		exit;
	}
	record_route();
	if ($hdr(X-Target) != $null) $ru = $hdr(X-Target);
	if ($hdr(X-Next-Hop) != $null) $du = $hdr(X-Next-Hop);
	if (!t_relay()) sl_send_reply("478", "Cannot relay");
}
"""
FORWARD = RELAY.replace("t_relay()", "forward()")
VERIFYING = """
[server:default]
method = TLSv1.2+
certificate = @CERTS@/server.crt
private_key = @CERTS@/server.key
verify_client = optional
ca_list = @CERTS@/ca.crt
[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
ca_list = @CERTS@/ca.crt
"""
LENIENT = VERIFYING.split("verify_client")[0] + "[client:default]\nverify_certificate = no\n"


@pytest.fixture
def proxy(make_kahu):
    def make(script=RELAY, tls=LENIENT, **options):
        return make_kahu(modules=MODULES, script=script, tls=tls, workers=2, **options).start()

    return make


@pytest.fixture
def client_of(certificates):
    """client_of("name", kahu-cert options...): a TLS context with a client certificate of that make."""
    def make(name, *options):
        certificates.run("client", "--name", name, *options)
        return tls_context(certificate=certificates.cert(name), key=certificates.key(name))

    return make


def with_names(server):
    return f'dns_servers="127.0.0.1:{server.port}"\ndns_retr_time=1\ndns_retr_no=1\n'


def zone_for(name, port):
    return {("_sips._tcp." + name, "SRV"): [(1, 1, port, "host." + name)], ("host." + name, "A"): ["127.0.0.1"]}


# --- sips -------------------------------------------------------------------------------------------------
@pytest.mark.requirement("UR-02")
@pytest.mark.parametrize("script", [RELAY, FORWARD], ids=["t_relay", "forward"])
@pytest.mark.parametrize("uri", ["sips:bob@127.0.0.1:{};transport=tls", "sips:bob@127.0.0.1:{};transport=tcp",
                                 "sips:bob@127.0.0.1:{}", "sip:bob@127.0.0.1:{};transport=tls"])
def test_ur_02_what_asks_for_tls_goes_over_tls(proxy, endpoint, uri, script):
    """;transport=tls is deprecated and yet understood, with either scheme; with sips, tcp means TLS over TCP."""
    server, far = proxy(script), endpoint("tls")
    wanted = uri.format(far.port)
    with server.udp() as client:
        assert client.ask(request("MESSAGE", wanted)).status == 200
    got = far.next()
    assert got.uri == wanted and got.all("Via")[0].startswith("SIP/2.0/TLS ")


@pytest.mark.requirement("UR-01")
@pytest.mark.parametrize("script", [RELAY, FORWARD], ids=["t_relay", "forward"])
def test_ur_01_a_destination_of_another_transport_does_not_downgrade(proxy, endpoint, script):
    """Not even by the destination URI that the script set."""
    server, plain = proxy(script), {transport: endpoint(transport) for transport in ("udp", "tcp")}
    with server.udp() as client:
        for far in plain.values():
            client.send(request("MESSAGE", "sips:bob@127.0.0.1:9", headers=[f"X-Next-Hop: {far.uri}"]))
            assert far.next(timeout=0.5) is None


ROUTES = [  # by, request URI, target, expected Record-Route values from the top
    ("tls", "sips:bob@x", "sips:uas@127.0.0.1:{tls}", ["sips:127.0.0.1:{ours}"]),
    ("udp", "sips:bob@x", "sips:uas@127.0.0.1:{tls}", ["sips:127.0.0.1:{ours}"]),
    ("udp", "sip:bob@x", "sips:uas@127.0.0.1:{tls}", ["sips:127.0.0.1:{ours};r2=on", "sip:127.0.0.1:{plain};r2=on"]),
    ("tls", "sip:bob@x", "sips:uas@127.0.0.1:{tls}",
     ["sips:127.0.0.1:{ours};r2=on", "sip:127.0.0.1:{ours};transport=tls;r2=on"]),
    ("tls", "sips:bob@x", "sip:uas@127.0.0.1:{tcp};transport=tcp",
     ["sip:127.0.0.1:{plain};transport=tcp;r2=on", "sips:127.0.0.1:{ours};r2=on"]),
    ("tls", "sip:bob@x", "sip:uas@127.0.0.1:{tls};transport=tls", ["sip:127.0.0.1:{ours};transport=tls"]),
]


@pytest.mark.requirement("UR-03")
@pytest.mark.parametrize("by, uri, target, expected", ROUTES, ids=[f"{by}-{uri[:4]}-{to[:4]}" for by, uri, to, _ in ROUTES])
def test_ur_03_each_side_that_used_sips_gets_a_sips_route(proxy, endpoint, by, uri, target, expected):
    """And two where the sides differ; what the callee sends by these routes arrives at the caller's side."""
    server, far = proxy(), {transport: endpoint(transport) for transport in ("tls", "tcp")}
    ports = {"tls": far["tls"].port, "tcp": far["tcp"].port, "plain": server.plain_port, "ours": server.tls_port}
    target = target.format(**ports)
    with server.client(by) as client:
        answer = client.ask(request("INVITE", uri, by.upper(), headers=[f"X-Target: {target}"]))
        if answer.status == 100:
            answer = client.receive()
        assert answer.status == 200
        callee = far["tcp" if "transport=tcp" in target else "tls"]
        routes = callee.next().all("Record-Route")
        plain = [route.split(";ftag=")[0].strip("<>").replace(";lr", "") for route in routes]
        assert plain == [each.format(**ports) for each in expected]
        # The way back: the caller is a phone behind TLS or a server on UDP.
        caller = endpoint("tls" if expected[-1].startswith("sips") or by == "tls" else "udp")
        scheme = "sips" if expected[-1].startswith("sips") else "sip"
        uri = f"{scheme}:uas@127.0.0.1:{caller.port}" + (";transport=tls" if caller.transport == "tls" else "")
        callee.send(request("BYE", uri, callee.transport.upper(), To="<sip:a@b>;tag=x",
                            headers=[f"Route: {', '.join(routes)}"], via_port=callee.port))
        got = caller.next()
        assert got is not None and got.method == "BYE" and got.uri == uri and got.all("Route") == []


# --- names of servers -------------------------------------------------------------------------------------
SERVERS = {  # kahu-cert options: is such a server the one of a.example?
    "uri": (["--uri", "sip:a.example"], True),
    "uri-beside-dns": (["--uri", "sip:a.example", "--dns", "other.example"], True),
    "dns-beside-uri": (["--uri", "sip:other.example", "--dns", "a.example"], False),
    "uri-of-a-user": (["--uri", "sip:bob@a.example"], False),
    "dns": (["--dns", "A.Example"], True),
    "parent": (["--dns", "example"], False),
    "child": (["--dns", "b.a.example"], False),
    "common-name": (["--name", "a.example", "--no-alternatives"], True),
    "common-name-beside-dns": (["--name", "a.example", "--dns", "other.example"], False),
    "wildcard": (["--dns", "*.example"], False),
    "wildcard-uri": (["--uri", "sip:*.example"], False),
    "wildcard-common-name": (["--name", "*.example", "--no-alternatives"], False),
    "sip-domains": (["--dns", "a.example", "--usage", "1.3.6.1.5.5.7.3.20"], True),
    "any-usage": (["--dns", "a.example", "--usage", "anyExtendedKeyUsage"], False),  # RFC 5924 4: as one likes; OpenSSL does not
    "mail": (["--dns", "a.example", "--usage", "emailProtection"], False),
}


@pytest.mark.requirement("UR-04", "UR-05", "UR-10")
@pytest.mark.parametrize("kind", SERVERS)
def test_ur_04_05_10_servers_prove_their_name(proxy, endpoint, names, certificates, kind):
    """RFC 5922: names of URIs before those of DNS before the common name, no wildcards; RFC 5924: for SIP domains."""
    options, welcome = SERVERS[kind]
    name = options[1] if options[0] == "--name" else "names-" + kind
    certificates.run("server", "--name", name, "--force", *(options if options[0] != "--name" else options[2:]))
    far = endpoint("tls", name)
    dns = names(zone_for("a.example", far.port))
    server = proxy(tls=VERIFYING, core=with_names(dns))
    with server.udp() as client:
        client.send(request("MESSAGE", "sips:bob@a.example"))
        answer = client.receive(timeout=3)
    assert (answer is not None and answer.status == 200) == welcome, answer
    assert (far.next(timeout=0.1) is not None) == welcome
    if not welcome:
        assert answer is None or answer.status in (477, 478, 500, 502, 503)
        wanted = "purpose" if kind in ("mail", "any-usage") else "does not name a.example"
        assert wait_until(lambda: wanted in server.log()), server.log()


# --- names of clients -------------------------------------------------------------------------------------
SAYS = """
request_route {
	sl_send_reply("200", "OK $tls_peer_verified $tls_peer_san_uri $tls_peer_san_hostname $tls_peer_subject_cn");
}
"""


@pytest.mark.requirement("UR-07")
def test_ur_07_scripts_see_who_the_peer_is(proxy, client_of):
    server = proxy(SAYS, VERIFYING)
    known = client_of("peer", "--uri", "sip:peer.example", "--dns", "host.peer.example")
    for context, expected in ((known, "OK 1 sip:peer.example host.peer.example peer"),
                              (tls_context(), "OK 0 <null> <null> <null>")):
        with server.tls(context) as client:
            assert client.ask(request(transport="TLS")).reason == expected


@pytest.mark.requirement("UR-10")
@pytest.mark.parametrize("usage, welcome", [("1.3.6.1.5.5.7.3.20", True), ("emailProtection", False),
                                            ("serverAuth", False)])
def test_ur_10_clients_for_sip_domains(proxy, client_of, usage, welcome):
    """id-kp-sipDomain is good for a client; the usages of others are not."""
    server = proxy(SAYS, VERIFYING)
    try:
        with server.tls(client_of("usage-" + usage, "--usage", usage, "--force")) as client:
            answer = client.ask(request(transport="TLS"))
    except OSError:
        answer = None
    assert (answer is not None and answer.reason.startswith("OK 1 ")) == welcome


@pytest.mark.requirement("UR-08", "UR-09")
def test_ur_09_nobody_takes_the_name_of_another(proxy, names, client_of):
    """An alias is good for the names in the client's certificate only."""
    port = free_port()
    dns = names(zone_for("one.example", port) | zone_for("two.example", port))
    server = proxy(tls=VERIFYING, core="tcp_accept_aliases=yes\n" + with_names(dns),
                   script=RELAY.replace("request_route {", 'request_route {\n\tif (is_method("OPTIONS")) {\n'
                                        '\t\tsl_send_reply("200", "OK");\n\t\texit;\n\t}'))
    one = client_of("one", "--dns", "one.example")
    with server.udp() as caller:
        for claimed, welcome in (("two.example", False), ("one.example", True)):
            with server.tls(one) as peer:
                via = f"SIP/2.0/TLS {claimed}:{port};alias;branch=z9hG4bKalias"
                assert peer.ask(request(transport="TLS", Via=via)).status == 200
                def arrives():
                    caller.send(request("MESSAGE", f"sips:bob@{claimed}"))
                    return peer.read_bytes(10, timeout=0.3).startswith(b"MESSAGE")
                assert bool(wait_until(arrives, seconds=1.5)) == welcome, claimed
