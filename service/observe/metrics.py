"""The service's metrics: a closed set, with names, labels and help texts.

No Kafka client, no torch, no HTTP and no logging here (see `logs`).
"""

from __future__ import annotations

import importlib.metadata
import platform
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import prometheus_client as prometheus
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics import MetricWrapperBase

from service.records import Reason, SkipReason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.observe.drift import Drift
    from service.records import ModelInfo, Partition

TimedStage = Literal["prepare", "wait", "score", "publish"]
RetryStage = Literal["poll", "prepare", "publish", "start"]

# The default latency budget of 100 ms is a bucket bound, so that the share of messages within it is
# exact and not interpolated. Bounds near it are dense, so that quantiles there are accurate. No
# message is scored in under 1 ms; over 60 s, lag is the better metric.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5,
           1, 2.5, 5, 10, 30, 60)  # fmt: skip
# Powers of two up to the limits of the settings: half as large a batch is one bucket lower.
MESSAGES = tuple(2**power for power in range(17))
TOKENS = tuple(2**power for power in range(4, 21))


def service_version() -> str:
    """The version of the installed package; 0+unknown if it runs without being installed."""
    try:
        return importlib.metadata.version("sentiment-stream")
    except importlib.metadata.PackageNotFoundError:
        return "0+unknown"


