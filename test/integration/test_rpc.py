"""Debian's own kamcmd: every command that applies, names and order of the fields as Kamailio 5.6.3 gives them."""
import json
import os
import re
import socket
import stat
import subprocess

import pytest

from support.kahu import IS_KAMAILIO, wait_until
from support.paths import KAHUCMD, free_port
from support.rpc import Fault, fields, kamcmd, structs, values
from support.sip import request

# Method and arguments; the fields in order.
FIELDS = {
    "core.uptime": ["now", "up_since", "uptime"],
    "core.info": ["version", "id", "compiler", "compiled", "flags"],
    "core.runinfo": ["name", "version", "sourceid", "compiler", "compiled", "time_now", "time_started", "uptime_secs",
                     "utime_days"],
    "core.tcp_info": ["readers", "max_connections", "max_tls_connections", "opened_connections",
                      "opened_tls_connections", "write_queued_bytes"],
    "core.tcp_options": ["connect_timeout", "send_timeout", "connection_lifetime", "max_connections(soft)",
                         "max_tls_connections(soft)", "no_connect", "fd_cache", "async", "connect_wait", "conn_wq_max",
                         "wq_max", "defer_accept", "delayed_ack", "syncnt", "linger2", "keepalive", "keepidle",
                         "keepintvl", "keepcnt", "crlf_ping", "accept_aliases", "alias_flags", "new_conn_alias_flags"],
    "core.shmmem": ["total", "free", "used", "real_used", "max_used", "fragments"],
    "tls.info": ["max_connections", "opened_connections", "clear_text_write_queued_bytes"],
    "tls.options": ["force_run", "method", "verify_certificate", "verify_depth", "require_certificate", "verify_client",
                    "private_key", "ca_list", "certificate", "cipher_list", "session_cache", "session_id", "config",
                    "log", "debug", "connection_timeout", "disable_compression", "ssl_release_buffers",
                    "ssl_freelist_max", "ssl_max_send_fragment", "ssl_read_ahead", "send_close_notify",
                    "low_mem_threshold1", "low_mem_threshold2", "ct_wq_max", "con_ct_wq_max", "ct_wq_blk_size"],
}
LIST_FIELDS = {
    "core.psx": ["IDX", "PID", "DSC"] + ([] if IS_KAMAILIO else ["INC", "UPT"]),  # Kamailio's first
    "core.psa": ["index", "pid", "status", "rank", "description"],
    "core.tcp_list": ["id", "type", "state", "timeout", "lifetime", "ref_count", "src_ip", "src_port", "dst_ip", "dst_port"],
}
TLS_LIST_5_6 = ["id", "timeout", "src_ip", "src_port", "dst_ip", "dst_port", "cipher", "ct_wq_size", "enc_rd_buf",
                "flags", "state"]
TLS_LIST_NOW = ["id", "dom", "sni", "timestamp", "timeout", "src_ip", "src_port", "dst_ip", "dst_port", "cipher",
                "ct_wq_size", "enc_rd_buf", "flags", "state"]


def field_names(output):
    return re.findall(r"^\s*([\w()-]+):", output, re.M)


@pytest.mark.parametrize("method", FIELDS)
def test_fields(shared_kahu, method):
    if IS_KAMAILIO and method == "tls.options":
        pytest.skip("5.6.3 has verify_client elsewhere")
    assert field_names(shared_kahu.rpc(method)) == FIELDS[method]


@pytest.mark.parametrize("method", LIST_FIELDS)
def test_fields_of_lists(shared_kahu, method):
    with shared_kahu.tls() as client:
        client.ask(request(transport="TLS"))
        rows = structs(shared_kahu.rpc(method))
        assert rows
        for row in rows:
            assert list(row) == LIST_FIELDS[method]


def test_version(shared_kahu):
    answer = shared_kahu.rpc("core.version")
    assert re.match(r"(kamailio|kahu)\b.* \S+ \(x86_64/linux\)", answer), answer


