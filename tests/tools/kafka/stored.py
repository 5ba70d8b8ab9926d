"""A record as it lies in a log in memory, of whichever Kafka that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from service.records import Headers


class Stored(NamedTuple):
    """A record as a client sends it; its offset is its place in the log."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp_ms: int = 0

    @property
    def size(self) -> int:
        """Bytes of key, value and headers: what a topic's limit is held against."""
        headers = sum(len(name) + len(value or b"") for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers
