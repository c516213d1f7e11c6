"""The messages of RFC 4475 and RFC 5118 to the configurations that people run: Debian's kamailio.cfg and etc/kahu.cfg.

What is wrong with a message is said as by the proxy of test_torture_proxied.py; what is right gets the answer that the
configuration has for it.  Over TCP and TLS a refusal is an answer, too, before the connection is closed.
"""
import itertools
import re

import pytest

from support.dns import NameServer
from support.kahu import Kahu
from support.paths import SOURCE
from support.sip import Response, request
from test_stock_config import LISTEN, STOCK
from test_torture_proxied import CASES, FORWARD, NOTHING, UNFINISHED, UNFRAMED, paths, statuses_of, with_rport

pytestmark = pytest.mark.kahu_only

# What a message gets that has nothing wrong with it, here where no name resolves and nobody has registered: both
# configurations relay for their own users only, and etc/kahu.cfg wants to know who registers.
NOT_OURS = 403
REGISTRATIONS = "cparam01 cparam02 dblreq escnull ipv6-good port-ambiguous port-unambiguous regaut01 regbadct regescrt unksm2"
WITHIN_A_CALL = {"mult-ip-in-header": (404,), "via-received-param-with-delim": (404,)}  # To-tags of nobody's calls
UNRESOLVED = (478, 477)  # there is no such name; or the name server did not say so in time
ANSWERS = {
    "stock": WITHIN_A_CALL | {"wsinv": UNRESOLVED, "unksm2": (400,), "bext01": (NOT_OURS,)},  # it does not look at Proxy-Require
    "kahu": WITHIN_A_CALL | {"wsinv": UNRESOLVED} | {name: (401,) for name in REGISTRATIONS.split()},
}


def stock(directory, certificates, names):
    text = STOCK.read_text().replace("/etc/kamailio/tls.cfg", "@DIR@/tls.cfg")
    text = text.replace("#!KAMAILIO\n", f"#!KAMAILIO\n{LISTEN}{names}", 1)
    server = Kahu(directory, certificates, config=text, options=["-A", "WITH_TLS"])
    server.address = f"unix:{server.run_directory}/kamailio_ctl"
    return server


def built_in(directory, certificates, names):
    text = (SOURCE / "etc/kahu.cfg").read_text().replace("#!KAHU\n", f"#!KAHU\n{names}", 1)
    server = Kahu(directory, None, config=text)
    server.argv += ["-A", f'CERTIFICATE="{certificates.cert()}"', "-A", f'PRIVATE_KEY="{certificates.key()}"',
                    "-A", f'DBURL="sqlite://{directory}/kahu.db"']
    for transport, port in (("udp", server.plain_port), ("tcp", server.plain_port), ("tls", server.tls_port)):
        server.argv += ["-l", f"{transport}:127.0.0.1:{port}"]
    server.address = f"unix:{server.run_directory}/kahu_ctl"
    return server


@pytest.fixture(scope="module", params=["stock", "kahu"])
def server(tmp_path_factory, certificates, request):
    if request.param == "stock" and not STOCK.exists():
        pytest.skip("Debian's package kamailio is not installed")
    names = NameServer({})
    make = stock if request.param == "stock" else built_in
    server = make(tmp_path_factory.mktemp(request.param), certificates,
                  f'dns_servers="127.0.0.1:{names.port}"\ndns_retr_time=1\ndns_retr_no=1\n')
    server.kind = request.param
    with server:
        yield server
        names.close()


_serial = itertools.count(1)


def made_new(raw, name, transport):
    """The same again, to another transport, or of a name that shares its ids, is another transaction."""
    mark = f"{name}{transport}{next(_serial)}".replace("-", "").encode()
    raw = re.sub(rb"z9hG4bK(?=[^;,\s])", b"z9hG4bK" + mark, raw)
    return re.sub(rb"^((?:Call-ID|i)[ \t]*:\s*)(?=\S)", rb"\g<1>" + mark, raw, flags=re.I | re.M)


def answers_to(kind, name, expected):
    return ANSWERS[kind].get(name, (NOT_OURS,) if expected == FORWARD else (expected,))


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("name,expected", CASES, ids=[name for name, _ in CASES])
def test_message(server, name, expected, transport):
    raw = made_new(paths()[name].read_bytes(), name, transport)
    if transport == "udp":
        raw = with_rport(raw)
    wanted = answers_to(server.kind, name, expected)
    with server.client(transport) as client:
        client.send(raw)
        if transport != "udp" and name in UNFRAMED:
            assert client.is_closed() and Response(client.pending).status == 400
        elif transport != "udp" and name in UNFINISHED or wanted == (NOTHING,):
            assert statuses_of(client, 0.15) == []
        else:
            response = client.receive()
            while response is not None and response.status == 100:
                response = client.receive()
            assert response is not None and response.status in wanted, response and response.lines[0]
    with server.client(transport) as client:
        port = server.tls_port if transport == "tls" else server.plain_port
        response = client.ask(request("OPTIONS", f"sip:127.0.0.1:{port}", transport.upper()))
        assert response.status == 200, response.lines[0]
    assert not server.alarms()