def test_tls_list(shared_kahu):
    with shared_kahu.tls() as client:
        client.ask(request(transport="TLS"))
        rows = structs(shared_kahu.rpc("tls.list"))
        ours = [row for row in rows if row["src_port"] == str(client.local_port)]
        assert len(ours) == 1
        assert list(ours[0]) == (TLS_LIST_5_6 if IS_KAMAILIO else TLS_LIST_NOW)
        assert ours[0]["state"] == "established"
        assert ours[0]["src_ip"] == ours[0]["dst_ip"] == "127.0.0.1"
        assert ours[0]["dst_port"] == str(shared_kahu.tls_port)
        assert re.match(r"TLS_AES_256_GCM_SHA384\s+TLSv1.3\s+Kx=", ours[0]["cipher"])


def test_tcp_info_counts(kahu):
    assert wait_until(lambda: "opened_connections: 0" in kahu.rpc("core.tcp_info"), 5)  # ours of the start
    with kahu.tcp() as one, kahu.tls() as two:
        one.ask(request(transport="TCP"))
        two.ask(request(transport="TLS"))
        info = values(kahu.rpc("core.tcp_info"))
        assert (info["opened_connections"], info["opened_tls_connections"]) == ("2", "1")
        assert info["readers"] == str(kahu.workers)


@pytest.mark.kahu_only
def test_tls_kill(kahu):
    with kahu.tls() as client, kahu.tls() as other:
        for each in (client, other):
            each.ask(request(transport="TLS"))
        row = next(r for r in structs(kahu.rpc("tls.list")) if r["src_port"] == str(client.local_port))
        assert kahu.rpc("tls.kill", row["id"]) == "OK"
        assert client.is_closed(3)
        assert other.ask(request(transport="TLS")).status == 200
        assert kahu.rpc("tls.kill", 999999) == "TLS connection id not found"


def test_ps_is_a_flat_list(shared_kahu):
    lines = shared_kahu.rpc("core.ps").split("\n")
    assert len(lines) % 2 == 0 and all(line.strip().isdigit() for line in lines[::2])


@pytest.mark.parametrize("unit", ["", "b", "k", "m", "g"])
def test_shmmem_units(shared_kahu, unit):
    assert fields(shared_kahu.rpc("core.shmmem", *([unit] if unit else []))) == FIELDS["core.shmmem"]


def test_sockets_list(shared_kahu):
    answer = shared_kahu.rpc("core.sockets_list")
    assert fields(answer).count("socket") == 3
    assert [row for row in re.findall(r"proto: (\w+)", answer)] == ["udp", "tcp", "tls"]
    assert f"port: {shared_kahu.tls_port}" in answer


@pytest.mark.parametrize("method,arguments,code,reason", [
    ("no.such", [], 500, "command no.such not found"),
    ("core.shmmem", ["x"], None, ""),
    ("cfg.get", ["nosuch", "variable"], None, ""),
    ("tls.kill", [], 400, ""),
])
def test_faults(shared_kahu, method, arguments, code, reason):
    if IS_KAMAILIO and method == "tls.kill":
        pytest.skip("since 5.8")
    with pytest.raises(Fault) as fault:
        shared_kahu.rpc(method, *arguments)
    assert code in (None, fault.value.code), str(fault.value)
    assert reason in fault.value.reason


@pytest.mark.kahu_only  # needs a further module there
def test_cfg_framework(kahu):
    variables = kahu.rpc("cfg.list")
    assert "core: debug" in variables
    assert kahu.rpc("cfg.get", "core", "debug") == "2"
    kahu.rpc("cfg.set_now_int", "core", "debug", 1)
    assert kahu.rpc("cfg.get", "core", "debug") == "1"
    kahu.rpc("cfg.set_delayed_int", "core", "debug", 0)
    assert kahu.rpc("cfg.get", "core", "debug") == "1"
    assert "core" in kahu.rpc("cfg.diff") or IS_KAMAILIO
    kahu.rpc("cfg.commit")
    assert kahu.rpc("cfg.get", "core", "debug") == "0"
    kahu.rpc("cfg.set_delayed_int", "core", "debug", 3)
    kahu.rpc("cfg.rollback")
    kahu.rpc("cfg.commit")
    assert kahu.rpc("cfg.get", "core", "debug") == "0"
    assert kahu.rpc("cfg.help", "core", "debug")
    with pytest.raises(Fault):
        kahu.rpc("cfg.set_now_int", "core", "nosuch", 1)


