"""A server whose processes die at a chosen step of an operation: the n-th lock, heap or queue step of a handshake, a
request, a reload.  After each death the others must not have noticed, and a new connection must work."""
import time
from dataclasses import dataclass, field
from pathlib import Path

from .binrpc import BinRpc
from .endpoint import Endpoint
from .injection import PATIENCE, POINTS, Injection
from .kahu import MODULES, Kahu, wait_until
from .process import StartedWithin
from .rpc import Fault
from .sip import request, tls_context

# The supervisor takes more than a hundred deaths in ten seconds for a broken segment.
LEAST_INTERVAL = 0.102

SCRIPT = """
request_route {
	if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
	if (is_method("REGISTER")) { save("location"); exit; }
	if (is_method("ACK")) { t_check_trans(); exit; }
	if (!is_method("MESSAGE")) $du = "sip:127.0.0.1:@FAR@";
	t_check_trans();
	if (!t_relay()) sl_reply_error();
	exit;
}
"""


def _children(pid):
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _title(pid):
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode(errors="replace")
    except OSError:
        return None
    return text[6:] if text.startswith("kahu: ") else None


@dataclass
class Result:
    operation: str
    point: str
    steps: int = 0      # of one operation
    points: int = 0     # tried
    deaths: int = 0     # the others were not reached
    served_in: list = field(default_factory=list)  # seconds from the end of the operation to a new connection's answer
    leaked: float = 0   # bytes of the segment per death
    problems: list = field(default_factory=list)

    def add(self, part):
        """Of the same operation and point, done by another server."""
        both = self.deaths + part.deaths
        self.leaked = (self.leaked * self.deaths + part.leaked * part.deaths) / both if both else 0
        self.points, self.deaths = self.points + part.points, both
        self.served_in += part.served_in
        self.problems += part.problems

    def __str__(self):
        served = sorted(self.served_in) or [0]
        return (f"{self.operation:18} {self.point:6} {self.steps:6} steps, {self.points:6} tried, {self.deaths:6} deaths, "
                f"served again in {served[len(served) // 2] * 1000:4.0f} ms (at most {served[-1] * 1000:4.0f}), "
                f"{self.leaked / 1024:6.1f} KB left by each, {len(self.problems)} problems")


