"""Certificates, passwords and tokens are taken from their files at each connection."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import conn
from aiokafka.errors import BrokerResponseError, SaslAuthenticationFailed
from structlog.testing import capture_logs

from service.errors import RetriableError, SettingsError
from service.kafka.client.connection import connection_options, translated
from service.kafka.client.logins import UntimelyTokenError
from service.settings import KafkaSettings
from tools.kafka.jar_broker import HOST
from tools.kafka.tls import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BY_TOKEN: dict[str, Any] = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "OAUTHBEARER"}
FILE = "SENTIMENT_KAFKA__SASL_TOKEN_FILE"


def connection(settings: dict[str, Any]) -> conn.AIOKafkaConnection:
    """A connection that is not made yet, as aiokafka's clients make it."""
    options = connection_options(KafkaSettings(**settings))
    del options["bootstrap_servers"]
    return conn.AIOKafkaConnection(HOST, 1, **options)


def by_password(file: Path, mechanism: str) -> dict[str, Any]:
    """Settings that log in by this file."""
    return {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": mechanism,
            "sasl_username": "u", "sasl_password_file": file}  # fmt: skip


def jwt(expires_s: float, **others_s: float) -> str:
    """A token that expires so many seconds from now, and has these times too, from now."""
    times = {name: time.time() + from_now for name, from_now in others_s.items()}
    claims = json.dumps({"sub": "u", "exp": time.time() + expires_s, **times}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"


async def test_each_login_has_the_present_password(tmp_path: Path) -> None:
    """In one client, which aiokafka gives a password for good."""
    file = tmp_path / "password"
    file.write_text("first\n")
    plain, scram = (connection(by_password(file, name)) for name in ("PLAIN", "SCRAM-SHA-256"))
    assert (b"u\0u\0first", True) == await plain.authenticator_plain().step(None)

    file.write_text("second\n")

    assert (b"u\0u\0second", True) == await plain.authenticator_plain().step(None)
    assert b"second" == scram.authenticator_scram()._sasl_plain_password


async def test_a_file_that_cannot_be_used_replaces_nothing(tmp_path: Path) -> None:
    """It is told once, by its setting and without what it holds; the next change counts again."""
    file = tmp_path / "password"
    file.write_text("first")
    plain = connection(by_password(file, "PLAIN"))
    with capture_logs() as logs:
        for content in (b"", b"\xff", None):
            file.unlink() if content is None else file.write_bytes(content)
            for _ in range(2):
                assert (b"u\0u\0first", True) == await plain.authenticator_plain().step(None)
        file.write_text("second")
        assert (b"u\0u\0second", True) == await plain.authenticator_plain().step(None)

    warnings = [line["error"] for line in logs if line["log_level"] == "warning"]
    # To the digest a missing file is an empty one.
    assert [f"SENTIMENT_KAFKA__SASL_PASSWORD_FILE={file}"] * 3 == [
        line.split(" ")[0].rstrip(":") for line in warnings
    ]
    assert "second" not in str(logs)


@asynccontextmanager
async def tls_server(authority: Authority, folder: Path) -> AsyncIterator[tuple[int, list[str]]]:
    """A port that asks for a certificate; gives the names that were shown to it."""
    certificate, key = authority.issue("server", HOST, folder / "server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    names: list[str] = []

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        subject = writer.get_extra_info("peercert")["subject"]
        names.append(dict(pair for [pair] in subject)["commonName"])
        writer.close()

    server = await asyncio.start_server(greet, HOST, 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], names


async def test_each_connection_shows_and_trusts_what_the_files_hold(tmp_path: Path) -> None:
    """One context for good: renewed, half written, renewed again, and an authority taken away."""
    authority = Authority(tmp_path / "ca.pem")
    certificate, key = authority.issue("one", HOST, tmp_path / "client")
    settings = KafkaSettings(
        security_protocol="SSL", ssl_ca_file=authority.file, ssl_certificate_file=certificate,
        ssl_key_file=key,
    )  # fmt: skip
    context = connection_options(settings)["ssl_context"]
    async with tls_server(authority, tmp_path) as (port, names):

        async def connect() -> None:
            reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
            await reader.read()
            writer.close()

        await connect()
        authority.issue("two", HOST, tmp_path / "client")
        await connect()
        certificate.write_bytes(certificate.read_bytes()[:100])
        with capture_logs() as logs:
            await connect()
            await connect()
        authority.issue("three", HOST, tmp_path / "client")
        await connect()
        Authority(tmp_path / "ca.pem")
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect()

    assert ["one", "two", "two", "two", "three"] == names
    [line] = logs
    assert "mount a readable PEM certificate" in line["error"]


async def test_each_login_has_the_present_token(tmp_path: Path) -> None:
    """With its extensions, in the form of RFC 7628."""
    file = tmp_path / "token"
    file.write_text("first==\n")
    settings = BY_TOKEN | {"sasl_token_file": file, "sasl_extensions": "pool=a=1,cluster=c"}
    made = connection(settings)
    sent = b"n,,\x01auth=Bearer %s\x01pool=a=1\x01cluster=c\x01\x01"
    assert (sent % b"first==", True) == await made.authenticator_oauth().step(None)

    file.write_text("second")

    login = made.authenticator_oauth()
    assert (sent % b"second", True) == await login.step(None)
    assert await login.step(b"") is None


async def test_an_answer_that_refuses_a_token_is_no_welcome(tmp_path: Path) -> None:
    """Brokers send the reason, and then wait for the client to give up."""
    (tmp_path / "token").write_text("t")
    login = connection(BY_TOKEN | {"sasl_token_file": tmp_path / "token"}).authenticator_oauth()
    await login.step(None)
    with pytest.raises(SaslAuthenticationFailed, match="invalid_token") as caught:
        await login.step(b'{"status":"invalid_token"}')
    message = str(translated(caught.value))
    assert f"correct what writes {FILE}, and SENTIMENT_KAFKA__SASL_EXTENSIONS if set" in message
    assert "SASL_PASSWORD_FILE" not in message


# What a login by this mechanism is answered, and what is said of it.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("PLAIN", {"error_code": 33, "enabled_mechanisms": ["GSSAPI", "SCRAM-SHA-512"]},
     "Error: the brokers offer GSSAPI, SCRAM-SHA-512); set SENTIMENT_KAFKA__SASL_MECHANISM to one"),
    ("PLAIN", {"error_code": 33, "enabled_mechanisms": []},
     "UnsupportedSaslMechanismError); set SENTIMENT_KAFKA__SASL_MECHANISM to one"),
    ("PLAIN", {"error_code": 34, "enabled_mechanisms": []},
     "this listener has no login); set SENTIMENT_KAFKA__SECURITY_PROTOCOL to that"),
    ("PLAIN", {"error_code": 35, "enabled_mechanisms": []}, "Kafka failed ([Error 35] Unsupport"),
    ("PLAIN", {"error_code": 58, "error_message": "no such user"},
     "no such user); correct SENTIMENT_KAFKA__SASL_USERNAME or SENTIMENT_KAFKA__SASL_PASSWORD_"),
    ("OAUTHBEARER", {"error_code": 58, "error_message": "no such key"},
     f"[Error 58] SaslAuthenticationFailed: no such key); correct what writes {FILE}"),
]  # fmt: skip


