"""Requests that begin in the server: tm.t_uac_start, tm.t_uac_wait, event_route[tm:local-request]; what tools ask."""
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from support.kahu import MODULES
from support.paths import free_port
from support.process import wait_until
from support.rpc import Fault, kamcmd, structs, values

HEADERS = "From: <sip:daemon@a.example>\r\nTo: <sip:bob@b.example>\r\n"
SCRIPT = """
request_route {
	sl_send_reply("200", "OK");
}
"""
LOADED = MODULES + '\nloadmodule "tm.so"\nloadmodule "textops.so"\nloadmodule "jsonrpcs.so"'


@pytest.fixture
def server(make_kahu, tmp_path):
    def make(script=SCRIPT, params="", **options):
        paths = (f'modparam("jsonrpcs", "fifo_name", "{tmp_path}/rpc.fifo")\n'
                 f'modparam("jsonrpcs", "dgram_socket", "{tmp_path}/rpc.sock")\n'
                 'modparam("tm", "fr_timer", 800)\n')
        return make_kahu(modules=LOADED, script=script, params=paths + params, **options).start()

    return make


def ask(server, how, uri, *more, method="OPTIONS", headers=HEADERS, next_hop=".", by="."):
    return server.rpc(f"tm.t_uac_{how}", method, uri, next_hop, by, headers, *more)


def test_start_sends_and_does_not_wait(server, endpoint):
    kahu, far = server(), endpoint()
    assert ask(kahu, "start", far.uri, "hello", method="NOTIFY",
               headers=HEADERS + "Event: check-sync\r\nContent-Type: text/plain\r\n").strip() == ""
    got = far.next()
    assert got.method == "NOTIFY" and got.uri == far.uri and got.body == b"hello"
    assert got.all("Via")[0].startswith(f"SIP/2.0/UDP 127.0.0.1:{kahu.plain_port};branch=z9hG4bK")
    assert got.header("From").startswith("<sip:daemon@a.example>;tag=") and got.header("To") == "<sip:bob@b.example>"
    assert got.header("CSeq") == "10 NOTIFY" and got.header("Max-Forwards") == "70" and got.header("Call-ID")
    assert got.header("Event") == "check-sync" and got.header("Content-Length") == "5"
    assert wait_until(lambda: values(kahu.rpc("tm.stats"))["2xx"] == "1")


