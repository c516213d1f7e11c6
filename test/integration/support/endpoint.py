"""A SIP server for tests: takes requests over UDP, TCP or TLS, keeps them, answers as told."""
import queue
import re
import socket
import ssl
import threading


class Request:
    def __init__(self, raw, connection=0, sni=None):
        self.raw, self.connection, self.sni = raw, connection, sni
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.lines = re.sub(r"\r\n[ \t]+", " ", head.decode(errors="replace")).split("\r\n")
        self.method, self.uri, _ = self.lines[0].split(" ")

    def all(self, name):
        wanted = name.lower() + ":"
        return [line[len(wanted):].strip() for line in self.lines[1:] if line.lower().startswith(wanted)]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    def reply(self, status="200 OK", extra=()):
        lines = [f"SIP/2.0 {status}"]
        for name in ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq"):
            lines += [f"{name}: {value}" for value in self.all(name)]
        return ("\r\n".join([*lines, *extra, "Content-Length: 0"]) + "\r\n\r\n").encode()


def _messages(buffer):
    """(complete messages, rest)."""
    found = []
    while True:
        while buffer.startswith(b"\r\n"):
            buffer = buffer[2:]
        head, separator, rest = buffer.partition(b"\r\n\r\n")
        if not separator:
            return found, buffer
        match = re.search(rb"^(?:Content-Length|l)\s*:\s*(\d+)", head, re.I | re.M)
        size = int(match[1]) if match else 0
        if len(rest) < size:
            return found, buffer
        found.append(head + separator + rest[:size])
        buffer = rest[size:]


class Endpoint:
    """Endpoint("tls", certificate=..., key=...): .port, .requests (a queue), .connections (how many were made)."""

    def __init__(self, transport="udp", host="127.0.0.1", port=0, status="200 OK", certificate=None, key=None,
                 reads=True):
        self.transport, self.status, self.reads = transport, status, reads
        self.requests, self.responses, self.connections, self.open = queue.Queue(), queue.Queue(), 0, []
        self.failed_handshakes = 0
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.bind((host, port))
        self.host, self.port = self.socket.getsockname()[:2]
        self.context, self.sni = None, None
        if transport == "tls":
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(str(certificate), str(key))
            self.context.sni_callback = self._note_sni
        if transport != "udp":
            self.socket.listen(16)
        target = self._serve_udp if transport == "udp" else self._accept
        threading.Thread(target=target, daemon=True).start()

    def _note_sni(self, _connection, name, _context):
        self.sni = name

    @property
    def uri(self):
        parameter = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:uas@{self.host}:{self.port}{parameter}"

    def _take(self, raw, connection, send):
        if raw.startswith(b"SIP/2.0"):
            self.responses.put(raw)
            return
        request = Request(raw, connection, self.sni)
        self.requests.put(request)
        if self.status and request.method != "ACK":
            send(request.reply(self.status))

    def _serve_udp(self):
        while True:
            try:
                raw, peer = self.socket.recvfrom(65535)
                if not raw.strip():  # a keep-alive, or close()
                    continue
                self._take(raw, 0, lambda data, to=peer: self.socket.sendto(data, to))
            except OSError:
                return

    def _accept(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve_stream, args=(peer, self.connections), daemon=True).start()

    def _serve_stream(self, peer, number):
        try:
            if self.context:
                peer = self.context.wrap_socket(peer, server_side=True)
        except (ssl.SSLError, OSError):
            self.failed_handshakes += 1
            return
        self.open.append(peer)
        buffer = b""
        while self.reads:
            try:
                data = peer.recv(65536)
            except OSError:
                return
            if not data:
                return
            messages, buffer = _messages(buffer + data)
            for raw in messages:
                try:
                    self._take(raw, number, peer.sendall)
                except OSError:
                    return

    def next(self, timeout=3.0):
        """The next request, or None."""
        try:
            return self.requests.get(timeout=timeout)
        except queue.Empty:
            return None

    def send(self, data):
        """Over the connection made last."""
        self.open[-1].sendall(data)

    def hang_up(self):
        for peer in self.open:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            peer.close()
        self.open = []

    def close(self):
        self.hang_up()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # else the thread that waits in it keeps the port
        except OSError:
            pass  # UDP: woken all the same; or a test has closed it
        self.socket.close()
