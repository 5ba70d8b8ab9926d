"""The login and the certificates for a schema registry, read from their mounted files.

Exists apart from `client` so that all that reads a secret is in one place, and each request and
each new connection takes what the files hold then. Nothing is sent here.
"""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING

from service.settings import Mounted, MountedContext, named_secret

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from service.settings import KafkaSettings

_NAME = "SENTIMENT_KAFKA__SCHEMA_REGISTRY_"


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
    password = named_secret(f"{_NAME}PASSWORD_FILE", path)
    pair = f"{username}:{password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def ssl_context(settings: KafkaSettings) -> ssl.SSLContext | bool:
    """What to trust and to show at each connection; True for what the system trusts.

    Raises:
        SettingsError: one line for each file that cannot be used.
    """
    files = (
        settings.schema_registry_ca_file,
        settings.schema_registry_certificate_file,
        settings.schema_registry_key_file,
    )
    return MountedContext.of(_NAME, *files) if any(files) else True