class Metrics:
    """All metrics of one service, on its own registry; attributes are named like the metrics.

    The number of series is bounded: topics are the configured ones, a model has few labels, and
    all other labels have closed sets of values. The latter start at 0, so that `rate()` sees the
    first increment.
    """

    def __init__(self) -> None:
        """Create all metrics, at 0."""
        # Creation times are not used, and would double the series of every counter.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call] # by the library
        self.registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        prometheus.PlatformCollector(registry=self.registry)
        counter = partial(prometheus.Counter, registry=self.registry)
        gauge = partial(prometheus.Gauge, registry=self.registry)
        histogram = partial(prometheus.Histogram, registry=self.registry)
        info = partial(prometheus.Info, registry=self.registry)

        self.consumed = counter("sentiment_consumed_total", "Records read.", ["topic"])
        self._add_results(counter)
        self.dropped = counter(
            "sentiment_dropped_total",
            "Records dropped before publishing because their epoch had ended; they are read again.",
        )
        self.lost = counter(
            "sentiment_lost_total",
            "Records that were never read: the topic's retention had passed the committed offset, "
            "or that offset had expired and the group began behind them.",
            ["topic", "partition"],
        )
        self.rebalances = counter(
            "sentiment_rebalances_total", "Changes of the partition assignment."
        )
        self.retries = counter(
            "sentiment_retries_total", "Attempts repeated after a temporary failure.", ["stage"]
        )
        self.throttled_seconds = counter(
            "sentiment_throttled_seconds_total",
            "Time for which brokers held publishing back by a quota (producer_byte_rate).",
        )
        self._add_distributions(histogram)
        self._add_group(gauge)
        self._add_http(counter)
        self._add_drift(gauge)
        model = ["name", "revision", "engine", "precision", "device", "kernel"]
        self.model_info = info("sentiment_model", "The model in use.", model)
        self.build_info = info(
            "sentiment_build", "The version of the service.", ["version", "python"]
        )

        self._start_at_zero()
        self.build_info.labels(service_version(), platform.python_version())

    def _start_at_zero(self) -> None:
        for reason in Reason:
            self.dead_lettered.labels(reason)
        for skip_reason in SkipReason:
            self.skipped.labels(skip_reason)
        for stage in get_args(RetryStage):
            self.retries.labels(stage)
        for stage in get_args(TimedStage):
            self.stage_seconds.labels(stage)

    def _add_results(self, counter: Callable[..., prometheus.Counter]) -> None:
        self.scored = counter("sentiment_scored_total", "Texts scored, by label.", ["label"])
        self.unsure = counter(
            "sentiment_unsure_total",
            "Texts scored without the model being confident, by label.",
            ["label"],
        )
        self.repeated = counter(
            "sentiment_repeated_total",
            "Texts whose score was taken from the cache of repeats and not computed.",
        )
        self.over_budget = counter(
            "sentiment_over_budget_total",
            "Records published with a latency over the budget.",
        )
        self.published = counter("sentiment_published_total", "Sentiment events published.")
        self.dead_lettered = counter(
            "sentiment_dead_lettered_total", "Records published as dead letters.", ["reason"]
        )
        self.skipped = counter(
            "sentiment_skipped_total",
            "Records passed over, without an event or a dead letter.",
            ["reason"],
        )

    def _add_distributions(self, histogram: Callable[..., prometheus.Histogram]) -> None:
        seconds = partial(histogram, buckets=SECONDS)
        self.end_to_end_seconds = seconds(
            "sentiment_end_to_end_seconds", "Time from a record's timestamp until it was published."
        )
        self.latency_seconds = seconds(
            "sentiment_latency_seconds", "Time from polling a record until it was published."
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

    def _add_group(self, gauge: Callable[..., prometheus.Gauge]) -> None:
        self.queued_records = gauge("sentiment_queued_records", "Records waiting for the model.")
        self.lag_records = gauge(
            "sentiment_lag_records",
            "Records not yet published, by partition.",
            ["topic", "partition"],
        )
        self.held_records = gauge(
            "sentiment_held_records",
            "Records of the lag that cannot be read before a transaction of their producer ends.",
            ["topic", "partition"],
        )
        self.drain_seconds = gauge(
            "sentiment_drain_seconds",
            "Seconds that this replica needs for its lag, by the time that its records have taken; "
            "absent with a lag before any has.",
            ["topic"],
        )
        self.assigned_partitions = gauge(
            "sentiment_assigned_partitions", "Partitions assigned to this replica."
        )
        self.epoch = gauge("sentiment_epoch", "Rebalances and rewinds since the start.")
        self.ready = gauge("sentiment_ready", "1 while GET /readyz answers 200, else 0.")

    def _add_http(self, counter: Callable[..., prometheus.Counter]) -> None:
        self.score_requests = counter(
            "sentiment_score_requests_total",
            "HTTP requests to POST /score and POST /explain, by path and status.",
            ["path", "status"],
        )

    def _add_drift(self, gauge: Callable[..., prometheus.Gauge]) -> None:
        self.drift_index = gauge(
            "sentiment_drift_index",
            "Population stability index of recent records against the model's reference: no "
            "drift under 0.1, much over 0.25; absent without a reference or with too few records.",
            ["of"],
        )
        self.drift_records = gauge(
            "sentiment_drift_records",
            "Recent records that drift index and shares are computed from.",
        )
        self.unknown_share = gauge(
            "sentiment_unknown_share",
            "Share of tokens of recent texts outside the vocabulary.",
        )
        self.long_share = gauge(
            "sentiment_long_share", "Share of recent texts too long for one window."
        )
        self.language_share = gauge(
            "sentiment_language_share", "Share of recent texts by language.", ["language"]
        )

    def set_lag(self, lag: Mapping[Partition, int], held: Mapping[Partition, int]) -> None:
        """Replace lag and held records of all partitions; partitions not named are removed."""
        for gauge, counts in ((self.lag_records, lag), (self.held_records, held)):
            gauge.clear()
            for (topic, number), records in counts.items():
                gauge.labels(topic, number).set(records)

    def set_drain(self, seconds: Mapping[str, float]) -> None:
        """Replace the seconds of all topics; topics not named are removed."""
        self.drain_seconds.clear()
        for topic, value in seconds.items():
            self.drain_seconds.labels(topic).set(value)

    def set_drift(self, drift: Drift) -> None:
        """Replace all drift gauges; indices and languages that are not named are removed."""
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
        """Set the model in use, in place of an earlier one, and start its labels at 0."""
        for label in model.labels:
            self.scored.labels(label)
            self.unsure.labels(label)
        self.model_info.clear()
        self.model_info.labels(
            model.name, model.revision, model.engine, model.precision, model.device, model.kernel
        )

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The exposition in the format that an Accept header asks for, and its content type."""
        try:
            encode, content_type = choose_encoder(accept)
            return encode(self.registry), content_type
        except (TypeError, ValueError):  # raised for a version that is not a number
            return self.render()


class Description(NamedTuple):
    """One metric in the documentation."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str


def describe() -> list[Description]:
    """Every metric that the service defines, under the name that a scrape shows."""
    suffixes = {"counter": "_total", "info": "_info"}
    lines = []
    for metric in vars(Metrics()).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            name = family.name + suffixes.get(family.type, "")
            labels = tuple(metric._labelnames)  # noqa: SLF001 - there is no public way to read them
            lines.append(Description(name, family.type, labels, family.documentation))
    return lines
