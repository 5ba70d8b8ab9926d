"""The headers on the wire that are not in `contracts`: CloudEvents attributes, and traces.

Exists so that the names are in one place and `schemas/asyncapi.json` can be generated from them. No
parsing or writing of headers here (see `cloudevents` and `tracing`).
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

# CloudEvents types of the contract; a new major version gets new names.
EVENT_TYPE: Final = "sentiment.event.v1"
DEAD_LETTER_TYPE: Final = "sentiment.dead-letter.v1"
EVENT_SCHEMA: Final = "urn:sentiment-stream:schema:sentiment-event:1.3"
# The prefix of CloudEvents attributes in headers (Kafka protocol binding, 3.2).
CLOUDEVENTS_PREFIX = "ce_"


class _Headers(BaseModel):
    """Headers by their names on the wire; others are allowed."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)


class TraceHeaders(_Headers):
    """The trace that a record belongs to, as W3C Trace Context has it."""

    traceparent: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}",
        description="Copied to the event or the dead letter; with a new span id where the service "
        "traces.",
    )
    tracestate: str | None = Field(default=None, description="Copied with traceparent.")


class MessageHeaders(TraceHeaders):
    """Headers that are read from a message; none is required, and a wrong one is ignored."""

    content_type: str | None = Field(
        default=None,
        alias="content-type",
        description="text/plain for a plain text, application/json, or "
        "application/cloudevents+json for a CloudEvent in structured mode.",
    )
    specversion: str | None = Field(
        default=None,
        alias="ce_specversion",
        description="A message with this, ce_id, ce_source and ce_type is a CloudEvent.",
    )
    id: str | None = Field(
        default=None,
        alias="ce_id",
        description="Used as the message's id where that is missing or null.",
    )
    source: str | None = Field(
        default=None, alias="ce_source", description="Likewise, as its source."
    )
    type: str | None = Field(default=None, alias="ce_type", description="Any value.")
    time: str | None = Field(
        default=None, alias="ce_time", description="Likewise, as its created_at."
    )


class LetterHeaders(TraceHeaders):
    """CloudEvents attributes of a dead letter: the message's own if it is a CloudEvent."""

    specversion: str | None = Field(default=None, alias="ce_specversion")
    id: str | None = Field(
        default=None, alias="ce_id", description="The id that the event of this message would have."
    )
    source: str | None = Field(default=None, alias="ce_source")
    type: str | None = Field(
        default=None, alias="ce_type", description=f"{DEAD_LETTER_TYPE}, or the message's own."
    )
    time: str | None = Field(
        default=None, alias="ce_time", description="When it became a dead letter."
    )
    subject: str | None = Field(default=None, alias="ce_subject")


class EventHeaders(TraceHeaders):
    """CloudEvents attributes of an event, in addition to the headers of its message.

    By default every event has all of them.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "content-type": "application/json",
                    "ce_specversion": "1.0",
                    "ce_id": "92e1ff19-f5b6-5239-b72a-e570eac3d5c6",
                    "ce_source": "urn:sentiment-stream:sentiment-stream",
                    "ce_type": "sentiment.event.v1",
                    "ce_time": "2026-05-04T09:30:00.093Z",
                    "ce_subject": "sentiment.messages/3/1041",
                    "ce_dataschema": "urn:sentiment-stream:schema:sentiment-event:1.3",
                }
            ]
        }
    )

    content_type: Literal["application/json"] | None = Field(
        default=None,
        alias="content-type",
        description="Missing where events are in a registered format (OUTPUT_FORMAT).",
    )
    specversion: Literal["1.0"] | None = Field(
        default=None,
        alias="ce_specversion",
        description="This and the others are missing where SENTIMENT_KAFKA__CLOUDEVENTS=false.",
    )
    id: str | None = Field(default=None, alias="ce_id", description="The event's id.")
    source: str | None = Field(
        default=None,
        alias="ce_source",
        pattern="^urn:sentiment-stream:",
        description="urn:sentiment-stream: and the consumer group.",
    )
    type: Literal["sentiment.event.v1"] | None = Field(default=None, alias="ce_type")
    time: str | None = Field(default=None, alias="ce_time", description="The event's processed_at.")
    subject: str | None = Field(
        default=None, alias="ce_subject", description="The input record: topic/partition/offset."
    )
    dataschema: Literal["urn:sentiment-stream:schema:sentiment-event:1.3"] | None = Field(
        default=None, alias="ce_dataschema", description="The $id of the event's JSON Schema."
    )
