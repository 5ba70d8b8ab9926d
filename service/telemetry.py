"""What the service says of itself: log lines and a closed set of metrics.

No Kafka client, no torch, no HTTP here. Text of users never enters a log: values of unknown types,
bytes, and messages of exceptions that may quote their input are left out, whoever logs them.
"""

from __future__ import annotations

import importlib.metadata
import logging
import math
import platform
import sys
import traceback
from collections.abc import Mapping
from functools import partial
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import prometheus_client as prometheus
import structlog
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics import MetricWrapperBase
from structlog.stdlib import ProcessorFormatter

from service.errors import ServiceError
from service.records import Reason

if TYPE_CHECKING:
    from structlog.typing import EventDict, ExcInfo, Processor

    from service.records import ModelInfo, Partition
    from service.settings import LogSettings

# Container runtimes split a line at 16 KiB, and a split line is no JSON any more. Our own messages
# stay under 300 characters; 1000 leaves room for those of the libraries.
STRING_CHARACTERS_MAX = 1000
# Five exceptions of a chain, ten frames each, at about 150 characters a frame.
EXCEPTION_CHARACTERS_MAX = 8000
_CHAIN_MAX = 5
_FRAMES_MAX = 10
# More of a collection is a dump, not a log line; and what nests deeper nobody reads in one.
_ITEMS_MAX = 20
_DEPTH_MAX = 3

# Exceptions whose messages speak of the machine, the broker (aiokafka's are RuntimeErrors) or
# tensors. All others, ValueError and KeyError above all, tend to quote the value that they refuse.
_QUOTE_NO_INPUT = (ServiceError, RuntimeError, OSError, MemoryError, ImportError, AssertionError,
                   BaseExceptionGroup)  # fmt: skip
# These install handlers of their own when imported, and stop their records from going further.
_HAVE_HANDLERS = ("transformers", "huggingface_hub", "torch")


def service_version() -> str:
    """The version of the installed package; 0+unknown where it runs without being installed."""
    try:
        return importlib.metadata.version("sentiment-stream")
    except importlib.metadata.PackageNotFoundError:
        return "0+unknown"


class _StandardError(logging.StreamHandler[Any]):
    """Writes to what standard error is now, not to what it was when logging was configured."""

    def emit(self, record: logging.LogRecord) -> None:
        self.setStream(sys.stderr)
        super().emit(record)


def _holds_no_message(record: logging.LogRecord) -> bool:
    # aiokafka's debug records print keys and values of messages, whatever level its loggers have.
    return record.levelno >= logging.INFO or not record.name.startswith("aiokafka")


