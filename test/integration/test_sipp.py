"""SIPp (Debian's) over UDP and TCP, and over TLS behind stunnel: Debian's sipp has no TLS."""
import subprocess
from pathlib import Path

import pytest

from support.paths import free_port
from support.process import Server, wait_until

SCENARIOS = Path(__file__).parent / "sipp"


def run_sipp(directory, port, transport, scenario, calls=500, rate=200):
    done = subprocess.run(
        ["sipp", f"127.0.0.1:{port}", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-t", transport, "-i", "127.0.0.1",
         "-p", str(free_port()), "-m", str(calls), "-r", str(rate), "-l", "50", "-nostdin", "-timeout", "30",
         "-timeout_error", "-trace_err", "-max_socket", "1000", "-cp", str(free_port())],
        cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    errors = "".join(path.read_text() for path in Path(directory).glob("*_errors.log"))
    assert done.returncode == 0, errors or done.stdout[-2000:]


@pytest.mark.parametrize("scenario", ["options", "register"])
@pytest.mark.parametrize("transport", ["u1", "un", "t1", "tn"])
def test_plain(shared_kahu, tmp_path, transport, scenario):
    run_sipp(tmp_path, shared_kahu.plain_port, transport, scenario, calls=50 if transport in ("un", "tn") else 500)


@pytest.mark.parametrize("scenario", ["options", "register"])
@pytest.mark.parametrize("transport", ["t1", "tn"])
def test_tls_behind_stunnel(shared_kahu, tmp_path, transport, scenario):
    port = free_port()
    (tmp_path / "stunnel.conf").write_text(
        f"foreground = yes\npid =\n[sip]\nclient = yes\naccept = 127.0.0.1:{port}\n"
        f"connect = 127.0.0.1:{shared_kahu.tls_port}\nverifyChain = yes\nCAfile = {shared_kahu.certificates.ca}\n")
    stunnel = Server(["stunnel4", tmp_path / "stunnel.conf"], tmp_path, "stunnel.log")
    stunnel.start(lambda: "Configuration successful" in stunnel.log())
    try:
        assert wait_until(lambda: stunnel.running(), 1)
        run_sipp(tmp_path, port, transport, scenario, calls=50 if transport == "tn" else 500)
    finally:
        stunnel.kill()


def test_sipsak(shared_kahu):
    """The "SIP ping" that administrators use."""
    done = subprocess.run(["sipsak", "-s", f"sip:test@127.0.0.1:{shared_kahu.plain_port}", "-v"], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 0, done.stdout + done.stderr
