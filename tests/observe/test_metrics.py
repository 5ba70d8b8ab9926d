"""Metrics are a closed, documented set; services do not share them."""

from __future__ import annotations

import importlib.metadata

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from service.observe.drift import Drift
from service.observe.metrics import Metrics, describe, service_version
from service.records import ModelInfo, Partition, Reason, SkipReason


def _scrape(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    body, _ = metrics.render()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_the_set_of_metrics_is_closed() -> None:
    """Names, types and labels are an interface that dashboards and alerts use."""
    assert [(d.name, d.type, ",".join(d.labels)) for d in describe()] == [
        ("sentiment_consumed_total", "counter", "topic"),
        ("sentiment_scored_total", "counter", "label"),
        ("sentiment_unsure_total", "counter", "label"),
        ("sentiment_repeated_total", "counter", ""),
        ("sentiment_over_budget_total", "counter", ""),
        ("sentiment_published_total", "counter", ""),
        ("sentiment_dead_lettered_total", "counter", "reason"),
        ("sentiment_skipped_total", "counter", "reason"),
        ("sentiment_dropped_total", "counter", ""),
        ("sentiment_lost_total", "counter", "topic,partition"),
        ("sentiment_rebalances_total", "counter", ""),
        ("sentiment_retries_total", "counter", "stage"),
        ("sentiment_throttled_seconds_total", "counter", ""),
        ("sentiment_end_to_end_seconds", "histogram", ""),
        ("sentiment_latency_seconds", "histogram", ""),
        ("sentiment_stage_seconds", "histogram", "stage"),
        ("sentiment_batch_messages", "histogram", ""),
        ("sentiment_batch_tokens", "histogram", ""),
        ("sentiment_queued_records", "gauge", ""),
        ("sentiment_lag_records", "gauge", "topic,partition"),
        ("sentiment_held_records", "gauge", "topic,partition"),
        ("sentiment_drain_seconds", "gauge", "topic"),
        ("sentiment_assigned_partitions", "gauge", ""),
        ("sentiment_epoch", "gauge", ""),
        ("sentiment_ready", "gauge", ""),
        ("sentiment_score_requests_total", "counter", "path,status"),
        ("sentiment_drift_index", "gauge", "of"),
        ("sentiment_drift_records", "gauge", ""),
        ("sentiment_unknown_share", "gauge", ""),
        ("sentiment_long_share", "gauge", ""),
        ("sentiment_language_share", "gauge", "language"),
        ("sentiment_model_info", "info", "name,revision,engine,precision,device,kernel"),
        ("sentiment_build_info", "info", "version,python"),
    ]


def test_every_metric_is_named_after_its_attribute_and_explained() -> None:
    """So that a metric of a scrape can be found in the code, and vice versa."""
    described = {d.name.removesuffix("_total"): d.help for d in describe()}
    attributes = {f"sentiment_{name}" for name in vars(Metrics()) if name != "registry"}
    assert set(described) == attributes
    assert [text for text in described.values() if not text.endswith(".")] == []


def test_a_scrape_shows_only_what_is_described_and_the_process() -> None:
    """No other registry, no creation times; process and platform metrics are included."""
    names = {d.name for d in describe()}
    body, _ = Metrics().render()
    shown = {line.split()[2] for line in body.decode().splitlines() if line.startswith("# TYPE")}
    assert {name for name in shown if name.startswith("sentiment_")} == names
    assert {name.split("_")[0] for name in shown - names} == {"process", "python"}


def test_closed_sets_start_at_zero() -> None:
    """So that `rate()` sees the first dead letter."""
    values = _scrape(Metrics())
    for reason in Reason:
        assert values["sentiment_dead_lettered_total", (("reason", reason.value),)] == 0
    for skip_reason in SkipReason:
        assert values["sentiment_skipped_total", (("reason", skip_reason.value),)] == 0
    for stage in ("poll", "publish", "start"):
        assert values["sentiment_retries_total", (("stage", stage),)] == 0
    for stage in ("prepare", "wait", "score", "publish"):
        assert values["sentiment_stage_seconds_count", (("stage", stage),)] == 0


def test_a_models_labels_start_at_zero() -> None:
    """So that the share of unsure texts is 0 without any, and not absent."""
    metrics = Metrics()
    labels = ("NEGATIVE", "NEUTRAL", "POSITIVE")
    metrics.set_model(ModelInfo("m", "r", "onnx_packed", "float32", "cpu", labels))
    values = _scrape(metrics)
    for name in ("scored", "unsure"):
        counted = {k[1]: v for k, v in values.items() if k[0] == f"sentiment_{name}_total"}
        assert counted == {(("label", label),): 0 for label in labels}


def test_two_services_do_not_share_numbers() -> None:
    """Each has its own registry."""
    one, other = Metrics(), Metrics()
    one.published.inc(3)
    assert _scrape(one)["sentiment_published_total", ()] == 3
    assert _scrape(other)["sentiment_published_total", ()] == 0


def test_lag_is_replaced_as_a_whole() -> None:
    """The lag of a revoked partition would otherwise remain forever and scale the service up."""
    metrics = Metrics()
    metrics.set_lag({Partition("t", 0): 5, Partition("t", 1): 7}, {})
    metrics.set_lag({Partition("t", 1): 2}, {})
    lag = {k[1]: v for k, v in _scrape(metrics).items() if k[0] == "sentiment_lag_records"}
    assert lag == {(("partition", "1"), ("topic", "t")): 2}


def test_the_time_to_drain_is_replaced_as_a_whole() -> None:
    """Of a topic whose partitions went elsewhere it would be counted twice in a sum."""
    metrics = Metrics()
    assert not [k for k in _scrape(metrics) if k[0] == "sentiment_drain_seconds"]
    metrics.set_drain({"a": 1.5, "b": 2.0})
    metrics.set_drain({"b": 3.0})
    shown = {k[1]: v for k, v in _scrape(metrics).items() if k[0] == "sentiment_drain_seconds"}
    assert shown == {(("topic", "b"),): 3.0}


def test_drift_is_replaced_as_a_whole() -> None:
    """Indices and languages that are no longer reported are removed; there are none at first."""
    metrics = Metrics()
    assert not [k for k in _scrape(metrics) if k[0] == "sentiment_drift_index"]
    metrics.set_drift(Drift(700, {"scores": 0.3, "tokens": 0.1}, 0.2, 0.1, {"en": 0.9, "de": 0.1}))
    metrics.set_drift(Drift(800, {"scores": 0.4}, 0.25, 0.5, {"en": 1.0}))
    names = ("drift_index", "drift_records", "unknown_share", "long_share", "language_share")
    assert {
        ("sentiment_drift_index", (("of", "scores"),)): 0.4,
        ("sentiment_drift_records", ()): 800,
        ("sentiment_unknown_share", ()): 0.25,
        ("sentiment_long_share", ()): 0.5,
        ("sentiment_language_share", (("language", "en"),)): 1.0,
    } == {k: v for k, v in _scrape(metrics).items() if k[0].removeprefix("sentiment_") in names}


def test_model_and_build_are_reported() -> None:
    """One series each; a new model replaces the old one."""
    metrics = Metrics()
    metrics.set_model(ModelInfo("old", "r", "torch_plain", "float32", "cpu", ("a", "b")))
    metrics.set_model(ModelInfo("new", "r", "torch_packed", "bfloat16", "cuda", ("a", "b")))
    info = {k[0]: dict(k[1]) for k in _scrape(metrics) if k[0].endswith("_info")}
    assert info["sentiment_model_info"] == {
        "name": "new",
        "revision": "r",
        "engine": "torch_packed",
        "precision": "bfloat16",
        "device": "cuda",
        "kernel": "",
    }
    assert info["sentiment_build_info"]["version"] == service_version()
    assert "sentiment_model_info" not in {k[0] for k in _scrape(Metrics())}


def test_the_share_within_the_default_budget_is_exact() -> None:
    """100 ms is a bucket bound: a message of exactly 100 ms is within the budget."""
    metrics = Metrics()
    for seconds in (0.02, 0.1, 0.1001, 90):
        metrics.latency_seconds.observe(seconds)
    values = _scrape(metrics)
    assert values["sentiment_latency_seconds_bucket", (("le", "0.1"),)] == 2
    assert values["sentiment_latency_seconds_bucket", (("le", "60.0"),)] == 3


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "text/plain; version=0.0.4"),
        ("*/*", "text/plain; version=0.0.4"),
        (
            "application/openmetrics-text; version=1.0.0",
            "application/openmetrics-text; version=1.0.0",
        ),
        ("application/openmetrics-text; version=1.x", "text/plain; version=0.0.4"),
        ("text/plain; version=x", "text/plain; version=0.0.4"),
    ],
)
def test_the_form_follows_the_accept_header(accept: str, expected: str) -> None:
    """OpenMetrics if it is asked for; plain text otherwise, and for an invalid header."""
    body, content_type = Metrics().render(accept)
    assert content_type.startswith(expected)
    if "openmetrics" in content_type:
        families = openmetrics.text_string_to_metric_families(body.decode())  # type: ignore[no-untyped-call]
        assert "sentiment_model" in {family.name for family in families}


def test_the_version_without_an_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a bare checkout the version is reported as unknown, and nothing fails."""

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert service_version() == "0+unknown"