def test_system_methods(shared_kahu):
    methods = shared_kahu.rpc("system.listMethods").split()
    for name in ["core.psx", "tls.reload", "tls.list", "tls.info", "tls.options", "ctl.who", "ctl.listen",
                 "ctl.connections", "system.methodHelp", "core.echo", "core.kill", "core.arg", "core.pwd"]:
        assert name in methods
    if not IS_KAMAILIO:
        for name in ["tls.kill", "tls.check", "tls.certs", "cfg.get", "cfg.set_now_int"]:
            assert name in methods
    for name in methods:
        assert shared_kahu.rpc("system.methodHelp", name)


def test_echo_keeps_types(shared_kahu):
    assert shared_kahu.rpc("core.echo", "text", "s:12", 34).split() == ["text", "12", "34"]


def test_ctl_who(shared_kahu):
    assert "unix" in shared_kahu.rpc("ctl.who")
    assert "ctl.sock" in shared_kahu.rpc("ctl.listen")


def test_socket_is_the_owners_alone(shared_kahu):
    mode = os.stat(shared_kahu.directory / "ctl.sock").st_mode
    assert stat.S_IMODE(mode) & 0o077 == 0


@pytest.fixture
def everywhere(make_kahu):
    """A server that also listens for RPC on TCP, UDP and a FIFO."""
    port = free_port()
    server = make_kahu(params=f'modparam("ctl", "binrpc", "tcp:127.0.0.1:{port}")\n'
                              f'modparam("ctl", "binrpc", "udp:127.0.0.1:{port}")\n'
                              'modparam("ctl", "fifo", "@DIR@/rpc.fifo")'.replace("@DIR@", "RUNDIR"))
    text = server.config_file.read_text().replace("RUNDIR", str(server.directory))
    server.config_file.write_text(text)
    server.start()
    server.rpc_port = port
    return server


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_kamcmd_over(everywhere, proto):
    address = f"{proto}:127.0.0.1:{everywhere.rpc_port}"
    assert fields(kamcmd(address, "core.uptime")) == FIELDS["core.uptime"]
    with pytest.raises(Fault):
        kamcmd(address, "no.such")


def ask_fifo(server, text, timeout=5):
    """Kamailio's line protocol: `:method:reply-name`, then a line per parameter, then an empty line."""
    reply = server.directory / "reply.fifo"
    os.mkfifo(reply)
    try:
        reader = os.open(reply, os.O_RDONLY | os.O_NONBLOCK)
        with open(server.directory / "rpc.fifo", "w") as fifo:
            fifo.write(text)
        import select
        answer = b""
        while select.select([reader], [], [], timeout)[0]:
            data = os.read(reader, 65536)
            if not data:
                break
            answer += data
        os.close(reader)
        return answer.decode()
    finally:
        reply.unlink()


def test_fifo_lines(everywhere):
    answer = ask_fifo(everywhere, f":core.uptime:{'reply.fifo' if not IS_KAMAILIO else everywhere.directory / 'reply.fifo'}\n\n", 2)
    assert "up_since" in answer
    assert "200" in answer.split("\n")[0] or IS_KAMAILIO


@pytest.mark.kahu_only
def test_fifo_without_reader_costs_nobody_else_anything(everywhere):
    os.mkfifo(everywhere.directory / "reply.fifo")  # nobody reads it
    for _ in range(5):
        with open(everywhere.directory / "rpc.fifo", "w") as fifo:
            fifo.write(":core.uptime:reply.fifo\n\n")
            fifo.write(":core.uptime:not-there.fifo\n\n")
            fifo.write(":core.uptime:../outside\n\n")
            fifo.write("nonsense\n" * 10)
        assert fields(everywhere.rpc("core.uptime")) == FIELDS["core.uptime"]
    (everywhere.directory / "reply.fifo").unlink()
    assert not (everywhere.directory.parent / "outside").exists()


@pytest.mark.kahu_only
def test_slow_and_broken_rpc_clients_cost_nobody_else_anything(kahu):
    path = str(kahu.directory / "ctl.sock")
    stuck = []
    for data in (b"", b"\xa1", b"\xa1\x03\x50", b"\xa1\x0f\xff\xff\xff\xff\1\2\3\4", b"GET / HTTP/1.0\r\n\r\n", b"\xa1\x03\x03" * 1000):
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        try:
            client.sendall(data)
        except OSError:
            pass
        stuck.append(client)
    # One that asks for a lot and never reads.
    greedy = socket.socket(socket.AF_UNIX)
    greedy.connect(path)
    greedy.settimeout(0.2)
    ask = bytes.fromhex("a1031400000001") + b"\x91\x13system.listMethods\0"
    ask = bytes([0xA1, 0x03, len(ask) - 7]) + ask[3:]
    try:
        for _ in range(3000):
            greedy.sendall(ask)
    except OSError:
        pass
    assert fields(kahu.rpc("core.uptime")) == FIELDS["core.uptime"]
    for client in [*stuck, greedy]:
        client.close()
    assert fields(kahu.rpc("core.uptime")) == FIELDS["core.uptime"]


