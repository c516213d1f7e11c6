"""Debian's baresip as a phone without a sound card: it sends a tone, writes down what it hears, and is steered over TCP."""
import array
import json
import math
import socket
import wave
from pathlib import Path

from .paths import free_port
from .process import Server, wait_until

CONFIG = """
poll_method epoll
net_interface 127.0.0.1
sip_listen 127.0.0.1:@SIP@
sip_cafile @CA@
sip_certificate @DIR@/phone.pem
sip_verify_server yes
audio_source aufile,@DIR@/tone.wav
audio_player aubridge,nowhere
snd_path @DIR@
ausrc_srate 8000
auplay_srate 8000
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
rtp_ports @RTP@-@RTP_END@
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module dtls_srtp.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:@CONTROL@
"""


class Baresip:
    """Baresip(directory, "alice", "127.0.0.1:5061", password, certificates, tone=440): registers over TLS, answers by itself."""

    def __init__(self, directory, user, domain, password, certificates, tone, encryption="srtp-mand"):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True)
        self.uri, self.tone = f"sip:{user}@{domain}", tone
        self.control_port = free_port()
        self.socket = None
        rtp = free_port() & ~1
        words = {"SIP": free_port(), "CA": certificates.ca, "DIR": self.directory, "RTP": rtp, "RTP_END": rtp + 10,
                 "CONTROL": self.control_port}
        text = CONFIG
        for name, value in words.items():
            text = text.replace(f"@{name}@", str(value))
        (self.directory / "config").write_text(text)
        pem = certificates.cert().read_bytes() + certificates.key().read_bytes()
        (self.directory / "phone.pem").write_bytes(pem)
        (self.directory / "accounts").write_text(
            f"<sip:{user}@{domain};transport=tls>;auth_user={user};auth_pass={password};mediaenc={encryption}"
            f";audio_codecs=PCMU/8000/1;answermode=auto;regint=60\n")
        (self.directory / "uuid").write_text(f"00000000-0000-4000-8000-0000{tone:08d}")
        self._write_tone()
        self.process = Server(["baresip", "-f", self.directory], self.directory)

    def _write_tone(self, rate=8000, seconds=20):
        wave_form = (int(8000 * math.sin(2 * math.pi * self.tone * i / rate)) for i in range(rate * seconds))
        with wave.open(str(self.directory / "tone.wav"), "wb") as file:
            file.setnchannels(1), file.setsampwidth(2), file.setframerate(rate)
            file.writeframes(array.array("h", wave_form).tobytes())

    def start(self):
        self.process.start(self._connected)
        return self

    def _connected(self):
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.control_port), timeout=1)
        except OSError:
            return False
        return True

    def close(self):
        """Asked to end, it unregisters."""
        if self.socket:
            self.socket.close()
        try:
            if self.process.running():
                self.process.stop()
        finally:
            self.process.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def command(self, name, params=""):
        message = json.dumps({"command": name, "params": params, "token": name})
        self.socket.sendall(f"{len(message)}:{message},".encode())

    def says(self, text, times=1, seconds=10):
        """
        Waits until its log has that so many times. The events on the control port would be shorter, but the first ones
        are over before anybody can connect, and with DTLS-SRTP 1.0.0 sends none when the call is there.
        """
        assert wait_until(lambda: self.process.log().count(text) >= times, seconds), \
            f"{self.uri}: not {times} times {text!r}:\n{self.readable_log()[-3000:]}"

    def readable_log(self):
        """Without the meter that it prints ten times a second."""
        lines = self.process.log().replace("\r", "\n").split("\n")
        return "\n".join(line for line in lines if line.strip() and "audio=" not in line)

    def heard(self, tone):
        """How much of what it heard is that tone: 0 none, 1 all (Goertzel's algorithm over the last half second)."""
        latest = max(self.directory.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
        with wave.open(str(latest)) as file:
            rate = file.getframerate()
            raw = file.readframes(file.getnframes())
        samples = array.array("h", raw[: len(raw) & ~1])[-rate // 2:]
        energy = sum(s * s for s in samples)
        if len(samples) < rate // 4 or energy == 0:
            return 0.0
        turn = 2 * math.cos(2 * math.pi * tone / rate)
        before = last = 0.0
        for sample in samples:
            before, last = last, sample + turn * last - before
        power = before * before + last * last - turn * before * last
        return 2 * power / (len(samples) * energy)
