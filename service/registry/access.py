"""The login and the certificates for a schema registry, read from their mounted files.

Exists apart from `client` so that all that reads a secret is in one place, and each request and
each new connection takes what the files hold then. Nothing is sent here.
"""

from __future__ import annotations

import base64
import ssl
from functools import partial
from typing import TYPE_CHECKING

from service.errors import SettingsError
from service.settings import Mounted, MountedContext, named_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from service.settings import KafkaSettings

_PASSWORD = "SENTIMENT_KAFKA__SCHEMA_REGISTRY_PASSWORD_FILE"  # noqa: S105 - the name of a setting


def login(settings: KafkaSettings) -> Callable[[], dict[str, str]]:
    """Gives the headers that log in now; none without a login.

    Raises:
        SettingsError: the password cannot be read, or is empty.
    """
    path = settings.schema_registry_password_file
    if settings.schema_registry_username is None or path is None:
        return dict
    return Mounted((path,), partial(_headers, settings.schema_registry_username, path))


def _headers(username: str, path: Path) -> dict[str, str]:
    password = named_secret(_PASSWORD, path)
    pair = f"{username}:{password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def ssl_context(settings: KafkaSettings) -> ssl.SSLContext | bool:
    """What to trust and to show at each connection; True for what the system trusts.

    Raises:
        SettingsError: a file cannot be used.
    """
    files = tuple(f for f in (settings.schema_registry_ca_file, *_client_files(settings)) if f)
    if not files:
        return True
    return MountedContext.of(Mounted(files, partial(_ssl_context, settings)))


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    ca_file = settings.schema_registry_ca_file
    certificate, key = _client_files(settings)
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise SettingsError(
            f"SENTIMENT_KAFKA__SCHEMA_REGISTRY_CA_FILE={ca_file} cannot be used ({error}); mount "
            "a readable PEM file of certificates there"
        ) from None
    if certificate is not None:
        try:
            # With no password given, OpenSSL would ask for an encrypted key's at the terminal.
            context.load_cert_chain(certificate, key, "")
        except OSError as error:
            raise SettingsError(
                f"SENTIMENT_KAFKA__SCHEMA_REGISTRY_CERTIFICATE_FILE={certificate} and "
                f"SENTIMENT_KAFKA__SCHEMA_REGISTRY_KEY_FILE={key} cannot be used ({error}); mount "
                "a readable PEM certificate and its PEM key without a password there"
            ) from None
    return context


def _client_files(settings: KafkaSettings) -> tuple[Path | None, Path | None]:
    return settings.schema_registry_certificate_file, settings.schema_registry_key_file
