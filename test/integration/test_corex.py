"""What module corex sends as it stands, and messages that go on as if they had come another way; replies of module sl on
their way back; connections that module tcpops names.  Through Kahu and through Debian's Kamailio."""
import re
import socket
import subprocess

import pytest

from support.kahu import BASE, IS_KAMAILIO, wait_until
from support.sip import request
from test_beside_kamailio import KAMAILIO

pytestmark = [pytest.mark.skipif(IS_KAMAILIO, reason="would compare Kamailio with itself"), pytest.mark.kahu_only]

MODULES = "\n".join(f'loadmodule "{name}.so"' for name in "ctl kex tm sl pv xlog siputils textops corex tcpops tls".split())
DATA = "NOTIFY sip:data SIP/2.0\r\nX-Data: as it stands\r\n\r\n"
SCRIPT = r"""
request_route {
	switch ($rU) {
	case "send": $var(r) = send("127.0.0.1:@UDP@"); break;
	case "send_udp": $du = "sip:127.0.0.1:@UDP@"; $var(r) = send_udp(); break;
	case "send_tcp": $var(r) = send_tcp("127.0.0.1:@TCP@"); break;
	case "send_data": $var(r) = send_data("sip:127.0.0.1:@UDP@", "@DATA@"); break;
	case "sendx": $var(r) = sendx("sip:127.0.0.1:@UDP@", "udp:127.0.32.5:@PLAIN@", "@DATA@"); break;
	case "received":
		set_recv_socket("udp:127.0.32.5:@PLAIN@");
		send_reply("200", "$Ri");
		exit;
	case "source":
		$var(r) = set_source_address("udp:127.0.0.1:@UDP@");
		send_reply("200", "$var(r)");
		exit;
	case "mode": send_reply_mode("200", "Mode", "1"); exit;
	case "incoming": if (is_incoming()) send_reply("500", "Yes"); else send_reply("200", "No"); exit;
	case "keepalive":
		tcp_keepalive_enable("77", "5", "6");
		$var(r) = tcp_keepalive_enable("999999", "30", "5", "6");
		send_reply("200", "Probed $var(r)");
		exit;
	case "quiet": tcp_keepalive_disable(); send_reply("200", "Quiet"); exit;
	case "back":
		tcp_set_otcpid("$conid");
		tcp_set_otcpid_flag("1");
		$du = "sip:127.0.0.1:9;transport=tcp";
		t_relay();
		exit;
	default: $du = "sip:127.0.0.1:@UDP@"; forward(); exit;
	}
	xlog("L_ERR", "SEEN $rU $var(r)\n");
}
reply_route {
	if ($rs == 200) sl_forward_reply("299", "Changed");
	else if ($rs == 404) sl_forward_reply("", "Only this");
	else if ($rs == 486) sl_forward_reply("488");
	else if ($rs == 500) sl_forward_reply("200", "No such class");
	else sl_forward_reply();
	drop;
}
"""


@pytest.fixture(params=["kahu", "kamailio"])
def server(request, make_kahu, endpoint):
    if request.param == "kamailio" and not KAMAILIO.exists():
        pytest.skip("Debian's package kamailio is not installed")
    far, stream = endpoint(status=None), endpoint("tcp", status=None)
    script = SCRIPT.replace("@UDP@", str(far.port)).replace("@TCP@", str(stream.port))
    script = script.replace("@DATA@", DATA.replace("\r", r"\r").replace("\n", r"\n"))
    if request.param == "kamailio":  # send() is a name of its older versions
        script = script.replace("send(\"", "send_udp(\"")
    made = make_kahu(config=BASE, modules=MODULES, core="listen=udp:127.0.32.5:@PLAIN@", script="", workers=1)
    text = made.config_file.read_text().replace("@PLAIN@", str(made.plain_port))
    made.config_file.write_text(text + script.replace("@PLAIN@", str(made.plain_port)))
    made.far, made.stream = far, stream
    try:
        yield made.be(request.param).start()
    finally:
        if request.param == "kamailio":
            made.kill()


def to(user, **more):
    return request("MESSAGE", f"sip:{user}@127.0.0.1", **more)


@pytest.mark.parametrize("how", ["send", "send_udp", "send_tcp"])
def test_the_message_as_it_came(server, how):
    with server.udp() as client:
        asked = to(how)
        client.send(asked)
        assert (server.stream if how == "send_tcp" else server.far).next().raw == asked
    assert wait_until(lambda: f"SEEN {how} 1" in server.log())


@pytest.mark.parametrize("how", ["send_data", "sendx"])
def test_any_text(server, how):
    with server.udp() as client:
        client.send(to(how))
        assert server.far.next().raw == DATA.encode()
    assert wait_until(lambda: f"SEEN {how} 1" in server.log())


def test_as_if_it_had_come_another_way(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(3)
        client.sendto(to("received"), ("127.0.0.1", server.plain_port))
        answer, source = client.recvfrom(65535)
        assert answer.startswith(b"SIP/2.0 200 127.0.32.5") and source == ("127.0.32.5", server.plain_port)
    with server.udp() as client:
        client.send(to("source"))
        assert client.receive(0.3) is None
        answer = server.far.responses.get(timeout=3)
        assert answer.startswith(b"SIP/2.0 200 1\r\n") and b"rport=%d" % server.far.port in answer


def test_replies(server):
    with server.udp() as client:
        answer = client.ask(to("mode"))
        assert (answer.status, answer.reason) == (200, "Mode")
        assert client.ask(to("incoming")).reason == "No"


@pytest.mark.parametrize("status,becomes", [
    ("200 OK", "299 Changed"), ("404 No", "404 Only this"), ("486 Busy", "488 Busy"), ("501 X", "501 X"), ("183 P", "183 P"),
    ("500 Error", None)])  # another class
def test_a_reply_changed_on_its_way_back(server, status, becomes):
    with server.udp() as client:
        client.send(to("far"))
        server.far.socket.sendto(server.far.next().reply(status), ("127.0.0.1", server.plain_port))
        answer = client.receive(0.5 if becomes is None else 3)
        assert (answer and f"{answer.status} {answer.reason}") == becomes


def keepalive_of(server, client):
    """The kernel's timer of the server's end: seconds to the first probe, or None."""
    lines = subprocess.run(["ss", "-tnoH", "sport", "=", f":{server.plain_port}", "and", "dport", "=", f":{client.local_port}"],
                           capture_output=True, text=True, check=True).stdout
    match = re.search(r"timer:\(keepalive,(?:(\d+)min)?(?:(\d+)(?:\.\d+)?sec)?", lines)
    return match and int(match[1] or 0) * 60 + int(match[2] or 0)


def test_probes(server):
    with server.tcp() as client:
        assert client.ask(to("keepalive", transport="TCP")).reason == "Probed -1"
        assert wait_until(lambda: 60 <= (keepalive_of(server, client) or 0) <= 77)
        assert client.ask(to("quiet", transport="TCP")).reason == "Quiet"
        assert wait_until(lambda: keepalive_of(server, client) is None)


def test_out_by_a_connection(server):
    """Whatever the next hop's address."""
    with server.tcp() as client:
        client.send(to("back", transport="TCP"))
        client.socket.settimeout(3)
        assert client.socket.recv(65535).startswith(b"MESSAGE sip:back@")
