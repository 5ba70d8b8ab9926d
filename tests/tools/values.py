"""Values of the service, made with one call where a test needs any."""

from __future__ import annotations

from service.records import (
    Document,
    Headers,
    Message,
    Partition,
    Reading,
    Reason,
    Record,
    Rejected,
    Skipped,
    SkipReason,
    TextStats,
    Verdict,
)


def record(
    offset: int = 0,
    value: bytes | None = b'{"text": "fine"}',
    key: bytes | None = b"key",
    headers: Headers = (),
    number: int = 0,
) -> Record:
    """A record of topic `in`."""
    return Record(Partition("in", number), offset, 1_700_000_000_000, key, value, headers, 1, 0.0)


def rejected(reason: Reason, offset: int = 0) -> Rejected:
    """A record that becomes a dead letter."""
    return Rejected(record(offset), reason, "detail", "decode")


def skipped(offset: int = 0) -> Skipped:
    """A record that is passed over."""
    return Skipped(record(offset, value=None), SkipReason.TOMBSTONE)


def verdict(offset: int = 0, *, truncated: bool = False) -> Verdict:
    """A scored record."""
    message = Message(record(offset), "fine", {})
    document = Document(message, ([101, 2986, 102],), TextStats(3, truncated, 1, 0.0))
    return Verdict(document, Reading("POSITIVE", 0.75, {"NEGATIVE": 0.25, "POSITIVE": 0.75}, True))
