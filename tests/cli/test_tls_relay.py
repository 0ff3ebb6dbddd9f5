"""A relay behind TLS, with a certificate authority of its own."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cli.casesync_runs import Laptop
from cli.conftest import start_relay, stop_relay

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Files:
    """What a certificate authority hands out."""

    authority: Path
    certificate: Path
    key: Path


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(subject: str, issuer: str, public: ec.EllipticCurvePublicKey):
    now = datetime.datetime.now(tz=datetime.UTC)
    made = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named(issuer))
    made = made.public_key(public).serial_number(x509.random_serial_number())
    return made.not_valid_before(now - DAY).not_valid_after(now + DAY)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Files:
    folder = tmp_path_factory.mktemp("tls")
    root, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    of_root = x509.SubjectKeyIdentifier.from_public_key(root.public_key())
    signs = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    authority = certificate("an authority", "an authority", root.public_key())
    authority = authority.add_extension(x509.BasicConstraints(True, 0), True)
    authority = authority.add_extension(signs, True).add_extension(of_root, False)
    own = certificate("a relay", "an authority", key.public_key())
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    own = own.add_extension(x509.SubjectAlternativeName(names), False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    own = own.add_extension(issuer, False)
    made = Files(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    for path, built in ((made.authority, authority), (made.certificate, own)):
        signed = built.sign(root, hashes.SHA256())
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


@pytest.fixture
def tls_relay(files, tmp_path):
    options = ["--tls-cert", str(files.certificate), "--tls-key", str(files.key)]
    running = start_relay(tmp_path / "relay.db", options=options)
    yield running
    stop_relay(running)


def test_a_network_lives_behind_tls_and_an_unknown_certificate_is_refused(
    files, tls_relay, tmp_path
):
    assert tls_relay.url.startswith("https://")
    create = ["network", "create", "Bình Yên", "--relay", tls_relay.url, "--json"]
    stranger = Laptop(tmp_path / "home", "hoa sen ven hồ Tây")
    refused = stranger.run_process(*create)
    assert (refused.code, refused.error["code"]) == (4, "relay-certificate")
    assert "SSL_CERT_FILE" in refused.error["advice"]
    assert not stranger.home.exists()

    trusting = {"SSL_CERT_FILE": str(files.authority)}
    laptop = Laptop(tmp_path / "home", "hoa sen ven hồ Tây", extra=trusting)
    assert laptop.run_process(*create).code == 0
    assert laptop.run_process("case", "new", "--kind", "gbv").code == 0
    synced = laptop.run_process("sync", "--json")
    assert (synced.code, synced.json["synced"]) == (0, True)
    assert stranger.run_process("sync", "--json").error["code"] == "relay-certificate"


def test_tls_files_that_do_not_fit_are_named(files, tmp_path):
    operator = Laptop(tmp_path / "operator")
    serve = ["relay", "serve", "--db", str(tmp_path / "relay.db"), "--port", "0", "--json"]
    for options in (
        ["--tls-cert", str(files.certificate)],
        ["--tls-key", str(files.key)],
        ["--tls-cert", str(tmp_path / "absent.pem"), "--tls-key", str(files.key)],
        ["--tls-cert", str(files.authority), "--tls-key", str(files.key)],
    ):
        done = operator.run_process(*serve, *options)
        assert (done.code, done.error["code"]) == (2, "relay-tls-files"), options
    assert not (tmp_path / "relay.db").exists()
