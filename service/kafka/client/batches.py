"""Record batches between a fetch response and `poll`: bounded in size, checked, errors by place.

Exists for three weaknesses of aiokafka. It decompresses a batch whatever the result's size. A
header whose name is not UTF-8 makes every poll fail. And an error in one partition's batch loses
the records that the same poll had already taken of other partitions: their positions have moved on.
`install` replaces the two classes that aiokafka's fetcher looks up for each response. Outside of
`bounded_poll` the replacements do what aiokafka does, except that a batch too short for its header
is corrupt. Nothing may enter that knows the session, committed offsets, or what a record means.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING, Any

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.legacy_records import LegacyRecordBatch

from service.errors import BrokerError, RetriableError
from service.kafka.client.decompress import decompress
from service.records import Partition

if TYPE_CHECKING:
    from collections.abc import Iterator

# A batch begins with its base offset and the length of what follows.
_BATCH = Struct(">qi")
_MAGIC_AT = 16
# Format 2: where the attributes' byte with the codec is, and where the records begin.
_CODEC_AT, _RECORDS_AT = 22, 61
# Formats 0 and 1 wrap a compressed batch into the value of one message: where its codec is, and
# where its key begins in each of the two.
_OLD_CODEC_AT, _OLD_KEY_AT = 17, (18, 26)
# The shortest possible message of format 0.
_OLD_BYTES_MIN = 26
_CODEC_MASK = 0x07
_INT = Struct(">i")


@dataclass
class Poll:
    """One poll: its bound in decompressed bytes, how many it has used, and errors by partition."""

    bytes_max: int
    decompressed_bytes: int = 0
    faults: dict[Partition, BrokerError | RetriableError] = field(default_factory=dict)


_POLL: ContextVar[Poll | None] = ContextVar("poll", default=None)


def install() -> None:
    """Replace aiokafka's classes, for all consumers of this process; may be called repeatedly."""
    fetcher.MemoryRecords = _Batches
    fetcher.PartitionRecords = _PartitionRecords


@contextmanager
def bounded_poll(bytes_max: int) -> Iterator[Poll]:
    """Bound what consumers decompress in this task, and collect errors instead of raising them."""
    poll = Poll(bytes_max)
    token = _POLL.set(poll)
    try:
        yield poll
    finally:
        _POLL.reset(token)


class _BoundReachedError(Exception):
    """The next batch has to wait for the next poll."""


