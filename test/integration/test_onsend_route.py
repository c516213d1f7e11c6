"""onsend_route: what forward() and t_relay() are about to send, seen and stopped by the script."""
import socket

import pytest

from support.kahu import MODULES, wait_until
from support.sip import request

SCRIPT = """
request_route {
	$du = "sip:127.0.0.1:@SINK@";
	if ($hdr(X-How) == "relay") t_relay(); else $var(r) = forward();
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
                assert [answer.status for answer in answers if answer] == [100, 408], answers