class SweptServer(StartedWithin):
    """start(), then sweep(operation, point, which); finish()."""

    # operation: (title of the process that dies, method)
    OPERATIONS = {
        "handshake-1.2": ("tcp receiver", "_handshake_12"),
        "handshake-1.3": ("tcp receiver", "_handshake_13"),
        "options": ("tcp receiver", "_options"),
        "invite": ("tcp receiver", "_invite"),
        "invite-replies": ("udp receiver", "_invite"),
        "register": ("tcp receiver", "_register"),
        "reload": ("ctl handler", "_reload"),
        "first-after-reload": ("tcp receiver", "_handshake_13"),
        "hand-over": ("tcp main", "_hand_over"),
        "hand-over-worker": ("tcp receiver", "_hand_over"),
        "connect": ("tcp main", "_message"),
        "connect-worker": ("tcp receiver", "_message"),
    }

    def __init__(self, directory, certificates, params=""):
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.injection = Injection(directory)
        self.far, self.far_tcp = Endpoint("udp"), Endpoint("tcp")
        loaded = MODULES + '\nloadmodule "tm.so"\nloadmodule "usrloc.so"\nloadmodule "registrar.so"'
        self.server = Kahu(directory / "server", certificates, workers=2, modules=loaded,
                           script=SCRIPT.replace("@FAR@", str(self.far.port)), core="leak_restart_mb=0\ndebug=-1", params=params,
                           env=self.injection.env)
        self.rpc = BinRpc(str(directory / "server" / "ctl.sock"), PATIENCE)
        self.contexts = {version: tls_context(version) for version in ("1.2", "1.3")}
        self.faithful, self.asked, self.last, self.changes, self.registered = [], None, 0.0, 0, set()

    def start(self):
        self.server.start()
        self.server.allowed_alarms = (r"process\.died",)
        self.supervisor = wait_until(lambda: next((pid for pid in _children(self.server.pid) if _children(pid)), None), 5)
        self.faithful = [self._connect() for _ in range(4)]
        self._warm_up()
        return self

    def _warm_up(self):
        for _, method in self.OPERATIONS.values():
            for _ in range(3):
                getattr(self, method)()

    # --- operations: what is going on when the process dies; they may fail then -----------------------
    def _connect(self, version="1.3"):
        return self.server.tls(self.contexts[version], timeout=PATIENCE)

    def _handshake(self, version):
        with self._connect(version):
            pass

    def _handshake_12(self):
        self._handshake("1.2")

    def _handshake_13(self):
        self._handshake("1.3")

    def _on_connection(self, message, answers=1):
        # A connection of its own, made before the process is armed: only the request is what it dies of.
        client = self.asked or self._connect()
        self.asked = None
        with client:
            client.send(message)
            for _ in range(answers):
                response = client.receive(0.3)  # the one that the dead process had in hand may not come
                if response is None or response.status >= 200:
                    return response
        return None

    def _options(self):
        return self._on_connection(request(transport="TLS"))

    def _invite(self):
        return self._on_connection(request("INVITE", transport="TLS"), 3)

    def _message(self):
        return self._on_connection(request("MESSAGE", self.far_tcp.uri, "TLS"), 2)

    def _register(self):
        user = f"user{time.monotonic_ns() % 997}"
        self.registered.add(user)
        return self._on_connection(request("REGISTER", "sip:127.0.0.1", "TLS", ["Contact: <sip:a@127.0.0.1:9>;expires=60"],
                                           To=f"<sip:{user}@127.0.0.1>"))

    def _change_profile(self):
        # What has not changed is not built anew.
        self.changes += 1
        self.server.write_tls(self.server.tls_text(extra=f"verify_depth = {4 + self.changes % 2}"))

    def _reload(self):
        self.rpc.call("tls.reload")

    def _hand_over(self):
        with self.server.tcp(timeout=PATIENCE) as client:
            return client.ask(request(transport="TCP"))

    # --- dying ----------------------------------------------------------------------------------------
    def _family(self):
        return {pid: title for pid in _children(self.supervisor) if (title := _title(pid)) is not None}

    def _run(self, operation):
        """The operation with what follows it in the server; its end may be an error."""
        title, method = self.OPERATIONS[operation]
        try:
            getattr(self, method)()
        except (OSError, Fault, AssertionError):
            pass
        # The connection's end is part of it.  tcp main looks for what workers closed ten times a second.
        time.sleep(0.12 if title == "tcp main" else 0.003)

    def _prepare(self, operation):
        if operation == "first-after-reload":
            self._change_profile()
            self.rpc.call("tls.reload")
        if operation == "reload":
            self._change_profile()
        if operation.startswith("connect"):
            self.far_tcp.close()
            self.far_tcp = Endpoint("tcp")  # where no connection leads yet
        if self.OPERATIONS[operation][1] in ("_options", "_invite", "_register", "_message"):
            self.asked = self._connect()
            self.asked.ask(request(transport="TLS"))  # whatever follows a handshake is over

    def steps(self, operation, point):
        title, _ = self.OPERATIONS[operation]
        counts = []
        for _ in range(5):
            victims = [pid for pid, text in self._family().items() if text.startswith(title)]
            self._prepare(operation)
            self.injection.order(victims, "count:0:0")
            self._run(operation)
            counts.append(max(taken[point] for taken in self.injection.order(victims, "off:0:0").values()))
        return sorted(counts)[2]  # what happens once a second is not part of it

    def places(self, operation):
        """{kind of step: [the first step at each place that the operation comes through]}.

        A place is ten callers deep.  Some show in one run only: those of several are taken together.
        """
        found = {}
        self.injection.patience = self.rpc.timeout = 60
        for _ in range(3):
            victims = [pid for pid, text in self._family().items() if text.startswith(self.OPERATIONS[operation][0])]
            self._prepare(operation)
            self.injection.order(victims, "places:0:0")
            self._run(operation)
            self.injection.order(victims, "off:0:0")
            for pid in victims:
                found = {**self.injection.places(pid), **found}
        self.injection.patience = self.rpc.timeout = PATIENCE
        return {point: sorted({step for (kind, _), step in found.items() if kind == point}) for point in POINTS}

    def used(self):
        return dict(self.rpc.call("shm.walk"))["used"]

    def sweep(self, operation, point, which, seconds=1e9):
        """Dies at each step of `which(steps)`: a list of step numbers."""
        result = Result(operation, point, self.steps(operation, point))
        before, begun = self.used(), time.monotonic()
        for step in which(result.steps):
            if time.monotonic() - begun > seconds:
                break
            result.points += 1
            try:
                self._die(operation, point, step, result)
            except (AssertionError, OSError, Fault) as error:
                result.problems.append(f"step {step}: {error!r}")
                if not self.server.running() or len(result.problems) >= 5:
                    break
                self._recover()
        if self.server.running() and result.deaths:
            result.leaked = (self.used() - before) / result.deaths
        return result

    def _recover(self):
        """After a problem: whatever it was, the next step begins with a server that is whole."""
        wait_until(lambda: any(_children(pid) for pid in _children(self.server.pid)), PATIENCE)
        self.supervisor = next((pid for pid in _children(self.server.pid) if _children(pid)), self.supervisor)
        self.rpc.close()
        for client in self.faithful:
            client.close()
        self.faithful = [self._connect() for _ in range(4)]

    def _die(self, operation, point, step, result):
        before = self._family()
        title, _ = self.OPERATIONS[operation]
        victims = [pid for pid, text in before.items() if text.startswith(title)]
        self._prepare(operation)
        self.injection.order(victims, f"{point}:{step}:0")
        self._run(operation)
        alive = self.injection.order(victims, "off:0:0")
        dead = set(victims) - set(alive)
        if not dead:
            return
        result.deaths += len(dead)
        begun = time.monotonic()
        self._serves()
        result.served_in.append(time.monotonic() - begun)
        whole = wait_until(lambda: sorted(self._family().values()) == sorted(before.values()), PATIENCE, 0.002)
        assert whole, f"not replaced: {self._family()} was {before}"
        gone = {before[pid] for pid in set(before) - set(self._family()) - dead}
        assert not gone, f"others died, too: {gone}"
        for client in self.faithful:
            assert self._is_answered(client), "a connection that had nothing to do with it was lost"
        walk = self._walk()
        assert walk["valid"] == 1, walk
        time.sleep(max(0.0, self.last + LEAST_INTERVAL * len(dead) - time.monotonic()))
        self.last = time.monotonic()

    @staticmethod
    def _is_answered(client):
        response = client.ask(request(transport="TLS"))
        return response is not None and response.status == 200

    def _serves(self):
        """Both workers, by both versions of TLS."""
        clients = []
        try:
            for version in ("1.2", "1.3"):
                clients.append(self._connect(version))
            assert all(map(self._is_answered, clients)), "a new connection is not answered"
        finally:
            for client in clients:
                client.close()

    def _walk(self):
        try:
            return dict(self.rpc.call("shm.walk"))
        except OSError:  # it may be the one that died
            return dict(self.rpc.call("shm.walk"))

    def finish(self):
        for client in self.faithful:
            client.close()
        self.rpc.close()
        try:
            self.server.finish()
        finally:
            self.kill()
            self.far.close()
            self.far_tcp.close()

    def kill(self):
        self.server.kill()
