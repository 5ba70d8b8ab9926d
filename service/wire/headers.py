"""What is in the headers on the wire beside `contracts`: attributes of CloudEvents, and traces.

Exists so that the names are in one place and `schemas/asyncapi.json` can be generated from them. No
reading or writing of headers here (see `codec` and `tracing`).
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

# The names of the contract in CloudEvents; a new major version is a new name.
EVENT_TYPE: Final = "sentiment.event.v1"
DEAD_LETTER_TYPE: Final = "sentiment.dead-letter.v1"
EVENT_SCHEMA: Final = "urn:sentiment-stream:schema:sentiment-event:1.1"
# What this prefix stands before is an attribute of a CloudEvent (its Kafka protocol binding, 3.2).
CLOUDEVENTS_PREFIX = "ce_"


class _Headers(BaseModel):
    """Headers by their names on the wire; others may stand beside them."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)


class TraceHeaders(_Headers):
    """The trace that a record belongs to, as W3C Trace Context has it."""

    traceparent: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}",
        description="Goes on to the event or the dead letter; with a new span where the service "
        "traces.",
    )
    tracestate: str | None = Field(default=None, description="Goes with traceparent.")


class MessageHeaders(TraceHeaders):
    """What is read of a message's headers; none is needed, and a wrong one is passed over."""

    content_type: str | None = Field(
        default=None,
        alias="content-type",
        description="text/plain for a bare text, application/json, or "
        "application/cloudevents+json for a CloudEvent in structured mode.",
    )
    specversion: str | None = Field(
        default=None,
        alias="ce_specversion",
        description="With ce_id, ce_source and ce_type it makes the message a CloudEvent.",
    )
    id: str | None = Field(
        default=None, alias="ce_id", description="The message's id where it has none itself."
    )
    source: str | None = Field(
        default=None, alias="ce_source", description="Its source where it has none itself."
    )
    type: str | None = Field(default=None, alias="ce_type", description="Any.")
    time: str | None = Field(
        default=None, alias="ce_time", description="Its created_at where it has none itself."
    )


class LetterHeaders(TraceHeaders):
    """CloudEvents attributes of a dead letter: the message's own where that was a CloudEvent."""

    specversion: str | None = Field(default=None, alias="ce_specversion")
    id: str | None = Field(
        default=None, alias="ce_id", description="The id that the message's event would have had."
    )
    source: str | None = Field(default=None, alias="ce_source")
    type: str | None = Field(
        default=None, alias="ce_type", description=f"{DEAD_LETTER_TYPE}, or the message's own."
    )
    time: str | None = Field(default=None, alias="ce_time", description="When it was given up.")
    subject: str | None = Field(default=None, alias="ce_subject")


class EventHeaders(TraceHeaders):
    """CloudEvents attributes of an event, beside the headers of its message."""

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
                    "ce_dataschema": "urn:sentiment-stream:schema:sentiment-event:1.1",
                }
            ]
        }
    )

    content_type: Literal["application/json"] = Field(alias="content-type")
    specversion: Literal["1.0"] = Field(alias="ce_specversion")
    id: str = Field(alias="ce_id", description="The event's id.")
    source: str = Field(
        alias="ce_source",
        pattern="^urn:sentiment-stream:",
        description="urn:sentiment-stream: and the consumer group.",
    )
    type: Literal["sentiment.event.v1"] = Field(alias="ce_type")
    time: str = Field(alias="ce_time", description="The event's processed_at.")
    subject: str = Field(
        alias="ce_subject", description="The input record: topic/partition/offset."
    )
    dataschema: Literal["urn:sentiment-stream:schema:sentiment-event:1.1"] = Field(
        alias="ce_dataschema", description="The $id of the event's JSON Schema."
    )
