"""Core parameters that change what is sent or where the server listens."""
import socket
import subprocess

import pytest

from support.kahu import KAHU, MODULES, wait_until
from support.rpc import structs
from support.sip import request

FORWARD = """
request_route {
	record_route();
	$du = "sip:127.0.0.1:@SINK@";
	$var(r) = forward();
	exit;
}
"""


def what_is_forwarded(make_kahu, core):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(5)
        kahu = make_kahu(core=core, script=FORWARD.replace("@SINK@", str(sink.getsockname()[1])),
                         modules=MODULES + '\nloadmodule "rr.so"').start()
        with kahu.udp() as client:
            client.send(request("INVITE"))
            return sink.recv(65535).decode(), kahu


def test_advertised_address_is_in_via_and_record_route(make_kahu):
    text, _ = what_is_forwarded(make_kahu, 'advertised_address="edge.example.com"\nadvertised_port=5999')
    lines = text.split("\r\n")
    assert lines[1].startswith(("Via: SIP/2.0/UDP edge.example.com:5999;", "Record-Route: <sip:edge.example.com:5999;")), text
    assert any(line.startswith("Via: SIP/2.0/UDP edge.example.com:5999;branch=") for line in lines), text
    assert any(line.startswith("Record-Route: <sip:edge.example.com:5999;") for line in lines), text


def test_local_rport_is_in_every_via_of_ours(make_kahu):
    text, kahu = what_is_forwarded(make_kahu, "local_rport=yes")
    ours = next(line for line in text.split("\r\n") if line.startswith(f"Via: SIP/2.0/UDP 127.0.0.1:{kahu.plain_port}"))
    assert ours.endswith(";rport") or ";rport;" in ours, text


def test_it_listens_where_no_interface_is_yet(make_kahu):
    core = "ip_free_bind=1\nlisten=udp:192.0.2.77:18600"  # RFC 5737: nobody has it
    kahu = make_kahu(core=core).start()
    with kahu.udp() as client:
        client.send(request("OPTIONS"))
        assert client.receive(5).status == 200


