"""A server as a tree of processes: started, watched, stopped; nothing of it may be left."""
import os
import signal
import subprocess
import time
from pathlib import Path


def wait_until(condition, seconds=10.0, every=0.02):
    """The first true value of condition(), or its last false one after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(every)


def _stat(pid):
    """(parent, state) of a process, or None: proc(5); the name may hold anything, so count from its ")"."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[1]), fields[0]
    except (OSError, IndexError, ValueError):
        return None


def is_alive(pid):
    stat = _stat(pid)
    return stat is not None and stat[1] not in "ZX"


def descendants(root):
    """Every living process below `root`, parents before children."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    parents = {pid: stat[0] for pid in pids if (stat := _stat(pid))}
    family = [root]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return [pid for pid in family[1:] if is_alive(pid)]


def family_memory_kb(root):
    """PSS of the process and all its descendants."""
    total = 0
    for pid in [root, *descendants(root)]:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total


class StartedWithin:
    """`with it:` starts it; at the end it is stopped and looked at, or just ended if the tests went wrong."""

    def __enter__(self):
        return self.start()

    def __exit__(self, wrong, *_):
        try:
            if wrong is None:
                self.finish()
        finally:
            self.kill()


class Server(StartedWithin):
    """A program that stays in the foreground; its output goes to `log`."""

    def __init__(self, argv, directory, log_name="log", env=None):
        self.argv = [str(word) for word in argv]
        self.directory = Path(directory)
        self.log_file = self.directory / log_name
        self.env = env
        self.process = None
        self.gone = False

    def start(self, ready, seconds=20):
        with open(self.log_file, "ab") as log:
            # Its own session: what a test leaves behind can be found and ended as a group.
            self.process = subprocess.Popen(self.argv, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=self.env, start_new_session=True)
        if not wait_until(lambda: self.process.poll() is not None or ready(), seconds, 0.05) or not self.running():
            self.kill()
            raise RuntimeError(f"{' '.join(self.argv)}\ndid not start:\n{self.log()[-4000:]}")
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def send_signal(self, number):
        os.kill(self.pid, number)

    def stop(self, number=signal.SIGTERM, seconds=10):
        """Ends it; returns (exit code, seconds it took, processes still alive)."""
        family = descendants(self.pid)
        begun = time.monotonic()
        self.send_signal(number)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {seconds} s after signal {number}:\n{self.log()[-2000:]}") from None
        took = time.monotonic() - begun
        wait_until(lambda: not any(is_alive(pid) for pid in family), max(0.0, 2 - took))
        orphans = [pid for pid in family if is_alive(pid)]
        if not orphans:
            self.gone = True
        return code, took, orphans

    def kill(self):
        """Ends whatever is left; nothing after a clean stop, when the number may already be somebody else's."""
        if self.process is None or self.gone:
            return
        self.gone = True
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
