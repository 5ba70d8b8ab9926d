"""Without the libraries of the extra the setting is refused, and nothing else changes."""

from __future__ import annotations

import sys

import pytest

from service.errors import SettingsError
from service.registry import schemas_of
from service.settings import KafkaSettings


def test_a_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says which, and how to install it."""
    for name in ("schemas", "avro"):
        monkeypatch.delitem(sys.modules, f"service.registry.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(SettingsError) as caught:
        schemas_of(KafkaSettings(schema_registry_url="http://r:8081"))
    assert str(caught.value) == (
        "SENTIMENT_KAFKA__SCHEMA_REGISTRY_URL needs fastavro, which comes with the extra: "
        "pip install 'sentiment-stream[registry]'; or unset it"
    )
    assert schemas_of(KafkaSettings()) is None
