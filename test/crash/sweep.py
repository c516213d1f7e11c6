#!/usr/bin/python3
"""Lets a process of a running server die at every lock, heap and queue step of an operation, one after the other.

    test/crash/sweep.py                              everything, every step
    test/crash/sweep.py --stride 7 handshake-1.3     every seventh step of one operation
    test/crash/sweep.py --point lock reload

The exit code is 0 when after each death nobody else had died, every other connection went on, a new one was served and
the heap was sound.
"""
import argparse
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from support import paths  # noqa: E402
from support.certificates import Certificates  # noqa: E402
from support.sweep import POINTS, SweptServer  # noqa: E402


def sweep(directory, certificates, operation, point, stride, first, last):
    for _ in range(os.getpid() * 61 % 4000):  # servers that start at the same time look for ports at different places
        next(paths._candidates)
    swept = SweptServer(Path(directory) / f"{operation}-{point}", certificates).start()
    try:
        result = swept.sweep(operation, point, lambda steps: range(first, min(last, steps), stride))
        try:
            if swept.server.running():
                swept.finish()
        except AssertionError as error:
            result.problems.append(f"at the end: {error}")
        if result.problems:
            result.problems.append(f"log: {swept.server.log_file}")
        return result
    finally:
        swept.server.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("operations", nargs="*", help=" ".join(SweptServer.OPERATIONS))
    parser.add_argument("--point", action="append", choices=POINTS)
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int, default=1 << 40)
    parser.add_argument("--jobs", type=int, default=2, help="servers at a time")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="kahu-sweep-"))
    certificates = Certificates(directory / "certificates")
    bad = total = 0
    with ProcessPoolExecutor(arguments.jobs) as pool:
        runs = [pool.submit(sweep, directory, certificates, operation, point, arguments.stride, arguments.first,
                            arguments.last)
                for operation in arguments.operations or SweptServer.OPERATIONS for point in arguments.point or POINTS]
        for run in runs:
            result = run.result()
            print(result, flush=True)
            for problem in result.problems:
                print("   PROBLEM", problem, flush=True)
            bad += bool(result.problems)
            total += result.deaths
    print(f"{total} deaths, {bad} sweeps with problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
