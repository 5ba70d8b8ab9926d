"""Connecting to the brokers, and what their errors mean for the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    CommitFailedError,
    GroupAuthorizationFailedError,
    IllegalStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.helpers import create_ssl_context

from service.errors import BrokerError, RetriableError
from service.settings import read_secret

if TYPE_CHECKING:
    from service.settings import KafkaSettings

# Closing a client asks the broker for nothing that is worth waiting longer for.
STOP_TIMEOUT_S = 5.0

_NEVER_HELPS: dict[type[KafkaError], str] = {
    TopicAuthorizationFailedError: "grant this user Read on the input and Write on the output "
    "topics",
    GroupAuthorizationFailedError: "grant this user Read on SENTIMENT_KAFKA__GROUP_ID",
    ClusterAuthorizationFailedError: "grant this user IdempotentWrite on the cluster",
    SaslAuthenticationFailed: "correct SENTIMENT_KAFKA__SASL_USERNAME or the password file",
    AuthenticationFailedError: "correct SENTIMENT_KAFKA__SASL_USERNAME or the password file",
    UnsupportedSaslMechanismError: "set SENTIMENT_KAFKA__SASL_MECHANISM to one the brokers offer",
    AuthenticationMethodNotSupported: "set SENTIMENT_KAFKA__SECURITY_PROTOCOL as the brokers do",
}


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments that every aiokafka client needs to connect.

    Raises:
        SettingsError: a mounted file cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
        "client_id": "sentiment-stream",
    }
    if settings.security_protocol in ("SSL", "SASL_SSL"):
        options["ssl_context"] = create_ssl_context(
            cafile=settings.ssl_ca_file,
            certfile=settings.ssl_certificate_file,
            keyfile=settings.ssl_key_file,
        )
    if settings.sasl_password_file is not None:
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = read_secret(settings.sasl_password_file)
    return options


def translated(error: KafkaError) -> BrokerError | RetriableError:
    """The error that says what helps: correct something, or try again."""
    name = type(error).__name__
    for kind, remedy in _NEVER_HELPS.items():
        if isinstance(error, kind):
            return BrokerError(f"Kafka refuses ({name}: {error}); {remedy}")
    if isinstance(error, CommitFailedError | IllegalStateError):
        return RetriableError("the partitions were taken away before the commit")
    return RetriableError(f"Kafka failed ({name}: {str(error)[:300]})")
