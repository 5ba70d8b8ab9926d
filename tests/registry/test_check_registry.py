"""`run --check-cluster` asks the registry that is set, and registers nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from service.registry import schemas_of, writer_of
from service.registry.check import check_registry
from service.settings import KafkaSettings

if TYPE_CHECKING:
    from pathlib import Path

    from tools.registry.fake import FakeRegistry

ANSWERS, HAS_EVENTS = "schema registry", "schema of events"


async def _found(**settings: Any) -> dict[str, tuple[bool | None, str]]:
    checks = check_registry(KafkaSettings(output_topic="out", **settings))
    return {name: (passed, text) async for name, passed, text in checks}


async def test_without_a_registry_nothing_is_asked() -> None:
    """There is no line for it."""
    assert {} == await _found()


async def test_a_registry_that_answers(registry: FakeRegistry) -> None:
    """Whether it has schemas or not."""
    expected = {ANSWERS: (True, f"{registry.url}, without a login")}
    assert expected == await _found(schema_registry_url=registry.url)
    registry.add({"schema": '"string"'})
    assert expected == await _found(schema_registry_url=registry.url)


async def test_a_registry_that_is_away() -> None:
    """Nobody listens on the port."""
    [(passed, text)] = (await _found(schema_registry_url="http://127.0.0.1:1")).values()
    assert passed is False
    assert "cannot be reached" in text
    assert "SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL names it" in text


async def test_what_answers_is_no_registry(registry: FakeRegistry) -> None:
    """Its paths are others."""
    found = await _found(schema_registry_url=f"{registry.url}/other")
    assert found[ANSWERS][0] is False
    assert "URL name a registry?" in found[ANSWERS][1]


async def test_a_login_that_is_refused(registry: FakeRegistry, tmp_path: Path) -> None:
    """The line names the variables; with the right one there is nothing to say but the user."""
    registry.login = ("reader", "right")
    password = tmp_path / "password"
    login: dict[str, Any] = {
        "schema_registry_url": registry.url, "schema_registry_username": "reader",
        "schema_registry_password_file": password,
    }  # fmt: skip
    password.write_text("wrong")
    passed, text = (await _found(**login))[ANSWERS]
    assert passed is False
    assert "SENTIMENT_KAFKA__SCHEMA_REGISTRY_USERNAME and" in text
    password.write_text("right")
    assert {ANSWERS: (True, f"{registry.url}, as reader")} == await _found(**login)


@pytest.mark.parametrize("form", ["avro", "protobuf", "json-schema"])
async def test_the_schema_of_events(form: Any, registry: FakeRegistry) -> None:
    """Looked for under its subject; that it is not there yet is no failure where it may be."""
    settings: dict[str, Any] = {"schema_registry_url": registry.url, "output_format": form}
    assert (None, "not under the subject out-value yet; the service registers it") == (
        (await _found(**settings))[HAS_EVENTS]
    )
    passed, text = (await _found(**settings, schema_registry_register=False))[HAS_EVENTS]
    assert passed is False
    assert "SCHEMA_REGISTRY_REGISTER=true" in text
    assert 0 == registry.asked["/subjects/out-value/versions"]

    kafka = KafkaSettings(output_topic="out", **settings)
    schemas = schemas_of(kafka)
    assert schemas is not None
    await writer_of(schemas, kafka)
    await schemas.close()
    assert (True, f"{form} under the subject out-value") == (await _found(**settings))[HAS_EVENTS]
