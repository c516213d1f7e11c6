#!/usr/bin/python3
"""Kills processes of a server under load, at random, and says what it cost.

    test/crash/storm.py --kills 200 --victim tcp          random SIGKILLs of TCP workers
    test/crash/storm.py --victim main,timer,rpc,tcp,udp   of every kind
    test/crash/storm.py --signal SEGV                     with crash files and heap walks (crash_limit is off)

Three loads run meanwhile: requests on connections that stay (TLS 1.2 and 1.3) and full handshakes (EC, then RSA).
The exit code is 0 when nobody else was hurt: no death cost more than one connection, half of random ones cost none, no
wrong bytes, no failed handshake, a sound heap, and a server that answers and stops in time.
"""
import argparse
import collections
import os
import random
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from support.certificates import Certificates  # noqa: E402
from support.kahu import Kahu, wait_until  # noqa: E402
from support.process import is_alive  # noqa: E402
from support.load import finish_load, start_load  # noqa: E402
from support.rpc import Fault, values  # noqa: E402

TITLES = {"tcp": "tcp receiver", "main": "tcp main", "timer": "timer", "rpc": "ctl handler", "udp": "udp receiver"}


def processes(server):
    """{pid: title} of the workers, from ps: works while the rpc process is dead."""
    found = {}
    for pid in server.processes()[1:]:
        try:
            title = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode(errors="replace")
        except OSError:
            continue
        if title.startswith("kahu: "):
            found[pid] = title[6:]
    return found


def start_loads(server, arguments):
    slots = arguments.connections // 2
    common = ["--seconds", arguments.seconds, "--allow-lost", arguments.kills * 4 + 100, "--timeout", 5]
    ec, rsa = ["--sni", "ec.example.org"], ["--sni", "rsa.example.org"]
    depth = arguments.depth
    return {
        "requests 1.2": start_load("requests", server.tls_port, "--concurrency", slots, "--depth", depth, "--tls",
                                   "1.2", *ec, *common),
        "requests 1.3": start_load("requests", server.tls_port, "--concurrency", slots, "--depth", depth, "--tls",
                                   "1.3", *rsa, *common),
        "handshakes ec": start_load("handshake", server.tls_port, "--concurrency", 4, "--request", *ec, *common),
        "handshakes rsa": start_load("handshake", server.tls_port, "--concurrency", 4, "--request", *rsa, *common),
    }


def tls_text(server, certificates):
    profile = "[server:any]\nserver_name = {0}.example.org\ncertificate = {1}\nprivate_key = {2}\n"
    return server.tls_text("server") + "".join(
        profile.format(name, certificates.cert(kind), certificates.key(kind))
        for name, kind in (("ec", "server"), ("rsa", "rsa")))


def counter(server, name):
    found = re.search(rf"\b{name}\s*=\s*(\d+)", server.rpc("stats.get_statistics", "all"))
    return int(found[1]) if found else -1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--victim", default="tcp", help="comma-separated: " + " ".join(TITLES))
    parser.add_argument("--signal", default="KILL")
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.15, help="mean seconds between kills")
    parser.add_argument("--reload", action="store_true", help="tls.reload before each kill of the rpc process")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--inject", metavar="POINT:START:STEP",
                        help="instead of a signal: die at that step of a lock, alloc or queue operation, each time STEP later")
    parser.add_argument("--keep", help="directory for the log")
    parser.add_argument("--core", default="", help="more core parameters")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    dice = random.Random(arguments.seed)
    directory = Path(arguments.keep or tempfile.mkdtemp(prefix="kahu-storm-"))
    certificates = Certificates(directory / "certificates")
    if arguments.signal != "KILL":
        arguments.core += "\ncrash_limit=0"
    server = Kahu(directory / "server", certificates, workers=arguments.workers, connections=8192,
                  core=f'crash_dir="{directory}"\n{arguments.core}',
                  env={**os.environ, "KAHU_INJECT": arguments.inject or ""})
    server.write_tls(tls_text(server, certificates))
    server.start()
    # Much longer than the kills may take on a busy machine: the loads are told when to stop.
    arguments.seconds = arguments.kills * (arguments.pause * 5 + 1) + 60
    loads = start_loads(server, arguments)
    try:
        code = storm(server, loads, arguments, dice)
    finally:
        for load in loads.values():
            load.kill()
        server.kill()
    return code


