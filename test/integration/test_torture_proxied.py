"""The messages of RFC 4475 and RFC 5118 through a proxy, and to a registrar: who gets what, byte by byte.

What is right to do with each is said in test/torture/manifest.tsv; the tables here say which of it Kahu does.
"""
import re
import socket

import pytest

from support.kahu import MODULES, Kahu
from support.paths import TORTURE
from support.sip import Response, request

pytestmark = pytest.mark.kahu_only

FORWARD, NOTHING = "forward", "nothing"
# What the proxy does: forwards it, refuses it with one of these statuses, or is silent.
PROXY = {
    FORWARD: """wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01 baddate regbadct badbranch
                unksm2 invut regaut01 cparam01 cparam02 regescrt sdp01 inv2543 ipv6-good port-ambiguous port-unambiguous
                via-received-param-with-delim via-received-param-no-delim ipv6-in-sdp mult-ip-in-header mult-ip-in-sdp
                ipv4-mapped-ipv6 ipv6-correct-abnf-2-colons""",
    NOTHING: "unreason noreason scalarlg bigcode bcast",
    400: """badinv01 clerr ncl scalar02 quotbal ltgtruri lwsruri lwsstart trws escruri badaspec baddn mismatch01 mismatch02
            insuf multi01 mcl01 ipv6-bad ipv6-bug-abnf-3-colons""",
    505: "badvers", 416: "unkscm novelsc", 420: "bext01", 483: "zeromf",
}
# Over a stream nobody knows where they end: refused with 400, and the connection is closed.
UNFRAMED = {"ncl", "mcl01", "inv2543"}
# Over a stream the rest of it is waited for.
UNFINISHED = {"clerr"}

MODULE_LIST = MODULES + "\n" + "\n".join(f'loadmodule "{name}.so"' for name in "tm rr sanity usrloc registrar".split())
PROXY_SCRIPT = """
request_route {
	if (!mf_process_maxfwd_header("70")) {
		sl_send_reply("483", "Too Many Hops");
		exit;
	}
	if (!sanity_check("999", "1")) exit;
	if ($hdr(X-Probe) != $null) {
		sl_send_reply("200", "OK");
		exit;
	}
	$du = "sip:127.0.0.1:@FAR@";
	if (!t_relay()) sl_reply_error();
}
"""
REGISTRAR_SCRIPT = """
request_route {
	if (!sanity_check("17895", "7")) exit;
	if (!is_method("REGISTER")) {
		sl_send_reply("405", "Method Not Allowed");
		exit;
	}
	save("location");
}
"""


def paths():
    return {path.stem: path for folder in ("rfc4475", "rfc5118") for path in sorted((TORTURE / folder).glob("*.dat"))}


CASES = [(name, expected) for expected, names in PROXY.items() for name in names.split()]


def with_rport(raw):
    """Answers to a datagram come back here, wherever its Via points (RFC 3581)."""
    return re.sub(rb"^((?:Via|v)\s*:\s*SIP\s*/\s*[\d.]+\s*/\s*\w+\s+[^;,\r\n]+)", rb"\1;rport", raw, count=1, flags=re.I | re.M)


