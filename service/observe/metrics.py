"""What the service counts and measures: a closed set of metrics.

No Kafka client, no torch, no HTTP, no logging here (see `logs`).
"""

from __future__ import annotations

import importlib.metadata
import platform
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import prometheus_client as prometheus
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics import MetricWrapperBase

from service.records import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.observe.drift import Drift
    from service.records import ModelInfo, Partition

TimedStage = Literal["prepare", "wait", "score", "publish"]
RetryStage = Literal["poll", "publish", "start"]

# 100 ms, the default budget, is a bound itself, so that the share of messages within it is exact
# and not interpolated; its neighbours are close, so that quantiles near it are. Under 1 ms nothing
# is scored, over 60 s the lag says more.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5,
           1, 2.5, 5, 10, 30, 60)  # fmt: skip
# Up to the most that the settings allow; a batch half as full is one bucket lower.
MESSAGES = tuple(2**power for power in range(17))
TOKENS = tuple(2**power for power in range(4, 21))


def service_version() -> str:
    """The version of the installed package; 0+unknown where it runs without being installed."""
    try:
        return importlib.metadata.version("sentiment-stream")
    except importlib.metadata.PackageNotFoundError:
        return "0+unknown"


class Metrics:
    """All metrics of one service, on a registry of its own; each is named after its attribute.

    Labels are bounded: topics are the configured ones, a model has few labels, all else is a
    closed set. The closed sets are there from the start at 0, so that a first count is a rise.
    """

    def __init__(self) -> None:
        """Create all at zero."""
        # Nothing reads the time of creation, and it doubles the series of every counter.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call] # by the library
        self.registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        prometheus.PlatformCollector(registry=self.registry)
        counter = partial(prometheus.Counter, registry=self.registry)
        gauge = partial(prometheus.Gauge, registry=self.registry)
        histogram = partial(prometheus.Histogram, registry=self.registry)
        seconds = partial(histogram, buckets=SECONDS)
        info = partial(prometheus.Info, registry=self.registry)

        self.consumed = counter("sentiment_consumed_total", "Records read.", ["topic"])
        self._add_results(counter)
        self.over_budget = counter(
            "sentiment_over_budget_total",
            "Records published later after they were polled than the latency budget allows.",
        )
        self.published = counter("sentiment_published_total", "Sentiment events published.")
        self.dead_lettered = counter(
            "sentiment_dead_lettered_total", "Records published as dead letters.", ["reason"]
        )
        self.dropped = counter(
            "sentiment_dropped_total",
            "Records dropped before publishing, as their epoch was over; they are read again.",
        )
        self.rebalances = counter("sentiment_rebalances_total", "Changes of the assignment.")
        self.retries = counter(
            "sentiment_retries_total", "Attempts repeated after a passing failure.", ["stage"]
        )
        self.end_to_end_seconds = seconds(
            "sentiment_end_to_end_seconds", "From a record's timestamp until it was published."
        )
        self.latency_seconds = seconds(
            "sentiment_latency_seconds", "From polling a record until it was published."
        )
        self.stage_seconds = seconds(
            "sentiment_stage_seconds", "Time of a batch in each stage.", ["stage"]
        )
        self.batch_messages = histogram(
            "sentiment_batch_messages", "Messages in a batch.", buckets=MESSAGES
        )
        self.batch_tokens = histogram(
            "sentiment_batch_tokens", "Tokens in a batch.", buckets=TOKENS
        )
        self.queued_records = gauge("sentiment_queued_records", "Records waiting for the model.")
        self.lag_records = gauge(
            "sentiment_lag_records", "Records not yet published.", ["topic", "partition"]
        )
        self.assigned_partitions = gauge("sentiment_assigned_partitions", "Partitions owned.")
        self.epoch = gauge("sentiment_epoch", "Interruptions so far: rebalances and rewinds.")
        self.ready = gauge("sentiment_ready", "1 while GET /readyz answers 200, else 0.")
        self._add_http(counter)
        self._add_drift(gauge)
        model = ["name", "revision", "engine", "precision", "device"]
        self.model_info = info("sentiment_model", "The model in use.", model)
        self.build_info = info("sentiment_build", "The service itself.", ["version", "python"])

        self._begin_at_zero()
        self.build_info.labels(service_version(), platform.python_version())

    def _begin_at_zero(self) -> None:
        for reason in Reason:
            self.dead_lettered.labels(reason)
        for stage in get_args(RetryStage):
            self.retries.labels(stage)
        for stage in get_args(TimedStage):
            self.stage_seconds.labels(stage)

    def _add_results(self, counter: Callable[..., prometheus.Counter]) -> None:
        self.scored = counter("sentiment_scored_total", "Texts scored, by result.", ["label"])
        self.unsure = counter(
            "sentiment_unsure_total",
            "Texts scored of which the model was not confident, by result.",
            ["label"],
        )
        self.repeated = counter(
            "sentiment_repeated_total",
            "Texts scored before, whose score was remembered and not computed.",
        )

    def _add_http(self, counter: Callable[..., prometheus.Counter]) -> None:
        self.score_requests = counter(
            "sentiment_score_requests_total",
            "Requests for scores over HTTP, by path and status.",
            ["path", "status"],
        )

    def _add_drift(self, gauge: Callable[..., prometheus.Gauge]) -> None:
        self.drift_index = gauge(
            "sentiment_drift_index",
            "Population stability index of recent records against the model's reference: under "
            "0.1 like it, over 0.25 unlike it; none without a reference or enough records.",
            ["of"],
        )
        self.drift_records = gauge(
            "sentiment_drift_records", "Recent records that index and shares are of."
        )
        self.unknown_share = gauge(
            "sentiment_unknown_share", "Share of unknown tokens in recent texts."
        )
        self.long_share = gauge(
            "sentiment_long_share", "Share of recent texts too long for one window."
        )
        self.language_share = gauge(
            "sentiment_language_share", "Share of recent texts in a language.", ["language"]
        )

    def set_lag(self, lag: Mapping[Partition, int]) -> None:
        """Replace the lag of all partitions, in records; one not named is gone."""
        self.lag_records.clear()
        for (topic, number), records in lag.items():
            self.lag_records.labels(topic, number).set(records)

    def set_drift(self, drift: Drift) -> None:
        """Say how recent records differ; what is not in it is gone."""
        self.drift_records.set(drift.records)
        self.unknown_share.set(drift.unknown)
        self.long_share.set(drift.long)
        self.drift_index.clear()
        for name, index in drift.indices.items():
            self.drift_index.labels(name).set(index)
        self.language_share.clear()
        for language, share in drift.languages.items():
            self.language_share.labels(language).set(share)

    def set_model(self, model: ModelInfo) -> None:
        """Say which model is in use; one said before is gone. Its labels begin at 0."""
        for label in model.labels:
            self.scored.labels(label)
            self.unsure.labels(label)
        self.model_info.clear()
        how = (model.engine, model.precision, model.device)
        self.model_info.labels(model.name, model.revision, *how)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The exposition in the form that an Accept header asks for, and its content type."""
        try:
            encode, content_type = choose_encoder(accept)
            return encode(self.registry), content_type
        except (TypeError, ValueError):  # raised for a version that is no number
            return self.render()


class Description(NamedTuple):
    """One line of the documentation of the metrics."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str


def describe() -> list[Description]:
    """Every metric of the service's own, by the names that a scrape shows."""
    suffixes = {"counter": "_total", "info": "_info"}
    lines = []
    for metric in vars(Metrics()).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            name = family.name + suffixes.get(family.type, "")
            labels = tuple(metric._labelnames)  # noqa: SLF001 - no public way to read them
            lines.append(Description(name, family.type, labels, family.documentation))
    return lines
