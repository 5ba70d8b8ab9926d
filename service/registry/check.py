"""What a schema registry would refuse the service, asked before it runs: `run --check-cluster`.

Only asks: registers nothing. Exists so that a wrong address or login is seen before the first
record waits for the registry. Nothing may enter that is asked while the service runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import BrokerError, RetriableError
from service.registry import schemas_of
from service.registry.framing import SchemaKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.registry.client import RegistryClient
    from service.settings import KafkaSettings

# Whether there is one of this id does not matter: it is asked for as those of records are.
_ANY_SCHEMA = SchemaKey("id", 1)


async def check_registry(settings: KafkaSettings) -> AsyncIterator[tuple[str, bool | None, str]]:
    """The name of each check, whether it passed (None: not known), and what was found.

    Raises:
        SettingsError: the libraries are not installed, or a mounted file cannot be used.
    """
    schemas = schemas_of(settings)
    if schemas is None:
        return
    try:
        client = schemas.client
        is_working, found = await _answers(client, settings)
        yield "schema registry", is_working, found
        if is_working and settings.output_format != "json":
            yield "schema of events", *await _has_events_schema(client, settings)
    finally:
        await schemas.close()


async def _answers(client: RegistryClient, settings: KafkaSettings) -> tuple[bool, str]:
    from service.registry.client import NotFoundError, RefusedError  # noqa: PLC0415 - as above

    try:
        await client.schema(_ANY_SCHEMA)
    except NotFoundError:
        pass
    except (BrokerError, RetriableError, RefusedError) as error:
        return False, str(error)
    user = settings.schema_registry_username
    return True, f"{settings.schema_registry_url}, {f'as {user}' if user else 'without a login'}"


async def _has_events_schema(
    client: RegistryClient, settings: KafkaSettings
) -> tuple[bool | None, str]:
    from service.registry.events import (  # noqa: PLC0415 - see the docstring of the room
        NotRegisteredError,
        event_writer,
    )

    looking = settings.model_copy(update={"schema_registry_register": False})
    subject = settings.schema_registry_subject or f"{settings.output_topic}-value"
    try:
        await event_writer(client, looking)
    except NotRegisteredError as error:
        if settings.schema_registry_register:
            return None, f"not under the subject {subject} yet; the service registers it"
        return False, str(error)
    except (BrokerError, RetriableError) as error:
        return False, str(error)
    return True, f"{settings.output_format} under the subject {subject}"
