"""All settings, frozen, checked against each other; the only reader of the environment.

`SENTIMENT_<GROUP>__<NAME>` sets a value, a command's flag overrides it. A wrong or unknown name
stops the program before it touches anything.
"""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - pydantic reads the annotations at run time
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import pydantic
from jsonpointer import JsonPointer, JsonPointerException
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FilePath, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

PREFIX = "SENTIMENT_"

PUBLISHED_MODEL = "distilbert-base-uncased-finetuned-sst-2-english"
# The hub's commit of the published model whose figures are known.
PUBLISHED_REVISION = "714eb0fa89d2f80546fda750413ed43d93601a13"


def _json_pointer(value: str) -> str:
    try:
        JsonPointer(value)
    except JsonPointerException as error:
        raise ValueError(f"not a JSON pointer ({error})") from None
    if not value:
        raise ValueError("the whole message cannot be the text; use input_format=text for that")
    return value


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
Milliseconds = Annotated[int, Field(ge=1, le=24 * 3600 * 1000)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class KafkaSettings(_Group):
    """Where messages come from and go to."""

    bootstrap_servers: Annotated[str, Field(pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$")] = (
        "localhost:9092"
    )
    """Brokers to ask first, host:port, separated by commas."""
    input_topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*$")] = (
        "sentiment.messages"
    )
    """Topics to read, separated by commas."""
    output_topic: Name = "sentiment.events"
    """Topic that receives a sentiment event for each good message."""
    dead_letter_topic: Name = "sentiment.dead-letters"
    """Topic that receives each message that cannot be scored, with the reason."""
    group_id: Name = "sentiment-stream"
    """Consumer group; replicas of one service share it."""
    input_format: Literal["json", "text"] = "json"
    """Form of a message without a content-type header: a JSON object, or the bare text."""
    text_field: Annotated[str, AfterValidator(_json_pointer)] = "/text"
    """JSON pointer to the text within a message."""
    auto_offset_reset: Literal["earliest", "latest"] = "earliest"
    """Where a group without committed offsets begins."""
    session_timeout_ms: Milliseconds = 30_000
    """A replica silent for so long loses its partitions."""
    heartbeat_interval_ms: Milliseconds | None = None
    """Time between heartbeats; follows as a tenth of the session timeout."""
    rebalance_timeout_ms: Milliseconds | None = None
    """Time that replicas have to join a rebalance; follows as twice the session timeout."""
    max_poll_interval_ms: Milliseconds | None = None
    """A replica that takes no records for so long leaves; follows as ten session timeouts."""
    transaction_timeout_ms: Milliseconds | None = None
    """The broker aborts a transaction open for so long; follows as two thirds of the session."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How to talk to the brokers."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    """How to log in, with a SASL protocol."""
    sasl_username: str | None = None
    """User to log in as."""
    sasl_password_file: FilePath | None = None
    """File that holds the password (a mounted secret); a last line break is stripped."""
    ssl_ca_file: FilePath | None = None
    """PEM file of the authorities to trust; without it, those of the system."""
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
        """Heartbeat interval, as set or as it follows."""
        return self.heartbeat_interval_ms or max(1, self.session_timeout_ms // 10)

    @property
    def rebalance_ms(self) -> int:
        """Rebalance timeout, as set or as it follows."""
        return self.rebalance_timeout_ms or 2 * self.session_timeout_ms

    @property
    def max_poll_ms(self) -> int:
        """Max poll interval, as set or as it follows."""
        return self.max_poll_interval_ms or 10 * self.session_timeout_ms

    @property
    def transaction_ms(self) -> int:
        """Transaction timeout, as set or as it follows."""
        return self.transaction_timeout_ms or max(1, self.session_timeout_ms * 2 // 3)


class ModelSettings(_Group):
    """What scores the text, and on what."""

    name: str = "bundled"
    """`bundled`, a folder in Hugging Face layout, or the name of a model on the hub."""
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$")] | None = None
    """Commit of a hub model; required for one, so that every replica runs the same weights."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    engine: Literal["auto", "onnx_packed", "torch_plain"] = "auto"
    """How the model is run; auto takes the packed engine on a CPU, and torch on a GPU."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Number format of the weights; auto is float32 on a CPU, half precision on a GPU."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Threads that compute; 0 takes the CPUs this process may use, container limit included."""
    text_bytes_max: Annotated[int, Field(ge=1, le=64 * 2**20)] = 256 * 2**10
    """Longest text in bytes of UTF-8; a longer one is a dead letter."""


class BatchSettings(_Group):
    """How messages are gathered for one run of the model."""

    latency_budget_ms: Milliseconds = 100
    """From polling a message until its event is written; batches are kept small enough for it."""
    tokens_max: Annotated[int, Field(ge=512, le=2**20)] = 8192
    """Most tokens in a batch: bounds the memory of one run of the model."""
    records_max: Annotated[int, Field(ge=1, le=65536)] = 256
    """Most records in a batch, and in one poll."""


class DeliverySettings(_Group):
    """What is promised about what is published."""

    include_text: bool = True
    """Whether events hold the text; false where it is personal data that must not travel on."""
    drain_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 20
    """At a stop, time to finish what was read; what is left is read again after the restart."""
    stall_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 60
    """A model silent for so long with messages waiting makes the service not alive."""


class HttpSettings(_Group):
    """Health and metrics."""

    host: str = "0.0.0.0"  # noqa: S104 - probes and scrapers come from outside the container
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port to listen on; 0 takes a free one."""


class LogSettings(_Group):
    """What the service says of itself, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is written."""
    format: Literal["json", "console"] = "json"
    """json for machines, console for people."""


class Settings(BaseSettings):
    """The whole of the settings."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    model: ModelSettings = ModelSettings()
    batch: BatchSettings = BatchSettings()
    delivery: DeliverySettings = DeliverySettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _no_conflicts(self) -> Self:
        conflict = next(_conflicts(self), None)
        if conflict is not None:
            raise ValueError(conflict)
        return self


def _conflicts(settings: Settings) -> Iterator[str]:
    kafka = settings.kafka
    ours = [*kafka.input_topics, kafka.output_topic, kafka.dead_letter_topic]
    if len(set(ours)) < len(ours):
        yield (
            f"SENTIMENT_KAFKA__INPUT_TOPIC={kafka.input_topic}, "
            f"SENTIMENT_KAFKA__OUTPUT_TOPIC={kafka.output_topic} and "
            f"SENTIMENT_KAFKA__DEAD_LETTER_TOPIC={kafka.dead_letter_topic} share a topic, "
            "which would feed the service its own output; name different ones"
        )
    for name, value, limit_name, limit in (
        ("HEARTBEAT_INTERVAL_MS", kafka.heartbeat_ms, "SESSION_TIMEOUT_MS / 3",
         kafka.session_timeout_ms / 3),
        ("TRANSACTION_TIMEOUT_MS", kafka.transaction_ms, "SESSION_TIMEOUT_MS",
         kafka.session_timeout_ms),
        ("SESSION_TIMEOUT_MS", kafka.session_timeout_ms, "MAX_POLL_INTERVAL_MS", kafka.max_poll_ms),
        ("REBALANCE_TIMEOUT_MS", kafka.rebalance_ms, "MAX_POLL_INTERVAL_MS", kafka.max_poll_ms),
    ):  # fmt: skip
        if value > limit:
            yield (
                f"SENTIMENT_KAFKA__{name}={value} is above SENTIMENT_KAFKA__{limit_name} "
                f"({limit:.0f}); lower the first or raise the second"
            )
    sasl = kafka.security_protocol.startswith("SASL_")
    if sasl and (kafka.sasl_username is None or kafka.sasl_password_file is None):
        yield (
            f"SENTIMENT_KAFKA__SECURITY_PROTOCOL={kafka.security_protocol} needs "
            "SENTIMENT_KAFKA__SASL_USERNAME and SENTIMENT_KAFKA__SASL_PASSWORD_FILE; set both"
        )
    if not sasl and (kafka.sasl_username or kafka.sasl_password_file):
        yield (
            "SENTIMENT_KAFKA__SASL_USERNAME or SENTIMENT_KAFKA__SASL_PASSWORD_FILE is set, but "
            f"SENTIMENT_KAFKA__SECURITY_PROTOCOL={kafka.security_protocol} does not log in; "
            "set it to SASL_SSL or SASL_PLAINTEXT"
        )
    tls_files = (kafka.ssl_ca_file, kafka.ssl_certificate_file, kafka.ssl_key_file)
    if any(tls_files) and kafka.security_protocol not in ("SSL", "SASL_SSL"):
        yield (
            "SENTIMENT_KAFKA__SSL_* files are set, but SENTIMENT_KAFKA__SECURITY_PROTOCOL="
            f"{kafka.security_protocol} does not use TLS; set it to SSL or SASL_SSL"
        )
    if (kafka.ssl_certificate_file is None) != (kafka.ssl_key_file is None):
        yield (
            "SENTIMENT_KAFKA__SSL_CERTIFICATE_FILE and SENTIMENT_KAFKA__SSL_KEY_FILE belong "
            "together; set both or neither"
        )


def each_setting() -> Iterator[tuple[str, str, FieldInfo]]:
    """Every setting as (group, name, field), in the order of the classes above."""
    for group, field in Settings.model_fields.items():
        model = field.annotation
        assert isinstance(model, type), group  # noqa: S101 - for the type checker
        assert issubclass(model, BaseModel), group  # noqa: S101
        for name, inner in model.model_fields.items():
            yield group, name, inner


def variable(group: str, name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{group}__{name}".upper()


def load_settings(flags: Mapping[str, Mapping[str, Any]] | None = None) -> Settings:
    """Read the environment, with a command's flags above it.

    Raises:
        SettingsError: one line for each wrong setting: variable, value, and what to do.
    """
    known = {variable(group, name) for group, name, _ in each_setting()}
    ours = (name for name in os.environ if name.upper().startswith(PREFIX))
    unknown = sorted(name for name in ours if name.upper() not in known)
    if unknown:
        raise SettingsError(
            f"{unknown[0]} is no setting; correct or unset it "
            "(`sentiment-stream run --help` lists all)"
        )
    given = {group: dict(values) for group, values in (flags or {}).items() if values}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except pydantic.ValidationError as error:
        raise SettingsError("\n".join(_lines(error))) from None


def _lines(error: pydantic.ValidationError) -> Iterator[str]:
    descriptions = {(group, name): field.description for group, name, field in each_setting()}
    for problem in error.errors(include_url=False):
        location = problem["loc"]
        message = problem["msg"].removeprefix("Value error, ")
        if len(location) < 2:
            yield message
            continue
        group, name = str(location[0]), str(location[1])
        value = str(problem["input"])[:100]
        yield f"{variable(group, name)}={value}: {message}; set: {descriptions[(group, name)]}"


def read_secret(path: Path) -> str:
    """The content of a mounted secret.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        return path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}); mount the secret there") from None