def lost_without_death(server):
    """Connections of a worker that were lost beyond one for each time it died."""
    balance, worst = collections.Counter(), 0
    for died, found, suppressed in re.findall(
            r'process\.died title="(tcp receiver[^"]*)"|(tcp receiver \(generic\) child=\d+) .*tcp\.lost_with_worker .*suppressed=(\d+)',
            server.log()):
        balance[died or found] += -1 if died else 1 + int(suppressed)
        worst = max(worst, balance[died or found])
    return worst


def well(server):
    try:
        server.is_well()
        return True
    except (AssertionError, OSError):
        return False


def storm(server, loads, arguments, dice):
    number = getattr(signal, "SIG" + arguments.signal)
    titles = [TITLES[name] for name in arguments.victim.split(",")]
    time.sleep(2.5)
    begun, killed, unreached = time.monotonic(), 0, 0
    while killed < arguments.kills:
        time.sleep(dice.expovariate(1 / arguments.pause))
        if not server.running():
            break
        victims = [pid for pid, title in processes(server).items() if any(title.startswith(t) for t in titles)]
        if not victims:
            continue
        victim = dice.choice(victims)
        if arguments.reload:
            os.system(f"kamcmd -s {server.address} tls.reload >/dev/null 2>&1 &")
            time.sleep(dice.uniform(0, 0.01))
        try:
            os.kill(victim, signal.SIGUSR2 if arguments.inject else number)
            killed += 1
            if arguments.inject and not arguments.inject.startswith("fail"):
                unreached += not wait_until(lambda: not is_alive(victim), 1)
        except ProcessLookupError:
            pass
    took = time.monotonic() - begun
    problems = []
    if not server.running():
        problems.append(f"the server ended by itself:\n{server.log()[-3000:]}")
    lost = 0
    for name, load in loads.items():
        load.send_signal(signal.SIGINT)
        result = finish_load(load, timeout=60)
        result.failures.pop("interrupted", None)
        lost += result.get("reopened", 0) + result.get("lost", 0)
        shown = {key: result[key] for key in ("answered", "reopened", "requests_lost", "succeeded", "lost", "rate",
                                              "answer_p50_us", "answer_p99_us", "answer_max_us", "handshake_p99_us",
                                              "handshake_max_us", "failures") if key in result}
        print(f"  {name:15} {shown}", flush=True)
        if arguments.inject and arguments.inject.startswith("fail"):
            lost += sum(result.failures.values())  # who wanted what could not be had
        elif result.failures:
            problems.append(f"{name}: {result.failures}")
    if server.running():
        time.sleep(1.5)
        for what in ("lost_with_worker", "adopted"):
            print(f"  {what} {counter(server, what)}")
        walk = values(server.rpc("shm.walk"))
        print(f"  shm.walk {walk}")
        if walk["valid"] != "1":
            problems.append("heap damaged")
        # A process that was told to die may do so only now: everyone is asked twice.
        try:
            if not wait_until(lambda: well(server), 5 if arguments.inject else 0.1):
                server.is_well()
        except (AssertionError, Fault, OSError) as error:
            problems.append(f"not well: {error!r}")
        code, took_to_stop, orphans = server.stop()
        if code != 0 or orphans:
            problems.append(f"stop: code {code}, orphans {orphans}")
        print(f"  stopped in {took_to_stop:.2f} s")
    if (more := lost_without_death(server)) > 0:
        problems.append(f"{more} connections lost beyond one for each death")
    bad = [line for line in server.log().splitlines() if re.search(" REQUIRE|giving_up|fresh_segment|damaged", line)]
    problems += bad[:5]
    print(f"{killed} kills in {took:.0f} s, {lost} connections lost: {lost / max(1, killed):.2f} per kill")
    if arguments.inject:
        print(f"{unreached} of them did not get as far as that within a second")
    for problem in problems:
        print("PROBLEM", problem)
    return 1 if problems or lost > killed * (1 if arguments.inject else 0.5) else 0


if __name__ == "__main__":
    sys.exit(main())
