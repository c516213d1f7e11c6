"""event_route[...]: what the core and modules let the script say, run by Kahu and by Debian's Kamailio: the same lines, in
the same order. tm's are in test_local_requests.py and test_tm.py."""
import os
import re
import signal
import time

import pytest

from support.kahu import BASE, IS_KAMAILIO, wait_until
from support.sip import UdpClient, request
from test_beside_kamailio import KAMAILIO

pytestmark = [pytest.mark.skipif(IS_KAMAILIO, reason="would compare Kamailio with itself"), pytest.mark.kahu_only]

MODULES = "\n".join(f'loadmodule "{name}.so"' for name in "ctl kex tm sl pv xlog siputils textops tls htable".split())
PARAMS = """
modparam("htable", "htable", "a=>size=4;autoexpire=1;")
modparam("htable", "htable", "b=>size=4;")
modparam("htable", "timer_interval", 1)
"""
SCRIPT = """
event_route[core:worker-one-init] { xlog("L_ERR", "SEEN first worker\\n"); }
event_route[core:msg-received] {
	if ($(rcv(buf)) =~ "thrown-away") {
		xlog("L_ERR", "SEEN received: $rcv(len) $rcv(srcip) $rcv(sproto) $(rcv(buf){s.substr,0,7}) $rm\n");
		drop;
	}
}
event_route[core:pre-routing] {
	xlog("L_ERR", "SEEN before routing: $rm $rs $ci mt=$mt\\n");
	if ($ci == "dropped") drop;
	if ($ci == "exits") exit;
}
event_route[core:receive-parse-error] { xlog("L_ERR", "SEEN no SIP: $si $ml\\n"); }
event_route[sl:local-response] { xlog("L_ERR", "SEEN local response: $rs $rr $ci mt=$mt\\n"); }
event_route[sl:filtered-ack] { xlog("L_ERR", "SEEN filtered ACK: $rm $ci\\n"); }
event_route[htable:mod-init] {
	xlog("L_ERR", "SEEN htable begins\\n");
	$sht(a=>k) = "v";
	$sht(a=>n) = 5;
	$sht(b=>x) = "y";
}
event_route[htable:expired:a] { xlog("L_ERR", "SEEN ended: $shtrecord(key) $shtrecord(value)\\n"); }
request_route {
	xlog("L_ERR", "SEEN request: $ci $sht(b=>x)\\n");
	if (is_method("INVITE")) {
		sl_send_reply("404", "No");
		exit;
	}
	sl_send_reply("200", "Yes");
}
reply_route { xlog("L_ERR", "SEEN reply: $ci\\n"); }
"""


@pytest.fixture(params=["kahu", "kamailio"])
def server(request, make_kahu):
    made = make_kahu(config=BASE, modules=MODULES, params=PARAMS, script=SCRIPT, workers=1,
                     core="received_route_mode=1")
    if request.param == "kamailio" and not KAMAILIO.exists():
        pytest.skip("Debian's package kamailio is not installed")
    try:
        yield made.be(request.param).start()
    finally:
        if request.param == "kamailio":
            made.kill()


def seen(server, count, about=""):
    """The script's lines from the first of that many on; it waits for them."""
    lines = lambda: [line for line in re.findall(r"SEEN (.*)", server.log()) if about in line]  # noqa: E731
    wait_until(lambda: len(lines()) >= count)
    return lines()


def test_start(server):
    assert seen(server, 2)[:2] == ["htable begins", "first worker"]
    assert sorted(seen(server, 2, "ended")) == ["ended: k v", "ended: n 5"]
    time.sleep(1.5)
    assert len(seen(server, 2, "ended")) == 2 and len(seen(server, 1, "first worker")) == 1


def test_messages(server):
    seen(server, 4)
    before = len(seen(server, 4))
    with server.udp() as client:
        thrown_away = request("MESSAGE", Call_ID="thrown-away")
        client.send(thrown_away)
        seen(server, 1, "received")
        assert client.ask(request(Call_ID="goes-on")).status == 200
        client.send(request(Call_ID="dropped"))
        assert client.ask(request(Call_ID="exits")).status == 200
        refused = client.ask(request("INVITE", Call_ID="refused"))
        assert refused.status == 404
        client.send(request("ACK", Call_ID="refused", To=refused.header("To"), Via=refused.header("Via"),
                            From=refused.header("From"), CSeq=refused.header("CSeq").replace("INVITE", "ACK")))
        seen(server, 1, "filtered")
        client.send(request(Call_ID="a-reply").replace(b"OPTIONS sip:127.0.0.1 SIP/2.0", b"SIP/2.0 200 OK", 1))
        seen(server, 1, "reply:")
        client.send(b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n")
        seen(server, 1, "no SIP")
    wanted = f"""received: {len(thrown_away)} 127.0.0.1 udp MESSAGE OPTIONS
before routing: OPTIONS <null> goes-on mt=1
request: goes-on y
local response: 200 Yes goes-on mt=2
before routing: OPTIONS <null> dropped mt=1
before routing: OPTIONS <null> exits mt=1
request: exits y
local response: 200 Yes exits mt=2
before routing: INVITE <null> refused mt=1
request: refused y
local response: 404 No refused mt=2
before routing: ACK <null> refused mt=1
filtered ACK: ACK refused
before routing: OPTIONS 200 a-reply mt=2
reply: a-reply
no SIP: 127.0.0.1 33""".splitlines()
    if server.kind == "kahu":  # Kamailio says nothing
        wanted.append("local response: 400 Malformed Via <null> mt=2")
    assert seen(server, before + len(wanted))[before:] == wanted


@pytest.mark.parametrize("server", ["kahu"], indirect=True)
def test_a_successor_is_not_the_first_worker(server):
    seen(server, 1, "first worker")
    server.allowed_alarms = ("process.died",)
    (udp,) = server.processes_titled("udp receiver")
    os.kill(udp, signal.SIGKILL)
    assert wait_until(lambda: server.processes_titled("udp receiver") not in ([udp], []))
    with UdpClient(server.plain_port) as client:
        assert client.ask(request()).status == 200
    assert len(seen(server, 1, "first worker")) == 1
