"""Start, signals and end.  (That a stop leaves no process and no file is checked after every test.)"""
import os
import pwd
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from support.kahu import IS_KAMAILIO, wait_until
from support.load import finish_load, start_load
from support.paths import KAHU
from support.process import descendants, is_alive
from support.sip import request


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_under_load_within_two_seconds(kahu, number):
    load = start_load("requests", kahu.tls_port, "--seconds", 30, "--concurrency", 50, "--depth", 4, "--timeout", 2)
    assert wait_until(lambda: "established" in kahu.rpc("tls.list"), 5), "no load arrived"
    code, took, orphans = kahu.stop(number)
    load.terminate()
    finish_load(load)
    assert code == 0
    assert took < 2 or IS_KAMAILIO
    assert not orphans
    assert not kahu.pid_file.exists()
    assert IS_KAMAILIO or not list(kahu.directory.glob("*.sock"))


def test_hangup_reopens_logs_and_serves_on(kahu):
    before = kahu.processes()
    kahu.send_signal(signal.SIGHUP)
    assert not wait_until(lambda: not kahu.running(), 0.5)
    assert kahu.processes() == before
    kahu.is_well()


def test_usr1_prints_statistics_and_serves_on(kahu):
    kahu.is_well()
    size = len(kahu.log())
    kahu.send_signal(signal.SIGUSR1)
    assert wait_until(lambda: len(kahu.log()) > size, 3), "SIGUSR1 printed nothing"
    kahu.is_well()


def test_pid_file_names_the_main_process(kahu):
    assert int(kahu.pid_file.read_text()) == kahu.pid


def test_daemonises(make_kahu):
    server = make_kahu()
    argv = [word for word in server.argv if word not in ("-DD", "-E")]
    with open(server.log_file, "wb") as log:  # not a pipe: the daemon may keep it open
        code = subprocess.run(argv, cwd=server.directory, timeout=20, stdout=log, stderr=log,
                              stdin=subprocess.DEVNULL).returncode
    assert code == 0, server.log()
    assert wait_until(server.pid_file.exists, 5)
    main = int(server.pid_file.read_text())
    family = [main, *descendants(main)]
    try:
        assert len(family) > 4
        assert os.getsid(main) != os.getsid(0)
        assert wait_until(server.answers, 10)
        server.is_well()
    finally:
        os.kill(main, signal.SIGTERM)
        gone = wait_until(lambda: not any(map(is_alive, family)), 10 if IS_KAMAILIO else 2)
        for pid in filter(is_alive, family):
            os.kill(pid, signal.SIGKILL)
    assert gone
    assert not server.pid_file.exists()


def test_daemon_that_cannot_start_says_so_to_its_caller(make_kahu, kahu):
    """The parent waits for its child: exit code and message are those of the real start."""
    server = make_kahu("second")
    server.template.update(PLAIN=kahu.plain_port, TLS=kahu.tls_port)
    server.write_config(kahu.config_file.read_text().replace(str(kahu.directory), str(server.directory)))
    server.argv = [word for word in server.argv if word != "-DD"]
    code, output = server.try_start()
    assert code != 0
    assert "ddress already in use" in output
    assert str(kahu.plain_port) in output
    assert not server.pid_file.exists()
    kahu.is_well()


@pytest.mark.kahu_only
def test_tells_systemd_when_it_is_ready(make_kahu, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        make_kahu(env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}).start()
        assert b"READY=1" in systemd.recv(4096)


@pytest.mark.kahu_only
def test_systemd_is_told_while_the_supervisor_turns(make_kahu, tmp_path):
    """Its watchdog is fed once a second, not while the supervisor hangs; workers that die do not matter to it."""
    def told(systemd, seconds):
        messages, deadline = [], time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            systemd.settimeout(left)
            try:
                messages.append(systemd.recv(4096))
            except TimeoutError:
                break
        return messages

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        server = make_kahu(env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}).start()
        server.allowed_alarms = (r"process\.died",)
        os.kill(server.processes_titled("tcp receiver")[0], signal.SIGKILL)
        assert told(systemd, 4.5).count(b"WATCHDOG=1") >= 3
        supervisor = descendants(server.pid)[0]
        os.kill(supervisor, signal.SIGSTOP)
        told(systemd, 0.5)
        assert told(systemd, 2.5) == []
        os.kill(supervisor, signal.SIGCONT)
        assert b"WATCHDOG=1" in told(systemd, 2.5)
        server.finish()
        assert b"STOPPING=1" in told(systemd, 1)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
