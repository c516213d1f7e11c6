"""A small binrpc client: one connection, many calls; for tests that ask too often to start kamcmd each time."""
import socket

from .rpc import Fault

_INT, _STR, _DOUBLE, _STRUCT, _ARRAY, _AVP, _BYTES = range(7)


def _record(kind, data):
    if len(data) < 8:
        return bytes([len(data) << 4 | kind]) + data
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(size) << 4 | kind]) + size + data


def _values(body):
    """Every value of the body, names of members included, flat: [(name or None, value)]."""
    found, at, name = [], 0, None
    while at < len(body):
        first = body[at]
        kind, size, at = first & 15, first >> 4 & 7, at + 1
        if kind in (_STRUCT, _ARRAY):
            continue
        if first & 0x80:
            size, at = int.from_bytes(body[at:at + size], "big"), at + size
        data, at = body[at:at + size], at + size
        if kind == _AVP:
            name = data.rstrip(b"\0").decode()
            continue
        if kind in (_INT, _DOUBLE):
            number = int.from_bytes(data, "big")
            found.append((name, number / 1000 if kind == _DOUBLE else number))
        else:
            found.append((name, data.rstrip(b"\0").decode(errors="replace")))
        name = None
    return found


class BinRpc:
    """BinRpc("/path/ctl.sock").call("core.uptime") -> [(name or None, value)].  Raises Fault, or OSError with the process."""

    def __init__(self, path, timeout=5.0):
        self.path, self.timeout, self.socket = path, timeout, None

    def call(self, method, *arguments):
        if self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(self.timeout)
            self.socket.connect(self.path)
        try:
            body = b"".join(_record(_STR, str(word).encode() + b"\0") for word in (method, *arguments))
            self.socket.sendall(bytes([0xA1, 0x0F]) + len(body).to_bytes(4, "big") + b"\0\0\0\1" + body)
            head = self._exactly(2)
            size = int.from_bytes(self._exactly((head[1] >> 2 & 3) + 1), "big")
            self._exactly((head[1] & 3) + 1)
            found = _values(self._exactly(size))
        except OSError:
            self.close()
            raise
        if head[1] >> 4 == 3:
            raise Fault(f"error: {found[0][1]} - {found[1][1]}")
        return found

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionResetError("the rpc process hung up")
            data += more
        return data

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None
