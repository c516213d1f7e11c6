"""The servers of the comparison, each started on ports and in a directory of its own, stopped after its turn."""
import shutil
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from support.kahu import fill  # noqa: E402
from support.paths import KAHU, KAMAILIO_MODULES, free_port  # noqa: E402
from support.process import Server  # noqa: E402


def port_open(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


class SipServer(Server):
    """Kahu or Kamailio: the same configuration file for both (compare.cfg.in)."""

    methods = "OPTIONS"

    def __init__(self, directory, certificates, program, workers, profile="STATELESS", arguments=(), limit=12_000,
                 callee_transport="udp", udp_workers=1):
        directory = Path(directory)
        directory.mkdir(parents=True)
        self.tls_port, self.plain_port, self.callee_port = free_port(), free_port(), free_port()
        values = {
            "NAME": "@NAME@", "DEBUG": 0, "UDPWORKERS": udp_workers, "WORKERS": workers, "LIFETIME": 600, "MAXCONN": limit,
            "PLAIN": self.plain_port, "TLS": self.tls_port, "MPATH": KAMAILIO_MODULES, "RUN": directory,
            "SESSION_CACHE": 0, "TLSPARAMS": "", "METHOD": "TLSv1.2+", "UASPORT": self.callee_port, "UASTP": callee_transport,
        }
        (directory / "server.cfg").write_text(fill((HERE / "compare.cfg.in").read_text(), values))
        (directory / "tls.cfg").write_text(fill((HERE / "compare-tls.cfg.in").read_text(), values))
        for name in ("server.crt", "server.key"):
            shutil.copy(certificates / name, directory)
        argv = [program, "-f", directory / "server.cfg", "-A", profile, "-DD", "-E", "-P", directory / "pid",
                "-Y", directory, "-w", directory, *arguments]
        super().__init__(argv, directory)

    def begin(self):
        return self.start(lambda: port_open(self.tls_port) and (self.directory / "pid").exists())


class Nginx(Server):
    """Not a SIP server: a GET for each OPTIONS.  What an admired event loop needs for TLS and a small answer."""

    methods = "GET"
    plain_port = None

    def __init__(self, directory, certificates, limit=12_000):
        directory = Path(directory)
        directory.mkdir(parents=True)
        self.tls_port = free_port()
        paths = "".join(f"{name}_temp_path {directory}/{name}; " for name in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (directory / "nginx.conf").write_text(f"""
worker_processes 1; daemon off; pid {directory}/pid; error_log {directory}/error.log warn;
events {{ worker_connections {limit + 100}; }}
http {{
    access_log off; {paths}
    keepalive_requests 1000000000; keepalive_timeout 600;
    server {{
        listen 127.0.0.1:{self.tls_port} ssl backlog=1024;
        ssl_certificate {certificates}/server.crt; ssl_certificate_key {certificates}/server.key;
        ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off;
        location / {{ return 200 "ok"; }}
    }}
}}
""")
        super().__init__(["/usr/sbin/nginx", "-e", directory / "error.log", "-p", directory, "-c", directory / "nginx.conf"],
                         directory)

    def begin(self):
        return self.start(lambda: port_open(self.tls_port))


def kamailio_version():
    return subprocess.run(["kamailio", "-v"], capture_output=True, text=True).stdout.split()[2]


def nginx_version():
    return subprocess.run(["/usr/sbin/nginx", "-v"], capture_output=True, text=True).stderr.strip().rpartition("/")[2]


def contestants(certificates, kahu_workers):
    """{name: function(directory, profile) -> server, or None if it has no such profile}, those that are there."""
    made = {}

    def udp_workers(profile):
        return 2 if profile == "PROXY" else 1

    if Path(KAHU).exists():
        made["kahu"] = lambda directory, profile: SipServer(
            directory, certificates, KAHU, 2 if profile == "PROXY" else kahu_workers, profile,
            udp_workers=udp_workers(profile))
    if shutil.which("kamailio"):
        # One TLS worker: two corrupt the memory of 5.6.3.
        made[f"kamailio {kamailio_version()}"] = lambda directory, profile: SipServer(
            directory, certificates, "kamailio", 1, profile, ["-m", "2048", "-M", "32"],
            udp_workers=udp_workers(profile))
    if shutil.which("nginx"):
        made[f"nginx {nginx_version()}"] = lambda directory, profile: (
            Nginx(directory, certificates) if profile == "STATELESS" else None)
    return made
