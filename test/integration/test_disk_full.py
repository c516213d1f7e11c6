"""No space left: for crash files, for the database, for the log.  Calls and registrations go on, and all recovers."""
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from support.kahu import wait_until
from support.sip import request
from test_registrar import LOADED, SCRIPT, found, register

pytestmark = pytest.mark.kahu_only


@pytest.fixture
def small_disk(tmp_path):
    """512 KB of their own; only root may make that."""
    path = tmp_path / "disk"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", path], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this user may not mount a file system")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def fill(disk):
    with open(disk / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
    assert shutil.disk_usage(disk).free == 0


def rows(disk):
    with sqlite3.connect(f"file:{disk}/kahu.sqlite?mode=ro", uri=True) as database:
        return {row[0] for row in database.execute("SELECT username FROM location")}


@pytest.mark.parametrize("db_mode", [1, 2])
def test_registrations_and_crashes(make_kahu, small_disk, db_mode):
    params = (f'modparam("usrloc|auth_db", "db_url", "sqlite://{small_disk}/kahu.sqlite")\n'
              f'modparam("usrloc", "db_mode", {db_mode})\nmodparam("usrloc", "timer_interval", 1)\n')
    server = make_kahu(modules=LOADED, script=SCRIPT, params=params, core=f'crash_dir="{small_disk}"').start()
    server.allowed_alarms = (r"process\.|crash|segment",)
    with server.tcp() as client:
        assert register(client, "early").status == 200
        assert wait_until(lambda: "early" in rows(small_disk))
        fill(small_disk)
        answers = [register(client, f"user{n}").status for n in range(300)]
        assert set(answers) <= {200, 500}
        assert found(client, "early")
    for pid in server.processes_titled("udp receiver"):
        os.kill(pid, signal.SIGSEGV)
    assert wait_until(lambda: server.processes_titled("udp receiver") and "process.died" in server.log())
    assert wait_until(lambda: 'crash_file.incomplete' in server.log(), 2)
    assert re.search(r'crash_file.incomplete.*reason="No space left on device"', server.log())
    with server.udp() as client:
        assert wait_until(lambda: (r := client.ask(request())) is not None and r.status == 200)
    assert wait_until(lambda: "database or disk is full" in server.log(), 5)
    assert server.log().count("usrloc.write_failed") < 20, "logged once a second, not for each"
    (small_disk / "filler").unlink()
    with server.tcp() as client:
        assert found(client, "early")
        assert register(client, "late").status == 200
        assert wait_until(lambda: "late" in rows(small_disk), 5)
    server.finish()
    # What was answered with 200 and could not be written then is written when there is room again.
    accepted = {f"user{n}" for n, status in enumerate(answers) if status == 200}
    assert accepted <= rows(small_disk)


def test_log(make_kahu, tmp_path):
    """Standard error leads to a full disk: the server starts, answers and stops."""
    server = make_kahu()
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen([str(part) for part in server.argv], stdout=full, stderr=full, cwd=tmp_path)
        try:
            assert wait_until(server.answers, 10)
            with server.tcp() as client:
                client.send(b"nonsense\r\n\r\n" * 10)
                assert client.is_closed()
            server.is_well()
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def test_a_database_that_somebody_locks_is_no_hang(make_kahu, tmp_path):
    """Each REGISTER waits two seconds for it; five of them in one turn of the loop are longer than the watchdog waits."""
    file = tmp_path / "kahu.sqlite"
    params = (f'modparam("usrloc|auth_db", "db_url", "sqlite://{file}")\nmodparam("usrloc", "db_mode", 1)\n')
    server = make_kahu(modules=LOADED, script=SCRIPT, params=params, core="worker_watchdog=4", udp_workers=1).start()
    workers = server.processes_titled("udp receiver")
    with server.udp() as client:
        assert register(client, "early").status == 200
        with sqlite3.connect(file, isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            for number in range(5):
                who = f"<sip:locked{number}@127.0.0.1>"
                client.send(request("REGISTER", "sip:127.0.0.1", client.transport, ["Contact: <sip:x@127.0.0.1:9>"], To=who,
                                    From=f"{who};tag=1", Call_ID=f"locked{number}"))
            time.sleep(9)
            other.execute("COMMIT")
        assert server.processes_titled("udp receiver") == workers
