"""What the script hears of connections: event_route[tcp:closed], [tcp:timeout], [tcp:reset], [tls:connection-out], and
what module tcpops asks and changes."""
import os
import re
import signal
import socket
import struct

import pytest

from support.kahu import BASE, wait_until
from support.sip import request

pytestmark = pytest.mark.kahu_only

MODULES = "\n".join(f'loadmodule "{name}.so"' for name in "ctl kex tm sl pv xlog siputils textops tls tcpops".split())
SCRIPT = """
event_route[tcp:closed] {
	xlog("L_ERR", "SEEN closed $conid $si:$sp $Rp $proto\\n");
}
event_route[tcp:timeout] { xlog("L_ERR", "SEEN timeout $conid $si:$sp $Rp $proto\\n"); }
event_route[tcp:reset] { xlog("L_ERR", "SEEN reset $conid $si:$sp $Rp $proto\\n"); }
event_route[tls:connection-out] {
	xlog("L_ERR", "SEEN out $sndto(ip):$sndto(port) $sndto(sproto) $si:$sp $proto\\n");
	if ($sndto(port) == @REFUSED@) drop;
}
request_route {
	if (is_method("MESSAGE")) {
		if (!t_relay()) sl_reply_error();
		exit;
	}
	tcp_conid_state("$conid");
	$var(mine) = $rc;
	tcp_conid_state("999999");
	xlog("L_ERR", "SEEN request $conid $sp state $var(mine) $rc\\n");
	if ($rU == "asks") tcp_enable_closed_event();
	if ($rU == "brief") tcp_set_connection_lifetime("1");
	if ($rU == "find") {
		tcp_get_conid("$si:$sp", "$var(found)");
		xlog("L_ERR", "SEEN found $rc $var(found)\\n");
		tcp_get_conid("127.0.0.1:1", "$var(found)");
		xlog("L_ERR", "SEEN found $rc $var(found)\\n");
	}
	if ($rU == "close") {
		tcp_close_connection();
		exit;
	}
	sl_send_reply("200", "Yes");
}
"""


@pytest.fixture
def serve(make_kahu):
    def make(refused=0, script=SCRIPT, **more):
        return make_kahu(config=BASE, modules=MODULES, script=script.replace("@REFUSED@", str(refused)),
                         **{"workers": 1, **more}).start()

    return make


def seen(server, pattern, count=1):
    found = lambda: re.findall(rf"SEEN ({pattern})", server.log())  # noqa: E731
    assert wait_until(lambda: len(found()) >= count, seconds=15), server.log()
    return found()


def ask(client, user):
    client.send(request(uri=f"sip:{user}@127.0.0.1", transport=client.transport, Call_ID=user))
    return client.receive()


def reset(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_how_it_ended(serve, transport):
    server = serve()
    port = server.tls_port if transport == "tls" else server.plain_port
    for how, end in (("closed", lambda client: client.close()), ("reset", reset)):
        with server.client(transport) as client:
            assert ask(client, how).status == 200
            at = client.local_port
            end(client)
        (number,) = re.findall(rf"SEEN request (\d+) {at} state 1 -1", server.log())
        assert seen(server, rf"(?:closed|timeout|reset) {number} .*") == [f"{how} {number} 127.0.0.1:{at} {port} {transport}"]
    with server.client(transport) as client:
        assert ask(client, "brief").status == 200
        assert len(seen(server, rf"timeout \d+ 127.0.0.1:{client.local_port} .*")) == 1
        assert client.is_closed()
    with server.client(transport) as client:
        client.send(request(uri="sip:close@127.0.0.1", transport=client.transport))
        assert client.is_closed()
        assert len(seen(server, rf"closed \d+ 127.0.0.1:{client.local_port} .*")) == 1


def test_only_those_that_asked(serve):
    server = serve(params='modparam("tcpops", "closed_event", 2)')
    with server.tcp() as silent, server.tcp() as telling:
        assert ask(silent, "silent").status == ask(telling, "asks").status == 200
        ports = [silent.local_port, telling.local_port]
    assert f":{ports[1]} " in seen(server, r"closed .*")[0]
    assert len(seen(server, r"closed .*")) == 1


def test_found_by_address(serve):
    server = serve()
    with server.tcp() as client:
        assert ask(client, "find").status == 200
        (number,) = seen(server, r"request \d+ .*")
        assert seen(server, r"found .*", 2) == [f"found 1 {number.split()[1]}", "found -1 0"]


@pytest.mark.parametrize("refused", [False, True])
def test_outgoing_tls(serve, endpoint, refused):
    far = endpoint("tls")
    server = serve(refused=far.port if refused else 0)
    with server.udp() as client:
        client.send(request("MESSAGE", far.uri))
        answers = [client.receive()]
        while answers[-1].status < 200:
            answers.append(client.receive())
        assert (answers[-1].status == 200) == (not refused)
        if not refused:
            assert client.ask(request("MESSAGE", far.uri, Call_ID="again")).status in (100, 200)
    (line,) = seen(server, r"out .*")  # once for a connection
    assert re.fullmatch(rf"out 127\.0\.0\.1:{far.port} tls 127\.0\.0\.1:{far.port} tls", line, re.I)
    if refused:
        assert far.next(timeout=0.3) is None
    else:
        assert far.connections == 1


DYING = """event_route[tcp:closed] {
	xlog("L_ERR", "SEEN dying $sp $pp\\n");
	$var(i) = 0;
	while ($var(i) < 900000) $var(i) = $var(i) + 1;
"""


def test_a_death_in_it_loses_nothing_else(serve):
    server = serve(script=SCRIPT.replace("event_route[tcp:closed] {\n", DYING), core="max_while_loops=900000")
    server.allowed_alarms = ("process.died",)
    with server.tcp() as other, server.tls() as third:
        assert ask(other, "other").status == ask(third, "third").status == 200
        with server.tcp() as client:
            assert ask(client, "first").status == 200
            about_it = rf"dying {client.local_port} \d+"
        (dying,) = seen(server, about_it)
        os.kill(int(dying.split()[2]), signal.SIGKILL)
        assert ask(other, "other2").status == ask(third, "third2").status == 200
        assert len(seen(server, about_it)) == 1
        ports = other.local_port, third.local_port
    for port in ports:
        assert seen(server, rf"closed \d+ 127.0.0.1:{port} .*")
