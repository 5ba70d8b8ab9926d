"""What is on the wire, as pydantic models; `schemas/` is generated from these.

SourceMessage is what producers send, SentimentEvent what downstream consumers read, DeadLetter
describes the headers of the dead-letter topic. No parsing of bytes here (see `codec`).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.records import Precision, Reason, Stage  # noqa: TC001 - read at run time

SCHEMA_VERSION: Final = "1.1"

# Names that Kafka Connect gives to the headers of its dead letters, and ours where it has none.
CONNECT_PREFIX = "__connect.errors."
OWN_PREFIX = "sentiment.errors."

_DEAD_LETTER_HEADERS = {
    "topic": CONNECT_PREFIX + "topic",
    "partition": CONNECT_PREFIX + "partition",
    "offset": CONNECT_PREFIX + "offset",
    "stage": CONNECT_PREFIX + "stage",
    "detail": CONNECT_PREFIX + "exception.message",
    "reason": OWN_PREFIX + "reason",
    "timestamp": OWN_PREFIX + "timestamp",
    "attempts": OWN_PREFIX + "attempts",
    "version": OWN_PREFIX + "service.version",
    "value_bytes": OWN_PREFIX + "value.bytes",
    "value_sha256": OWN_PREFIX + "value.sha256",
}

# Enough to say what is wrong; a header is no place for more.
DETAIL_CHARACTERS_MAX = 500

Probability = Annotated[float, Field(ge=0, le=1)]


class SourceMessage(BaseModel):
    """A message to be scored. Only `text` can reject it; all else is carried as it is."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"text": "The new release fixed my sync problem, thank you!"},
                {
                    "id": "post-4711",
                    "text": "Two hours in the queue and then the desk closes. Never again.",
                    "source": "twitter",
                    "lang": "en",
                    "created_at": "2026-05-04T09:30:00Z",
                    "metadata": {"campaign": "spring", "followers": 312},
                },
            ]
        },
    )

    text: str = Field(description="The text to score; must hold more than white space.")
    id: Any = Field(default=None, description="The producer's own id; comes back as source_id.")
    source: Any = Field(default=None, description="twitter, reddit, app-review, survey, …: free.")
    lang: Any = Field(default=None, description="Language as the producer knows it.")
    created_at: Any = Field(default=None, description="When the text was written.")
    metadata: Any = Field(default=None, description="Anything else the producer wants back.")


class Model(BaseModel):
    """Which model scored an event, and how it ran."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="bundled, a folder's name, or a hub name.")
    revision: str = Field(description="The hub's commit, or sha256: of the content of a folder.")
    engine: str
    precision: Precision


class TextStatistics(BaseModel):
    """What the tokenizer made of the text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: int = Field(ge=0, description="Tokens read, special ones included; each counts once.")
    truncated: bool = Field(description="True where the model did not read the whole text.")
    windows: int = Field(
        ge=0, description="How many stretches of the text were scored; 0 where it was not."
    )
    unknown_share: Probability = Field(description="Share of tokens outside the vocabulary.")


