"""A phone for tests: one socket over which it registers, calls and is called; digest when it is challenged."""
import hashlib
import itertools
import re
import socket

from .endpoint import Request
from .sip import Response, StreamClient, UdpClient, tls_context

_serial = itertools.count(1)


def digest_answer(challenge, user, password, method, uri):
    """The value of Authorization for a challenge with qop=auth (RFC 7616) or without."""
    field = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    hash_ = {"SHA-256": hashlib.sha256}.get(field.get("algorithm"), hashlib.md5)
    digest = lambda text: hash_(text.encode()).hexdigest()  # noqa: E731
    ha1, ha2 = digest(f"{user}:{field['realm']}:{password}"), digest(f"{method}:{uri}")
    value = f'Digest username="{user}", realm="{field["realm"]}", nonce="{field["nonce"]}", uri="{uri}"'
    if "algorithm" in field:
        value += f", algorithm={field['algorithm']}"
    if "qop" not in field:
        response = digest(f"{ha1}:{field['nonce']}:{ha2}")
        return f'{value}, response="{response}"'
    response = digest(f"{ha1}:{field['nonce']}:00000001:abc:auth:{ha2}")
    return f'{value}, qop=auth, nc=00000001, cnonce="abc", response="{response}"'


class Phone:
    """
    Phone(server, "alice", "tls", domain="example.org", password="secret")

    Tests drive it step by step: nothing is answered by itself. `answer`, `hang_up` and Call build what RFC 3261 asks for.
    """

    def __init__(self, server, user, transport="udp", domain=None, password=None):
        self.user, self.transport, self.password = user, transport, password
        self.domain = domain or f"127.0.0.1:{server.plain_port}"
        if transport == "udp":
            self.link = UdpClient(server.plain_port)
        elif transport == "tcp":
            self.link = StreamClient(server.plain_port)
        else:
            self.link = StreamClient(server.tls_port, context=tls_context())
        suffix = "" if transport == "udp" else f";transport={transport}"
        self.contact = f"<sip:{user}@127.0.0.1:{self.link.local_port}{suffix}>"
        self.uri = f"sip:{user}@{self.domain}"
        self.pending = b""

    def close(self):
        self.link.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- messages ---------------------------------------------------------------------------------
    def receive(self, timeout=3.0):
        """The next message, a Request or a Response; None when none comes."""
        self.link.socket.settimeout(timeout)
        while True:
            try:
                raw = self._next_raw()
            except (TimeoutError, ConnectionError, socket.timeout):
                return None
            if raw is None:
                return None
            if raw.startswith(b"SIP/2.0"):
                return Response(raw)
            if raw.strip():
                return Request(raw)

    def _next_raw(self):
        if self.transport == "udp":
            return self.link.socket.recv(65535)
        while True:
            self.pending = self.pending.lstrip(b"\r\n")
            head, separator, rest = self.pending.partition(b"\r\n\r\n")
            match = re.search(rb"^(?:Content-Length|l)\s*:\s*(\d+)", head, re.I | re.M)
            size = int(match[1]) if match else 0
            if separator and len(rest) >= size:
                self.pending = rest[size:]
                return head + separator + rest[:size]
            data = self.link.socket.recv(65536)
            if not data:
                return None
            self.pending += data

    def expect(self, what, timeout=3.0):
        """The next message that is not 100; it must be this status or method."""
        message = self.receive(timeout)
        while isinstance(message, Response) and message.status == 100 and what != 100:
            message = self.receive(timeout)
        assert message is not None, f"{self.user} waits for {what}, and nothing comes"
        got = message.status if isinstance(message, Response) else message.method
        assert got == what, f"{self.user} waits for {what}, but got:\n{message.raw.decode(errors='replace')}"
        return message

    def _via(self, branch=None):
        branch = branch or f"z9hG4bKph{next(_serial)}"
        return f"Via: SIP/2.0/{self.transport.upper()} 127.0.0.1:{self.link.local_port};branch={branch};rport"

    def build(self, method, uri, *, to=None, from_tag=None, call_id=None, cseq=1, branch=None, headers=(), body=""):
        lines = [f"{method} {uri} SIP/2.0",
                 self._via(branch), "Max-Forwards: 70", f"From: <{self.uri}>;tag={from_tag or f'f{next(_serial)}'}",
                 f"To: {to or f'<{uri}>'}",
                 f"Call-ID: {call_id or f'call-{next(_serial)}-{self.link.local_port}'}", f"CSeq: {cseq} {method}",
                 *headers, f"Content-Length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def send(self, data):
        self.link.send(data)

    def ask(self, method, uri, cseq=1, headers=(), **more):
        """A request other than INVITE, outside of a dialog, and its answer; challenged, it answers once."""
        more.setdefault("from_tag", f"f{next(_serial)}")
        more.setdefault("call_id", f"ask-{next(_serial)}-{self.link.local_port}")
        self.send(self.build(method, uri, cseq=cseq, headers=headers, **more))
        response = self.receive()
        if response is not None and response.status in (401, 407) and self.password is not None:
            name, reply = (("WWW-Authenticate", "Authorization") if response.status == 401
                           else ("Proxy-Authenticate", "Proxy-Authorization"))
            credentials = digest_answer(response.header(name), self.user, self.password, method, uri)
            self.send(self.build(method, uri, cseq=cseq + 1, headers=[*headers, f"{reply}: {credentials}"], **more))
            response = self.receive()
        return response

    def register(self, expires=600, cseq=1):
        return self.ask("REGISTER", f"sip:{self.domain}", cseq=cseq, to=f"<{self.uri}>", call_id=f"reg-{self.user}",
                        headers=[f"Contact: {self.contact};expires={expires}"])

    # --- calls --------------------------------------------------------------------------------------
    def call(self, uri, body="v=0\r\n"):
        """Sends INVITE; the Call keeps what later messages need. Challenged, it answers."""
        call = Call(self, uri, f"f{next(_serial)}", f"call-{next(_serial)}-{self.link.local_port}", 1)
        call.invite(body)
        if self.password is not None:
            challenge = self.expect(407)
            call.ack_failure(challenge)
            value = digest_answer(challenge.header("Proxy-Authenticate"), self.user, self.password, "INVITE", uri)
            call.cseq += 1
            call.invite(body, [f"Proxy-Authorization: {value}"])
        return call

    def answer(self, request, status, tag="callee", body=""):
        """Answers a request that came in: answer(request, "486 Busy Here")."""
        to = request.header("To")
        lines = [f"SIP/2.0 {status}"]
        for name in ("Via", "Record-Route", "From", "Call-ID", "CSeq"):
            lines += [f"{name}: {value}" for value in request.all(name)]
        lines += [f"To: {to}" if "tag=" in to or status.startswith("100") else f"To: {to};tag={tag}",
                  f"Contact: {self.contact}", f"Content-Length: {len(body)}"]
        self.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def ask_back(self, method, invite, tag="callee", cseq=1):
        """A request from the side that was called, along the route that the INVITE recorded."""
        target = re.search(r"<([^>]+)>", invite.header("Contact"))[1]
        routes = [f"Route: {value}" for value in invite.all("Record-Route")]
        lines = [f"{method} {target} SIP/2.0", self._via(), "Max-Forwards: 70", *routes,
                 f"From: {invite.header('To')};tag={tag}", f"To: {invite.header('From')}",
                 f"Call-ID: {invite.header('Call-ID')}", f"CSeq: {cseq} {method}", f"Contact: {self.contact}",
                 "Content-Length: 0"]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def hang_up(self, invite, tag="callee", cseq=1):
        self.ask_back("BYE", invite, tag, cseq)


class Call:
    """The caller's side of a dialog."""

    def __init__(self, phone, uri, tag, call_id, cseq):
        self.phone, self.uri, self.tag, self.call_id, self.cseq = phone, uri, tag, call_id, cseq
        self.branch = f"z9hG4bKcall{next(_serial)}"

    def _send(self, method, uri, **more):
        self.phone.send(self.phone.build(method, uri, from_tag=self.tag, call_id=self.call_id, **more))

    def invite(self, body, headers=()):
        self.branch = f"z9hG4bKcall{next(_serial)}"
        self._send("INVITE", self.uri, cseq=self.cseq, branch=self.branch, body=body,
                   headers=[f"Contact: {self.phone.contact}", "Content-Type: application/sdp", *headers])

    def cancel(self):
        self._send("CANCEL", self.uri, cseq=self.cseq, branch=self.branch)

    def ack_failure(self, response):
        self._send("ACK", self.uri, cseq=self.cseq, branch=self.branch, to=response.header("To"))

    def within(self, method, response, cseq=None):
        """A request within the dialog that a 200 made: ACK, BYE, re-INVITE."""
        target = re.search(r"<([^>]+)>", response.header("Contact"))[1]
        routes = [f"Route: {value}" for value in reversed(response.all("Record-Route"))]
        self._send(method, target, to=response.header("To"), headers=routes, cseq=cseq or self.cseq)