def configure_logging(settings: LogSettings) -> None:
    """Send structlog and Python's logging to standard error, as one stream of lines.

    May be called again: the last call counts. Call it again after importing a library that
    installs handlers of its own (transformers), to take these away.
    """
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    common: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = structlog.processors.JSONRenderer()
    if settings.format == "console":
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    handler = _StandardError()
    handler.addFilter(_holds_no_message)
    last: list[Processor] = [
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.ExceptionRenderer(_exception_text),
        _in_bounds,
        renderer,
    ]
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=common, processors=last))
    structlog.configure(
        processors=[*common, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a later call must reach the loggers of all modules
    )
    root = logging.getLogger()
    others = [other for other in root.handlers if not isinstance(other, _StandardError)]
    root.handlers[:] = [*others, handler]
    root.setLevel(level)
    # At info aiokafka tells of every metadata refresh and coordinator; that is for debugging.
    kafka_level = logging.INFO if level == logging.DEBUG else max(level, logging.WARNING)
    logging.getLogger("aiokafka").setLevel(kafka_level)
    for name in _HAVE_HANDLERS:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.captureWarnings(False)  # so that the next line takes effect every time
    logging.captureWarnings(True)


def _in_bounds(_logger: object, _method: str, event: EventDict) -> EventDict:
    first = {name: event.pop(name, None) for name in ("timestamp", "level", "logger", "event")}
    if first["logger"] == "asyncio":
        # What follows the first line is the repr of a task, with its exception's message.
        first["event"] = str(first["event"]).partition("\n")[0]
    exception = event.pop("exception", None)
    bounded = {name: _bounded(value) for name, value in {**first, **event}.items()}
    return bounded if exception is None else {**bounded, "exception": exception}


def _bounded(value: object, depth: int = 0) -> object:
    kept: object = f"<{type(value).__name__}>"  # a repr may hold text: a Record's does
    match value:
        case None | bool() | int():
            kept = value
        case float():
            kept = value if math.isfinite(value) else str(value)  # JSON has no NaN
        case str() | PurePath():
            kept = _cut(str(value), STRING_CHARACTERS_MAX)
        case BaseException():
            kept = _cut(_message(value), STRING_CHARACTERS_MAX)
        case bytes():
            kept = f"<{len(value)} bytes>"  # keys and values of messages are bytes
        case Mapping() if depth < _DEPTH_MAX:
            pairs = islice(value.items(), _ITEMS_MAX)
            kept = {_cut(str(key), 100): _bounded(item, depth + 1) for key, item in pairs}
        case list() | tuple() | set() | frozenset() if depth < _DEPTH_MAX:
            kept = [_bounded(item, depth + 1) for item in islice(value, _ITEMS_MAX)]
    return kept


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more)"


def _message(error: BaseException) -> str:
    told = isinstance(error, _QUOTE_NO_INPUT)
    return f"{type(error).__name__}: {error if told else '(left out: it may quote a text)'}"


def _exception_text(exc_info: ExcInfo) -> str:
    """Types, frames without local variables, and harmless messages, causes and group included."""
    parts: list[str] = []
    pending = [exc_info[1]]
    while pending and len(parts) < _CHAIN_MAX:
        error = pending.pop(0)
        frames = "".join(traceback.format_tb(error.__traceback__, limit=-_FRAMES_MAX))
        parts.append(f"{_cut(_message(error), STRING_CHARACTERS_MAX)}\n{frames}".rstrip())
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        pending.extend([cause] if cause else [])
        if isinstance(error, BaseExceptionGroup):
            pending.extend(error.exceptions)
    return _cut("\nfrom ".join(parts), EXCEPTION_CHARACTERS_MAX)


Stage = Literal["prepare", "wait", "score", "publish"]
RetryStage = Literal["poll", "publish", "start"]

# 100 ms, the default budget, is a bound itself, so that the share of messages within it is exact
# and not interpolated; its neighbours are close, so that quantiles near it are. Under 1 ms nothing
# is scored, over 60 s the lag says more.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5,
           1, 2.5, 5, 10, 30, 60)  # fmt: skip
# Up to the most that the settings allow; a batch half as full is one bucket lower.
MESSAGES = tuple(2**power for power in range(17))
TOKENS = tuple(2**power for power in range(4, 21))


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
        self.scored = counter("sentiment_scored_total", "Texts scored, by result.", ["label"])
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
        model = ["name", "revision", "engine", "precision", "device"]
        self.model_info = info("sentiment_model", "The model in use.", model)
        self.build_info = info("sentiment_build", "The service itself.", ["version", "python"])

        for reason in Reason:
            self.dead_lettered.labels(reason)
        for stage in get_args(RetryStage):
            self.retries.labels(stage)
        for stage in get_args(Stage):
            self.stage_seconds.labels(stage)
        self.build_info.labels(service_version(), platform.python_version())

    def set_lag(self, lag: Mapping[Partition, int]) -> None:
        """Replace the lag of all partitions, in records; one not named is gone."""
        self.lag_records.clear()
        for (topic, number), records in lag.items():
            self.lag_records.labels(topic, number).set(records)

    def set_model(self, model: ModelInfo) -> None:
        """Say which model is in use; one said before is gone."""
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