class _Batches:
    """One partition's part of a fetch response; replaces aiokafka's `MemoryRecords`."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0
        self.latest: _Batch | None = None

    def size_in_bytes(self) -> int:
        return len(self._data)

    def has_next(self) -> bool:
        """Whether a complete batch is left: the size of the fetch may cut the last one off."""
        left = len(self._data) - self._at
        return left >= _BATCH.size and left >= _BATCH.size + self._length()

    def next_batch(self) -> _Batch:
        raw = self._data[self._at : self._at + _BATCH.size + max(0, self._length())]
        # aiokafka would read a header beyond the end of the buffer.
        if len(raw) < (_RECORDS_AT if raw[_MAGIC_AT:] and raw[_MAGIC_AT] >= 2 else _OLD_BYTES_MIN):
            raise CorruptRecordException(f"it has {len(raw)} bytes")
        self._at += len(raw)
        self.latest = _Batch(raw)
        return self.latest

    def _length(self) -> int:
        return int(_BATCH.unpack_from(self._data, self._at)[1])


class _Batch:
    """A batch of aiokafka that is decompressed within the bound once its records are read."""

    def __init__(self, raw: memoryview) -> None:
        self._raw = raw
        self._batch = _parsed(raw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        # aiokafka calls this for control batches only, which are never compressed.
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        poll = _POLL.get()
        if poll is None:
            yield from self._batch
            return
        raw = _decompressed(self._raw, poll)
        try:
            yield from _parsed(raw)
        except UnicodeDecodeError:
            # Starts at the first record again; aiokafka skips those it has already returned, by
            # their offsets.
            yield from _with_lenient_names(raw)


def _parsed(raw: memoryview) -> Any:
    magic = raw[_MAGIC_AT]
    return DefaultRecordBatch(raw) if magic >= 2 else LegacyRecordBatch(raw, magic)


def _decompressed(raw: memoryview, poll: Poll) -> memoryview:
    """Turn a batch into the one that its producer would have sent without compression.

    aiokafka parses the result and finds nothing to decompress. It has checked the CRC by then, on
    the bytes that came: the CRC of the result is wrong, and nobody reads it.
    """
    # 1. In format 2 the records are compressed and the header before them is not. In formats 0 and
    #    1 a message is, and its value is the batch.
    magic = raw[_MAGIC_AT]
    codec = raw[_CODEC_AT if magic >= 2 else _OLD_CODEC_AT] & _CODEC_MASK
    if not codec:
        return raw
    margin = _RECORDS_AT if magic >= 2 else 0
    packed = raw[margin:] if magic >= 2 else _old_value(raw, magic)
    # 2. All batches of a poll share one bound, since their records are in memory together. What is
    #    left of it is given to the decompressor, which stops there. To measure the result instead
    #    would be too late: it would be in memory by then.
    try:
        plain = decompress(codec, packed, poll.bytes_max - poll.decompressed_bytes, margin)
    except cramjam.DecompressionError:
        # 3. "Too large" and "invalid" cannot be told apart here. If an earlier batch has used a
        #    part of the bound, this one may fit into the whole of it: it waits for the next poll,
        #    where it comes first. Only a batch that fails with the whole bound is a fault. Without
        #    this distinction a batch of usual size behind others would stop the service.
        if poll.decompressed_bytes:
            raise _BoundReachedError from None
        raise
    poll.decompressed_bytes += len(plain) - margin
    if magic < 2:
        # 4. No client has written these formats since 2017, so they are not worth a rewritten
        #    header: aiokafka decompresses them a second time. The first time has shown that the
        #    result is within the bound.
        return raw
    # 5. The header goes into the margin before the records, its codec set to "none".
    plain[:margin] = raw[:margin]
    plain[_CODEC_AT] &= ~_CODEC_MASK & 0xFF
    return plain


def _old_value(raw: memoryview, magic: int) -> memoryview:
    at = _OLD_KEY_AT[magic]
    at += _INT.size + max(0, _INT.unpack_from(raw, at)[0])
    return raw[at + _INT.size :]


class _LenientBytes(bytearray):
    """Bytes whose slices decode without an error, UTF-8 or not."""

    def __getitem__(self, index: Any) -> Any:
        part = super().__getitem__(index)
        return _LenientBytes(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


def _with_lenient_names(raw: memoryview) -> Iterator[Any]:
    """Parse with aiokafka's parser in Python, which takes ten times as long, for this batch only.

    A byte that is not UTF-8 becomes an escape in the header's name, so the name can be published.
    """
    batch = _DefaultRecordBatchPy(raw)
    batch._buffer = _LenientBytes(raw)  # noqa: SLF001 - it calls decode() of its slices
    return iter(batch)


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka ships no types
    """The records of one partition, up to the first batch that cannot be read in this poll.

    Within a poll the iterator ends there and raises nothing. Each consequence is needed:

    1. aiokafka takes the end of the iterator for the end of the response, so it sets the position
       to `next_fetch_offset`, behind the last record it has returned, and drops the response. The
       next fetch begins with the same batch: none of its records is skipped.
    2. `getmany` goes on with other partitions and returns their records. An exception would leave
       it with those records taken, their positions moved on, and nobody to receive them.
    3. The error is noted by partition in the poll. The session raises it when all records before
       the batch are published; until then each poll may note it again.
    """

    def _unpack_records(self) -> Iterator[Any]:
        try:
            yield from super()._unpack_records()
        except _BoundReachedError:
            # Nothing is wrong: the next poll has the whole bound for this batch.
            pass
        except Exception as error:
            poll = _POLL.get()
            if poll is None:
                raise
            poll.faults[Partition(*self._tp)] = self._fault(error, poll.bytes_max)

    def _fault(self, error: Exception, bytes_max: int) -> BrokerError | RetriableError:
        topic, number = self._tp
        what = f"the batch of {topic}/{number} at offset {self.next_fetch_offset}"
        remedy = (
            "stop the service and move its group past this batch with kafka-consumer-groups "
            f"--reset-offsets --topic {topic}:{number} --to-offset"
        )
        if isinstance(error, CorruptRecordException):
            # The next fetch repairs what the network corrupted, and a new leader what a disk did.
            # Where the batch ends is not known: its header may be what is corrupt.
            return RetriableError(f"{what} is corrupt ({error}); if that lasts, {remedy} behind it")
        next_offset = self._records.latest.next_offset
        if isinstance(error, cramjam.DecompressionError):
            return BrokerError(
                f"{what} does not unfold within {bytes_max} bytes ({error}); "
                f"raise SENTIMENT_KAFKA__UNFOLDED_BYTES_MAX, or {remedy} {next_offset}"
            )
        # The text of other errors may hold a part of a record.
        kind = type(error).__name__
        return BrokerError(f"{what} cannot be read ({kind}); {remedy} {next_offset}")
