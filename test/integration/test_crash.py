"""Workers die, hang and are killed; memory and descriptors run out.  Nobody else is hurt (test/crash does it at length)."""
import os
import re
import signal
import socket
import time

import pytest

from support.kahu import MODULES, wait_until
from support.load import finish_load, start_load
from support.paths import LONG
from support.process import descendants, is_alive
from support.rpc import Fault, structs, values
from support.sip import request

pytestmark = pytest.mark.kahu_only
DEATHS = (r"process\.|segment|server\.|supervisor",)

# INFO keeps a worker busy for ever: what a message that hangs it looks like.
HANGING = """
request_route {
	if (is_method("INFO")) {
		$var(a) = 1;
		while ($var(a) == 1) { $var(b) = 1; while ($var(b) == 1) { $var(c) = 1; while ($var(c) == 1) { $var(d) = 1; } } }
	}
	sl_send_reply("200", "OK");
	exit;
}
"""


def crashing(make_kahu, tmp_path, core="", **more):
    server = make_kahu(core=f'crash_dir="{tmp_path}"\n{core}', **more).start()
    server.allowed_alarms = DEATHS
    return server


def ready(server):
    """All processes run, and the first one knows it: its children answer a moment before that."""
    assert wait_until(lambda: "server.ready" in server.log(), 5)
    time.sleep(0.1)


def worker(server, title="tcp receiver", index=0):
    return server.processes_titled(title)[index]


def titled(server, title, timeout=5):
    """The processes of that title as soon as the rpc process answers."""
    def ask():
        try:
            return server.processes_titled(title)
        except Fault:
            return None
    return wait_until(ask, timeout)


def counter(server, name):
    found = re.search(rf"\b{name}\s*=\s*(\d+)", server.rpc("stats.get_statistics", "all"))
    return int(found[1])


def ask(client):
    response = client.ask(request(transport=client.transport))
    return response is not None and response.status == 200


@pytest.mark.parametrize("title", ["tcp main", "timer", "ctl handler"])
def test_others_than_workers_may_die(make_kahu, title):
    server = make_kahu().start()
    server.allowed_alarms = DEATHS
    clients = [server.tls() for _ in range(10)]
    for _ in range(3):
        victim = titled(server, title)[0]
        os.kill(victim, signal.SIGKILL)
        with server.tls() as newcomer:
            assert ask(newcomer)
        assert all(ask(client) for client in clients)
        assert wait_until(lambda: titled(server, title) not in (None, [victim]), 5)
    for client in clients:
        client.close()
    assert values(server.rpc("shm.walk"))["valid"] == "1"


def test_message_that_hangs_its_worker(make_kahu, tmp_path):
    server = crashing(make_kahu, tmp_path, "worker_watchdog=2\nmax_while_loops=1000000000\nmax_script_steps=1000000000000", script=HANGING, workers=2)
    clients = [server.tls() for _ in range(8)]
    poison = server.tls()
    poison.send(request("INFO", transport="TLS", body="a=crypto:1 X inline:c2VjcmV0\r\n", Call_ID="the-poison"))
    files = wait_until(lambda: list(tmp_path.glob("crash-*.txt")), 12)
    assert len(files) == 1
    assert wait_until(lambda: "message:" in files[0].read_text(errors="replace"), 2)
    text = files[0].read_text(errors="replace")
    assert "the-poison" in text and "SIGABRT" in text and "peer: 127.0.0.1" in text and "backtrace:" in text
    assert "c2VjcmV0" not in text
    assert all(ask(client) for client in clients), "the others live on"
    assert poison.receive(1) is None
    assert counter(server, "deaths_hung") == 1 and counter(server, "lost_with_worker") == 1
    assert any("hung" in row["LAST"] for row in structs(server.rpc("core.deaths")))
    time.sleep(1)
    assert len(list(tmp_path.glob("crash-*.txt"))) == 1, "it was processed again"
    for client in [*clients, poison]:
        client.close()
    server.is_well()


def test_stopped_process_is_replaced(make_kahu, tmp_path):
    server = crashing(make_kahu, tmp_path, "worker_watchdog=2")
    victim = worker(server)
    os.kill(victim, signal.SIGSTOP)
    assert wait_until(lambda: not is_alive(victim), 8)
    server.is_well()


