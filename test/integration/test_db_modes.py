"""What each db_mode of usrloc promises when processes, or the whole server, are killed: registrations in SQLite."""
import os
import signal
import threading
import time

import pytest

from support.kahu import wait_until
from support.process import descendants, is_alive
from support.registrar import LOADED, SCRIPT, found, register
from support.rpc import Fault, structs

pytestmark = pytest.mark.kahu_only
DEATHS = (r"process\.|segment|server\.|supervisor|worker|tcp\.",)
INTERVAL = 2  # seconds until db_mode 2 has written a contact


@pytest.fixture
def registrar(make_kahu, tmp_path):
    def make(db_mode):
        params = (f'modparam("usrloc", "db_url", "sqlite://{tmp_path}/kahu.sqlite")\n'
                  f'modparam("usrloc", "db_mode", {db_mode})\nmodparam("usrloc", "timer_interval", {INTERVAL})\n')
        server = make_kahu(modules=LOADED + 'loadmodule "db_sqlite.so"\n', script=SCRIPT, params=params, workers=2)
        server.allowed_alarms = DEATHS
        return server.start()
    return make


def processes(server):
    """{description: process ids}; None while nobody answers."""
    try:
        rows = structs(server.rpc("core.psx"))
    except Fault:
        return None
    kinds = {}
    for row in rows:
        kinds.setdefault(row["DSC"].split(" child")[0].split(" sock")[0], []).append(int(row["PID"]))
    return kinds


class Registering(threading.Thread):
    """Registers one user after the other; `answered` are those whose 200 came, with the time."""

    def __init__(self, server, count=100_000):
        super().__init__(daemon=True)
        self.server, self.count, self.answered = server, count, {}

    def run(self):
        try:
            with self.server.tcp() as client:
                for number in range(self.count):
                    user = f"live{number}"
                    if register(client, user, expires=3600).status != 200:
                        return
                    self.answered[user] = time.monotonic()
        except (OSError, AssertionError, AttributeError):
            return


def kill_all(server):
    """The whole server at once, as when the machine fails; the sockets' files stay."""
    family = descendants(server.pid)
    os.killpg(server.pid, signal.SIGKILL)
    server.process.wait()
    assert wait_until(lambda: not any(map(is_alive, family)), 5)


def missing(server, users):
    with server.tcp() as client:
        return [user for user in users if not found(client, user)]


@pytest.mark.parametrize("db_mode", [0, 1, 2, 3])
def test_any_process_may_be_killed(registrar, db_mode):
    """One of each kind after the other: nobody's registration is lost, and nobody's that ended comes back."""
    server = registrar(db_mode)
    users = [f"user{number}" for number in range(60)]
    gone = [f"gone{number}" for number in range(20)]
    with server.tcp() as client:
        assert all(register(client, user, expires=3600).status == 200 for user in users + gone)
        assert all(register(client, user, expires=0, cseq=2).status == 200 for user in gone)
    kinds = [kind for kind in processes(server) if "attendant" not in kind]
    assert len(kinds) >= 5, kinds
    for kind in kinds:
        victim = processes(server)[kind][0]
        os.kill(victim, signal.SIGKILL)
        assert wait_until(lambda: not is_alive(victim), 5)
        assert wait_until(lambda: (processes(server) or {}).get(kind, [victim]) != [victim], 10), kind
        assert wait_until(server.answers, 5), kind
        assert missing(server, users) == [], f"{kind} was killed"
        assert len(missing(server, gone)) == len(gone), f"{kind} was killed"
    server.finish()
    server.start()
    assert len(missing(server, users)) == (len(users) if db_mode == 0 else 0)
    assert len(missing(server, gone)) == len(gone)


@pytest.mark.parametrize("db_mode", [0, 1, 2, 3])
def test_the_whole_server_may_be_killed(registrar, db_mode):
    server = registrar(db_mode)
    gone = ["gone1", "gone2"]
    with server.tcp() as client:
        assert all(register(client, user, expires=3600).status == 200 for user in gone)
        if db_mode == 2:
            time.sleep(INTERVAL + 1.5)  # in the database, as with the other modes
        assert all(register(client, user, expires=0, cseq=2).status == 200 for user in gone)
    phones = Registering(server)
    phones.start()
    time.sleep(INTERVAL + 3 if db_mode == 2 else 1)
    kill_all(server)
    killed = time.monotonic()
    phones.join()
    assert len(phones.answered) > 50
    # Modes 1 and 3: each that was answered.  Mode 2: what is older than the interval, and a second for its slice.
    age = {0: float("inf"), 1: 0, 2: INTERVAL + 1.5, 3: 0}[db_mode]
    promised = [user for user, at in phones.answered.items() if killed - at > age]
    assert db_mode == 0 or len(promised) > 20
    server.start()
    assert missing(server, promised) == []
    if db_mode == 0:
        assert len(missing(server, phones.answered)) == len(phones.answered)
    assert len(missing(server, gone)) == len(gone)
    with server.tcp() as client:
        assert register(client, "live0", expires=3600, cseq=2).status == 200


@pytest.mark.parametrize("db_mode", [1, 3])
def test_the_first_process_may_be_killed(registrar, db_mode):
    """Its children do not go on without it; the next start finds everything."""
    server = registrar(db_mode)
    users = [f"user{number}" for number in range(60)]
    with server.tcp() as client:
        assert all(register(client, user, expires=3600).status == 200 for user in users)
    family = descendants(server.pid)
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    assert wait_until(lambda: not any(map(is_alive, family)), 10), "they serve nobody any more"
    server.start()
    assert missing(server, users) == []
