"""onsend_route: what forward() and t_relay() are about to send, seen and stopped by the script."""
import re
import socket

import pytest

from support.kahu import MODULES, wait_until
from support.sip import request

SCRIPT = """
request_route {
	$du = "sip:127.0.0.1:@SINK@";
	if ($hdr(X-How) != "relay") {
		$var(r) = forward();
		exit;
	}
	if (!t_relay()) sl_reply_error();
	exit;
}
onsend_route {
	xlog("L_ERR", "<<$rm $snd(ip) $snd(port) $sndto(sproto) $sndfrom(ip) $sndfrom(port) $snd(len)>>\\n");
	if (snd_ip != 127.0.0.1 || to_ip != 127.0.0.1 || to_port != @SINK@ || snd_proto != UDP || snd_af != INET) drop;
	if (msg:len < 100) drop;
	if (is_method("INVITE")) drop;
}
"""


@pytest.mark.parametrize("how", ["forward", "relay"])
def test_it_sees_and_stops_what_is_sent(make_kahu, how):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(3)
        port = sink.getsockname()[1]
        kahu = make_kahu(script=SCRIPT.replace("@SINK@", str(port)),
                         modules=MODULES + '\nloadmodule "xlog.so"\nloadmodule "tm.so"').start()
        with kahu.udp() as client:
            headers = [f"X-How: {how}"]
            client.send(request("INVITE", headers=headers))
            assert wait_until(lambda: "<<INVITE" in kahu.log(), 5), kahu.log()[-2000:]
            client.send(request("INFO", headers=headers))
            received = sink.recv(65535)
            # The first that arrives is the second that was sent: the other was dropped.
            assert received.startswith(b"INFO"), received
            line = f"<<INFO 127.0.0.1 {port} udp 127.0.0.1 {kahu.plain_port} {len(received)}>>"
            assert line in kahu.log(), kahu.log()[-2000:]
            if how == "relay":
                answers = [client.receive(5), client.receive(5)]
                assert [answer.status for answer in answers if answer] == [100, 477], answers


REPLIES = """
request_route {
	if ($hdr(X-How) == "relay") { $du = "sip:127.0.0.1:@SINK@"; t_relay(); exit; }
	$du = "sip:127.0.0.1:@SINK@";
	$var(r) = forward();
	exit;
}
onsend_route {
	if (is_request()) return;
	xlog("L_ERR", "<<$rs to $snd(port) $(snd(buf){s.substr,0,11})>>\\n");
	if ($rs == 183) drop;
}
"""


@pytest.mark.parametrize("how", ["forward", "relay"])
def test_replies_too_if_it_is_asked_for(make_kahu, how):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(3)
        kahu = make_kahu(script=REPLIES.replace("@SINK@", str(sink.getsockname()[1])), core="onsend_route_reply=yes",
                         modules=MODULES + "".join(f'\nloadmodule "{name}.so"' for name in ("xlog", "tm", "siputils"))).start()
        with kahu.udp() as client:
            client.send(request("INVITE", headers=[f"X-How: {how}"]))
            received, proxy = sink.recvfrom(65535)
            head = received.split(b"\r\n\r\n")[0].split(b"\r\n", 1)[1].replace(b"X-How", b"X-Was")
            for line in (b"183 Progress", b"180 Ringing"):
                sink.sendto(b"SIP/2.0 " + line + b"\r\n" + head + b"\r\n\r\n", proxy)
            seen = []
            while not seen or seen[-1] != 180:
                answer = client.receive(5)
                assert answer is not None, kahu.log()[-2000:]
                seen.append(answer.status)
            assert 183 not in seen
            assert "<<183 to" in kahu.log() and "SIP/2.0 180>>" in kahu.log(), kahu.log()[-2000:]


FAILOVER = """
request_route {
	if (is_method("ACK")) exit;
	t_on_failure("F");
	if (!t_relay()) sl_reply_error();
	exit;
}
failure_route[F] { xlog("L_ERR", "<<failed $T_reply_code>>\\n"); }
onsend_route {
	if (!is_method("INVITE|MESSAGE")) return;
	xlog("L_ERR", "<<$rm $ru to $snd(port) $(snd(buf){s.substr,0,6})>>\\n");
	if ($snd(port) == @STOPPED@) drop;
}
"""


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
@pytest.mark.parametrize("first", ["503 Busy", None])  # says so, or nothing
@pytest.mark.parametrize("stopped", [False, True])
def test_it_sees_another_server_of_a_name(make_kahu, endpoint, names, method, first, stopped):
    """The first, then the second, which it may stop; then the third."""
    servers = [endpoint(status=first), endpoint(status="486 Busy Here"), endpoint(status="486 Busy Here")]
    dns = names({("_sip._udp.x.example", "SRV"): [(i, 1, far.port, "h.example") for i, far in enumerate(servers)],
                 ("h.example", "A"): ["127.0.0.1"]})
    kahu = make_kahu(script=FAILOVER.replace("@STOPPED@", str(servers[1].port) if stopped else "1"),
                     core=f'dns_servers="127.0.0.1:{dns.port}"', params='modparam("tm", "fr_timer", 600)\n',
                     modules=MODULES + "".join(f'\nloadmodule "{name}.so"' for name in ("xlog", "tm"))).start()
    with kahu.udp() as client:
        client.send(request(method, "sip:bob@x.example"))
        answers = []
        while not answers or answers[-1] < 200:
            answer = client.receive(8)
            assert answer is not None, kahu.log()[-2000:]
            answers.append(answer.status)
    assert answers[-1] == 486
    tried = servers if stopped else servers[:2]
    wanted = [f"<<{method} sip:bob@x.example to {far.port} {method[:6]}>>" for far in tried] + ["<<failed 486>>"]
    assert re.findall(r"<<.*?>>", kahu.log()) == wanted
    assert servers[1].requests.empty() == stopped
