"""Certificates for tests, made once per run by scripts/kahu-cert."""
import hashlib
import ssl
import subprocess
from pathlib import Path

from .paths import KAHU_CERT


class Certificates:
    """One CA; every file is DIRECTORY/NAME.crt with NAME.key."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.run("all")
        self.run("server", "--name", "rsa", "--rsa")
        self.run("server", "--name", "second")
        self.run("client", "--name", "revoked")
        self.run("revoke", "--name", "revoked")
        self.run("variants")
        self.ca = self.directory / "ca.crt"
        self.crl = self.directory / "crl.pem"

    def run(self, command, *arguments):
        subprocess.run([KAHU_CERT, command, self.directory, "--quiet", *arguments], check=True)

    def cert(self, name="server"):
        return self.directory / f"{name}.crt"

    def key(self, name="server"):
        return self.directory / f"{name}.key"

    def fingerprint(self, name="server"):
        return fingerprint(self.cert(name))


def fingerprint(path):
    """SHA-256 of the first certificate of a PEM file, as kahu-load prints it."""
    pem = Path(path).read_text()
    first = pem[: pem.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----")]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()
