"""t_relay() with Debian's sipp at both ends: calls answered, cancelled, unanswered, over UDP and TCP."""
import subprocess
import time

import pytest

from support.kahu import MODULES
from support.paths import free_port
from support.sip import request

SCRIPT = """
request_route {
	if (!mf_process_maxfwd_header("10")) {
		sl_send_reply("483", "Too Many Hops");
		exit;
	}
	$du = "sip:127.0.0.1:@UAS@;transport=@DOWN@";
	if (is_method("CANCEL")) {
		if (t_check_trans()) t_relay();
		exit;
	}
	t_check_trans();
	if (!t_relay()) sl_reply_error();
}
"""


def proxy(make_kahu, down, uas, params=""):
    script = SCRIPT.replace("@UAS@", str(uas)).replace("@DOWN@", down)
    return make_kahu(modules=MODULES + '\nloadmodule "tm.so"', script=script, params=params).start()


def sipp_uas(directory, port, transport):
    return subprocess.Popen(
        ["sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", str(port), "-t", transport, "-nostdin", "-cp",
         str(free_port()), "-timeout", "60"], cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("up,down", [("u1", "udp"), ("t1", "udp"), ("u1", "tcp"), ("t1", "tcp")])
def test_calls(make_kahu, tmp_path, up, down):
    port = free_port()
    server = proxy(make_kahu, down, port)
    far_end = sipp_uas(tmp_path, port, "u1" if down == "udp" else "t1")
    try:
        done = subprocess.run(
            ["sipp", "-sn", "uac", f"127.0.0.1:{server.plain_port}", "-i", "127.0.0.1", "-p", str(free_port()), "-t", up,
             "-m", "300", "-r", "100", "-nostdin", "-timeout", "30", "-timeout_error", "-trace_err", "-cp",
             str(free_port())], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        errors = "".join(path.read_text() for path in tmp_path.glob("*_errors.log"))
        assert done.returncode == 0, errors or done.stdout[-2000:]
    finally:
        far_end.kill()
        far_end.wait()


def test_nobody_there(make_kahu):
    """A silent next hop: 100 at once, 408 after fr_timer."""
    server = proxy(make_kahu, "udp", free_port(), 'modparam("tm", "fr_timer", 700)')
    with server.udp() as client:
        first = client.ask(request("INVITE"))
        assert first.status == 100
        client.socket.settimeout(5)
        final = client.receive(timeout=5)
        assert final is not None and final.status == 408


def nothing_but(client, status, seconds):
    """True when only repetitions of that status come."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        response = client.receive(timeout=left)
        if response is not None and response.status != status:
            return False
    return True


@pytest.mark.load
def test_a_call_to_a_name_may_ring_long(make_kahu, long_or_short, names, endpoint):
    """The bound of a lookup is not one of the call: 20 s (TX-05: timer C alone ends a ringing call)."""
    seconds = long_or_short(22, 1)
    far = endpoint(status="180 Ringing")
    dns = names({("ringing.example", "A"): ["127.0.0.1"]})
    script = SCRIPT.replace('$du = "sip:127.0.0.1:@UAS@;transport=@DOWN@";', "")
    server = make_kahu(modules=MODULES + '\nloadmodule "tm.so"', script=script,
                       core=f'dns_servers="127.0.0.1:{dns.port}"').start()
    with server.udp() as client:
        assert client.ask(request("INVITE", f"sip:bob@ringing.example:{far.port}")).status == 100
        assert client.receive().status == 180
        invite = far.next()
        assert nothing_but(client, 180, seconds), "nothing ends it"
        far.socket.sendto(invite.reply("200 OK"), ("127.0.0.1", server.plain_port))
        assert client.receive().status == 200
