"""The values that travel through the service, from a Kafka record to what is published for it.

Frozen and slotted. No behaviour beyond what follows from the fields, and no pydantic, Kafka client
or torch, because every folder imports this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Reason(StrEnum):
    """Why a record became a dead letter. A closed set: consumers may switch on it."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    WRONG_TYPE = "wrong_type"
    TEXT_MISSING = "text_missing"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LARGE = "text_too_large"
    TOO_DEEP = "too_deep"
    TOMBSTONE = "tombstone"
    LONE_SURROGATE = "lone_surrogate"
    NOT_FINITE = "not_finite"
    ENGINE_ERROR = "engine_error"
    EVENT_TOO_LARGE = "event_too_large"
    OTHER_LANGUAGE = "other_language"
    TOO_MANY_ELEMENTS = "too_many_elements"
    SCHEMA_ERROR = "schema_error"


class SkipReason(StrEnum):
    """Why a record was passed over. It may grow: these are in metrics and spans only."""

    TOMBSTONE = "tombstone"
    # By SENTIMENT_KAFKA__SKIP: no place holds a text, nothing is there, something is, it is this
    # value, it is another, or it equals another place.
    NO_TEXT = "no_text"
    ABSENT = "absent"
    PRESENT = "present"
    VALUE = "value"
    OTHER_VALUE = "other_value"
    UNCHANGED = "unchanged"
    EMPTY_LIST = "empty_list"


class Partition(NamedTuple):
    """A topic partition; a tuple, so that it hashes fast and sorts by topic and number."""

    topic: str
    number: int


Stage = Literal["decode", "score", "publish"]
# The ways to run a model; each is a module of `engines`.
EngineName = Literal["onnx_packed", "torch_packed", "torch_plain"]
Precision = Literal["float32", "float16", "bfloat16", "int8"]
# Markup of texts; `text.markup` says what is left of each.
TextFormat = Literal["plain", "html", "markdown", "slack", "mail"]
Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One input record as it came from Kafka.

    `epoch` is the epoch in which it was polled (see `progress`); `polled_at` is the monotonic time
    of the poll in seconds.

    A record that is a list of messages is decoded to a record for each element: with its `index`,
    and a value that holds this element alone. Only the last one `is_last`: with it the record's
    offset is committed. None of them is committed without the others.
    """

    partition: Partition
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    epoch: int
    polled_at: float
    index: int | None = None
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """A decoded record: its text, and its other fields, which are passed through unchanged."""

    record: Record
    text: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TextStats:
    """Statistics of a tokenized text.

    `tokens` counts each token that the model reads once, even if windows share it; `truncated` is
    true if the text has more. `unknown_share` leaves out special tokens. `known` is true if the
    model knows at least one token. The last three count what was cut by the text's format before.
    """

    tokens: int
    truncated: bool
    windows: int
    unknown_share: float
    known: bool = True
    quoted_chars: int = 0
    signature_chars: int = 0
    code_chars: int = 0


UNREAD = TextStats(tokens=0, truncated=True, windows=0, unknown_share=0.0)


class Encoded(NamedTuple):
    """A tokenized text that belongs to no record; the fields are those of `Document`."""

    windows: tuple[list[int], ...]
    stats: TextStats
    language: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """A tokenized message; `language` is an ISO 639 code, None if it cannot be detected.

    `windows` holds the token ids of each window, special tokens included; there is at least one.
    """

    message: Message
    windows: tuple[list[int], ...]
    stats: TextStats
    language: str | None = None

    @property
    def tokens(self) -> int:
        """Number of tokens to compute; a token that two windows share counts twice."""
        return sum(map(len, self.windows))

    @property
    def record(self) -> Record:
        """The input record."""
        return self.message.record


@dataclass(frozen=True, slots=True)
class Unscored:
    """A message published without a score, because the settings exclude its language."""

    message: Message
    language: str | None

    @property
    def stats(self) -> TextStats:
        """Statistics of a text that was not read."""
        return UNREAD

    @property
    def record(self) -> Record:
        """The input record."""
        return self.message.record


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that becomes a dead letter; it stays among the good ones to keep the order."""

    record: Record
    reason: Reason
    detail: str
    stage: Stage
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record without an event or a dead letter, by the settings; its offset is committed."""

    record: Record
    reason: SkipReason
    # Names in a message that has nothing of its feed.
    foreign_fields: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The model's result for one text.

    `scores` holds the probability of every label, `score` the highest of them. `scoring.readings`
    decides whether the result is `confident`; if it is not, `label` may be the label that the
    settings give to unsure texts. A new figure of the model is added here as a field; repeats, the
    encoder and the command `score` pass it on by itself, the contract of events has to name it.
    """

    label: str
    score: float
    scores: dict[str, float]
    confident: bool

    def as_dict(self) -> dict[str, Any]:
        """All figures by name; `scores` is not copied."""
        return {name: getattr(self, name) for name in self.__match_args__}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A document and its reading; `repeated` if the same text had been scored before."""

    document: Document
    reading: Reading
    repeated: bool = False

    @property
    def message(self) -> Message:
        """The message that was scored."""
        return self.document.message

    @property
    def language(self) -> str | None:
        """The language of its text, None if it cannot be detected."""
        return self.document.language

    @property
    def stats(self) -> TextStats:
        """Statistics of its text."""
        return self.document.stats

    @property
    def record(self) -> Record:
        """The input record."""
        return self.document.record


Decoded = Message | Rejected | Skipped
Item = Document | Unscored | Rejected | Skipped
# An outcome for which a record is published, and any outcome.
Published = Verdict | Unscored | Rejected
Outcome = Published | Skipped


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one epoch in order of arrival; for `patient` and `urgent` ones see `batcher`."""

    items: tuple[Item, ...]
    epoch: int
    tokens: int
    patient: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to publish.

    With a key it goes to the partition that the key hashes to, without one to the number of its
    `source`, the input partition, modulo that of the topic's partitions. `offset` is that of its
    input record. `smaller` makes the record to send instead if the topic refuses this one as too
    large; None if there is no smaller form.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    source: Partition
    offset: int
    smaller: Callable[[], Outgoing] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Publication:
    """Records to publish together; `offsets` to commit are the next to read of each partition."""

    outgoing: tuple[Outgoing, ...]
    offsets: dict[Partition, int]
    epoch: int


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The model that scores, and how it runs; `revision` is the hub's commit or a content hash."""

    name: str
    revision: str
    engine: str
    precision: Precision
    device: str
    labels: tuple[str, ...]
    kernel: str = ""
    """What most of the arithmetic runs on, like "AVX-512 VNNI"; empty for a GPU."""