class Origin(BaseModel):
    """The input record's coordinates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    timestamp: int | None = Field(description="Milliseconds since 1970; null where it has none.")


class SentimentEvent(BaseModel):
    """What is published for each good message; key and headers are those of the input record."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "id": "92e1ff19-f5b6-5239-b72a-e570eac3d5c6",
                    "source_id": "post-4711",
                    "source": "twitter",
                    "lang": "en",
                    "created_at": "2026-05-04T09:30:00Z",
                    "metadata": {"campaign": "spring", "followers": 312},
                    "extra": {},
                    "text": "Two hours in the queue and then the desk closes. Never again.",
                    "label": "NEGATIVE",
                    "score": 0.9301653504371643,
                    "scores": {
                        "NEGATIVE": 0.9301653504371643,
                        "NEUTRAL": 0.04624379798769951,
                        "POSITIVE": 0.023590873926877975,
                    },
                    "confident": True,
                    "language": "en",
                    "model": {
                        "name": "bundled",
                        "revision": "sha256:e572521b34a83edd",
                        "engine": "onnx_packed",
                        "precision": "float32",
                    },
                    "text_stats": {
                        "tokens": 16,
                        "truncated": False,
                        "windows": 1,
                        "unknown_share": 0.0,
                    },
                    "origin": {
                        "topic": "sentiment.messages",
                        "partition": 3,
                        "offset": 1041,
                        "timestamp": 1777887000000,
                    },
                    "processed_at": "2026-05-04T09:30:00.093Z",
                    "latency_ms": 18.4,
                    "schema_version": "1.1",
                }
            ]
        },
    )

    id: str = Field(
        description="UUIDv5 of topic, partition, offset and timestamp of the input record: the "
        "same record always gives the same id, so a repeat can be told."
    )
    source_id: Any = Field(description="The message's id, as it was sent.")
    source: Any
    lang: Any
    created_at: Any
    metadata: Any
    extra: dict[str, Any] = Field(description="All other fields of the message, as they were.")
    text: str | None = Field(
        description="The text as it was sent; null where SENTIMENT_DELIVERY__INCLUDE_TEXT=false."
    )
    label: str | None = Field(
        description="The likeliest label, or what SENTIMENT_MODEL__UNSURE_LABEL says where the "
        "model is not confident; null where the text was passed on unscored. NEGATIVE, NEUTRAL or "
        "POSITIVE of the bundled model, others of another one: consumers must accept labels that "
        "they do not know."
    )
    score: Probability | None = Field(
        description="The probability of the likeliest label; null where the text was not scored."
    )
    scores: dict[str, Probability] = Field(
        description="The probability of every label of the model, which sum to 1 unless its labels "
        "do not exclude each other; empty where the text was not scored."
    )
    confident: bool | None = Field(
        description="Whether the score reaches the threshold that the model comes with for this "
        "label, and the text is one that the model can read: in a language of its own, with words "
        "that it knows, and whole. Null where the text was not scored."
    )
    language: str | None = Field(
        description="Language of the text, as an ISO 639 code; null where the text does not show "
        "it. A score of a text in none of the model's languages means little."
    )
    model: Model
    text_stats: TextStatistics
    origin: Origin
    processed_at: str = Field(description="When it was scored: RFC 3339, UTC, milliseconds.")
    latency_ms: float = Field(
        ge=0, description="From polling the record until its event was written, in milliseconds."
    )
    schema_version: Literal["1.0", "1.1"] = Field(
        default=SCHEMA_VERSION,
        description="1.1; an event of 1.0 has this form too.",
    )


class DeadLetter(BaseModel):
    """The headers of a dead letter, as strings; the value is the original one, byte for byte.

    Headers of these names on an input record are replaced, never trusted; all others are kept.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=_DEAD_LETTER_HEADERS.__getitem__,
        populate_by_name=True,
        json_schema_extra={
            # The headers of the record stand beside these.
            "additionalProperties": True,
            "examples": [
                {
                    "__connect.errors.topic": "sentiment.messages",
                    "__connect.errors.partition": "3",
                    "__connect.errors.offset": "1042",
                    "__connect.errors.stage": "decode",
                    "__connect.errors.exception.message": "there is nothing at /text",
                    "sentiment.errors.reason": "text_missing",
                    "sentiment.errors.timestamp": "1777887000000",
                    "sentiment.errors.attempts": "1",
                    "sentiment.errors.service.version": "0.1.0",
                }
            ],
        },
    )

    topic: str = Field(description="Original topic.")
    partition: str = Field(pattern=r"^\d+$", description="Original partition.")
    offset: str = Field(pattern=r"^\d+$", description="Original offset.")
    stage: Stage = Field(description="Where on its way the record failed.")
    detail: str = Field(
        max_length=DETAIL_CHARACTERS_MAX,
        description="What exactly is wrong; never holds text of the message.",
    )
    reason: Reason = Field(description="A closed set.")
    timestamp: str = Field(
        pattern=r"^-?\d+$",
        description="Timestamp of the input record, in milliseconds since 1970; -1 without one.",
    )
    attempts: str = Field(pattern=r"^[1-9]\d*$", description="How often it was tried.")
    version: str = Field(description="Version of the service that gave up on it.")
    value_bytes: str | None = Field(
        default=None,
        pattern=r"^\d+$",
        description="Only on a letter cut because its topic refused it: the full length.",
    )
    value_sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Only on a cut letter: hash of the full value.",
    )
