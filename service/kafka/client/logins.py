"""Certificates, passwords and tokens for the brokers: each new connection takes the present ones.

Exists because aiokafka keeps a password for as long as a client lives, and because files with
secrets are renewed while it does. Nothing may enter that connects.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from aiokafka import conn
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError, SaslAuthenticationFailed

from service.errors import SettingsError, first_line
from service.settings import Mounted, MountedContext, read_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from service.settings import KafkaSettings

_TOKEN = "SENTIMENT_KAFKA__SASL_TOKEN_FILE"  # noqa: S105 - the name of a setting
# What RFC 6750 takes for one; brokers close the connection at anything else.
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class TokenExpiredError(KafkaError):  # type: ignore[misc] # aiokafka ships no types
    """The token's file has not been renewed in time; nothing is sent, and waiting may help."""


class _Password(str):
    """The password as aiokafka keeps it, as a text; a login asks it for the present one."""

    __slots__ = ("present",)
    present: Callable[[], str]


class _Plain(conn.SaslPlainAuthenticator):  # type: ignore[misc] # aiokafka ships no types
    def __init__(self, *, sasl_plain_password: str, **options: Any) -> None:
        super().__init__(sasl_plain_password=_present(sasl_plain_password), **options)


class _Scram(conn.ScramAuthenticator):  # type: ignore[misc] # aiokafka ships no types
    def __init__(self, *, sasl_plain_password: str, **options: Any) -> None:
        super().__init__(sasl_plain_password=_present(sasl_plain_password), **options)


class _OAuth(conn.OAuthAuthenticator):  # type: ignore[misc] # aiokafka ships no types
    async def step(self, payload: bytes | None) -> Any:
        """See `aiokafka.conn`; which takes the answer that refuses a token for a welcome."""
        if payload:
            raise SaslAuthenticationFailed(first_line(Exception(payload.decode(errors="replace"))))
        return await super().step(payload)


def register_logins() -> None:
    """Let all of aiokafka's clients log in so; may be called many times."""
    conn.SaslPlainAuthenticator = _Plain
    conn.ScramAuthenticator = _Scram
    conn.OAuthAuthenticator = _OAuth


class _Token(AbstractTokenProvider):  # type: ignore[misc] # aiokafka ships no types
    """The token of each login."""

    def __init__(self, file: Path, extensions: str | None) -> None:
        """Read it.

        Raises:
            SettingsError: there is none, or it has expired.
        """
        self._file = file
        self._present = Mounted((file,), partial(_read_token, file))
        pairs = extensions.split(",") if extensions else []
        self._extensions = dict(pair.split("=", 1) for pair in pairs)
        if expired := _expired(file, self._present()):
            raise SettingsError(expired)

    async def token(self) -> str:
        """See `AbstractTokenProvider`."""
        token = self._present()
        if expired := _expired(self._file, token):
            raise TokenExpiredError(expired)
        return token

    def extensions(self) -> dict[str, str]:
        """See `AbstractTokenProvider`."""
        return self._extensions


def login_options(settings: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments by which an aiokafka client logs in.

    Raises:
        SettingsError: one line for each mounted file that cannot be read or has the wrong content.
    """
    wrong: list[str] = []
    options: dict[str, Any] = {}
    if settings.security_protocol in ("SSL", "SASL_SSL"):
        files = (settings.ssl_ca_file, settings.ssl_certificate_file, settings.ssl_key_file)
        mounted = tuple(file for file in files if file is not None)
        try:
            present = Mounted(mounted, partial(_ssl_context, settings))
            options["ssl_context"] = MountedContext.of(present)
        except SettingsError as error:
            wrong.append(str(error))
    if settings.security_protocol.startswith("SASL_"):
        options["sasl_mechanism"] = settings.sasl_mechanism
    try:
        if settings.sasl_password_file is not None:
            options["sasl_plain_username"] = settings.sasl_username
            options["sasl_plain_password"] = _password(settings.sasl_password_file)
        if settings.sasl_token_file is not None:
            token = _Token(settings.sasl_token_file, settings.sasl_extensions)
            options["sasl_oauth_token_provider"] = token
    except SettingsError as error:
        wrong.append(str(error))
    if wrong:
        raise SettingsError("\n".join(wrong))
    return options


def _password(file: Path) -> _Password:
    present = Mounted((file,), partial(_read_password, file))
    password = _Password(present())
    password.present = present
    return password


def _present(password: str) -> str:
    return password.present() if isinstance(password, _Password) else password


def _read_password(file: Path) -> str:
    try:
        password = read_secret(file)
    except SettingsError as error:
        raise SettingsError(f"SENTIMENT_KAFKA__SASL_PASSWORD_FILE={error}") from None
    if not password:
        raise SettingsError(
            f"SENTIMENT_KAFKA__SASL_PASSWORD_FILE={file} is empty; write the password to it"
        )
    return password


def _read_token(file: Path) -> str:
    try:
        token = read_secret(file).strip()
    except SettingsError as error:
        raise SettingsError(f"{_TOKEN}={error}") from None
    if not token:
        raise SettingsError(f"{_TOKEN}={file} is empty; write the token to it")
    if _BEARER.fullmatch(token) is None:
        raise SettingsError(
            f"{_TOKEN}={file} holds something else than one bearer token; write that alone to it"
        )
    return token


def _expired(file: Path, token: str) -> str | None:
    """What to do about a token that says of itself that it has expired; others say nothing."""
    try:
        _, claims, _ = token.split(".")
        until = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]
        past_s = time.time() - float(until)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    if not past_s >= 0:
        return None
    return (
        f"{_TOKEN}={file} holds a token that expired {past_s:.0f} s ago; see that what writes it "
        "renews it before, and that this machine's clock is right"
    )


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    wrong: list[str] = []
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca_file)
    except OSError as error:
        wrong.append(
            f"SENTIMENT_KAFKA__SSL_CA_FILE={settings.ssl_ca_file} cannot be used ({error}); "
            "mount a readable PEM file of certificates there"
        )
        context = ssl.create_default_context()
    if settings.ssl_certificate_file is not None:
        try:
            # With no password given, OpenSSL would ask for an encrypted key's at the terminal.
            context.load_cert_chain(settings.ssl_certificate_file, settings.ssl_key_file, "")
        except OSError as error:
            wrong.append(
                f"SENTIMENT_KAFKA__SSL_CERTIFICATE_FILE={settings.ssl_certificate_file} and "
                f"SENTIMENT_KAFKA__SSL_KEY_FILE={settings.ssl_key_file} cannot be used ({error}); "
                "mount a readable PEM certificate and its PEM key without a password there"
            )
    if wrong:
        raise SettingsError("\n".join(wrong))
    return context
