"""Record batches on their way from a fetch response to `poll`: bounded, checked, named by place.

Exists for what aiokafka does badly there. It unfolds a compressed batch whatever comes out of it,
raises for ever over a header whose name is not UTF-8, and, when it comes upon a batch that cannot
be read, loses what it took of other partitions for the same poll: it goes on behind it. So the two
classes that its fetcher looks up by name for each response are replaced by those of here; who reads
outside of `reading` gets what aiokafka gives. Nothing may enter that knows the session, what is
committed, or what a record means.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING, Any

import cramjam
import numpy as np
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.legacy_records import LegacyRecordBatch

from service.errors import BrokerError, RetriableError
from service.records import Partition, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

# What text shrinks to is seldom less than an eighth: so much room is tried first.
RATIO_USUAL = 8

# A batch begins with its offset and the length of what follows.
_BATCH = Struct(">qi")
_MAGIC_AT = 16
# Where a batch of format 2 has the byte with its codec, and where its records begin.
_CODEC_AT, _RECORDS_AT = 22, 61
# The same of formats 0 and 1: a wrapper whose value, behind its key, is the batch.
_OLD_CODEC_AT, _OLD_KEY_AT = 17, (18, 26)
# Shorter than this none of format 0 can be.
_OLD_BYTES_MIN = 26
_CODEC_MASK = 0x07
_INT = Struct(">i")
# What Java's snappy writes blocks behind; others write one block, bare.
_XERIAL, _XERIAL_BYTES = b"\x82SNAPPY\x00", 16


@dataclass
class Reading:
    """One poll: what its batches may unfold to in bytes, and the places it could not read.

    A batch over the bound by itself is a fault; where their sum would be, the poll only ends, and
    what is left is fetched anew.
    """

    bytes_max: int
    unfolded_bytes: int = 0
    faults: dict[Partition, BrokerError | RetriableError] = field(default_factory=dict)


_READING: ContextVar[Reading | None] = ContextVar("reading", default=None)


@contextmanager
def reading(bytes_max: int) -> Iterator[Reading]:
    """Bound what aiokafka's consumers read in this task, and gather what they cannot read."""
    now = Reading(bytes_max)
    token = _READING.set(now)
    try:
        yield now
    finally:
        _READING.reset(token)


class _SpentError(Exception):
    """The next batch is for the next poll."""


def unfold(codec: int, data: memoryview, bytes_max: int, margin: int = 0) -> memoryview:
    """Decompress as Kafka numbers its codecs; the first `margin` bytes are the caller's to fill.

    No more than `bytes_max` are ever written: decompression stops there.

    Raises:
        cramjam.DecompressionError: it would be more, or is no data of this codec.
    """
    if not data:
        return memoryview(bytearray(margin))
    into = _INTO.get(codec)
    if into is None:
        raise cramjam.DecompressionError(f"codec {codec} is unknown")
    # Not zeroed, and given memory only where it is written to.
    room = np.empty(margin + min(RATIO_USUAL * len(data), bytes_max), np.uint8).data
    try:
        count = into(data, room[margin:])
    except cramjam.DecompressionError:
        room = np.empty(margin + bytes_max, np.uint8).data
        count = into(data, room[margin:])
    return room[: margin + count]


def _snappy_into(data: memoryview, room: memoryview) -> int:
    if bytes(data[: len(_XERIAL)]) != _XERIAL:
        return cramjam.snappy.decompress_raw_into(data, room)
    at, written = _XERIAL_BYTES, 0
    while at < len(data):
        at += _INT.size
        size = _INT.unpack_from(data, at - _INT.size)[0] if at <= len(data) else 0
        if not 0 < size <= len(data) - at:
            raise cramjam.DecompressionError("snappy: a block is cut short")
        written += cramjam.snappy.decompress_raw_into(data[at : at + size], room[written:])
        at += size
    return written


_INTO = {
    1: cramjam.gzip.decompress_into,
    2: _snappy_into,
    3: cramjam.lz4.decompress_into,
    4: cramjam.zstd.decompress_into,
}