def test_crashes_again_and_again_end_in_a_fresh_segment(make_kahu, tmp_path):
    server = crashing(make_kahu, tmp_path, f'pid_file="{tmp_path}/pid"')
    main = server.pid
    ready(server)
    for _ in range(5):
        wait_until(lambda: len(descendants(main)) >= 9, 5)
        os.kill(worker(server), signal.SIGSEGV)
        time.sleep(0.1)
    begun = time.monotonic()
    assert wait_until(lambda: "server.fresh_segment" in server.log(), 5)
    assert wait_until(lambda: server.log().count("server.ready") == 2, 5)
    took = time.monotonic() - begun
    assert server.pid == main and server.running()
    with server.tls() as client:
        assert ask(client)
    print(f"fresh after {took:.2f} s")
    assert took < 3
    assert counter(server, "fresh_segments") == 1
    server.is_well()


def test_even_the_supervisor_may_die(make_kahu):
    server = make_kahu().start()
    server.allowed_alarms = DEATHS
    ready(server)
    supervisor = descendants(server.pid)[0]
    os.kill(supervisor, signal.SIGKILL)
    assert wait_until(lambda: server.log().count("server.ready") == 2, 8)
    server.is_well()


def test_server_that_never_lasts_gives_up(make_kahu):
    """Each try ends at once; the pauses grow, and a stop is heard in them."""
    server = make_kahu().start()
    server.allowed_alarms = DEATHS
    ready(server)
    for tries in range(2, 4):
        os.kill(descendants(server.pid)[0], signal.SIGKILL)
        assert wait_until(lambda: server.log().count("server.ready") == tries, 10)
    os.kill(descendants(server.pid)[0], signal.SIGKILL)
    assert wait_until(lambda: "server.waiting seconds=2" in server.log(), 5)


@pytest.mark.skipif(not LONG, reason="the pauses are 95 seconds in all")
def test_server_that_never_lasts_has_a_last_word(make_kahu):
    server = make_kahu().start()
    server.allowed_alarms = DEATHS
    for tries in range(1, 10):
        assert wait_until(lambda: server.log().count("server.ready") == tries, 40)
        os.kill(descendants(server.pid)[0], signal.SIGKILL)
    assert server.process.wait(10) == 1
    assert re.findall(r"server\.waiting seconds=(\d+)", server.log()) == ["1", "2", "4", "8", "16", "32", "32"]
    last = [line for line in server.log().splitlines() if "server.stopped" not in line][-1]
    assert "server.giving_up" in last and "tries=8" in last and "hint=" in last
    assert not server.pid_file.exists()


def test_stop_finishes_what_is_half_received(make_kahu):
    server = make_kahu(workers=1).start()
    with server.tls() as client, server.tls() as idle:
        message = request(transport="TLS", body="x" * 200)
        client.send(message[:150])
        assert ask(idle)
        time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        assert idle.receive(2) is None, "an idle connection is closed at once"
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", server.tls_port), timeout=1)
        client.send(message[150:])
        response = client.receive(2)
        assert response is not None and response.status == 200
    server.process.wait(3)


@pytest.mark.load
def test_memory_runs_out(make_kahu, long_or_short):
    connections, rounds = long_or_short(3000, 1200), long_or_short(10, 3)
    server = make_kahu(options=["-m", "16"], workers=2, connections=4096).start()
    server.allowed_alarms = (r"memory|low_mem|refused",)
    with server.tls() as faithful:
        assert ask(faithful)
        served, used, taken = [], [], []
        for _ in range(rounds):
            result = server.load("idle", "--total", connections, "--hold", 1, "--timeout", 5, "--concurrency", 50,
                                 "--request")
            served.append(result.answered)
            assert ask(faithful), "the one that was there goes on"
            assert wait_until(lambda: counter(server, "current_opened_connections") <= 2, 10)
            walk, heap = values(server.rpc("shm.walk")), values(server.rpc("shm.stats"))
            assert walk["valid"] == "1", walk
            used.append(int(float(heap["used"])))
            taken.append(int(float(heap["real_used"])))
            server.is_well()
        print(f"served of {connections}: {served}; heap used after each round: {used}, taken: {taken}")
        # The first round fills caches.  How many are served depends on how many are half done when memory ends, which
        # is a matter of timing; what they leave behind is not.
        assert max(used[1:]) < used[1] + 64 * 1024 and max(taken[1:]) < taken[1] + 512 * 1024, "it does not all come back"
        assert min(served) > 300
        half = rounds // 2
        assert sum(served[-half:]) > 0.8 * sum(served[:half]), f"capacity drifts: {served}"
        assert not [line for line in server.log().splitlines() if "process.died" in line]