def test_a_file_for_another_machine_is_checked(tmp_path):
    config = tmp_path / "kahu.cfg"
    config.write_text("listen=udp:192.0.2.77:18600\nrequest_route { exit; }\n")
    done = subprocess.run([KAHU, "-c", "-f", config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "192.0.2.77" in done.stderr, done.stderr
    started = subprocess.run([KAHU, "-DD", "-E", "-f", config, "-Y", tmp_path], capture_output=True, text=True, timeout=60)
    assert started.returncode != 0 and "192.0.2.77" in started.stderr


def test_a_host_name_is_compared_by_its_addresses(make_kahu):
    script = """request_route {
	if (src_ip != "localhost" || src_ip == "no-such-host.invalid") exit;
	if (dst_ip == "localhost") sl_send_reply("299", "Local");
}"""
    kahu = make_kahu(script=script).start()
    assert "no-such-host.invalid" in kahu.log()
    with kahu.udp() as client:
        client.send(request("OPTIONS"))
        assert client.receive(5).status == 299


@pytest.mark.parametrize("core", ["force_rport=yes", ""])
def test_force_rport_answers_where_requests_came_from(make_kahu, core):
    kahu = make_kahu(core=core).start()
    with kahu.udp() as client, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        named = other.getsockname()[1]
        client.send(request("OPTIONS", Via=f"SIP/2.0/UDP 127.0.0.1:{named};branch=z9hG4bKforced"))
        heard = client.socket if core else other  # else the port of Via is answered
        heard.settimeout(5)
        answer = heard.recv(65535).decode()
        assert (f";rport={client.local_port}" in answer) == bool(core), answer


@pytest.mark.parametrize("tos,seen", [("", 0x10), ("tos=IPTOS_THROUGHPUT", 8), ("tos=0xb8", 0xb8)])
def test_type_of_service_of_what_is_sent(make_kahu, tos, seen):
    kahu = make_kahu(core=tos).start()
    with kahu.udp() as client:
        client.socket.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        client.send(request("OPTIONS"))
        _, ancillary, _, _ = client.socket.recvmsg(65535, 128)
        assert [data[0] for level, kind, data in ancillary if kind == socket.IP_TOS] == [seen], ancillary


def test_socket_workers_are_of_the_next_listen(make_kahu):
    core = "\n".join(["socket_workers=3", "listen=udp:127.31.0.2:18601", "listen=udp:127.31.0.2:18602",
                      "socket_workers=9", "socket_workers=2"])  # the next one is that of the configuration
    kahu = make_kahu(core=core, udp_workers=1).start()
    rows = [row["DSC"] for row in structs(kahu.rpc("core.psx"))]
    workers = {port: sum(f":{port}" in row and "udp" in row for row in rows) for port in (18601, 18602, kahu.plain_port)}
    assert workers == {18601: 3, 18602: 1, kahu.plain_port: 2}, rows


def test_what_takes_too_long_is_told(make_kahu, tmp_path):
    core = "debug=2\nlatency_limit_action=5000\nlatency_limit_db=1\nlatency_cfg_log=2\nlatency_log=0\nmax_while_loops=1000000"
    script = """
request_route {
	sl_send_reply("200", "OK");
	if (is_method("INFO")) route(SLOW);
	is_method("OPTIONS");
}
route[SLOW] { $var(i) = 0; while ($var(i) < 400000) { $var(i) = $var(i) + 1; } }
"""
    params = f'modparam("usrloc", "db_mode", 1)\nmodparam("usrloc", "db_url", "sqlite:///{tmp_path}/kahu.sqlite")'
    modules = MODULES + '\nloadmodule "db_sqlite.so"\nloadmodule "usrloc.so"\nloadmodule "registrar.so"'
    kahu = make_kahu(core=core, script=script, modules=modules, params=params).start()
    with kahu.udp() as client:
        assert client.ask(request("OPTIONS")).status == 200
        assert client.ask(request("INFO")).status == 200
    assert wait_until(lambda: "script.action.slow what=route" in kahu.log(), 10), kahu.log()
    assert "db.query.slow what=" in kahu.log()
    log = kahu.log()
    assert log.count("script.executed route=request-route") == 2, log
    assert "what=is_method" not in log, log


def test_a_silent_name_server_does_not_delay_the_start(make_kahu):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        core = f'auto_aliases=yes\nlisten=udp:127.31.0.3:18603\ndns_servers="127.0.0.1:{silent.getsockname()[1]}"'
        kahu = make_kahu(core=core).start()
        assert "net.own_names_unknown" in kahu.log()
        asked = silent.recv(512)
    assert b"\x013\x010\x0231\x03127\x07in-addr\x04arpa" in asked


def test_names_of_statistics_and_memory(make_kahu):
    modules = MODULES + '\n' + '\n'.join(f'loadmodule "{name}.so"' for name in ("kex", "usrloc"))
    kahu = make_kahu(core='stats_name_separator="-"', modules=modules).start()
    shown = kahu.rpc("stats.get_statistics", "usrloc:", "shmem:")
    assert "usrloc:location-users = 0" in shown, shown
    figures = {line.split(" = ")[0]: int(line.split(" = ")[1]) for line in shown.splitlines() if " = " in line}
    used, free, total = (figures[f"shmem:{name}_size"] for name in ("used", "free", "total"))
    assert 0 < used < total and used + free <= total, figures


def status_of(pid, field):
    """Kilobytes that /proc tells of a process."""
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith(field + ":"))


def test_memory_is_taken_at_start_and_stays_out_of_swap(make_kahu):
    kahu = make_kahu(core="mlock_pages=yes\nshm_force_alloc=yes\nshm_mem_size=48").start()
    (worker,) = kahu.processes_titled("udp receiver")
    assert max(status_of(pid, "RssShmem") for pid in kahu.processes()) >= 48 * 1024
    if "process.pages_not_locked" not in kahu.log():
        assert status_of(worker, "VmLck") > 0
