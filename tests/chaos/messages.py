"""The records of a chaos run: each says who it is and what must become of it. Pure.

Producer, key and sequence number make its id, which travels in a header, so that a dead letter
whose value is cut or was never JSON has it too.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tools.kafka.topics import Message

if TYPE_CHECKING:
    import random

ID_HEADER = "chaos.id"
EXPECTED_HEADER = "chaos.expected"
# What a good record becomes, and a tombstone, which has no outcome; any other expectation is the
# reason of a dead letter.
EVENT = "event"
SKIPPED = "skipped"
# The harness's engines fail on a text with this word; it is one token.
POISON_WORD = "poison"

# Short, since what is judged is how records travel, not what the model says of them.
TEXTS = ("good", "bad", "so good", "not bad at all", "love it", "hate it", "fine", "what a day")
KEYS = 97
# One record in so many has no key.
KEYLESS = 9
# Of a million records. An oversized one costs the others of its publish a second try.
ALL = 1_000_000
POISONOUS = 12_000
OVERSIZED_ONES = 500

# Settings and topic limits that the bad records are made for. A topic's limit must let a batch of
# the service's producer pass, 64 KiB.
TEXT_BYTES_MAX = 2000
EVENT_BYTES_MAX = 70_000
LETTER_BYTES_MAX = 90_000
# The event of the first is refused and its letter taken; of the second, only a cut letter is.
OVERSIZED_BYTES = (75_000, 110_000)

POISONS: dict[str, bytes] = {
    "not_utf8": b'{"text": "\xff\xfe"}',
    "not_json": b'{"text": "no end',
    "wrong_type": b'{"text": 5}',
    "text_missing": b'{"body": "good"}',
    "text_empty": b'{"text": "  "}',
    "text_too_large": json.dumps({"text": "good " * TEXT_BYTES_MAX}).encode(),
    "too_deep": b'{"text": "good", "more": ' + b"[" * 200 + b"]" * 200 + b"}",
    "lone_surrogate": b'{"text": "\\ud800"}',
    "not_finite": b'{"text": "good", "more": NaN}',
    "engine_error": json.dumps({"text": f"good {POISON_WORD}"}).encode(),
}
OVERSIZED = "event_too_large"


class Chosen(NamedTuple):
    """A record to send."""

    id: str
    message: Message


class Author:
    """Makes the records of one producer."""

    def __init__(self, name: str, rng: random.Random, oversized: int = OVERSIZED_ONES) -> None:
        """Begin each key's sequence with 0; `oversized` are so many of a million."""
        self._name = name
        self._oversized = oversized
        self._rng = rng
        self._sequences: Counter[str] = Counter()
        self._made = 0

    def next(self, partitions: int) -> Chosen:
        """Make the next record; a keyless one names one of so many partitions."""
        self._made += 1
        keyless = self._made % KEYLESS == 0
        key = "" if keyless else f"key-{self._rng.randrange(KEYS)}"
        identity = f"{self._name}/{key}/{self._sequences[key]}"
        self._sequences[key] += 1
        value, expected = self._value(identity)
        message = Message(
            key=None if keyless else key.encode(),
            value=value,
            headers=[(ID_HEADER, identity.encode()), (EXPECTED_HEADER, expected.encode())],
            partition=self._made // KEYLESS % partitions if keyless else None,
        )
        return Chosen(identity, message)

    def _value(self, identity: str) -> tuple[bytes | None, str]:
        drawn = self._rng.randrange(ALL)
        if drawn < POISONOUS:
            kind = self._rng.choice([SKIPPED, *POISONS])
            return POISONS.get(kind), kind
        content = {"id": identity, "text": self._rng.choice(TEXTS)}
        if drawn < POISONOUS + self._oversized:
            # Random, so that no compression makes it small.
            content["metadata"] = self._rng.randbytes(self._rng.choice(OVERSIZED_BYTES) // 2).hex()
            return json.dumps(content).encode(), OVERSIZED
        return json.dumps(content).encode(), EVENT
