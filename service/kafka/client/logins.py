"""Certificates, passwords and tokens for the brokers: each new connection takes the present ones.

Exists because aiokafka keeps a password for as long as a client lives, and because files with
secrets are renewed while it does; and because it says of a refused login neither what was refused
nor what is offered. Nothing may enter that connects.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import re
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from aiokafka import conn
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import (
    BrokerResponseError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.admin import SaslHandShakeRequest

from service.errors import SettingsError, first_line
from service.kafka.client.error_codes import TOKEN_REFUSED
from service.settings import Mounted, MountedContext, named_secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from service.settings import KafkaSettings

_PASSWORD = "SENTIMENT_KAFKA__SASL_PASSWORD_FILE"  # noqa: S105 - the name of a setting
_TOKEN = "SENTIMENT_KAFKA__SASL_TOKEN_FILE"  # noqa: S105 - the name of a setting
# What RFC 6750 takes for one; brokers close the connection at anything else.
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# How far ahead of this clock a token may begin: clocks differ a little, and brokers allow for it.
AHEAD_MAX_S = 60


class UntimelyTokenError(KafkaError):  # type: ignore[misc] # aiokafka ships no types
    """The token has expired, or begins later; nothing is sent, and waiting may help."""


class _Connection(conn.AIOKafkaConnection):  # type: ignore[misc] # aiokafka ships no types
    """A connection whose refused login says what was refused."""

    _offered: tuple[str, ...] = ()

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """See `aiokafka.conn`."""
        answer = super().send(request, expect_response)
        return self._noted(answer) if isinstance(request, SaslHandShakeRequest) else answer

    async def _noted(self, answer: Awaitable[Any]) -> Any:
        response = await answer
        self._offered = tuple(response.enabled_mechanisms or ())
        return response

    async def _do_sasl_handshake(self) -> None:
        try:
            await super()._do_sasl_handshake()
        except SaslAuthenticationFailed as error:
            if self._sasl_mechanism == "OAUTHBEARER":
                raise TOKEN_REFUSED(*error.args) from error
            raise
        except BrokerResponseError as error:
            # aiokafka puts the connection itself in place of a text.
            raise type(error)(*self._words(error)) from error

    def _words(self, error: BrokerResponseError) -> Iterator[str]:
        if isinstance(error, UnsupportedSaslMechanismError) and self._offered:
            yield f"the brokers offer {', '.join(self._offered)}"
        elif isinstance(error, IllegalSaslStateError):
            yield "this listener has no login"
        else:
            yield from (text for text in error.args if isinstance(text, str))


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
            raise TOKEN_REFUSED(first_line(Exception(payload.decode(errors="replace"))))
        return await super().step(payload)


def register_logins() -> None:
    """Let all of aiokafka's clients log in so; may be called many times."""
    conn.AIOKafkaConnection = _Connection
    conn.SaslPlainAuthenticator = _Plain
    conn.ScramAuthenticator = _Scram
    conn.OAuthAuthenticator = _OAuth


class _Token(AbstractTokenProvider):  # type: ignore[misc] # aiokafka ships no types
    """The token of each login."""

    def __init__(self, file: Path, extensions: str | None) -> None:
        """Read it.

        Raises:
            SettingsError: there is none, it has expired, or it begins later.
        """
        self._file = file
        self._present = Mounted((file,), partial(_read_token, file))
        pairs = extensions.split(",") if extensions else []
        self._extensions = dict(pair.split("=", 1) for pair in pairs)
        if untimely := _untimely(file, self._present()):
            raise SettingsError(untimely)

    async def token(self) -> str:
        """See `AbstractTokenProvider`."""
        token = self._present()
        if untimely := _untimely(self._file, token):
            raise UntimelyTokenError(untimely)
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
        try:
            options["ssl_context"] = MountedContext.of("SENTIMENT_KAFKA__SSL_", *files)
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
    present = Mounted((file,), partial(named_secret, _PASSWORD, file))
    password = _Password(present())
    password.present = present
    return password


def _present(password: str) -> str:
    return password.present() if isinstance(password, _Password) else password


def _read_token(file: Path) -> str:
    token = named_secret(_TOKEN, file, "token", strips=True)
    if _BEARER.fullmatch(token) is None:
        raise SettingsError(
            f"{_TOKEN}={file} holds something else than one bearer token; write that alone to it"
        )
    return token


def _untimely(file: Path, token: str) -> str | None:
    """What to do about a token that says of itself that it does not hold now."""
    times, now_s = _times(token), time.time()
    past_s = now_s - times.get("exp", math.inf)
    if past_s >= 0:
        return (
            f"{_TOKEN}={file} holds a token that expired {past_s:.0f} s ago; see that what writes "
            "it renews it before, and that this machine's clock is right"
        )
    for claim in ("nbf", "iat"):
        ahead_s = times.get(claim, now_s) - now_s
        if ahead_s > AHEAD_MAX_S:
            return (
                f"{_TOKEN}={file} holds a token that begins in {ahead_s:.0f} s ({claim}); see that "
                "this machine's clock is right, and that of what issues it"
            )
    return None


def _times(token: str) -> dict[str, float]:
    """When a token begins and ends, where it can be read and says so; nothing of others."""
    try:
        _, claims, _ = token.split(".")
        found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (ValueError, RecursionError):
        return {}
    times: dict[str, float] = {}
    for claim in ("exp", "nbf", "iat"):
        with contextlib.suppress(ValueError, TypeError, KeyError, OverflowError):
            times[claim] = float(found[claim])
    return times