@pytest.mark.parametrize("how", ["wait", "wait_block"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_wait_answers_with_the_reply(server, endpoint, how, transport):
    kahu, far = server(), endpoint(transport, status="486 Not Now")
    assert values(ask(kahu, how, far.uri)) == {"code": "486", "text": "Not Now"}
    assert far.next().all("Via")[0].startswith(f"SIP/2.0/{transport.upper()} ")


def test_next_hop_and_socket(server, endpoint):
    kahu, far = server(), endpoint("tcp")
    socket_name = f"tcp:127.0.0.1:{kahu.plain_port}"
    answer = ask(kahu, "wait", "sip:bob@elsewhere.example", next_hop=far.uri, by=socket_name,
                 headers=HEADERS + "Call-ID: mine\r\nCSeq: 77 OPTIONS\r\nMax-Forwards: 5\r\n")
    assert values(answer)["code"] == "200"
    got = far.next()
    assert got.uri == "sip:bob@elsewhere.example"
    assert (got.header("Call-ID"), got.header("CSeq"), got.header("Max-Forwards")) == ("mine", "77 OPTIONS", "5")


def test_nobody_there(server, names):
    dns = names({})
    kahu = server(core=f'dns_servers="127.0.0.1:{dns.port}"')
    assert values(ask(kahu, "wait", f"sip:bob@127.0.0.1:{free_port()}")) == {"code": "408", "text": "Request Timeout"}
    with pytest.raises(Fault) as fault:
        ask(kahu, "wait", "sip:bob@nowhere.example")
    assert fault.value.code == 500 and "478" in fault.value.reason
    assert wait_until(lambda: structs(kahu.rpc("tm.list")) == []), "nothing is left"


@pytest.mark.parametrize("words,reason", [
    ([], "too few parameters (0/5)"),
    (["OPTIONS"], "too few parameters (-1/5)"),
    (["OPTIONS", "xx", ".", ".", HEADERS], 'Invalid request uri "xx"'),
    (["OPTIONS", "sip:a@127.0.0.1", "xx", ".", HEADERS], 'Invalid next-hop uri "xx"'),
    (["OPTIONS", "sip:a@127.0.0.1", ".", "udp:1.2.3.4:55", HEADERS], 'No local socket for "udp:1.2.3.4:55"'),
    (["OPTIONS", "sip:a@127.0.0.1", ".", ".", "junk"], "Invalid headers"),
    (["OPTIONS", "sip:a@127.0.0.1", ".", ".", HEADERS, "body"], "Content-Type missing"),
    (["OPTIONS", "sip:a@127.0.0.1", ".", ".", "From: <sip:a@b>"], "To missing or malformed"),
    (["CANCEL", "sip:a@127.0.0.1", ".", ".", HEADERS], "Invalid method"),
    (["OPTIONS", "sip:a@127.0.0.1", ".", ".", HEADERS + "\r\nX-Evil: 1"], "Invalid headers"),
])
def test_mistakes_are_refused(shared_server, words, reason):
    with pytest.raises(Fault) as fault:
        shared_server.rpc("tm.t_uac_start", *words)
    assert (fault.value.code, fault.value.reason) == (400, reason)


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory, certificates):
    from support.kahu import Kahu
    kahu = Kahu(tmp_path_factory.mktemp("local"), certificates, modules=MODULES + '\nloadmodule "tm.so"',
                script=SCRIPT)
    with kahu:
        yield kahu


def test_waiting_keeps_nobody_from_asking(server, endpoint):
    kahu, silent = server(params='modparam("tm", "fr_timer", 2500)\n'), endpoint(status="")
    results = []
    waiting = [threading.Thread(target=lambda: results.append(values(ask(kahu, "wait_block", silent.uri))))
               for _ in range(3)]
    for thread in waiting:
        thread.start()
    assert silent.next() is not None
    started = time.monotonic()
    for _ in range(10):
        kahu.rpc("core.uptime")
    assert time.monotonic() - started < 1.5 and results == []
    for thread in waiting:
        thread.join()
    assert [r["code"] for r in results] == ["408"] * 3


def test_an_invite_is_acknowledged_along_its_route_set(server, endpoint):
    """RFC 3261 13.2.2.4: each 2xx gets an ACK to its Contact; a negative reply one from the transaction."""
    kahu, far, hop = server(), endpoint(status=""), endpoint(status="")
    ask(kahu, "start", far.uri, method="INVITE", headers=HEADERS + "Contact: <sip:daemon@127.0.0.1>\r\n")
    invite = far.next()
    ok = invite.reply("200 OK", [f"Contact: <{far.uri}>", f"Record-Route: <sip:127.0.0.1:{hop.port};lr>"])
    for _ in range(2):
        far.socket.sendto(ok, ("127.0.0.1", kahu.plain_port))
        ack = hop.next()
        assert ack.method == "ACK" and ack.uri == far.uri and ack.header("CSeq") == "10 ACK"
        assert ack.all("Route") == [f"<sip:127.0.0.1:{hop.port};lr>"]
        assert ack.header("From") == invite.header("From") and ack.header("Call-ID") == invite.header("Call-ID")
        assert ack.all("Via")[0].split("branch=")[1] != invite.all("Via")[0].split("branch=")[1]
    busy = endpoint(status="486 Busy")
    assert values(ask(kahu, "wait", busy.uri, method="INVITE"))["code"] == "486"
    assert [busy.next().method, busy.next().method] == ["INVITE", "ACK"]


def test_the_script_sees_and_changes_them(server, endpoint):
    script = SCRIPT + """
event_route[tm:local-request] {
	if ($rU == "secret") drop;
	append_hf("X-Seen: $rm $fu\\r\\n");
	$du = $ru;
}
"""
    kahu, far = server(script=script), endpoint()
    assert values(ask(kahu, "wait", far.uri))["code"] == "200"
    assert far.next().header("X-Seen") == "OPTIONS sip:daemon@a.example"
    with pytest.raises(Fault):
        ask(kahu, "wait", f"sip:secret@127.0.0.1:{far.port}")
    assert far.next(timeout=0.3) is None


def test_processes_may_die(server, endpoint):
    """The timer process sends; a successor goes on with what it had not sent, and who waits gets the reply."""
    kahu, far = server(), endpoint()
    kahu.allowed_alarms = (r"process\.died",)
    for _ in range(3):
        for pid in kahu.processes_titled("timer"):
            os.kill(pid, signal.SIGKILL)
        assert values(ask(kahu, "wait", far.uri))["code"] == "200"
        assert far.next() is not None
    slow = endpoint(status="")
    ask(kahu, "start", slow.uri)
    request = slow.next()
    for pid in kahu.processes_titled("udp receiver"):
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: kahu.processes_titled("udp receiver") != [])
    slow.socket.sendto(request.reply(), ("127.0.0.1", kahu.plain_port))
    assert wait_until(lambda: values(kahu.rpc("tm.stats"))["2xx"] == "4")


def json_rpc(path, *requests):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    name = f"{path}.client"
    client.bind(name)
    client.settimeout(10)
    try:
        documents = [{"jsonrpc": "2.0", "method": method, "params": params, "id": number}
                     for number, (method, *params) in enumerate(requests)]
        client.sendto(json.dumps(documents if len(documents) > 1 else documents[0]).encode(), str(path))
        return json.loads(client.recv(65535))
    finally:
        client.close()
        os.unlink(name)


def test_json_may_wait_too(server, endpoint, tmp_path):
    kahu, far = server(), endpoint()
    wait = ("tm.t_uac_wait", "OPTIONS", far.uri, ".", ".", HEADERS)
    assert json_rpc(tmp_path / "rpc.sock", wait)["result"] == {"code": 200, "text": "OK"}
    several = json_rpc(tmp_path / "rpc.sock", wait, ("core.uptime",), wait)
    assert [one["id"] for one in several] == [0, 1, 2]
    assert several[2]["result"] == {"code": 200, "text": "OK"} and "uptime" in several[1]["result"]
    assert kahu.running()


def test_kamctl_options(server, endpoint, tmp_path):
    """Debian's kamctl asks tm.t_uac_wait_block over the FIFO."""
    kahu, far = server(), endpoint()
    done = subprocess.run(["kamctl", "ping", far.uri], capture_output=True, text=True, timeout=30,
                          env={**os.environ, "RPCFIFOPATH": str(tmp_path / "rpc.fifo")})
    assert kahu.running()
    assert '"code": 200' in done.stdout, done.stdout + done.stderr
    assert far.next().method == "OPTIONS"