@pytest.mark.parametrize(("mechanism", "answer", "said"), REFUSED)
async def test_a_refused_login_says_what_was_refused(
    mechanism: str,
    answer: dict[str, Any],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With what is offered instead, by the settings of this mechanism, and nothing of Python's."""
    (tmp_path / "secret").write_text("s")
    by_token = BY_TOKEN | {"sasl_token_file": tmp_path / "secret"}
    made = connection(
        by_token if mechanism == "OAUTHBEARER" else by_password(tmp_path / "secret", mechanism)
    )
    accepted = {"error_code": 0, "enabled_mechanisms": [mechanism], "API_VERSION": 1}
    answers = [answer] if "error_message" not in answer else [accepted, answer]

    async def answering(*_: object) -> SimpleNamespace:
        return SimpleNamespace(**answers.pop(0))

    monkeypatch.setattr(type(made).__mro__[1], "send", answering)
    with pytest.raises(BrokerResponseError) as caught:
        await made._do_sasl_handshake()
    message = str(translated(caught.value))
    assert said in message
    assert "Connection" not in message
    assert ("SASL_USERNAME" in message) == ("no such user" in message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n", "is empty; write the token to it"),
        ("a b", "holds something else than one bearer token; write that alone to it"),
        ('{"access_token": "a"}', "holds something else than one bearer token"),
        (jwt(-60), "holds a token that expired "),
        (jwt(10**6, nbf=10**5), "holds a token that begins in "),
        (jwt(10**6, iat=10**5), "holds a token that begins in "),
    ],
    ids=["empty", "two", "json", "expired", "not-before", "issued"],
)
def test_a_token_that_no_broker_takes(content: str, message: str, tmp_path: Path) -> None:
    """It ends a start, in one line that does not hold it."""
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(SettingsError) as caught:
        connection_options(KafkaSettings(**BY_TOKEN, sasl_token_file=file))
    assert f"{FILE}={file} {message}" in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_running_replica_waits_for_a_token_that_is_late(tmp_path: Path) -> None:
    """An expired one is not sent: the brokers' refusal would end the service."""
    file = tmp_path / "token"
    file.write_text(jwt(60))
    made = connection(BY_TOKEN | {"sasl_token_file": file})
    file.write_text(jwt(-5))
    with pytest.raises(UntimelyTokenError) as caught:
        await made.authenticator_oauth().step(None)
    error = translated(caught.value)
    assert type(error) is RetriableError
    assert str(error).startswith(f"{FILE}={file} holds a token that expired ")
    assert "s ago; see that what writes it renews it before" in str(error)

    file.write_text(jwt(60))

    assert await made.authenticator_oauth().step(None) is not None
    file.write_text(jwt(10**6, nbf=10**5))
    with pytest.raises(UntimelyTokenError, match=r"begins in \d+ s \(nbf\); see that this machine"):
        await made.authenticator_oauth().step(None)


@pytest.mark.parametrize(
    "token",
    ["opaque", "a.b.c", "e30.e30.", "e30.MTI.", "e30.W10.x", jwt(10**6, nbf=30, iat=30)],
    ids=["opaque", "letters", "no-claims", "number", "list", "clock-a-little-behind"],
)
def test_a_token_that_may_hold_is_taken(token: str, tmp_path: Path) -> None:
    """Brokers may read what nobody else can, and have clocks of their own."""
    (tmp_path / "token").write_text(token)
    connection_options(KafkaSettings(**BY_TOKEN, sasl_token_file=tmp_path / "token"))
