"""Tracing without its libraries, and with a collector that does not answer."""

from __future__ import annotations

import importlib
import sys

import pytest

import service.observe.tracing
from service.errors import SettingsError, install_command
from service.observe.tracing import exporting
from service.records import ModelInfo, Publication
from service.settings import TracingSettings
from service.wire import Encoder
from tools.pipeline_tools import FakeClock
from tools.values import verdict

ENCODER = Encoder("out", "dead", True, ModelInfo("m", "r", "e", "float32", "cpu", ()), "1")


def test_without_its_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.delitem(sys.modules, "service.observe.tracing")
    with pytest.raises(SettingsError) as caught:
        importlib.import_module("service.observe.tracing")
    assert f"comes with the extra: {install_command('tracing')}; " in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_stop_does_not_wait_long_for_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be exported within the bound is lost, and the service ends."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setattr(service.observe.tracing, "CLOSE_S", 0.01)
    settings = TracingSettings(exporter="otlp", endpoint="http://127.0.0.1:9/v1/traces")
    tracing = exporting(settings, FakeClock(), "group", "1")

    async def publish(_: Publication) -> bool:
        return True

    one = verdict()
    outgoing = (ENCODER.encode(one, 0.0, 0.0),)
    assert await tracing.publish(publish, Publication(outgoing, {}, 1), [one])
    tracing.close()