def test_thresholds_of_memory(make_kahu):
    """Below the first no new TLS connections, below the second nothing on open ones; TCP goes on, and all comes back."""
    server = make_kahu().start()
    server.allowed_alarms = (r"low_mem",)

    def set_threshold(number, kilobytes):
        server.rpc("cfg.set_now_int", "tls", f"low_mem_threshold{number}", kilobytes)
        time.sleep(0.1)

    def is_refused():
        try:
            with server.tls() as client:
                return not ask(client)
        except OSError:
            return True

    with server.tls() as early, server.tcp() as plain:
        assert ask(early) and ask(plain)
        set_threshold(1, 1 << 30)
        assert is_refused() and is_refused() and ask(early) and ask(plain)
        set_threshold(1, 0)
        assert not is_refused() and ask(early)
        set_threshold(2, 1 << 30)
        assert is_refused() and ask(plain)
        early.send(request(transport="TLS"))
        assert early.is_closed()
        set_threshold(2, 0)
        assert not is_refused() and ask(plain)
    assert "less memory is free than low_mem_threshold2" in server.log()
    assert counter(server, "local_reject") >= 2


@pytest.mark.load
@pytest.mark.parametrize("accepted_first", [False, True], ids=["one by one", "all accepted first"])
def test_half_open_handshakes_fill_the_memory(make_kahu, long_or_short, accepted_first):
    """Who has begun a handshake and does not go on gives way to those who do, though no limit of numbers is reached; also
    when all were accepted before the first took any memory.  What open connections need is kept."""
    half_open = long_or_short(3000, 600)
    server = make_kahu(options=["-m", "16"], workers=2, connections=4096).start()
    server.allowed_alarms = (r"memory|low_mem|refused",)
    with server.tls() as faithful:
        assert ask(faithful)
        workers = server.processes_titled("tcp receiver") if accepted_first else []
        for each in workers:
            os.kill(each, signal.SIGSTOP)
        flood = start_load("halfopen", server.tls_port, "--total", half_open, "--kind", "after-hello", "--seconds", 12,
                           "--concurrency", 20)
        if accepted_first:
            assert wait_until(lambda: counter(server, "passive_open") >= half_open, 10)
        for each in workers:
            os.kill(each, signal.SIGCONT)
        assert wait_until(lambda: counter(server, "local_reject") > 0, 8), "the memory was enough"
        time.sleep(1.5)  # what has not gone on by then may be ended
        free = int(values(server.rpc("core.shmmem"))["free"])
        good = server.load("handshake", "--rate", 20, "--seconds", 2, "--request", "--timeout", 5)
        print(f"{good.succeeded} handshakes while {half_open} were half open, refused: {good.failures}; free: {free}")
        assert free > 1 << 20, "of the 2 MB that are kept for open connections"
        assert good.succeeded > 20
        assert ask(faithful), "the one that was there goes on"
        flood.send_signal(signal.SIGINT)
        finish_load(flood)
        assert wait_until(lambda: counter(server, "current_opened_connections") <= 2, 15)
    assert server.load("handshake", "--rate", 50, "--seconds", 1).failed == 0
    assert len(re.findall(r"tcp\.refused|less memory is free", server.log())) < 60, "logged too often"
    assert not [line for line in server.log().splitlines() if "process.died" in line]


@pytest.mark.load
def test_descriptors_run_out(make_kahu):
    server = make_kahu(core="open_files_limit=200", workers=1).start()
    server.allowed_alarms = (r"descriptors",)
    with server.tls() as faithful:
        crowd = []
        for _ in range(300):
            try:
                crowd.append(socket.create_connection(("127.0.0.1", server.plain_port), timeout=1))
            except OSError:
                break
        assert ask(faithful)
        for each in crowd:
            each.close()
        assert ask(faithful)
    assert wait_until(lambda: not server.is_well(), 5)
    lines = [line for line in server.log().splitlines() if "accept_failed" in line]
    assert len(lines) < 10, "logged too often"
