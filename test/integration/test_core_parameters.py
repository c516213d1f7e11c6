"""Core parameters that change what is sent or where the server listens."""
import socket
import subprocess

from support.kahu import KAHU, MODULES
from support.sip import request

FORWARD = """
request_route {
	record_route();
	$du = "sip:127.0.0.1:@SINK@";
	$var(r) = forward();
	exit;
}
"""


def what_is_forwarded(make_kahu, core):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(5)
        kahu = make_kahu(core=core, script=FORWARD.replace("@SINK@", str(sink.getsockname()[1])),
                         modules=MODULES + '\nloadmodule "rr.so"').start()
        with kahu.udp() as client:
            client.send(request("INVITE"))
            return sink.recv(65535).decode(), kahu


def test_advertised_address_is_in_via_and_record_route(make_kahu):
    text, _ = what_is_forwarded(make_kahu, 'advertised_address="edge.example.com"\nadvertised_port=5999')
    lines = text.split("\r\n")
    assert lines[1].startswith(("Via: SIP/2.0/UDP edge.example.com:5999;", "Record-Route: <sip:edge.example.com:5999;")), text
    assert any(line.startswith("Via: SIP/2.0/UDP edge.example.com:5999;branch=") for line in lines), text
    assert any(line.startswith("Record-Route: <sip:edge.example.com:5999;") for line in lines), text


def test_local_rport_is_in_every_via_of_ours(make_kahu):
    text, kahu = what_is_forwarded(make_kahu, "local_rport=yes")
    ours = next(line for line in text.split("\r\n") if line.startswith(f"Via: SIP/2.0/UDP 127.0.0.1:{kahu.plain_port}"))
    assert ours.endswith(";rport") or ";rport;" in ours, text


def test_it_listens_where_no_interface_is_yet(make_kahu):
    core = "ip_free_bind=1\nlisten=udp:192.0.2.77:18600"  # RFC 5737: nobody has it
    kahu = make_kahu(core=core).start()
    with kahu.udp() as client:
        client.send(request("OPTIONS"))
        assert client.receive(5).status == 200


def test_a_file_for_another_machine_is_checked(tmp_path):
    config = tmp_path / "kahu.cfg"
    config.write_text("listen=udp:192.0.2.77:18600\nrequest_route { exit; }\n")
    done = subprocess.run([KAHU, "-c", "-f", config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "192.0.2.77" in done.stderr, done.stderr
    started = subprocess.run([KAHU, "-DD", "-E", "-f", config, "-Y", tmp_path], capture_output=True, text=True, timeout=60)
    assert started.returncode != 0 and "192.0.2.77" in started.stderr


def test_a_host_name_is_compared_by_its_addresses(make_kahu):
    script = """request_route {
	if (src_ip != "localhost" || src_ip == "no-such-host.invalid") exit;
	if (dst_ip == "localhost") sl_send_reply("299", "Local");
}"""
    kahu = make_kahu(script=script).start()
    assert "no-such-host.invalid" in kahu.log()
    with kahu.udp() as client:
        client.send(request("OPTIONS"))
        assert client.receive(5).status == 299