@pytest.mark.kahu_only
def test_a_long_list_can_be_had_in_pieces(make_kahu):
    """kamcmd refuses answers over 128 KB: count and offset get past that."""
    from support.load import finish_load, start_load
    server = make_kahu().start()
    idle = start_load("idle", server.tls_port, "--total", 1000, "--hold", 6)
    assert wait_until(lambda: values(server.rpc("tls.info"))["opened_connections"] == "1000", 10, 0.1)
    seen = []
    for offset in range(0, 1000, 100):
        seen += [row["id"] for row in structs(server.rpc("tls.list", 100, offset))]
    assert len(set(seen)) == 1000
    assert finish_load(idle).failed == 0


@pytest.mark.kahu_only
@pytest.mark.parametrize("arguments", [["core.uptime"], ["--json", "core.uptime"], ["tls.list"], ["core.psx"]])
def test_kahucmd(shared_kahu, arguments):
    done = subprocess.run([KAHUCMD, "-s", shared_kahu.address, *arguments], capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, done.stderr
    if "--json" in arguments:
        assert list(json.loads(done.stdout)) == FIELDS["core.uptime"]


@pytest.mark.kahu_only
def test_kahucmd_lists_are_json_arrays(shared_kahu):
    """Whatever is in them: what the manual page shows, jq '.[].src_ip', fits one connection, too."""
    ask = [KAHUCMD, "-s", shared_kahu.address, "--json", "tls.list", "100", "0"]
    assert json.loads(subprocess.run(ask, capture_output=True, timeout=10).stdout) == []
    with shared_kahu.tls():
        assert wait_until(lambda: [row["src_ip"] for row in json.loads(subprocess.run(ask, capture_output=True).stdout)] == ["127.0.0.1"], 5)


@pytest.mark.kahu_only
@pytest.mark.parametrize("arguments,said", [
    (["core.versoin"], "did you mean core.version? `kahucmd ls` lists all commands"),
    (["uptme"], "did you mean uptime?"),
    (["user"], "usage: user add|list|remove"),
    (["user", "ad"], "usage: user add|list|remove"),
    (["nothing.like.it.anywhere"], "`kahucmd ls` lists all commands"),
    (["tls.kill"], "usage: tls.kill id"),
    (["tls.kill", "abc"], "usage: tls.kill id"),
    (["help", "tls.kill"], "tls.kill id"),
    (["help"], "system.listMethods"),
])
def test_kahucmd_says_what_to_write(shared_kahu, arguments, said):
    done = subprocess.run([KAHUCMD, "-s", shared_kahu.address, *arguments], capture_output=True, text=True, timeout=10)
    assert said in done.stdout + done.stderr, (done.stdout, done.stderr)
    assert (done.returncode == 0) == (arguments[0] == "help")


@pytest.mark.kahu_only
def test_kahucmd_over_everything(everywhere):
    for address in (everywhere.address, f"fifo:{everywhere.directory}/rpc.fifo", f"tcp:127.0.0.1:{everywhere.rpc_port}",
                    f"udp:127.0.0.1:{everywhere.rpc_port}"):
        done = subprocess.run([KAHUCMD, "-s", address, "core.uptime"], capture_output=True, text=True, timeout=10)
        assert done.returncode == 0 and "up_since" in done.stdout, (address, done.stderr)
    done = subprocess.run([KAHUCMD, "-s", everywhere.address, "no.such"], capture_output=True, text=True, timeout=10)
    assert done.returncode != 0 and "no.such" in done.stdout + done.stderr
    done = subprocess.run([KAHUCMD, "-s", "unix:/nonexistent", "core.uptime"], capture_output=True, text=True, timeout=10)
    assert done.returncode != 0 and "/nonexistent" in done.stderr
