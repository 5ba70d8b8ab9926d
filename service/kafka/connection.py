"""Connecting to the brokers, and what their errors mean for the service."""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import TYPE_CHECKING, Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    CommitFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    IllegalStateError,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaConnectionError,
    KafkaError,
    ProducerFenced,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    TransactionCoordinatorFenced,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from service.errors import BrokerError, RejoinError, RetriableError, SettingsError
from service.settings import read_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.settings import KafkaSettings

# Closing a client asks the broker for nothing that is worth waiting longer for.
STOP_TIMEOUT_S = 5.0

# One connection with its login takes round trips, not work: only an overloaded broker needs longer.
CHECK_TIMEOUT_S = 10.0

_CREDENTIALS = "correct SENTIMENT_KAFKA__SASL_USERNAME or SENTIMENT_KAFKA__SASL_PASSWORD_FILE"
_PROTOCOL = "set SENTIMENT_KAFKA__SECURITY_PROTOCOL to that of the brokers' listener"
_NEVER_HELPS: dict[type[KafkaError], str] = {
    TopicAuthorizationFailedError: "grant this user Read on SENTIMENT_KAFKA__INPUT_TOPIC, and "
    "Write on SENTIMENT_KAFKA__OUTPUT_TOPIC and SENTIMENT_KAFKA__DEAD_LETTER_TOPIC",
    GroupAuthorizationFailedError: "grant this user Read on the group SENTIMENT_KAFKA__GROUP_ID",
    # Brokers since 2.8 take Write on any topic for it.
    ClusterAuthorizationFailedError: "grant this user Write on SENTIMENT_KAFKA__OUTPUT_TOPIC and "
    "SENTIMENT_KAFKA__DEAD_LETTER_TOPIC, and before Kafka 2.8 IdempotentWrite on the cluster",
    TransactionalIdAuthorizationFailed: "grant this user Write on the transactional ids that "
    "begin with SENTIMENT_KAFKA__GROUP_ID, or set SENTIMENT_DELIVERY__MODE=at_least_once",
    SaslAuthenticationFailed: _CREDENTIALS,
    AuthenticationFailedError: _CREDENTIALS,
    UnsupportedSaslMechanismError: "set SENTIMENT_KAFKA__SASL_MECHANISM to one the brokers offer",
    AuthenticationMethodNotSupported: _PROTOCOL,
    IllegalSaslStateError: _PROTOCOL,
}

# OpenSSL's codes for a name and for an address that the certificate does not hold.
_OTHER_NAME = (62, 64)
# What a broker says of the client's certificate, in OpenSSL's words; its other alerts may pass.
_CERTIFICATE_ALERTS = re.compile(
    r"_ALERT_(.*CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)"
)

# The brokers abort a transaction that is open for too long, and fence its producer as well.
_FENCED = (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    ProducerFenced,
    TransactionCoordinatorFenced,
)


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments that every aiokafka client needs to connect.

    Raises:
        SettingsError: a mounted file cannot be read, or does not hold what it should.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
        "client_id": "sentiment-stream",
    }
    if settings.security_protocol in ("SSL", "SASL_SSL"):
        options["ssl_context"] = _ssl_context(settings)
    if settings.sasl_password_file is not None:
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = read_secret(settings.sasl_password_file)
    return options


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca_file)
    except OSError as error:
        raise SettingsError(
            f"SENTIMENT_KAFKA__SSL_CA_FILE={settings.ssl_ca_file} cannot be used ({error}); "
            "mount a readable PEM file of certificates there"
        ) from None
    if settings.ssl_certificate_file is not None:
        try:
            # An empty password, or OpenSSL would ask the terminal for that of an encrypted key.
            context.load_cert_chain(settings.ssl_certificate_file, settings.ssl_key_file, "")
        except OSError as error:
            raise SettingsError(
                f"SENTIMENT_KAFKA__SSL_CERTIFICATE_FILE={settings.ssl_certificate_file} and "
                f"SENTIMENT_KAFKA__SSL_KEY_FILE={settings.ssl_key_file} cannot be used ({error}); "
                "mount a readable PEM certificate and its PEM key without a password there"
            ) from None
    return context


async def check_access(options: Mapping[str, Any]) -> None:
    """Log in and ask once; aiokafka's clients hide why they cannot, and try again for ever.

    Raises:
        BrokerError: no bootstrap server lets this client in, and one refuses it.
        RetriableError: none can be reached.
    """
    failure: BrokerError | RetriableError | None = None
    same = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    for host, port, _ in collect_hosts(options["bootstrap_servers"]):
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                connection = await create_conn(host, port, **same)
                try:
                    await connection.send(MetadataRequest([]))
                finally:
                    connection.close()
        except (KafkaError, OSError) as error:
            if not isinstance(failure, BrokerError):
                failure = _closed(error) or translated(error)
                told = str(failure)
                if ";" not in told:
                    told += "; is a broker there? SENTIMENT_KAFKA__BOOTSTRAP_SERVERS names it"
                failure = type(failure)(f"{host}:{port}: {told}")
        else:
            return
    if failure is not None:
        raise failure


def translated(error: Exception) -> BrokerError | RetriableError:
    """The error that says what helps: correct something, join again, or try again."""
    for kind, remedy in _NEVER_HELPS.items():
        if isinstance(error, kind):
            return BrokerError(f"Kafka refuses ({_named(error)}); {remedy}")
    if isinstance(error, _FENCED):
        return RejoinError(f"another replica has taken the partition over ({_named(error)})")
    if isinstance(error, CommitFailedError | IllegalStateError):
        return RetriableError("the partitions were taken away before the commit")
    # What broke a connection is the cause of the error that whoever waits for an answer gets.
    for cause in (error, error.__cause__):
        if isinstance(cause, ssl.SSLError) and (remedy := _certificate_remedy(cause)):
            return BrokerError(f"TLS fails ({_named(cause)}); {remedy}")
    return RetriableError(f"Kafka failed ({_named(error)})")


def _certificate_remedy(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OTHER_NAME:
            return (
                "name the brokers in SENTIMENT_KAFKA__BOOTSTRAP_SERVERS and in their "
                "advertised.listeners as their certificates do"
            )
        return "set SENTIMENT_KAFKA__SSL_CA_FILE to the authority of the brokers' certificates"
    if _CERTIFICATE_ALERTS.search(error.reason or ""):
        return (
            "set SENTIMENT_KAFKA__SSL_CERTIFICATE_FILE and SENTIMENT_KAFKA__SSL_KEY_FILE to a "
            "certificate that the brokers trust"
        )
    return ""


def _closed(error: Exception) -> RetriableError | None:
    """A broker that starts closes connections too, so that this may pass."""
    if isinstance(translated(error), BrokerError) or not isinstance(
        error, KafkaConnectionError | ConnectionResetError | ssl.SSLError
    ):
        return None
    return RetriableError(f"the connection is closed ({_named(error)}); if that lasts, {_PROTOCOL}")


def _named(error: BaseException) -> str:
    # aiokafka's own errors begin with their names.
    name, text = type(error).__name__, str(error)[:300]
    return text if name in text else f"{name}: {text}".removesuffix(": ")
