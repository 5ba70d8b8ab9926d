"""Certificates for tests: an authority, and what it signs. May not import the service."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

# Longer than any test, with room before for a clock that is set back.
VALID = dt.timedelta(days=1)


class Authority:
    """Signs certificates; its own is in `file`."""

    def __init__(self, file: Path) -> None:
        """Make it, with a new key."""
        self.file = file
        self._name = _name(file.stem)
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self._name, self._key).issuer_name(self._name)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        certificate = builder.sign(self._key, hashes.SHA256())
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, common_name: str, address: str, folder: Path) -> tuple[Path, Path]:
        """Sign a certificate for a name and an IP address; gives the PEM files of it and its key.

        The key's form is PKCS #8, which is the only one that Kafka reads.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        builder = _builder(_name(common_name), key).issuer_name(self._name)
        certificate = builder.add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        folder.mkdir(exist_ok=True)
        certificate_file, key_file = folder / "tls.crt", folder / "tls.key"
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate_file, key_file


def _builder(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID)
        .not_valid_after(now + VALID)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