def test_gives_up_root(make_kahu):
    nobody = pwd.getpwnam("nobody")
    server = make_kahu(options=["-u", "nobody", "-g", "nogroup"])
    for path in [server.directory, *server.directory.iterdir()]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    for path in server.directory.parents:
        if path.stat().st_uid == 0 and path != Path("/") and str(path).startswith("/tmp/"):
            path.chmod(0o755)
    for path in [server.certificates.directory, *server.certificates.directory.glob("*.key")]:
        path.chmod(path.stat().st_mode | 0o055 if path.is_dir() else 0o644)
    try:
        server.start()
        for pid in server.processes():
            ids = [line.split()[1:] for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                   if line.startswith(("Uid:", "Gid:"))]
            assert ids == [[str(nobody.pw_uid)] * 4, [str(nobody.pw_gid)] * 4]
        server.is_well()
    finally:
        for path in server.certificates.directory.glob("*.key"):
            path.chmod(0o600)


@pytest.mark.parametrize("setting, expected", [("", os.SCHED_BATCH), ("batch_scheduling=no", os.SCHED_OTHER)])
def test_workers_are_scheduled_as_told(make_kahu, setting, expected):
    server = make_kahu(core=setting).start()
    workers = server.processes_titled("receiver")
    assert workers
    assert {os.sched_getscheduler(pid) for pid in workers} == {expected}
    assert {os.sched_getscheduler(pid) for pid in server.processes() if pid not in workers} == {os.SCHED_OTHER}


def test_every_process_has_a_title(kahu):
    """`ps` and core.psx tell the same processes."""
    for line in [line for line in kahu.rpc("core.psx").splitlines() if "PID:" in line]:
        assert int(line.split()[1]) in kahu.processes()
    if IS_KAMAILIO:
        return

    def titles():
        return {Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in kahu.processes()}

    # A child takes its title soon after its start, not before it.
    assert wait_until(lambda: len(titles()) >= kahu.workers + 4, 5), titles()


@pytest.mark.parametrize("option", ["-h", "-v", "-V", "-I", "--help", "--version"])
def test_help_and_version(option):
    done = subprocess.run([KAHU, option], capture_output=True, text=True, timeout=10)
    if IS_KAMAILIO and option.startswith("--"):
        pytest.skip("Kamailio writes these elsewhere")
    assert done.returncode == 0
    assert ("-f" if "h" in option else "version") in done.stdout + done.stderr


@pytest.mark.parametrize("arguments,expected", [
    (["-f", "/nonexistent/kahu.cfg"], "/nonexistent/kahu.cfg"),
    (["--no-such-option"], "no-such-option"),
    (["-m", "lots"], "lots"),
    (["-u", "no-such-user-here"], "no-such-user-here"),
    (["-l", "udp:not an address"], "not an address"),
])
def test_wrong_command_line_is_explained(make_kahu, arguments, expected):
    server = make_kahu()
    done = subprocess.run([*server.argv, *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0
    assert IS_KAMAILIO or expected in done.stdout + done.stderr


@pytest.mark.kahu_only
def test_server_id_of_the_command_line_goes_before_the_files(make_kahu):
    server = make_kahu(core="server_id=3")
    server.argv.append("--server-id=7")
    server.start()
    assert server.rpc("cfg.get", "core", "server_id").strip() == "7"


def test_listen_and_define_on_the_command_line(make_kahu):
    from support.paths import free_port
    from support.sip import UdpClient
    port = free_port()
    script = ('request_route {\n#!ifdef EXTRA\n\tsl_send_reply("299", "Extra");\n\texit;\n#!endif\n'
              '\tsl_send_reply("200", "OK");\n}\n')
    server = make_kahu(script=script, options=["-l", f"udp:127.0.0.1:{port}", "-A", "EXTRA"]).start()
    with server.udp() as client:
        assert client.ask(request()).status == 299
    with UdpClient(port) as client:
        assert client.ask(request()).status == 299


@pytest.mark.parametrize("first_line,name", [("#!KAMAILIO", "kamailio_ctl"), ("#!KAHU", "kahu_ctl")])
def test_default_rpc_socket(make_kahu, first_line, name):
    if IS_KAMAILIO and name != "kamailio_ctl":
        pytest.skip("not a feature of Kamailio")
    from support.kahu import BASE
    text = BASE.replace("#!KAMAILIO", first_line)
    server = make_kahu(config="\n".join(line for line in text.splitlines() if '"ctl", "binrpc"' not in line) + "\n")
    server.address = f"unix:{server.run_directory}/{name}"
    server.start()
    assert server.rpc("core.version")
