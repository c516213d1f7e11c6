"""Tells processes of a running server to die at a step of what they do, or to fail an allocation
(core/proc/injection.h)."""
import os
import signal
import time
from pathlib import Path

from .process import is_alive

POINTS = ("lock", "alloc", "queue", "row")
PATIENCE = 2.0


class Injection:
    """Injection(directory): the server is started with `env`; then order() at any time."""

    def __init__(self, directory):
        self.file, self.patience = Path(directory) / "inject", PATIENCE
        self.file.write_text("off:0:0")
        self.env = {**os.environ, "KAHU_INJECT": f"@{self.file}"}

    def order(self, pids, text):
        """Tells them; returns {pid: steps taken so far}, without those that died before they heard it."""
        self.file.write_text(text)
        heard = {pid: Path(f"{self.file}.{pid}") for pid in pids}
        for pid, path in heard.items():
            path.unlink(missing_ok=True)
            try:
                os.kill(pid, signal.SIGUSR2)
            except ProcessLookupError:
                pass
        taken = {}
        deadline = time.monotonic() + self.patience
        waiting = dict(heard)
        while waiting and time.monotonic() < deadline:
            for pid, path in list(waiting.items()):
                text = path.read_text() if path.exists() else ""
                if text.endswith("\n"):
                    taken[pid] = dict(zip((*POINTS, "failed", "allocations"), map(int, text.split()[1:])))
                    path.unlink()
                elif is_alive(pid):
                    continue
                del waiting[pid]
            time.sleep(0.0002)
        assert not waiting, f"processes {list(waiting)} do not turn their loop"
        return taken

    def places(self, pid):
        """After order() has ended "places:0:0": {(kind of step, hash of its callers): number of the first such step}."""
        path = Path(f"{self.file}.{pid}.places")
        found = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            point, step, callers = line.split()
            found[point, int(callers)] = int(step)
        path.unlink(missing_ok=True)
        return found
