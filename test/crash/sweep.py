#!/usr/bin/python3
"""Lets a process of a running server die at every lock, heap, queue and row step of an operation, one after the other.

    test/crash/sweep.py                              everything, every step: many hours, see README.md
    test/crash/sweep.py --stride 7 handshake-1.3     every seventh step of one operation
    test/crash/sweep.py --deaths 200                 of each operation and kind of step so many, evenly spread
    test/crash/sweep.py --point lock reload
    test/crash/sweep.py --places reload              one step for each place in the code, by its ten nearest callers

The exit code is 0 when after each death nobody else had died, every other connection went on, a new one was served and
the heap was sound.
"""
import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from support import paths  # noqa: E402
from support.certificates import Certificates  # noqa: E402
from support.sweep import POINTS, Result, SweptServer  # noqa: E402

# A death in a handshake leaves some 70 KB in the segment: a server is used for so many.
CHUNK = 400


def _server(directory, certificates):
    for _ in range(os.getpid() * 61 % 4000):  # servers that start at the same time look for ports at different places
        next(paths._candidates)
    return SweptServer(directory, certificates)


def count_steps(directory, certificates, operation, places):
    """{kind of step: (how many, those of different places)}"""
    swept = _server(Path(directory) / f"{operation}-steps", certificates).start()
    try:
        found = swept.places(operation) if places else {}
        return {point: (swept.steps(operation, point), found.get(point)) for point in POINTS}
    finally:
        swept.server.kill()


def sweep(directory, certificates, operation, point, steps):
    swept = _server(Path(directory) / f"{operation}-{point}-{steps[0]}", certificates)
    try:
        result = swept.start().sweep(operation, point, lambda _: steps)
        try:
            if swept.server.running():
                swept.finish()
        except AssertionError as error:
            result.problems.append(f"at the end: {error}")
    except Exception as error:  # whatever it was, the other sweeps go on
        result = Result(operation, point, problems=[repr(error)])
    finally:
        swept.server.kill()
    if result.problems:
        result.problems.append(f"log: {swept.server.log_file}")
    return result


class Progress:
    def __init__(self, jobs):
        self.jobs, self.done, self.deaths, self.begun = jobs, 0, 0, time.monotonic()

    def add(self, result):
        self.done += 1
        self.deaths += result.deaths
        if sys.stderr.isatty():
            print(f"\r{self.done} of {self.jobs} servers, {self.deaths} deaths, {time.monotonic() - self.begun:.0f} s ",
                  end="", file=sys.stderr, flush=True)

    @staticmethod
    def clear():
        if sys.stderr.isatty():
            print("\r" + " " * 70 + "\r", end="", file=sys.stderr, flush=True)


def chunks(steps, places, arguments):
    """`places`: step numbers, or None for all."""
    numbers = [n for n in (range(steps) if places is None else places) if arguments.first <= n < arguments.last]
    stride = arguments.stride
    if arguments.deaths:
        stride = max(1, -(-len(numbers) // arguments.deaths))
    numbers = numbers[::stride]
    return [numbers[i:i + CHUNK] for i in range(0, len(numbers), CHUNK)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("operations", nargs="*", help=" ".join(SweptServer.OPERATIONS))
    parser.add_argument("--point", action="append", choices=POINTS)
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--deaths", type=int, default=0, help="at most, for each operation and kind of step")
    parser.add_argument("--places", action="store_true", help="each place in the code once")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int, default=1 << 40)
    parser.add_argument("--jobs", type=int, default=3, help="servers at a time")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="kahu-sweep-"))
    certificates = Certificates(directory / "certificates")
    operations = arguments.operations or list(SweptServer.OPERATIONS)
    bad = total = 0
    with ProcessPoolExecutor(arguments.jobs) as pool:
        counting = [pool.submit(count_steps, directory, certificates, operation, arguments.places) for operation in operations]
        left, found, runs = {}, {}, []
        for operation, counted in zip(operations, counting):
            for point in arguments.point or POINTS:
                steps, places = counted.result()[point]
                parts = chunks(steps, places, arguments)
                left[operation, point], found[operation, point] = len(parts), Result(operation, point, steps)
                runs += [pool.submit(sweep, directory, certificates, operation, point, part) for part in parts]
        progress = Progress(len(runs))
        for run in as_completed(runs):
            part = run.result()
            whole = found[part.operation, part.point]
            whole.add(part)
            left[part.operation, part.point] -= 1
            progress.add(part)
            if left[part.operation, part.point] == 0:
                progress.clear()
                print(whole, *(f"   PROBLEM {problem}" for problem in whole.problems), sep="\n", flush=True)
                bad += bool(whole.problems)
                total += whole.deaths
    print(f"{total} deaths, {bad} sweeps with problems, {time.monotonic() - progress.begun:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
