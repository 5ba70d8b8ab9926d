"""The contract on the wire as pydantic models; `schemas/` is generated from these.

Producers send a SourceMessage, consumers read a SentimentEvent. Headers are in `headers`, those of
a dead letter in `letters`. No parsing of bytes here (see `decode`).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from service.records import Precision  # noqa: TC001 - read at run time

SCHEMA_VERSION: Final = "1.3"
# All minor versions of the contract: consumers must read events of newer ones.
VERSION_PATTERN: Final = r"^1\.\d+$"

Probability = Annotated[float, Field(ge=0, le=1)]
# Any JSON. Its types are named, since some generators of code take a schema without a type for that
# of an object.
AnyJson = Annotated[
    Any,
    WithJsonSchema({"type": ["string", "integer", "number", "boolean", "object", "array", "null"]}),
]
# Readers of columns need one type for a field. Fields that came after 1.0 have a default, so that
# older events fit the schema too; the service writes them all the same.
AsText = Annotated[
    str | None,
    Field(description="The field before it as a string: other types as JSON, null as null."),
]
# The service writes no field that is not here; readers must take fields that they do not know.
_OPEN = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"additionalProperties": True})


class SourceMessage(BaseModel):
    """A message to score. Only `text` can reject it; all other fields are copied unchanged."""

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

    text: str = Field(
        min_length=1,
        pattern=r"\S",
        description="The text to score; must hold more than white space.",
    )
    id: AnyJson = Field(default=None, description="The producer's own id; source_id of the event.")
    source: AnyJson = Field(default=None, description="Any value: twitter, reddit, survey, …")
    lang: AnyJson = Field(default=None, description="Language as the producer knows it.")
    created_at: AnyJson = Field(default=None, description="When the text was written.")
    metadata: AnyJson = Field(default=None, description="Anything else the producer wants back.")


class Model(BaseModel):
    """Which model scored an event, and how it ran."""

    model_config = _OPEN

    name: str = Field(description="bundled, a folder's name, or a hub name.")
    revision: str = Field(description="The hub's commit, or sha256: of the content of a folder.")
    engine: str
    precision: Precision


class TextStatistics(BaseModel):
    """Statistics of the tokenized text."""

    model_config = _OPEN

    tokens: int = Field(ge=0, description="Tokens read, special ones included; each counts once.")
    truncated: bool = Field(description="True where the model did not read the whole text.")
    windows: int = Field(
        ge=0, description="Windows in which the text was scored; 0 if it was not scored."
    )
    unknown_share: Probability = Field(description="Share of tokens outside the vocabulary.")
    quoted_chars: int = Field(
        default=0,
        ge=0,
        description="Characters of quotes that SENTIMENT_KAFKA__TEXT_FORMAT cut before scoring: of "
        "other people's words, and of the headers above them.",
    )
    signature_chars: int = Field(
        default=0,
        ge=0,
        description="Characters of signatures, closing formulas and legal notices that it cut.",
    )
    code_chars: int = Field(default=0, ge=0, description="Characters of code blocks that it cut.")


class Origin(BaseModel):
    """The input record's coordinates."""

    model_config = _OPEN

    topic: str
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    timestamp: int | None = Field(description="Milliseconds since 1970; null if it has none.")
    index: int | None = Field(
        default=None,
        ge=0,
        description="Number of the element in a record that is a list of messages, from 0; null of "
        "a single message.",
    )


class SentimentEvent(BaseModel):
    """The event published for each valid message; key and headers are those of its record."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "additionalProperties": True,
            "examples": [
                {
                    "id": "92e1ff19-f5b6-5239-b72a-e570eac3d5c6",
                    "source_id": "post-4711",
                    "source_id_text": "post-4711",
                    "source": "twitter",
                    "source_text": "twitter",
                    "lang": "en",
                    "lang_text": "en",
                    "created_at": "2026-05-04T09:30:00Z",
                    "created_at_text": "2026-05-04T09:30:00Z",
                    "metadata": {"campaign": "spring", "followers": 312},
                    "metadata_text": '{"campaign":"spring","followers":312}',
                    "extra": {},
                    "text": "Two hours in the queue and then the desk closes. Never again.",
                    "label": "NEGATIVE",
                    "score": 0.9268637299537659,
                    "scores": {
                        "NEGATIVE": 0.9268637299537659,
                        "NEUTRAL": 0.047767385840415955,
                        "POSITIVE": 0.025368886068463326,
                    },
                    "confident": True,
                    "language": "en",
                    "model": {
                        "name": "bundled",
                        "revision": "sha256:e6c37c2a575fd237",
                        "engine": "onnx_packed",
                        "precision": "int8",
                    },
                    "text_stats": {
                        "tokens": 16,
                        "truncated": False,
                        "windows": 1,
                        "unknown_share": 0.0,
                        "quoted_chars": 0,
                        "signature_chars": 0,
                        "code_chars": 0,
                    },
                    "origin": {
                        "topic": "sentiment.messages",
                        "partition": 3,
                        "offset": 1041,
                        "timestamp": 1777887000000,
                        "index": None,
                    },
                    "processed_at": "2026-05-04T09:30:00.093Z",
                    "latency_ms": 18.4,
                    "schema_version": "1.3",
                }
            ],
        },
    )

    id: str = Field(
        description="UUIDv5 of topic, partition, offset and timestamp of the input record, and of "
        "the element's index in a list: the same record always gives the same id, so a repeat can "
        "be recognised."
    )
    source_id: AnyJson = Field(description="The message's id, as it was sent.")
    source_id_text: AsText = None
    source: AnyJson
    source_text: AsText = None
    lang: AnyJson
    lang_text: AsText = None
    created_at: AnyJson
    created_at_text: AsText = None
    metadata: AnyJson
    metadata_text: AsText = None
    extra: dict[str, AnyJson] = Field(description="All other fields of the message, as they were.")
    text: str | None = Field(
        description="The text as it was sent, with its markup and with what was cut before scoring "
        "(see text_stats); null where SENTIMENT_DELIVERY__INCLUDE_TEXT=false."
    )
    label: str | None = Field(
        description="The likeliest label, or SENTIMENT_MODEL__UNSURE_LABEL where the model is not "
        "confident; null where the text was not scored. The bundled model has NEGATIVE, NEUTRAL "
        "and POSITIVE, another model has others: consumers must accept labels that they do not "
        "know."
    )
    score: Probability | None = Field(
        description="The probability of the likeliest label; null where the text was not scored."
    )
    scores: dict[str, Probability] = Field(
        description="The probability of every label of the model; they sum to 1 unless several "
        "labels can apply at once. Empty where the text was not scored."
    )
    confident: bool | None = Field(
        description="Whether the score reaches the model's threshold for this label and the model "
        "can judge the text: it is in one of the model's languages, has words that the model "
        "knows, and was read whole. Null where the text was not scored."
    )
    language: str | None = Field(
        description="Language of the text, as an ISO 639 code; null where it cannot be detected. "
        "A score means little if the text is in none of the model's languages."
    )
    model: Model
    text_stats: TextStatistics
    origin: Origin
    processed_at: str = Field(description="When it was scored: RFC 3339, UTC, milliseconds.")
    latency_ms: float = Field(
        ge=0,
        description="From polling the record until its event was written, in milliseconds. How "
        "long the record waited in Kafka before that is not in it; processed_at minus "
        "origin.timestamp has both.",
    )
    schema_version: str = Field(
        pattern=VERSION_PATTERN,
        description="The contract's version when the event was written. Any 1.x fits this schema, "
        "whose fields newer versions only add to.",
    )
