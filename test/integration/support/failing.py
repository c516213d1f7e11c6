"""A server whose allocations fail: the n-th one of a handshake, a request, a reload, or all from the n-th one on, as
when the segment is full.  Nobody dies of it, nothing stays behind, and what comes next works."""
import time
from dataclasses import dataclass, field

from .kahu import wait_until
from .rpc import Fault
from .sweep import SweptServer


@dataclass
class Failures:
    operation: str
    kind: str
    tried: int = 0
    failed: int = 0     # the others were beyond the operation's last allocation
    refused: int = 0    # operations that said so; the others did without
    left: int = 0       # bytes of the segment, when all was over
    problems: list = field(default_factory=list)

    def __str__(self):
        return (f"{self.operation:18} {self.kind:6} {self.tried:6} tried, {self.failed:6} failed, {self.refused:6} refused, "
                f"{self.left} bytes left behind, {len(self.problems)} problems")


class FailingServer(SweptServer):
    """start(), then fail(operation, kind, which); finish().  kind: "fail" (once) or "full" (from there on)."""

    # Transactions are over soon, so that their memory can be counted.
    TIMERS = ('modparam("tm", "retr_timer1", 20)\nmodparam("tm", "retr_timer2", 80)\nmodparam("tm", "wt_timer", 200)\n'
              'modparam("tm", "fr_timer", 1000)\nmodparam("tm", "fr_inv_timer", 1000)\n')

    def __init__(self, directory, certificates):
        super().__init__(directory, certificates, params=self.TIMERS)

    def allocations(self, operation):
        """About how many there are in one; each is several steps."""
        return self.steps(operation, "alloc") // 5 + 5

    def settled(self, most=None):
        """Bytes used when nothing goes on: connections closed, transactions over."""
        lowest, same = self.used(), 0
        deadline = time.monotonic() + 6
        while same < 8 and time.monotonic() < deadline and not (most is not None and lowest <= most):
            time.sleep(0.1)
            now = self.used()
            same = same + 1 if now >= lowest else 0
            lowest = min(lowest, now)
        return lowest

    def _attempt(self, operation):
        try:
            response = getattr(self, self.OPERATIONS[operation][1])()
            return response is not None and response.status >= 300
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
        for _ in range(3):
            self._prepare(operation)
            self._attempt(operation)
        before = self.settled()
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
        if not result.problems:
            result.left = max(0, self.settled(before) - before)
        return result

    def _one(self, operation, kind, number, result):
        family = self._family()
        title, _ = self.OPERATIONS[operation]
        victims = [pid for pid, text in family.items() if text.startswith(title)]
        self._prepare(operation)
        self._order(victims, f"{kind}:{number}:0")
        result.refused += self._attempt(operation)
        if title == "tcp main":
            time.sleep(0.12)  # it looks for what workers closed ten times a second
        taken = self._order(victims, "off:0:0")
        assert self._family() == family, f"somebody died: {self._family()} was {family}"
        failed = any(figures["failed"] for figures in taken.values())
        result.failed += failed
        self._serves()
        for client in self.faithful:
            assert self._is_answered(client), "a connection that had nothing to do with it was lost"
        return failed
