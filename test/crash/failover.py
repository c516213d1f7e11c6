#!/usr/bin/python3
"""How long connections stand still when their process dies.

    test/crash/failover.py [--connections 1000] [--rounds 20]

One worker serves all connections.  It is killed; the time until each of them has been answered again is measured,
all of them asked at once right after the kill.  Then the same for tcp main, and the time until a new connection is
answered.
"""
import argparse
import os
import selectors
import signal
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))
from support.certificates import Certificates  # noqa: E402
from support.kahu import Kahu, wait_until  # noqa: E402
from support.sip import request  # noqa: E402

from storm import processes  # noqa: E402


def pid_of(server, title):
    return next(pid for pid, text in processes(server).items() if text.startswith(title))


def ask_all(clients, message):
    """Seconds until every one of them has an answer; how many were lost."""
    chosen = selectors.DefaultSelector()
    begun = time.monotonic()
    for client in clients:
        client.socket.setblocking(False)
        client.socket.send(message)
        chosen.register(client.socket, selectors.EVENT_READ, client)
    waiting, lost = len(clients), 0
    while waiting and time.monotonic() - begun < 20:
        for key, _ in chosen.select(0.1):
            try:
                got = key.fileobj.recv(65536)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError as error:
                if "want" in str(error).lower() or "did not complete" in str(error):
                    continue
                got = b""
            lost += not got
            waiting -= 1
            chosen.unregister(key.fileobj)
    return time.monotonic() - begun, lost + waiting


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="kahu-failover-"))
    server = Kahu(directory / "server", Certificates(directory / "certificates"), workers=1,
                  connections=arguments.connections + 100).start()
    try:
        clients = [server.tls() for _ in range(arguments.connections)]
        message = request(transport="TLS")
        message = message if isinstance(message, bytes) else message.encode()
        quiet = statistics.median(ask_all(clients, message)[0] for _ in range(5))
        worker, lost_ones = [], 0
        for _ in range(arguments.rounds):
            os.kill(pid_of(server, "tcp receiver"), signal.SIGKILL)
            took, lost = ask_all(clients, message)
            worker.append((took - quiet) * 1000)
            lost_ones += lost
            time.sleep(0.2)
        accepts = []
        for _ in range(arguments.rounds):
            os.kill(pid_of(server, "tcp main"), signal.SIGKILL)
            begun = time.monotonic()
            with server.tls() as client:
                client.ask(request(transport="TLS"))
            accepts.append((time.monotonic() - begun) * 1000)
            time.sleep(0.2)
        print(f"{arguments.connections} connections answered, undisturbed: {quiet * 1000:.0f} ms")
        print(f"worker killed: all answered {statistics.median(worker):.0f} ms later than that (median), "
              f"{max(worker):.0f} ms at most; {lost_ones} lost in {arguments.rounds} kills")
        print(f"tcp main killed: a new connection answered after {statistics.median(accepts):.0f} ms (median), "
              f"{max(accepts):.0f} ms at most")
        walk = server.rpc("shm.walk")
        assert "valid: 1" in walk, walk
        server.is_well()
        return 0 if statistics.median(worker) <= 50 and statistics.median(accepts) <= 100 and lost_ones == 0 else 1
    finally:
        server.kill()


if __name__ == "__main__":
    sys.exit(main())
