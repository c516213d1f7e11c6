"""Raw SIP over UDP, TCP and TLS: what is sent is exactly what the test says."""
import itertools
import re
import socket
import ssl
import time

_serial = itertools.count(1)


def request(method="OPTIONS", uri="sip:127.0.0.1", transport="UDP", headers=(), body="", via_port=5060, **replace):
    """A complete request.  `replace` changes or (with None) leaves out a header: Max_Forwards=None."""
    serial = next(_serial)
    fields = {
        "Via": f"SIP/2.0/{transport} 127.0.0.1:{via_port};branch=z9hG4bKit{serial};rport",
        "Max-Forwards": "70",
        "From": f"<sip:test@127.0.0.1>;tag=t{serial}",
        "To": "<sip:test@127.0.0.1>",
        "Call-ID": f"it-{serial}@127.0.0.1",
        "CSeq": f"{serial} {method}",
        "Content-Length": str(len(body.encode())),
    }
    for name, value in replace.items():
        fields[name.replace("_", "-")] = value
    lines = [f"{method} {uri} SIP/2.0"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    lines += headers
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Response:
    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.lines = re.sub(r"\r\n[ \t]+", " ", head.decode(errors="replace")).split("\r\n")
        status = self.lines[0].split(" ", 2)
        assert status[0] == "SIP/2.0", f"not a response: {raw[:200]!r}"
        self.status = int(status[1])
        self.reason = status[2] if len(status) > 2 else ""

    def all(self, name):
        wanted = name.lower() + ":"
        return [line[len(wanted):].strip() for line in self.lines[1:] if line.lower().startswith(wanted)]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    def __repr__(self):
        return f"<{self.status} {self.reason}>"


class UdpClient:
    def __init__(self, port, host="127.0.0.1", timeout=3.0, source=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(timeout)
        self.socket.connect((host, port))

    transport = "UDP"

    @property
    def local_port(self):
        return self.socket.getsockname()[1]

    def send(self, data):
        self.socket.send(data)

    def receive(self, timeout=None):
        """A response, or None when none comes."""
        if timeout is not None:
            self.socket.settimeout(timeout)
        try:
            return Response(self.socket.recv(65535))
        except (TimeoutError, ConnectionRefusedError):
            return None

    def ask(self, data):
        self.send(data)
        return self.receive()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class StreamClient(UdpClient):
    """TCP, or TLS when a context is given."""

    def __init__(self, port, host="127.0.0.1", timeout=3.0, context=None, sni=None):
        self.transport = "TLS" if context else "TCP"
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname=sni)
        self.pending = b""

    def send(self, data):
        self.socket.sendall(data)

    def _whole(self):
        """The first complete response of what has come, taken out; or None."""
        head, separator, rest = self.pending.partition(b"\r\n\r\n")
        if not separator:
            return None
        match = re.search(rb"^(?:Content-Length|l)\s*:\s*(\d+)", head, re.I | re.M)
        size = int(match[1]) if match else 0
        if len(rest) < size:
            return None
        whole = head + separator + rest[:size]
        self.pending = rest[size:]
        return Response(whole)

    def receive(self, timeout=None):
        if timeout is not None:
            self.socket.settimeout(timeout)
        while True:
            while self.pending.startswith(b"\r\n"):
                self.pending = self.pending[2:]
            response = self._whole()
            if response:
                return response
            try:
                data = self.socket.recv(65536)
            except (TimeoutError, ConnectionError, ssl.SSLError):
                return None
            if not data:
                return None
            self.pending += data

    def read_bytes(self, count, timeout=3.0):
        """At least `count` raw bytes, fewer when the connection ends or nothing more comes."""
        deadline = time.monotonic() + timeout
        while len(self.pending) < count and time.monotonic() < deadline:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except (TimeoutError, ConnectionError, ssl.SSLError):
                break
            if not data:
                break
            self.pending += data
        data, self.pending = self.pending, b""
        return data

    def is_closed(self, timeout=3.0):
        """Whether the server ends the connection; what it sends before that is kept in `pending`."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError):
                return False
            except (ConnectionError, ssl.SSLError):
                return True
            if not data:
                return True
            self.pending += data
        return False


def tls_context(version=None, ca=None, certificate=None, key=None):
    """A client context; without `ca` the server is not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(str(ca))
    if certificate:
        context.load_cert_chain(str(certificate), str(key))
    if version:
        exact = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
        context.minimum_version = context.maximum_version = exact
    return context
