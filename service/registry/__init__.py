"""Messages and events with a schema registry: JSON Schema, Avro and Protobuf in its framing.

`framing` finds the schema that a record names, `client` asks the registry, `avro` and `protobuf`
read values as the JSON that the rest of the service knows. Their libraries are an extra, so the
modules are imported only where a registry is set. No Kafka client here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.registry.schemas import Schemas
    from service.settings import KafkaSettings

__all__ = ["schemas_of", "writer_of"]


def schemas_of(kafka: KafkaSettings) -> Schemas | None:
    """The schemas of the registry that the settings name; None if they name none.

    Raises:
        SettingsError: its libraries are not installed, or a mounted file cannot be used.
    """
    if kafka.schema_registry_url is None:
        return None
    try:
        from service.registry.client import RegistryClient  # noqa: PLC0415 - see the docstring
        from service.registry.schemas import Schemas  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL needs {error.name}, which comes with the extra: "
            "pip install 'sentiment-stream[registry]'; or unset it"
        ) from None
    return Schemas(RegistryClient(kafka))


async def writer_of(
    schemas: Schemas | None, kafka: KafkaSettings
) -> Callable[[dict[str, Any]], bytes] | None:
    """What writes events in a registered format; None where the settings ask for plain JSON.

    Raises:
        RetriableError, BrokerError: the registry is away, or refuses the schema of events.
    """
    if schemas is None or kafka.output_format == "json":
        return None
    from service.registry.events import event_writer  # noqa: PLC0415 - see the docstring

    return await event_writer(schemas.client, kafka)
