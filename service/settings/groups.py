"""The groups of settings: names, defaults, allowed values and descriptions.

Values only. Nothing here reads the environment or compares groups with each other: the package
`settings` does both, and other packages import the groups from there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from jsonpointer import JsonPointer, JsonPointerException
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FilePath

from service.records import EngineName  # noqa: TC001 - read at run time


def _matching(pattern: str, allowed: str) -> Any:
    """A string that matches `pattern`; `allowed` describes the pattern for error messages."""
    return Field(pattern=pattern, json_schema_extra={"allowed": allowed})


def _json_pointer(value: str) -> str:
    try:
        JsonPointer(value)
    except JsonPointerException as error:
        raise ValueError(f"is not a JSON pointer ({error})") from None
    if not value:
        raise ValueError("means the whole message; use INPUT_FORMAT=text for that")
    return value


def _with_ports(value: str) -> str:
    ports = (int(server.rpartition(":")[2]) for server in value.split(","))
    if not all(1 <= port <= 65535 for port in ports):
        raise ValueError("has a port that is not within 1 to 65535")
    return value


Name = Annotated[
    str, _matching(r"^[A-Za-z0-9._-]{1,249}$", "1 to 249 of the characters A-Z a-z 0-9 . _ -")
]
Names = Annotated[
    str,
    _matching(
        r"^[A-Za-z0-9._-]{1,249}(,[A-Za-z0-9._-]{1,249})*$",
        "names of A-Z a-z 0-9 . _ - separated by commas without spaces, like posts,reviews",
    ),
]
Servers = Annotated[
    str,
    _matching(
        r"^[^\s,/]+:[0-9]{1,5}(,[^\s,/]+:[0-9]{1,5})*$",
        "host:port, several separated by commas without spaces, like a:9092,b:9092",
    ),
    AfterValidator(_with_ports),
]
Pointer = Annotated[
    str,
    Field(json_schema_extra={"allowed": "a JSON pointer, like /text or /data/body"}),
    AfterValidator(_json_pointer),
]
Commit = Annotated[str, _matching(r"^[0-9a-f]{7,40}$", "7 to 40 of the characters 0-9 a-f")]
Device = Annotated[
    str, _matching(r"^(auto|cpu|mps|cuda(:[0-9]{1,4})?)$", "auto, cpu, mps, cuda or cuda:N")
]
Label = Annotated[
    str, _matching(r"^[A-Za-z0-9_-]{1,64}$", "1 to 64 of the characters A-Z a-z 0-9 _ -")
]
Languages = Annotated[
    str, _matching(r"^[a-z]{2,3}(,[a-z]{2,3})*$", "codes separated by commas, like en,de")
]
Url = Annotated[str, _matching(r"^https?://[^\s/]+(/\S*)?$", "an http:// or https:// address")]
NotEmpty = Annotated[str, Field(min_length=1)]
Milliseconds = Annotated[int, Field(ge=1, le=24 * 3600 * 1000)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class KafkaSettings(_Group):
    """Brokers, topics, consumer group, and the form of messages."""

    bootstrap_servers: Servers = "localhost:9092"
    """Brokers to connect to first, host:port, separated by commas."""
    input_topic: Names = "sentiment.messages"
    """Topics to read, separated by commas."""
    output_topic: Name = "sentiment.events"
    """Topic that receives a sentiment event for each message that can be scored."""
    dead_letter_topic: Name = "sentiment.dead-letters"
    """Topic that receives each message that cannot be scored, with the reason."""
    group_id: Name = "sentiment-stream"
    """Consumer group; replicas of one service share it."""
    input_format: Literal["json", "text"] = "json"
    """Format of messages without a content-type header: a JSON object, or just the text."""
    text_field: Pointer = "/text"
    """JSON pointer to the text within a message."""
    tombstones: Literal["skip", "dead_letter"] = "skip"
    """Records whose value is null, such as deletions: pass them over, or make them dead letters."""
    cloudevents: bool = True
    """Whether published records carry CloudEvents attributes as headers, some 300 bytes each."""
    auto_offset_reset: Literal["earliest", "latest"] = "earliest"
    """Where a group without committed offsets starts to read."""
    session_timeout_ms: Milliseconds = 30_000
    """A replica that sends no heartbeat for this long loses its partitions."""
    heartbeat_interval_ms: Milliseconds | None = None
    """Time between heartbeats; defaults to a tenth of the session timeout."""
    rebalance_timeout_ms: Milliseconds | None = None
    """Time that replicas have to join a rebalance; defaults to twice the session timeout."""
    max_poll_interval_ms: Milliseconds | None = None
    """A replica that does not poll for this long leaves; defaults to ten session timeouts."""
    transaction_timeout_ms: Milliseconds | None = None
    """The broker aborts a transaction open for this long; defaults to 2/3 session timeout."""
    unfolded_bytes_max: Annotated[int, Field(ge=2**20, le=2**30)] = 32 * 2**20
    """Largest decompressed size of a batch of records; the service stops at a larger one."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """Protocol for the connections to the brokers."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    """Authentication mechanism, with a SASL protocol."""
    sasl_username: NotEmpty | None = None
    """User name for SASL."""
    sasl_password_file: FilePath | None = None
    """File that holds the password (a mounted secret); a trailing line break is stripped."""
    ssl_ca_file: FilePath | None = None
    """PEM file of the certificate authorities to accept; the system's if not set."""
    ssl_certificate_file: FilePath | None = None
    """PEM file of the client's certificate."""
    ssl_key_file: FilePath | None = None
    """PEM file of the client's key."""

    @property
    def input_topics(self) -> tuple[str, ...]:
        """The topics to read."""
        return tuple(self.input_topic.split(","))

    @property
    def heartbeat_ms(self) -> int:
        """Heartbeat interval, set or derived."""
        return self.heartbeat_interval_ms or max(1, self.session_timeout_ms // 10)

    @property
    def rebalance_ms(self) -> int:
        """Rebalance timeout, set or derived."""
        return self.rebalance_timeout_ms or 2 * self.session_timeout_ms

    @property
    def max_poll_ms(self) -> int:
        """Max poll interval, set or derived."""
        return self.max_poll_interval_ms or 10 * self.session_timeout_ms

    @property
    def transaction_ms(self) -> int:
        """Transaction timeout, set or derived."""
        return self.transaction_timeout_ms or max(1, self.session_timeout_ms * 2 // 3)


class ModelSettings(_Group):
    """The model, how it runs, and which texts it scores."""

    name: NotEmpty = "bundled"
    """`bundled`, a folder in Hugging Face layout, or the name of a model on the hub."""
    revision: Commit | None = None
    """Commit of a hub model; required for one, so that every replica runs the same weights."""
    device: Device = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    engine: Literal["auto", EngineName] = "auto"
    """How the model is run; auto takes a packed engine if possible: onnx on a CPU, else torch."""
    precision: Literal["auto", "float32", "bfloat16", "float16", "int8"] = "auto"
    """Number format; auto is float32 on a CPU, half precision on a GPU. int8 is for CPUs."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Compute threads; 0 means one for each CPU of this process, within the container's limit."""
    run_tokens_max: Annotated[int, Field(ge=64, le=2**20)] | None = None
    """Most tokens of one run, padding included; defaults to 512 (torch: 1024, on a GPU: 32768)."""
    tuning_file: FilePath | None = None
    """File that `sentiment-stream tune` wrote: how the model runs, unless set explicitly."""
    calibration_file: FilePath | None = None
    """File that `sentiment-stream evaluate --write` wrote; replaces the model's sentiment.json."""
    repeats_max: Annotated[int, Field(ge=0, le=10**6)] = 16_384
    """Size of the cache of scores, in texts, so that a repeat costs nothing; 0 switches it off."""
    text_bytes_max: Annotated[int, Field(ge=1, le=64 * 2**20)] = 256 * 2**10
    """Longest text in bytes of UTF-8; a longer one becomes a dead letter."""
    text_tokens_max: Annotated[int, Field(ge=16, le=2**17)] = 2048
    """Most tokens read of a text, in windows; a longer text is marked text_stats.truncated."""
    unsure_label: Label = "keep"
    """Label of texts that the model is not confident of, like NEUTRAL or UNSURE; keep: the most
    likely label. Needs a model with thresholds."""
    languages: Languages = "en"
    """Languages that the model supports, as ISO 639 codes, separated by commas."""
    other_languages: Literal["score", "dead_letter", "pass"] = "score"
    """Texts in other languages: score them anyway, make them dead letters, or pass them on without
    a score. Events name the language."""

    @property
    def known_languages(self) -> frozenset[str]:
        """The languages that the model supports."""
        return frozenset(self.languages.split(","))


class BatchSettings(_Group):
    """How messages are collected into batches."""

    latency_budget_ms: Milliseconds = 100
    """Time from polling a message until its event is written; bounds the size of batches."""
    tokens_max: Annotated[int, Field(ge=512, le=2**20)] = 8192
    """Most tokens in a batch; bounds the memory of one run of the model."""
    records_max: Annotated[int, Field(ge=1, le=65536)] = 256
    """Most records in a batch, and in one poll."""


class DeliverySettings(_Group):
    """Delivery guarantees, and when the service stops."""

    mode: Literal["exactly_once", "at_least_once"] = "exactly_once"
    """exactly_once publishes in transactions; at_least_once may repeat events after a fault."""
    include_text: bool = True
    """Whether events hold the text; false if it is personal data that must not be passed on."""
    drain_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 20
    """Time to finish records in progress at a stop; the rest is read again after the restart."""
    stall_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 60
    """A model that takes longer than this for a batch counts as hung; the service then ends."""
    breaker_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The service stops if more than this share of recent records are dead letters; 1: never."""
    breaker_records: Annotated[int, Field(ge=500, le=100_000)] = 1000
    """Number of recent records that this share is computed over."""


class HttpSettings(_Group):
    """Health and metrics, the live page and POST /score."""

    host: NotEmpty = "*"
    """Address to listen on; * is every address of IPv4 and, where the machine has it, of IPv6."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port to listen on; 0 takes a free one."""
    page: bool = False
    """Whether / is a live page of scored messages, texts included; `demo` always has it."""
    score: bool = False
    """Whether POST /score and POST /explain are served, without authentication; described at /docs.
    `demo` always serves them."""


class LogSettings(_Group):
    """Log lines on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest severity that is written."""
    format: Literal["json", "console"] = "json"
    """json for machines, console for people."""


class TracingSettings(_Group):
    """OpenTelemetry traces; the standard OTEL_ variables set everything else."""

    exporter: Literal["none", "otlp"] = "none"
    """otlp exports spans of each message by OTLP over HTTP; needs the extra `tracing`."""
    endpoint: Url | None = None
    """Like http://collector:4318/v1/traces; defaults to OTEL_EXPORTER_OTLP_ENDPOINT."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of messages without a trace context that are traced; others follow their producer."""
