"""SIP that phones and attackers might send: plausible messages, most of them damaged in a few places.

Everything follows from the seed, so that what a run found can be run again.
"""
import random

METHODS = ["INVITE"] * 4 + ["REGISTER"] * 2 + ["OPTIONS", "ACK", "BYE", "CANCEL", "SUBSCRIBE", "MESSAGE", "PRACK", "UPDATE"]
USERS = ["alice", "bob", "+4930123", "", "%00", "a;b", "a:b"]
STATUSES = ["100 Trying", "180 Ringing", "183 Progress", "200 OK", "302 Moved", "404 Not Found", "407 Authenticate",
            "486 Busy", "503 Unavailable", "699 Never"]
SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 5 RTP/AVP 0\r\na=sendonly\r\n"
PARTS = f"--b\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"
BODIES = [("", None), ("", None), (SDP, "application/sdp"), (PARTS, "multipart/mixed;boundary=b")]
FRAGMENTS = [b"\r\n", b"\r\n ", b"\r\n\r\n", b";", b",", b"<", b">", b'"', b"\\", b"@", b":", b"%", b"%00", b"\0", b"\xff" * 3, b" ", b"=",
             b"A" * 300, b"1" * 40, b"-1", b"4294967296", b"z9hG4bK", b"Via: ", b"CSeq", b"[::1]", b"sips:", b"tel:+1", b";lr", b"*",
             b"(", b")", b"{}", b"&", b"?a=b", b"SIP/2.0 200 OK\r\n"]


class Hostile:
    def __init__(self, seed, proxy, callee, samples):
        """proxy and callee: "host:port" of the server and of who may be called through it; samples: whole messages."""
        self.random = random.Random(seed)
        self.proxy, self.callee, self.samples = proxy, callee, samples
        self.seen = []

    def _one(self, *choices):
        return self.random.choice(choices)

    def _more_headers(self):
        one = self._one
        user = one(*USERS)
        if self.random.random() < 0.6:
            yield f"Contact: <sip:{user}@{self.callee};transport=udp>;expires={one(0, 1, 60, 99999999)};q=0.{one(1, 5, 9)}" + one(
                "", "", ', <sip:q@192.0.2.1>, *', ';+sip.instance="<urn:uuid:1>";reg-id=1\r\nSupported: path, outbound, gruu')
        if self.random.random() < 0.4:
            yield one(f"Route: <sip:{self.proxy};lr;r2=on>, <sip:{self.callee};lr>", f"Route: <sip:{self.proxy};lr>",
                      f"Route: <sip:{self.callee}>", f"Record-Route: <sip:{self.callee};lr>", f"Path: <sip:{self.callee};lr>")
        if self.random.random() < 0.4:
            yield one("Expires: 5", "Proxy-Require: x", "Require: 100rel", "Event: presence", "Max-Breadth: 1", "User-Agent: x/1",
                      'Authorization: Digest username="a", realm="127.0.0.1", nonce="x", uri="sip:x", response="y", qop=auth, nc=00000001',
                      'P-Asserted-Identity: "A" <sip:x@y>', "Diversion: <sip:z@z>;reason=unconditional", "Privacy: id",
                      "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKzz, SIP/2.0/TLS a.b;maddr=192.0.2.2",
                      "P-Charging-Vector: icid-value=1;icid-generated-at=192.0.2.1")

    def request(self):
        one, bits = self._one, self.random.getrandbits
        method, user = one(*METHODS), one(*USERS)
        body, kind = one(*BODIES)
        uri = one(f"sip:{user}@{self.proxy}", f"sip:{user}@{self.proxy};transport=udp", f"sip:{self.proxy};lr", f"sip:x@{self.callee}")
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {one('127.0.0.1:9', self.callee)};branch=z9hG4bK{bits(one(4, 24)):x}{one('', ';rport', ';received=192.0.2.9')}",
            f"From: <sip:{user}@127.0.0.1>;tag={bits(8):x}",
            f"To: <sip:bob@127.0.0.1>{one('', '', f';tag={bits(8):x}')}",
            f"Call-ID: {bits(8):x}", f"CSeq: {one(0, 1, 2, 99, 2 ** 31)} {method}", f"Max-Forwards: {one(0, 1, 10, 70, 255)}",
            *self._more_headers(), *([f"Content-Type: {kind}"] if kind else []), f"Content-Length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def message(self):
        chance = self.random.random()
        if chance < 0.1:
            return self.damage(self._one(*self.samples))
        if chance < 0.2 and self.seen:
            return self.damage(self._one(*self.seen))
        return self.damage(self.request())

    def reply(self, received):
        """To a request that the server forwarded; None: none.  Some of what came is sent again later."""
        if len(self.seen) < 200:
            self.seen.append(received)
        if received.startswith(b"SIP/2.0") or self.random.random() < 0.2:
            return None
        lines = received.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        kept = [line for line in lines if not line.lower().startswith((b"content-", b"max-forwards", b"route"))]
        tag = f";tag={self.random.getrandbits(4):x}".encode()
        kept = [line + tag if line.lower().startswith(b"to:") and b"tag=" not in line else line for line in kept]
        kept += [f"Contact: <sip:a@{self.callee}>, <sip:b@{self.callee}>;q=0.3".encode(), b"Content-Length: 0"]
        return self.damage(b"SIP/2.0 " + self._one(*STATUSES).encode() + b"\r\n" + b"\r\n".join(kept) + b"\r\n\r\n")

    def damage(self, message):
        message = bytearray(message)
        for _ in range(self._one(0, 0, 1, 1, 2, 3, 8)):
            at = self.random.randrange(len(message) + 1)
            self._one(self._flip, self._insert, self._cut, self._repeat, self._splice, self._lines, self._overwrite)(message, at)
        return bytes(message[:60000])

    def _flip(self, message, at):
        message[at:at + 1] = bytes([self.random.randrange(256)])

    def _insert(self, message, at):
        message[at:at] = self._one(*FRAGMENTS)

    def _cut(self, message, at):
        del message[at:at + self.random.randrange(1, 30)]

    def _repeat(self, message, at):
        message[at:at] = message[at:at + self.random.randrange(1, 80)] * self._one(1, 1, 2, 20)

    def _splice(self, message, at):
        other = self._one(*self.samples)
        start = self.random.randrange(len(other))
        message[at:at] = other[start:start + self.random.randrange(100)]

    def _lines(self, message, _):
        lines = bytes(message).split(b"\r\n")
        if self.random.random() < 0.2:
            self.random.shuffle(lines)
        else:
            lines.insert(self.random.randrange(len(lines)), self._one(*lines))
        message[:] = b"\r\n".join(lines)

    def _overwrite(self, message, at):
        message[at:at + self.random.randrange(1, 10)] = self._one(*FRAGMENTS)
