"""TLS, logins and permissions against real Apache Kafka: right ones work, wrong ones are named.

A wrong one must end the service by itself with one line that names what to correct; a broker that
is merely away must not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from confluent_kafka.admin import AclOperation
from cryptography.hazmat.primitives import serialization

from service.errors import BrokerError, RetriableError, SettingsError
from service.kafka import KafkaSession
from service.kafka.client.connection import connection_options
from service.settings import KafkaSettings
from tools.kafka.jar_broker import HOST, free_ports
from tools.kafka.secured_broker import PASSWORD, USER, Secured, acls_of
from tools.kafka.sessions import settings_of
from tools.kafka.tls import Authority
from tools.kafka.topics import Message, produce
from tools.service_process import running_service

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

kafka = pytest.mark.kafka
model = pytest.mark.model

# A start on a busy machine, and the longest that the service may go on after it knows.
END_SECONDS = 60


def ended(folder: Path, settings: Mapping[str, str], secret: str = PASSWORD) -> str:
    """Run the service until it ends by itself; gives its one line that is not a log line."""
    with running_service(folder, settings) as service:
        assert 1 == service.process.wait(END_SECONDS), service.log()
        assert "Traceback" not in service.log()
        assert secret not in service.log()
        [line] = [line for line in service.log().splitlines() if not line.startswith("{")]
    assert line.startswith("error: ")
    return line


@kafka
@model
@pytest.mark.parametrize("way", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "certificate"])
async def test_a_message_goes_through(way: str, secured: Secured, tmp_path: Path) -> None:
    """With what is right, and no permission too many, an event comes out; no secret is logged."""
    stream = secured.stream()
    secured.grant(*acls_of(stream).values())
    await produce(stream.bootstrap, stream.input, [Message(value=b'{"text": "It works."}')])
    access = secured.certificate() if way == "certificate" else secured.login(way)
    with running_service(tmp_path, stream.settings(**access, LOG__LEVEL="debug")) as service:
        await stream.wait_committed(service)
        assert 0 == service.stop()
        assert PASSWORD not in service.log()
    [event] = await stream.events()
    assert "It works." == event["text"]


@kafka
@model
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_ends_the_service(
    mechanism: str, secured: Secured, tmp_path: Path
) -> None:
    """The line names the user and the file to look at, not what is in it."""
    wrong = "wrong-staple-4712"
    access = secured.login(mechanism, wrong)
    last = ended(tmp_path, secured.stream().settings(**access), wrong)
    assert "correct SENTIMENT_KAFKA__SASL_USERNAME or SENTIMENT_KAFKA__SASL_PASSWORD_FILE" in last


@kafka
@model
@pytest.mark.parametrize(
    ("missing", "remedy"),
    [
        ("input", "Read on SENTIMENT_KAFKA__INPUT_TOPIC"),
        ("output", "Write on SENTIMENT_KAFKA__OUTPUT_TOPIC"),
        ("letters", "SENTIMENT_KAFKA__DEAD_LETTER_TOPIC"),
        ("group", "Read on the group SENTIMENT_KAFKA__GROUP_ID"),
        (
            "transactions",
            "Write on the transactional ids that begin with SENTIMENT_KAFKA__GROUP_ID",
        ),
    ],
)
def test_a_missing_permission_ends_the_service(
    missing: str, remedy: str, secured: Secured, tmp_path: Path
) -> None:
    """The line says what to grant, and names the resource."""
    stream = secured.stream()
    acls = acls_of(stream)
    secured.grant(*(acl for name, acl in acls.items() if name != missing))
    last = ended(tmp_path, stream.settings(**secured.login("SCRAM-SHA-512")))
    assert remedy in last
    assert acls[missing][1] in last


@kafka
@model
@pytest.mark.parametrize("mode", ["exactly_once", "at_least_once"])
@pytest.mark.parametrize("missing", ["input", "output"])
async def test_topics_that_may_only_be_described(
    missing: str, mode: str, secured: Secured, tmp_path: Path
) -> None:
    """What shows only at the first fetch or send ends the service as well."""
    stream = secured.stream()
    acls = acls_of(stream)
    kind, name, _ = acls[missing]
    acls[missing] = (kind, name, AclOperation.DESCRIBE)
    secured.grant(*acls.values())
    await produce(stream.bootstrap, stream.input, [Message(value=b'{"text": "It works."}')])
    access = secured.login("SCRAM-SHA-512")
    last = ended(tmp_path, stream.settings(**access, DELIVERY__MODE=mode))
    assert f"SENTIMENT_KAFKA__{missing.upper()}_TOPIC" in last
    assert name in last


@kafka
@model
def test_an_untrusted_broker_ends_the_service(secured: Secured, tmp_path: Path) -> None:
    """The line names the file of authorities."""
    other = Authority(tmp_path / "other.pem")
    access = secured.login("PLAIN") | {"KAFKA__SSL_CA_FILE": str(other.file)}
    last = ended(tmp_path, secured.stream().settings(**access))
    assert "set SENTIMENT_KAFKA__SSL_CA_FILE to the authority" in last


@kafka
@model
async def test_a_password_taken_back_ends_the_service(secured: Secured, tmp_path: Path) -> None:
    """A service that ran well ends when its brokers do not let it in any more."""
    stream = secured.stream()
    secured.grant(*acls_of(stream).values())
    settings = stream.settings(**secured.login("SCRAM-SHA-512"))
    try:
        with running_service(tmp_path, settings) as service:
            service.wait_ready()
            secured.take_password(USER)
            secured.broker.restart()
            assert 1 == service.process.wait(END_SECONDS), service.log()
            [line] = [line for line in service.log().splitlines() if not line.startswith("{")]
            assert "SENTIMENT_KAFKA__SASL_PASSWORD_FILE" in line
    finally:
        secured.set_passwords(USER)


async def failure(named: Mapping[str, str]) -> BrokerError | RetriableError:
    """Why a session with these settings does not start."""
    session = KafkaSession(settings_of(named), 10)
    try:
        with pytest.raises((BrokerError, RetriableError)) as info:
            await session.start()
    finally:
        await session.stop()
    assert isinstance(info.value, BrokerError | RetriableError)
    assert "\n" not in str(info.value)
    # Nothing of Python's, such as an object.
    assert "<" not in str(info.value)
    return info.value


@kafka
async def test_what_else_is_refused(secured: Secured, tmp_path: Path) -> None:
    """Users, authorities, names, certificates, mechanisms, protocols: each with its remedy."""
    right, shown = secured.login("SCRAM-SHA-512"), secured.certificate()
    server, ca = "KAFKA__BOOTSTRAP_SERVERS", "KAFKA__SSL_CA_FILE"
    cert, plain = secured.broker.addresses["CERT"], secured.broker.addresses["SCRAM"]
    other = secured.certificate(Authority(tmp_path / "other.pem"))
    bare = {
        name: value
        for name, value in shown.items()
        if "CERTIFICATE" not in name and "KEY" not in name
    }
    by_plain = {name: value for name, value in secured.login("PLAIN").items() if name != ca}
    for named, remedy in (
        ({**right, "KAFKA__SASL_USERNAME": "nobody"}, "KAFKA__SASL_USERNAME"),
        ({n: v for n, v in right.items() if n != ca}, ca),
        ({**right, server: right[server].replace(HOST, "localhost")}, server),
        (bare, "KAFKA__SSL_CERTIFICATE_FILE"),
        (other, "KAFKA__SSL_CERTIFICATE_FILE"),
        ({**by_plain, server: plain, "KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
         "KAFKA__SASL_MECHANISM"),
        ({**shown, **right, server: cert}, "KAFKA__SECURITY_PROTOCOL"),
    ):  # fmt: skip
        error = await failure(named)
        assert isinstance(error, BrokerError), (remedy, error)
        assert f"SENTIMENT_{remedy}" in str(error)


@kafka
async def test_what_may_pass_is_tried_again(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brokers that are away, silent or close connections, as they do while they start."""
    monkeypatch.setattr("service.kafka.client.connection.CHECK_TIMEOUT_S", 0.5)
    right = secured.login("SCRAM-SHA-512")
    server, protocol = "KAFKA__BOOTSTRAP_SERVERS", "KAFKA__SECURITY_PROTOCOL"
    sasl, plain = secured.broker.addresses["SASL"], secured.broker.bootstrap_servers
    [port] = free_ports(1)
    away = await failure({**right, server: f"{HOST}:{port}"})
    assert isinstance(away, RetriableError)
    ca_file = right["KAFKA__SSL_CA_FILE"]
    for closing in (
        {server: sasl},
        {server: plain, protocol: "SSL"},
        {server: sasl, protocol: "SSL", "KAFKA__SSL_CA_FILE": ca_file},
    ):
        error = await failure(closing)
        assert isinstance(error, RetriableError)
        assert "SENTIMENT_KAFKA__SECURITY_PROTOCOL" in str(error)
    secured.broker.pause()
    try:
        silent = await failure(right)
    finally:
        secured.broker.resume()
    assert isinstance(silent, RetriableError)