class _Batches:
    """All that came of one partition; stands for aiokafka's `MemoryRecords`."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0
        self.latest: _Batch | None = None

    def size_in_bytes(self) -> int:
        return len(self._data)

    def has_next(self) -> bool:
        """Whether a whole one is left: the last may be cut off by the size of the fetch."""
        left = len(self._data) - self._at
        return left >= _BATCH.size and left >= _BATCH.size + self._length()

    def next_batch(self) -> _Batch:
        raw = self._data[self._at : self._at + _BATCH.size + max(0, self._length())]
        # aiokafka would read a header beyond its end.
        if len(raw) < (_RECORDS_AT if raw[_MAGIC_AT:] and raw[_MAGIC_AT] >= 2 else _OLD_BYTES_MIN):
            raise CorruptRecordException(f"it has {len(raw)} bytes")
        self._at += len(raw)
        self.latest = _Batch(raw)
        return self.latest

    def _length(self) -> int:
        return int(_BATCH.unpack_from(self._data, self._at)[1])


class _Batch:
    """One batch of aiokafka, which unfolds within the bound when its records are asked for."""

    def __init__(self, raw: memoryview) -> None:
        self._raw = raw
        self._batch = _parsed(raw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        # Asked of control batches alone, which are never compressed.
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        now = _READING.get()
        if now is None:
            yield from self._batch
            return
        raw = _unfolded(self._raw, now)
        try:
            yield from _parsed(raw)
        except UnicodeDecodeError:
            # From the first again: aiokafka skips what it has had.
            yield from _with_any_names(raw)


def _parsed(raw: memoryview) -> Any:
    magic = raw[_MAGIC_AT]
    return DefaultRecordBatch(raw) if magic >= 2 else LegacyRecordBatch(raw, magic)


def _unfolded(raw: memoryview, now: Reading) -> memoryview:
    """Give the batch as its producer would have sent it uncompressed."""
    magic = raw[_MAGIC_AT]
    codec = raw[_CODEC_AT if magic >= 2 else _OLD_CODEC_AT] & _CODEC_MASK
    if not codec:
        return raw
    margin = _RECORDS_AT if magic >= 2 else 0
    packed = raw[margin:] if magic >= 2 else _old_value(raw, magic)
    try:
        plain = unfold(codec, packed, now.bytes_max - now.unfolded_bytes, margin)
    except cramjam.DecompressionError:
        if now.unfolded_bytes:
            raise _SpentError from None
        raise
    now.unfolded_bytes += len(plain) - margin
    if magic < 2:
        # No client has written these since 2017: measured here, unfolded by aiokafka once more.
        return raw
    plain[:margin] = raw[:margin]
    plain[_CODEC_AT] &= ~_CODEC_MASK & 0xFF
    return plain


def _old_value(raw: memoryview, magic: int) -> memoryview:
    at = _OLD_KEY_AT[magic]
    at += _INT.size + max(0, _INT.unpack_from(raw, at)[0])
    return raw[at + _INT.size :]


class _Lenient(bytearray):
    """Bytes whose parts can be decoded, be they UTF-8 or not."""

    def __getitem__(self, index: Any) -> Any:
        part = super().__getitem__(index)
        return _Lenient(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


def _with_any_names(raw: memoryview) -> Iterator[Any]:
    """Parse with aiokafka's parser in Python, which takes ten times as long, for this batch only.

    A byte that is not UTF-8 is in the name as its escape, so that it can be told and sent on.
    """
    batch = _DefaultRecordBatchPy(raw)
    batch._buffer = _Lenient(raw)  # noqa: SLF001 - it decodes names by a method of its buffer
    return iter(batch)


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka ships no types
    """The records of one partition; ends before what cannot be read, which is read anew then."""

    def _unpack_records(self) -> Iterator[Any]:
        try:
            yield from super()._unpack_records()
        except _SpentError:
            pass
        except Exception as error:
            now = _READING.get()
            if now is None:
                raise
            partition = Partition(*self._tp)
            now.faults[partition] = self._fault(error, now.bytes_max)

    def _fault(self, error: Exception, bytes_max: int) -> BrokerError | RetriableError:
        topic, number = self._tp
        what = f"the batch of {topic}/{number} at offset {self.next_fetch_offset}"
        past = (
            "stop the service and move its group past this batch with kafka-consumer-groups "
            f"--reset-offsets --topic {topic}:{number} --to-offset"
        )
        if isinstance(error, CorruptRecordException):
            # The next fetch mends what the line did to it, and a new leader what a disk did.
            return RetriableError(f"{what} is corrupt ({error}); if that lasts, {past} behind it")
        behind = self._records.latest.next_offset
        if isinstance(error, cramjam.DecompressionError):
            return BrokerError(
                f"{what} does not unfold within {bytes_max} bytes ({error}); "
                f"raise SENTIMENT_KAFKA__UNFOLDED_BYTES_MAX, or {past} {behind}"
            )
        # Of others the text may hold what was sent.
        return BrokerError(f"{what} cannot be read ({type(error).__name__}); {past} {behind}")


fetcher.MemoryRecords = _Batches
fetcher.PartitionRecords = _PartitionRecords


def to_record(message: Any, epoch: int, now: float) -> Record:
    """A record of aiokafka as the service's own; `now` is a reading of the monotonic clock."""
    return Record(
        partition=Partition(message.topic, message.partition),
        offset=message.offset,
        timestamp_ms=message.timestamp,
        key=message.key,
        value=message.value,
        headers=tuple(message.headers),
        epoch=epoch,
        polled_at=now,
    )
