"""What a phone sent and got, written so that two servers can be compared: what is arbitrary is numbered as it appears."""
import re

from .phone import Phone

# What each server makes up, or is called: the n-th value of its kind becomes KIND-n.
_NUMBERED = (
    ("tag", r"(?<=;tag=)[^;>\s,]+"),
    ("branch", r"(?<=;branch=)[^;>\s,]+"),
    ("call", r"(?<=\r\nCall-ID: )[^\r]+"),
    ("connection", r"(?<=;i=)[0-9a-f]+"),
    ("path", r"(?<=;rport=)\d+"),
)
_CONSTANT = (
    (r'(?<=nonce=")[^"]+', "NONCE"),  # Kamailio's are equal within a second
    (r'(?<=response=")[^"]+', "ANSWER"),
    (r"(?<=\r\nServer: )[^\r]+", "SERVER"),
    (r"(?<=;expires=)59\d\b", "600"),  # a second may have passed
    (r"(?<=\r\nDate: )[^\r]+", "DATE"),
    (r"\r\nMax-Breadth: \d+", ""),  # RFC 5393, when a request forks
)


# Which have another place among the fields than Kamailio gives them: it puts Record-Route above the Vias, these two last.
_MOVABLE = ("Record-Route: ", "Server: ", "Reason: ")


def _in_order(text):
    """Fields stay in the order in which they came, but for _MOVABLE, a Via's parameters, and an ACK's or CANCEL's own hops."""
    head, _, body = text.partition("\r\n\r\n")
    start, *fields = head.split("\r\n")
    fields = [line for line in fields if not line.startswith(_MOVABLE)] + \
             [line for name in _MOVABLE for line in fields if line.startswith(name)]
    for i, line in enumerate(fields):
        if line.startswith("Via: "):
            sent_by, *parameters = line.split(";")
            fields[i] = ";".join([sent_by, *sorted(parameters)])
    if start.startswith(("ACK ", "CANCEL ")):
        fields = [line for line in fields if not line.startswith("Max-Forwards: ")]  # of this hop alone
    return "\n".join([start, *fields, "", body])


class RecordingPhone(Phone):
    """A Phone that keeps every message, in the order in which it saw them."""

    def __init__(self, *arguments, **more):
        self.messages = []
        self.about_to_send = lambda: None
        super().__init__(*arguments, **more)

    def send(self, data):
        self.about_to_send()
        self.messages.append(("sent", data))
        super().send(data)

    def receive(self, timeout=3.0):
        message = super().receive(timeout)
        if message is not None:
            self.messages.append(("got", message.raw))
        return message

    def ignore(self):
        """What comes in the next tenth of a second is not part of the comparison."""
        while super().receive(0.1) is not None:
            pass


class Transcript:
    """Numbers are given over all phones of a scenario, so that what one sent is known again where another gets it."""

    def __init__(self, ports):
        self.ports = {str(port): name for name, port in ports.items()}
        self.seen = {kind: {} for kind, _ in _NUMBERED}

    def _number(self, kind, value):
        known = self.seen[kind]
        return known.setdefault(value, f"{kind}-{len(known) + 1}")

    def message(self, raw):
        text = raw.decode(errors="replace")
        text = re.sub(r"(?<=\D)\d{4,5}(?=\D|$)", lambda m: self.ports.get(m[0], m[0]), text)
        for kind, pattern in _NUMBERED:
            text = re.sub(pattern, lambda m, kind=kind: self._number(kind, m[0]), text)
        for pattern, word in _CONSTANT:
            text = re.sub(pattern, word, text)
        return _in_order(text)

    def account(self, line):
        """A line of module acc."""
        line = re.sub(r"timestamp=\d+", "timestamp=T", line)
        for kind, name in (("tag", "from_tag"), ("tag", "to_tag"), ("call", "call_id")):
            line = re.sub(rf"(?<={name}=)[^;]+", lambda m, kind=kind: self._number(kind, m[0]), line)
        return line

    def of(self, phone):
        return "\n".join(f"--- {phone.user} {way}\n{self.message(raw)}" for way, raw in phone.messages)