def test_files_that_hold_something_else(tmp_path: Path) -> None:
    """Each is named with its setting, before anything is connected."""
    authority = Authority(tmp_path / "ca.pem")
    certificate, key = authority.issue(USER, HOST, tmp_path / "one")
    _, other_key = authority.issue(USER, HOST, tmp_path / "two")
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        serialization.load_pem_private_key(key.read_bytes(), None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    for ca_file, key_file, setting in (
        (key, key, "SENTIMENT_KAFKA__SSL_CA_FILE"),
        (authority.file, other_key, "SENTIMENT_KAFKA__SSL_KEY_FILE"),
        (authority.file, locked, "SENTIMENT_KAFKA__SSL_KEY_FILE"),
    ):
        settings = KafkaSettings(
            security_protocol="SSL",
            ssl_ca_file=ca_file,
            ssl_certificate_file=certificate,
            ssl_key_file=key_file,
        )
        with pytest.raises(SettingsError, match=setting):
            connection_options(settings)


def test_check_config_shows_the_file_and_not_the_password(tmp_path: Path) -> None:
    """What operators paste into tickets holds no secret."""
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SENTIMENT_")},
        "SENTIMENT_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "SENTIMENT_KAFKA__SASL_USERNAME": USER,
        "SENTIMENT_KAFKA__SASL_PASSWORD_FILE": str(file),
    }
    command = [sys.executable, "-m", "service", "run", "--check-config"]
    result = subprocess.run(  # noqa: S603 - a fixed command, no shell
        command, env=environment, capture_output=True, text=True, check=True
    )
    assert str(file) in result.stdout
    assert PASSWORD not in result.stdout + result.stderr
