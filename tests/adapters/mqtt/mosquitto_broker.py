"""A real Mosquitto on a free loopback port: the shipped configuration and access list, a test authority, passwords."""

import datetime as dt
import getpass
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.mqtt.settings import MqttSettings

SHIPPED = Path(__file__).parents[3] / "config" / "deploy" / "mosquitto"
IDENTITIES = ("bot", "probe", "operator-anna", "operator-switch", "monitor", "stranger")
STARTS_WITHIN_S = 10.0
DAY = dt.timedelta(days=1)


def program(name: str) -> str:
    """Return the path of a program of Mosquitto; without it skip, under CI fail."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    if found is None:
        missing = f"{name} is not installed; install the package mosquitto"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


class Credentials:
    """One folder with certificates and one password per identity."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _write_certificates(folder)
        make = program("mosquitto_passwd")
        (folder / "passwords").touch(mode=0o600)
        for name in IDENTITIES:
            password = f"secret of {name}"
            (folder / f"{name}.password").write_text(password + "\n")
            (folder / f"{name}.password").chmod(0o600)
            subprocess.run([make, "-b", str(folder / "passwords"), name, password], check=True, capture_output=True)

    def password_file(self, name: str) -> Path:
        """Return the password file of an identity."""
        return self.folder / f"{name}.password"


class Mosquitto:
    """One broker process; it may be stopped and started again on the same port."""

    def __init__(self, folder: Path, credentials: Credentials) -> None:
        self.folder = folder
        self.credentials = credentials
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        shutil.copy(SHIPPED / "acl", folder / "acl")
        (folder / "acl").chmod(0o600)
        self._write_configuration()

    def deny(self, *lines: str) -> None:
        """Take lines out of the access list : the gap that an operator's slip leaves."""
        path = self.folder / "acl"
        kept = [line for line in path.read_text().splitlines() if line not in lines]
        path.write_text("\n".join(kept) + "\n")

    def reload(self) -> None:
        """Have the running broker read its access list again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def start(self) -> None:
        """Start and wait until it listens."""
        command = [program("mosquitto"), "-c", str(self.folder / "mosquitto.conf")]
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not _listens(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"mosquitto does not start: {(self.folder / 'mosquitto.log').read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STARTS_WITHIN_S)
            self._process = None

    def settings(self, **changes: object) -> MqttSettings:
        """Return the bot's settings for this broker, quick to reconnect."""
        chosen: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port,
            "ca_file": self.credentials.folder / "ca.crt",
            "password_file": self.credentials.password_file("bot"),
            "probe_password_file": self.credentials.password_file("probe"),
            "reconnect_first_s": 0.1,
            "reconnect_most_s": 0.5,
        }
        return MqttSettings(**{**chosen, **changes})  # type: ignore[arg-type]  # names are the section's own

    def _write_configuration(self) -> None:
        text = (SHIPPED / "mosquitto.conf").read_text()
        for old, new in {
            "user mosquitto": f"user {getpass.getuser()}",
            "listener 8883": f"listener {self.port}",
            "/etc/mosquitto/certs": str(self.credentials.folder),
            "/etc/mosquitto/passwords": str(self.credentials.folder / "passwords"),
            "/etc/mosquitto/acl": str(self.folder / "acl"),
            "/var/lib/mosquitto/": f"{self.folder}/",
        }.items():
            assert old in text
            text = text.replace(old, new)
        (self.folder / "mosquitto.conf").write_text(text)


def _write_certificates(folder: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alvh test authority")])
    usage = {
        **dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False),
        **dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False),
    }
    authority = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(authority_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    server = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]))
        .issuer_name(name)
        .public_key(server_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.crt").write_bytes(authority.public_bytes(pem))
    (folder / "server.crt").write_bytes(server.public_bytes(pem))
    (folder / "server.key").write_bytes(
        server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
