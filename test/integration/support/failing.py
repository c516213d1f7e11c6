"""A server whose allocations fail: the n-th one of a handshake, a request, a reload, or all from the n-th one on, as
when the segment is full.  Nobody dies of it, nothing stays behind, and what comes next works."""
import time
from dataclasses import dataclass, field

from .rpc import Fault
from .sweep import SweptServer


@dataclass
class Failures:
    operation: str
    kind: str
    tried: int = 0
    failed: int = 0     # the others were beyond the operation's last allocation
    refused: int = 0    # operations that said so; the others did without
    problems: list = field(default_factory=list)

    def __str__(self):
        return (f"{self.operation:18} {self.kind:6} {self.tried:6} tried, {self.failed:6} failed, {self.refused:6} refused, "
                f"{len(self.problems)} problems")


class FailingServer(SweptServer):
    """start(), then fail(operation, kind, which), left(); finish().  kind: "fail" (once) or "full" (from there on)."""

    # Transactions are over soon, so that their memory can be counted.
    TIMERS = ('modparam("tm", "retr_timer1", 20)\nmodparam("tm", "retr_timer2", 80)\nmodparam("tm", "wt_timer", 200)\n'
              'modparam("tm", "fr_timer", 1000)\nmodparam("tm", "fr_inv_timer", 1000)\n')

    def __init__(self, directory, certificates):
        super().__init__(directory, certificates, params=self.TIMERS)
        self.rest = None  # bytes used when nothing goes on

    def start(self):
        super().start()
        for number in (20, 60, 150, 300) * 2:  # what each process makes once for errors is no leak
            self._one("handshake-1.3", "fail", number, Failures("", ""))
        return self

    def allocations(self, operation):
        """How many there are in one."""
        title, _ = self.OPERATIONS[operation]
        counts = []
        for _ in range(3):
            victims = [pid for pid, text in self._family().items() if text.startswith(title)]
            self._prepare(operation)
            self.injection.order(victims, "fail:1000000000:0")
            self._run(operation)
            self._forget()
            counts.append(max(taken["allocations"] for taken in self.injection.order(victims, "off:0:0").values()))
        return sorted(counts)[1]

    def settled(self, most=None):
        """Bytes used when nothing goes on: connections closed, transactions over (64 times retr_timer1 later if nobody
        acknowledges), each worker with contexts of the newest profiles only."""
        for _ in range(2):
            self._change_profile()
            self.rpc.call("tls.reload")
            clients = [self._connect() for _ in range(8)]  # each worker gets some
            for client in clients:
                client.close()
        lowest, same = self._uses(), 0
        deadline = time.monotonic() + 8
        while same < 20 and time.monotonic() < deadline and not (most and self._is_within(lowest, most)):
            time.sleep(0.1)
            now = self._uses()
            same = same + 1 if sum(now.values()) >= sum(lowest.values()) else 0
            lowest = min(lowest, now, key=lambda uses: sum(uses.values()))
        return lowest

    def _uses(self):
        """{use of the segment: bytes}."""
        figures = self.rpc.call("shm.report")
        first = [name for name, _ in figures].index("total_frags") + 1
        return dict(figures[first:])

    @staticmethod
    def _is_within(uses, most):
        return all(size <= most[name] for name, size in uses.items())

    def _attempt(self, operation):
        method = self.OPERATIONS[operation][1]
        try:
            response = getattr(self, method)()
            if method in ("_handshake_12", "_handshake_13", "_reload"):
                return False
            return response is None or response.status >= 300
        except (OSError, Fault, AssertionError):
            return True
        finally:
            self._forget()

    def _forget(self):
        """What REGISTER leaves is no leak."""
        for aor in self.registered:
            try:
                self.rpc.call("ul.rm", "location", aor)
            except Fault:
                pass
        self.registered.clear()

    def fail(self, operation, kind, which):
        """Fails each allocation of `which(about how many there are)`; stops when the operation has no more."""
        result = Failures(operation, kind)
        numbers = which(self.allocations(operation))
        if self.rest is None:
            self.rest = self.settled()
        missed = 0
        for number in numbers:
            result.tried += 1
            try:
                failed = self._one(operation, kind, number, result)
            except (AssertionError, OSError, Fault) as error:
                result.problems.append(f"allocation {number}: {error!r}")
                if not self.server.running() or len(result.problems) >= 5:
                    break
                self._recover()
                continue
            missed = 0 if failed else missed + 1
            if missed >= 3:
                break
        return result

    def left(self):
        """What all of this left behind since the last call: {use of the segment: bytes}."""
        before, self.rest = self.rest, self.settled(self.rest)
        return {name: size - before[name] for name, size in self.rest.items() if size > before[name]}

    def _one(self, operation, kind, number, result):
        family = self._family()
        title, _ = self.OPERATIONS[operation]
        victims = [pid for pid, text in family.items() if text.startswith(title)]
        self._prepare(operation)
        self.injection.order(victims, f"{kind}:{number}:0")
        result.refused += self._attempt(operation)
        if title == "tcp main":
            time.sleep(0.12)  # it looks for what workers closed ten times a second
        taken = self.injection.order(victims, "off:0:0")
        assert self._family() == family, f"somebody died: {self._family()} was {family}"
        failed = any(figures["failed"] for figures in taken.values())
        result.failed += failed
        self._serves()
        for client in self.faithful:
            assert self._is_answered(client), "a connection that had nothing to do with it was lost"
        return failed
