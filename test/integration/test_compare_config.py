"""The configuration of the side-by-side comparison (test/bench/compare.cfg.in) runs as it stands."""
import pytest

from support.kahu import COMPARE, IS_KAMAILIO
from support.paths import KAMAILIO_MODULES, SOURCE
from support.sip import request

VALUES = {"DEBUG": 1, "UDPWORKERS": 2, "LIFETIME": 600, "MAXCONN": 4096, "MPATH": KAMAILIO_MODULES,
          "SESSION_CACHE": 1, "TLSPARAMS": "", "UASPORT": 5099, "UASTP": "udp"}


@pytest.fixture(scope="module")
def server(tmp_path_factory, certificates):
    from support.kahu import Kahu, fill
    directory = tmp_path_factory.mktemp("compare")
    server = Kahu(directory, certificates, config="", options=["-A", "STATELESS"])
    for name in ("crt", "key"):
        (directory / f"server.{name}").write_bytes((certificates.directory / f"server.{name}").read_bytes())
    server.template.update(VALUES, RUN=directory, METHOD="TLSv1.2+")
    server.write_config(COMPARE)
    server.write_tls((SOURCE / "test/bench/compare-tls.cfg.in").read_text())
    server.start()
    yield server
    server.finish()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("method,status", [("OPTIONS", 200), ("REGISTER", 200), ("INVITE", 405), ("MESSAGE", 405)])
def test_answers(server, transport, method, status):
    with server.client(transport) as client:
        response = client.ask(request(method, transport=transport.upper()))
    assert response.status == status
    assert response.header("Content-Length") == "0"
    assert ";tag=" in response.header("To")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_ack_is_not_answered(server, transport):
    with server.client(transport) as client:
        client.send(request("ACK", transport=transport.upper()))
        assert client.receive(timeout=0.3) is None
        client.socket.settimeout(3)
        assert client.ask(request(transport=transport.upper())).status == 200


def test_answer_echoes_the_request(server):
    with server.udp() as client:
        sent = request(headers=["Via: SIP/2.0/UDP 10.1.1.1;branch=z9hG4bKsecond"])
        response = client.ask(sent)
        lines = sent.decode().split("\r\n")
        for name in ("From", "Call-ID", "CSeq"):
            assert f"{name}: {response.header(name)}" in lines
        vias = response.all("Via")
        assert len(vias) == 2 and vias[1].endswith("z9hG4bKsecond")
        assert f"rport={client.local_port}" in vias[0] and "received=127.0.0.1" in vias[0]


@pytest.mark.skipif(IS_KAMAILIO, reason="needs no check of itself")
def test_check_accepts_every_profile(server):
    for profile in ("STATELESS",):
        code, output = server.check("-A", profile)
        assert code == 0, output
