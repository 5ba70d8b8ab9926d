"""What the settings of TLS and of logging in to the brokers may not say together.

Exists because they are many, and belong to the connections alone. Values only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.settings.kafka import KafkaSettings

_TOKEN_MECHANISM = "OAUTHBEARER"  # noqa: S105 - the name of a mechanism


def security_conflicts(kafka: KafkaSettings) -> Iterator[str]:
    """One line for each conflict, with the variables and what to do."""
    yield from _of_login(kafka)
    tls_files = (kafka.ssl_ca_file, kafka.ssl_certificate_file, kafka.ssl_key_file)
    if any(tls_files) and kafka.security_protocol not in ("SSL", "SASL_SSL"):
        yield (
            "SENTIMENT_KAFKA__SSL_* files are set, but SENTIMENT_KAFKA__SECURITY_PROTOCOL="
            f"{kafka.security_protocol} does not use TLS; set it to SSL or SASL_SSL"
        )
    if (kafka.ssl_certificate_file is None) != (kafka.ssl_key_file is None):
        yield (
            "SENTIMENT_KAFKA__SSL_CERTIFICATE_FILE and SENTIMENT_KAFKA__SSL_KEY_FILE belong "
            "together; set both or neither"
        )


def _of_login(kafka: KafkaSettings) -> Iterator[str]:
    protocol = f"SENTIMENT_KAFKA__SECURITY_PROTOCOL={kafka.security_protocol}"
    mechanism = f"SENTIMENT_KAFKA__SASL_MECHANISM={kafka.sasl_mechanism}"
    of_password = kafka.sasl_username is not None or kafka.sasl_password_file is not None
    of_token = kafka.sasl_token_file is not None or kafka.sasl_extensions is not None
    if not kafka.security_protocol.startswith("SASL_"):
        if of_password:
            yield (
                "SENTIMENT_KAFKA__SASL_USERNAME or SENTIMENT_KAFKA__SASL_PASSWORD_FILE is set, but "
                f"{protocol} does not log in; set it to SASL_SSL or SASL_PLAINTEXT"
            )
        if of_token:
            yield (
                "SENTIMENT_KAFKA__SASL_TOKEN_FILE or SENTIMENT_KAFKA__SASL_EXTENSIONS is set, but "
                f"{protocol} does not log in; set it to SASL_SSL or SASL_PLAINTEXT"
            )
    elif kafka.sasl_mechanism == _TOKEN_MECHANISM:
        if kafka.sasl_token_file is None:
            yield f"{mechanism} needs SENTIMENT_KAFKA__SASL_TOKEN_FILE; set it to the token's file"
        if of_password:
            yield (
                f"{mechanism} logs in by a token alone; unset SENTIMENT_KAFKA__SASL_USERNAME and "
                "SENTIMENT_KAFKA__SASL_PASSWORD_FILE"
            )
    else:
        if of_token:
            yield (
                "SENTIMENT_KAFKA__SASL_TOKEN_FILE or SENTIMENT_KAFKA__SASL_EXTENSIONS is set, but "
                f"{mechanism} logs in by a password; set it to {_TOKEN_MECHANISM}"
            )
        if kafka.sasl_username is None or kafka.sasl_password_file is None:
            yield (
                f"{protocol} needs SENTIMENT_KAFKA__SASL_USERNAME and "
                "SENTIMENT_KAFKA__SASL_PASSWORD_FILE; set both"
            )
