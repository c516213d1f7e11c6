"""A name server on loopback: a zone in a dict, and what was asked for."""
import socket
import struct
import threading

TYPES = {"A": 1, "AAAA": 28, "SRV": 33, "NAPTR": 35}


def _name(text):
    labels = [label for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def _text(text):
    return bytes([len(text)]) + text.encode()


def _data(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == "SRV":
        priority, weight, port, target = value
        return struct.pack("!HHH", priority, weight, port) + _name(target)
    order, preference, flags, service, replacement = value
    return struct.pack("!HH", order, preference) + _text(flags) + _text(service) + _text("") + _name(replacement)


class NameServer:
    """NameServer({("x.example", "A"): ["127.0.0.1"]}); a name that is not there does not exist."""

    def __init__(self, zone, ttl=60, delay=0.0, silent=False):
        self.zone, self.ttl, self.delay, self.silent = dict(zone), ttl, delay, silent
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            if self.silent:
                continue
            answer = self._answer(query)
            if self.delay:
                threading.Timer(self.delay, self._send, (answer, peer)).start()
            else:
                self._send(answer, peer)

    def _send(self, answer, peer):
        try:
            self.socket.sendto(answer, peer)
        except OSError:
            pass

    def _answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        number = struct.unpack("!H", query[at + 1:at + 3])[0]
        question = query[12:at + 5]
        name = ".".join(labels).lower()
        kind = next((k for k, n in TYPES.items() if n == number), str(number))
        self.asked.append((name, kind))
        records = self.zone.get((name, kind), [])
        exists = any(known == name for known, _ in self.zone)
        flags = 0x8180 if records or exists else 0x8183
        header = query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
        body = b""
        for value in records:
            data = _data(kind, value)
            body += b"\xc0\x0c" + struct.pack("!HHIH", number, 1, self.ttl, len(data)) + data
        return header + question + body

    def close(self):
        self.socket.close()
