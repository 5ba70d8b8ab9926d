"""What the settings of a schema registry may not say together.

Exists because they are many, and belong to a registry alone. Values only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.settings.kafka import KafkaSettings

_NAME: Final = "SENTIMENT_KAFKA__SCHEMA_REGISTRY_"


def registry_conflicts(kafka: KafkaSettings) -> Iterator[str]:
    """One line for each conflict, with the variables and what to do."""
    files = (
        kafka.schema_registry_password_file,
        kafka.schema_registry_ca_file,
        kafka.schema_registry_certificate_file,
        kafka.schema_registry_key_file,
    )
    if kafka.schema_registry_url is None and (kafka.schema_registry_username or any(files)):
        yield f"{_NAME}USERNAME or {_NAME}*_FILE is set without {_NAME}URL; set that too"
    others = kafka.schema_registry_subject is not None or not kafka.schema_registry_register
    if kafka.schema_registry_url is None and (others or kafka.schema_registry_ids != "auto"):
        yield f"{_NAME}SUBJECT, REGISTER or IDS is set without {_NAME}URL; set that too"
    if ":" in (kafka.schema_registry_username or ""):
        yield (
            f"{_NAME}USERNAME={kafka.schema_registry_username} has a colon, where HTTP's basic "
            "login puts the password; use another user"
        )
    login = (kafka.schema_registry_username, kafka.schema_registry_password_file)
    if (login[0] is None) != (login[1] is None):
        yield f"{_NAME}USERNAME and {_NAME}PASSWORD_FILE belong together; set both or neither"
    if (files[2] is None) != (files[3] is None):
        yield f"{_NAME}CERTIFICATE_FILE and {_NAME}KEY_FILE belong together; set both or neither"
    if any(files[1:]) and (kafka.schema_registry_url or "").startswith("http://"):
        yield (
            f"{_NAME}CA_FILE or {_NAME}CERTIFICATE_FILE is set, but {_NAME}URL="
            f"{kafka.schema_registry_url} does not use TLS; begin it with https://"
        )
    if kafka.output_format != "json":
        form = f"SENTIMENT_KAFKA__OUTPUT_FORMAT={kafka.output_format}"
        if kafka.schema_registry_url is None:
            yield f"{form} needs {_NAME}URL, where the schema of events is registered; set both"
        elif "/apis/registry/" in kafka.schema_registry_url:
            yield (
                f"{form} needs Confluent's API, but {_NAME}URL={kafka.schema_registry_url} is "
                "Apicurio's own; set it to that registry's /apis/ccompat/v7"
            )
