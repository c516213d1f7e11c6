#!/usr/bin/python3
"""Everything in this folder at its usual length, one after the other, each with its time; what `make test-crash` runs.

    test/crash/all.py             all stages; stops at the first that fails
    test/crash/all.py 3 5         these only
    test/crash/all.py --list
"""
import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = "/usr/bin/python3"
# Folders whose tests kill the user of a shared structure after single instructions.
STEPPED = sorted({test.parent.name for test in ROOT.glob("test/unit/*/*_test.cpp") if "single_step.h" in test.read_text()})


def storm(*options):
    return [PYTHON, "test/crash/storm.py", *options]


STAGES = [
    ("short selection", ["test/integration/run", "-q", "test_crash.py", "test_worker_death.py", "test_fresh_segment.py",
                         "test_crash_in_tls.py", "test_deaths_told.py"]),
    ("deaths at every instruction of shared structures", ["make", "-s", *(f"unit-{name}" for name in STEPPED)]),
    ("allocations that fail", ["test/integration/run", "-q", "test_failing_allocations.py"]),
    ("deaths at every step of operations", [PYTHON, "test/crash/sweep.py", "--deaths", "150"]),
    ("deaths at places that a reload comes through", [PYTHON, "test/crash/sweep.py", "--places", "--deaths", "400", "reload"]),
    ("how long connections stand still", [PYTHON, "test/crash/failover.py"]),
    ("1 000 workers killed", storm("--kills", "1000", "--connections", "1000", "--pause", "0.17")),
    ("tcp main killed", storm("--kills", "100", "--connections", "1000", "--victim", "main")),
    ("timer killed", storm("--kills", "100", "--connections", "1000", "--victim", "timer")),
    ("rpc killed while it reloads", storm("--kills", "100", "--connections", "1000", "--victim", "rpc", "--reload")),
    *((f"workers under load, {point}", storm("--kills", "200", "--pause", "0.12", "--inject", point, "--connections", "100"))
      for point in ("lock:0:61", "alloc:0:97", "fail:0:3")),
    *((f"rpc under load, {point}",
       storm("--kills", "50", "--victim", "rpc", "--reload", "--inject", point, "--connections", "40"))
      for point in ("lock:0:7", "alloc:0:97")),
    *((f"1 000 workers die of SIG{name}",
       storm("--kills", "1000", "--connections", "1000", "--pause", "0.17", "--signal", name)) for name in ("SEGV", "ABRT")),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", type=int)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    begun, failed = time.monotonic(), []
    for number, (name, command) in enumerate(STAGES, 1):
        if arguments.stages and number not in arguments.stages:
            continue
        print(f"== {number}/{len(STAGES)} {name}: {' '.join(command)}", flush=True)
        if arguments.list:
            continue
        stage = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "KAHU_LONG": "1", "KAHU_MOST_KILLS": "40"})
        now = time.monotonic()
        print(f"== {number}/{len(STAGES)} {name}: {'failed' if done.returncode else 'done'} in {now - stage:.0f} s, "
              f"{now - begun:.0f} s in all", flush=True)
        if done.returncode:
            failed.append(name)
            break
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
