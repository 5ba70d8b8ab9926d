"""The values that travel through the service, from a Kafka record to what is published for it.

Frozen and slotted. No behaviour beyond what follows from the fields; no pydantic, no Kafka client,
no torch: every room may import this one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
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


class Partition(NamedTuple):
    """A topic partition; a tuple, so that it hashes fast and sorts by topic and number."""

    topic: str
    number: int


Stage = Literal["decode", "score", "publish"]
# The ways to run a model; each is a module of `engines`.
EngineName = Literal["onnx_packed", "torch_packed", "torch_plain"]
Precision = Literal["float32", "float16", "bfloat16", "int8"]
Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One input record as it came from Kafka.

    `epoch` is that of the assignment it was polled under (see `progress`), `polled_at` a reading
    of the monotonic clock in seconds.
    """

    partition: Partition
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    epoch: int
    polled_at: float


@dataclass(frozen=True, slots=True)
class Message:
    """A decoded record: its text, and all else that the producer sent, to be carried unchanged."""

    record: Record
    text: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TextStats:
    """What the tokenizer made of a text; special tokens do not count in `unknown_share`.

    `tokens` are those that were read, each once, whatever windows share; `truncated` where the text
    has more; `known` where the model knows any of them.
    """

    tokens: int
    truncated: bool
    windows: int
    unknown_share: float
    known: bool = True


UNREAD = TextStats(tokens=0, truncated=True, windows=0, unknown_share=0.0)


class Encoded(NamedTuple):
    """A text of no record, ready for the model; the fields are those of `Document`."""

    windows: tuple[list[int], ...]
    stats: TextStats
    language: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """A message ready for the model: token ids of each of its windows, with the special tokens.

    It has at least one window. `language` is an ISO 639 code, None where the text does not show it.
    """

    message: Message
    windows: tuple[list[int], ...]
    stats: TextStats
    language: str | None = None

    @property
    def tokens(self) -> int:
        """What the model has to compute, tokens that windows share more than once."""
        return sum(map(len, self.windows))

    @property
    def record(self) -> Record:
        """The input record."""
        return self.message.record


@dataclass(frozen=True, slots=True)
class Unscored:
    """A message that is published without a score, as the settings ask for its language."""

    message: Message
    language: str | None

    @property
    def stats(self) -> TextStats:
        """Those of a text that was not read."""
        return UNREAD

    @property
    def record(self) -> Record:
        """The input record."""
        return self.message.record


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that becomes a dead letter; travels beside the good ones, so that order is kept."""

    record: Record
    reason: Reason
    detail: str
    stage: Stage
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model says of one text.

    `scores` has the probability of every label, `score` that of the likeliest. Whether that
    suffices to be `confident`, see `scoring.readings`; where it does not, `label` may be what the
    settings call that. A figure of the model is added here, and reaches all who show a reading.
    """

    label: str
    score: float
    scores: dict[str, float]
    confident: bool

    def as_dict(self) -> dict[str, Any]:
        """All figures by name; `scores` is not copied."""
        return {figure.name: getattr(self, figure.name) for figure in fields(self)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A document and its reading; `repeated` where the reading is that of the same text before."""

    document: Document
    reading: Reading
    repeated: bool = False

    @property
    def message(self) -> Message:
        """The message that was scored."""
        return self.document.message

    @property
    def language(self) -> str | None:
        """The language of its text, where that shows."""
        return self.document.language

    @property
    def stats(self) -> TextStats:
        """What the tokenizer made of its text."""
        return self.document.stats

    @property
    def record(self) -> Record:
        """The input record."""
        return self.document.record


Item = Document | Unscored | Rejected
Outcome = Verdict | Unscored | Rejected


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one epoch in the order of their arrival, small enough for one run of the model."""

    items: tuple[Item, ...]
    epoch: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to publish.

    A keyed record goes to the partition that its key asks for, a keyless one to the number of its
    `source`, the input partition, modulo the topic's partitions. `smaller` makes what to send
    instead where the topic refuses this one as too large; None where nothing smaller exists.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    source: Partition
    smaller: Callable[[], Outgoing] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published together: outgoing records and the offsets that they settle.

    `offsets` has the next offset to read of each input partition.
    """

    outgoing: tuple[Outgoing, ...]
    offsets: dict[Partition, int]
    epoch: int


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model an event was scored by; `revision` is the hub's commit or a content hash."""

    name: str
    revision: str
    engine: str
    precision: Precision
    device: str
    labels: tuple[str, ...]
