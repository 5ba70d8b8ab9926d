"""The contract of dead letters: the headers that say what was wrong with a message.

Exists so that whoever reads or sends back letters needs nothing else. No writing of letters here
(see `encode`).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from service.records import Reason, Stage  # noqa: TC001 - read at run time

# Prefixes of the headers of a dead letter: Kafka Connect's, and ours where Connect has no header.
CONNECT_PREFIX = "__connect.errors."
OWN_PREFIX = "sentiment.errors."

_DEAD_LETTER_HEADERS = {
    "topic": CONNECT_PREFIX + "topic",
    "partition": CONNECT_PREFIX + "partition",
    "offset": CONNECT_PREFIX + "offset",
    "index": OWN_PREFIX + "index",
    "stage": CONNECT_PREFIX + "stage",
    "detail": CONNECT_PREFIX + "exception.message",
    "reason": OWN_PREFIX + "reason",
    "timestamp": OWN_PREFIX + "timestamp",
    "attempts": OWN_PREFIX + "attempts",
    "version": OWN_PREFIX + "service.version",
    "value_bytes": OWN_PREFIX + "value.bytes",
    "value_sha256": OWN_PREFIX + "value.sha256",
}
# All of them, whether a letter has them or not: of an input record none is to be trusted.
LETTER_NAMES = frozenset(_DEAD_LETTER_HEADERS.values())

# Enough to say what is wrong in a header.
DETAIL_CHARACTERS_MAX = 500


class DeadLetter(BaseModel):
    """The headers of a dead letter, as strings; the value is the original one, byte for byte.

    Of an element of a list it is the record's document with this element alone.

    Headers of these names on an input record are replaced; all others are kept.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=_DEAD_LETTER_HEADERS.__getitem__,
        populate_by_name=True,
        json_schema_extra={
            # The headers of the input record are kept too.
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
    index: str | None = Field(
        default=None,
        pattern=r"^\d+$",
        description="Number of the element; only if the record is a list of messages.",
    )
    stage: Stage = Field(description="The stage in which the record failed.")
    detail: str = Field(
        max_length=DETAIL_CHARACTERS_MAX,
        description="What exactly is wrong; never holds text of the message.",
    )
    reason: Reason = Field(description="Why; a closed set.")
    timestamp: str = Field(
        pattern=r"^-?\d+$",
        description="Timestamp of the input record, in milliseconds since 1970; -1 if it has none.",
    )
    attempts: str = Field(pattern=r"^[1-9]\d*$", description="Number of attempts.")
    version: str = Field(description="Version of the service that wrote the dead letter.")
    value_bytes: str | None = Field(
        default=None,
        pattern=r"^\d+$",
        description="Length of the full value; only if the value was cut because it was too large.",
    )
    value_sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Hash of the full value; only if the value was cut.",
    )
