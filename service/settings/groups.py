"""The other groups of settings: names, defaults, allowed values and descriptions.

Values only. Nothing here reads the environment or compares groups with each other: the package
`settings` does both, and other packages import the groups from there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from service.records import EngineName  # noqa: TC001 - read at run time
from service.settings.fields import (
    Commit,
    Device,
    File,
    Group,
    Label,
    Languages,
    Milliseconds,
    NotEmpty,
    Url,
)


class ModelSettings(Group):
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
    """Number format; auto: half on a GPU; on a CPU the calibration's (bundled: int8) or float32."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Compute threads; 0: one for each CPU of the container's limit, followed when it changes."""
    run_tokens_max: Annotated[int, Field(ge=64, le=2**20)] | None = None
    """Most tokens of one run, padding included; defaults to 512 (torch: 1024, on a GPU: 32768)."""
    tuning_file: File | None = None
    """File that `sentiment-stream tune` wrote: how the model runs, unless set explicitly."""
    calibration_file: File | None = None
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


class BatchSettings(Group):
    """How messages are collected into batches."""

    latency_budget_ms: Milliseconds = 100
    """Time from polling a message until its event is written; bounds the size of batches."""
    tokens_max: Annotated[int, Field(ge=512, le=2**20)] = 8192
    """Most tokens in a batch; bounds the memory of one run of the model."""
    records_max: Annotated[int, Field(ge=1, le=65536)] = 256
    """Most records in a batch, and in one poll."""


class DeliverySettings(Group):
    """Delivery guarantees, and when the service stops."""

    mode: Literal["exactly_once", "at_least_once"] = "exactly_once"
    """exactly_once publishes in transactions; at_least_once may repeat events after a fault."""
    include_text: bool = True
    """Whether events hold the text; false also leaves out fields that may hold it, see CARRY."""
    drain_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 20
    """Time to finish records in progress at a stop; the rest is read again after the restart."""
    stall_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 60
    """A model that takes longer than this for a batch counts as hung; the service then ends."""
    breaker_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The service stops if more than this share of recent records are dead letters; 1: never."""
    breaker_records: Annotated[int, Field(ge=500, le=100_000)] = 1000
    """Number of recent records that this share is computed over."""


class HttpSettings(Group):
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


class LogSettings(Group):
    """Log lines on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest severity that is written."""
    format: Literal["json", "console"] = "json"
    """json for machines, console for people."""


class TracingSettings(Group):
    """OpenTelemetry traces; the standard OTEL_ variables set everything else."""

    exporter: Literal["none", "otlp"] = "none"
    """otlp exports spans of each message by OTLP over HTTP; needs the extra `tracing`."""
    endpoint: Url | None = None
    """Like http://collector:4318/v1/traces; defaults to OTEL_EXPORTER_OTLP_ENDPOINT."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of messages without a trace context that are traced; others follow their producer."""