class Far:
    """The next hop: keeps datagrams as they came."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def take(self, timeout):
        """What arrived, each request once."""
        found = []
        self.socket.settimeout(timeout)
        try:
            while True:
                data, proxy = self.socket.recvfrom(65535)
                if data in found:
                    continue
                found.append(data)
                if not data.startswith(b"ACK"):  # or it would be repeated
                    self.socket.sendto(answer_to(data), proxy)
                self.socket.settimeout(0.05)
        except TimeoutError:
            return found


def answer_to(raw):
    head = raw.partition(b"\r\n\r\n")[0]
    head = re.sub(rb"\r\n[ \t]+", b" ", head)
    kept = [line for line in head.split(b"\r\n")[1:]
            if re.match(rb"(?:Via|v|From|f|To|t|Call-ID|i|CSeq)\s*:", line, re.I)]
    return b"SIP/2.0 200 Far\r\n" + b"\r\n".join(kept) + b"\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def far():
    far = Far()
    yield far
    far.socket.close()


@pytest.fixture(scope="module", params=["udp", "tcp", "tls"])
def transport(request):
    return request.param


@pytest.fixture(scope="module")
def proxy(tmp_path_factory, certificates, far, transport):
    """One for each transport: to the same one they would be the same requests again."""
    server = Kahu(tmp_path_factory.mktemp("proxy"), certificates, modules=MODULE_LIST,
                  script=PROXY_SCRIPT.replace("@FAR@", str(far.port)))
    with server:
        yield server


def statuses_of(client, timeout):
    found = []
    while (response := client.receive(timeout=timeout)) is not None:
        if response.status != 100:
            found.append(response.status)
    return found


def rest_of_headers(raw):
    """Header fields as they stand, but for those that every proxy changes."""
    head = raw.partition(b"\r\n\r\n")[0]
    fields = re.split(rb"\r\n(?![ \t])", head)[1:]
    changed = re.compile(rb"(?:Via|v|Max-Forwards|Record-Route|Content-Length|l)\s*:", re.I)
    return [field for field in fields if not changed.match(field)]


def vias(raw):
    return len(re.findall(rb"^(?:Via|v)\s*:", raw.partition(b"\r\n\r\n")[0], re.I | re.M))


def forwarded_as_it_was(sent, got):
    length = re.search(rb"^(?:Content-Length|l)\s*:\s*(\d+)", re.sub(rb"\r\n[ \t]+", b" ", sent.partition(b"\r\n\r\n")[0]), re.I | re.M)
    body = sent.partition(b"\r\n\r\n")[2]
    body = body[:int(length[1])] if length else body
    assert got.partition(b"\r\n\r\n")[2] == body
    assert got.split(b"\r\n")[0] == sent.split(b"\r\n")[0]
    assert rest_of_headers(got) == rest_of_headers(sent)
    assert vias(got) == vias(sent) + 1
    hops = re.search(rb"^Max-Forwards\s*:\s*(\d+)", sent, re.I | re.M)
    left = int(re.search(rb"^Max-Forwards\s*:\s*(\d+)", got, re.I | re.M)[1])
    assert left == (int(hops[1]) - 1 if hops else 70)


def test_each_message_has_an_expectation():
    assert sorted(name for name, _ in CASES) == sorted(paths())


@pytest.mark.requirement("PX-11", "PX-01", "PX-02", "PX-03", "PX-05")
@pytest.mark.parametrize("name,expected", CASES, ids=[name for name, _ in CASES])
def test_through_a_proxy(proxy, far, name, expected, transport):
    raw = paths()[name].read_bytes()
    far.take(0.01)
    with proxy.client(transport) as client:
        if transport == "udp":
            raw = with_rport(raw)
        raw = raw.replace(b"z9hG4bKas3-111", b"z9hG4bKas3-" + name.encode())  # many of RFC 5118 have the same
        client.send(raw)
        if transport != "udp" and name in UNFRAMED:
            assert client.is_closed() and Response(client.pending).status == 400
            assert far.take(0.1) == []
        elif transport != "udp" and name in UNFINISHED:
            assert statuses_of(client, 0.3) == [] and far.take(0.1) == []
        elif expected == FORWARD:
            got = far.take(2)
            # What follows the REGISTER on a stream is another request, and of some only a piece of one.
            wanted = 2 if name == "dblreq" and transport != "udp" else 1
            assert len([one for one in got if not one.startswith(b"ACK")]) == wanted, got
            forwarded_as_it_was(raw, got[0])
        elif expected == NOTHING:
            assert statuses_of(client, 0.2) == [] and far.take(0.05) == []
        else:
            response = client.receive()
            assert response is not None and response.status == expected
            assert far.take(0.05) == []
    probe = request(transport=transport.upper(), headers=["X-Probe: 1"])
    with proxy.client(transport) as client:
        assert client.ask(probe).status == 200
    assert not proxy.alarms()


@pytest.mark.requirement("PX-05")
def test_what_is_not_supported_is_named(proxy, transport):
    with proxy.client(transport) as client:
        response = client.ask(with_rport(paths()["bext01"].read_bytes()).replace(b"z9hG4bKkdjuw", b"z9hG4bKagain"))
        assert response.status == 420
        named = {token.strip() for value in response.all("Unsupported") for token in value.split(",")}
        assert named == {"noProxiesSupportThis", "norDoAnyProxiesSupportThis"}


# What the registrar does: the status, and what stands in the Contacts of its answer.
REGISTRAR = {
    "escnull": (200, ["<sip:%00@host5.example.com>", "<sip:%00%00@host5.example.com>"]),
    "esc02": (405, []),
    "cparam01": (200, ["<sip:+19725552222@gw1.example.net>"]),
    "cparam02": (200, ["<sip:+19725552222@gw1.example.net;unknownparam>"]),
    "regescrt": (200, ["<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"]),
    "regaut01": (200, []),
    "dblreq": (200, ["<sip:j.user@host.example.com>"]),
    "regbadct": (400, []),
    "scalar02": (400, []),
    "unksm2": (400, []),
}


@pytest.fixture(scope="module")
def registrar(tmp_path_factory, certificates):
    with Kahu(tmp_path_factory.mktemp("registrar"), certificates, modules=MODULE_LIST, script=REGISTRAR_SCRIPT) as server:
        yield server


@pytest.mark.requirement("RG-20")
@pytest.mark.parametrize("name", REGISTRAR)
def test_to_a_registrar(registrar, name):
    status, contacts = REGISTRAR[name]
    with registrar.udp() as client:
        response = client.ask(with_rport(paths()[name].read_bytes()))
        assert response.status == status, response.raw
        listed = ", ".join(response.all("Contact"))
        for contact in contacts:
            assert contact in listed
        assert listed.count("<") >= len(contacts)
    assert not registrar.alarms()
