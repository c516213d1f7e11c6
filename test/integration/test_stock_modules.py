"""The modules of the stock configuration, asked by Debian's kamcli and kamctl, and seen from the network."""
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from support.process import wait_until
from support.sip import request

pytestmark = pytest.mark.kahu_only  # the layout of files below is Kahu's

MODULES = "\n".join(f'loadmodule "{name}.so"' for name in (
    "ctl jsonrpcs kex corex sl pv maxfwd siputils textops textopsx xlog sanity cfg_rpc counters acc htable pike "
    "debugger tls").split())
PARAMS = """
modparam("sanity", "autodrop", 0)
modparam("htable", "htable", "ipban=>size=8;autoexpire=300;")
modparam("pike", "sampling_time_unit", 2)
modparam("pike", "reqs_density_per_unit", 60)
modparam("pike", "remove_latency", 4)
modparam("acc", "log_extra", "src_user=$fU;src_ip=$si")
"""
SCRIPT = """
request_route {
	if (!pike_check_req()) exit;
	if (!sanity_check("17895", "7")) exit;
	$sht(ipban=>$si) = $sht(ipban=>$si) + 1;
	acc_log_request("200 OK");
	append_to_reply("X-Count: $sht(ipban=>$si)\\r\\n");
	sl_send_reply("200", "OK");
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory, certificates):
    from support.kahu import Kahu
    with Kahu(tmp_path_factory.mktemp("stock"), certificates, modules=MODULES, params=PARAMS, script=SCRIPT) as made:
        yield made


def kamcli(server, *arguments):
    run = server.run_directory
    config = server.directory / "kamcli.ini"
    config.write_text("[main]\ndomain=x\n[ctl]\ntype=jsonrpc\n[jsonrpc]\ntransport=socket\n"
                      f"srvaddr={run}/kamailio_rpc.sock\nrcvaddr={server.directory}/reply.sock\noutformat=json\n")
    done = subprocess.run(["kamcli", "--no-default-configs", "-c", config, *arguments], text=True, timeout=20,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout[done.stdout.index("{"):])


def kamctl(server, *arguments):
    env = {**os.environ, "RPCFIFOPATH": f"{server.run_directory}/kamailio_rpc.fifo"}
    done = subprocess.run(["kamctl", *arguments], text=True, timeout=20, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def ask(server, document):
    """One JSON document over the datagram socket: the answer, parsed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.bind(str(server.directory / "ask.sock"))
        client.settimeout(5)
        try:
            client.sendto(document, f"{server.run_directory}/kamailio_rpc.sock")
            return json.loads(client.recv(200_000))
        finally:
            os.unlink(server.directory / "ask.sock")


def over_fifo(server, document):
    """One JSON document over the FIFO, answered into another FIFO, which kamctl too has in /tmp."""
    path = Path(f"/tmp/kahu-test-{os.getpid()}")
    document = document.replace(b"@NAME@", path.name.encode())
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with open(f"{server.run_directory}/kamailio_rpc.fifo", "wb", buffering=0) as fifo:
            fifo.write(document)
        text = b""

        def complete():
            nonlocal text
            try:
                text += os.read(reader, 65536)
            except BlockingIOError:
                pass
            return text.rstrip().endswith(b"}")
        wait_until(complete, 5)
        return json.loads(text)
    finally:
        os.close(reader)
        path.unlink()


def test_kamctl(server):
    assert "uptime" in kamctl(server, "uptime")
    assert "ctl handler" in kamctl(server, "rpc", "core.psx")


def test_kamcli(server):
    assert kamcli(server, "rpc", "core.version")["result"].startswith("kahu")
    assert isinstance(kamcli(server, "rpc", "core.psx")["result"], list)
    assert "total" in kamcli(server, "rpc", "core.shmmem")["result"]


@pytest.mark.parametrize("document, code", [
    (b'{"jsonrpc":', -32700), (b"5", -32600), (b'{"jsonrpc":"2.0","method":5,"id":7}', -32600),
    (b'{"jsonrpc":"2.0","method":"nosuch","id":1}', 500),
    (b'{"jsonrpc":"2.0","method":"core.echo","params":[[1]],"id":1}', -32602), (b"[" * 60_000, -32700),
])
def test_nonsense_is_answered(server, document, code):
    assert ask(server, document)["error"]["code"] == code


def test_fifo(server):
    answer = over_fifo(server, b'{"jsonrpc":"2.0","method":"core.echo","params":["a"],"reply_name":"@NAME@","id":5}')
    assert answer == {"jsonrpc": "2.0", "result": ["a"], "id": 5}


def test_fifo_goes_on_after_garbage(server):
    with open(f"{server.run_directory}/kamailio_rpc.fifo", "wb", buffering=0) as fifo:
        fifo.write(b"garbage")
    answer = over_fifo(server, b'{"jsonrpc":"2.0","method":"core.version","reply_name":"@NAME@","id":6}')
    assert answer["id"] == 6


def test_reply_name_cannot_leave_its_directory(server):
    victim = server.directory.parent / "victim"
    victim.write_text("")
    link = Path(f"/tmp/kahu-test-{os.getpid()}-link")
    link.symlink_to(victim)
    with open(f"{server.run_directory}/kamailio_rpc.fifo", "wb", buffering=0) as fifo:
        for name in (f"..{victim}", link.name):
            fifo.write(b'{"jsonrpc":"2.0","method":"core.version","reply_name":"%s","id":6}' % name.encode())
    assert ask(server, b'{"jsonrpc":"2.0","method":"core.version","id":1}')["id"] == 1
    link.unlink()
    assert victim.read_text() == ""


def test_htable_counts_in_all_processes(server):
    server.rpc("htable.flush", "ipban")
    with server.udp() as client:
        for n in (1, 2, 3):
            response = client.ask(request(transport="UDP"))
            assert response.status == 200 and response.header("X-Count") == str(n)
    assert "value: 3" in server.rpc("htable.get", "ipban", "127.0.0.1")


def test_acc_writes_lines(server):
    with server.udp() as client:
        client.ask(request(transport="UDP"))
    wait_until(lambda: "ACC: request accounted: timestamp=" in server.log(), 5)
    assert "src_ip=127.0.0.1" in server.log()


def test_pike_blocks_a_flood(server):
    with server.udp() as client:
        for _ in range(400):
            client.send(request(transport="UDP"))
    wait_until(lambda: "127.0.0.1" in server.rpc("pike.top"), 5)
    assert "status: HOT" in server.rpc("pike.top")
