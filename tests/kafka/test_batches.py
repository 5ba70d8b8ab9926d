"""Batches of a fetch response: read as aiokafka reads them, within a bound, whatever they hold."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
from typing import Any

import cramjam
import pytest
from aiokafka import TopicPartition, codec
from aiokafka.consumer import fetcher
from aiokafka.errors import KafkaConnectionError
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BrokerError, RetriableError
from service.kafka import KafkaSession, fetching
from service.kafka.client.batches import Poll, bounded_poll, install
from service.kafka.client.decompress import decompress
from service.kafka.once import reader
from service.kafka.once.reader import TopicReader
from service.records import Partition
from service.settings import KafkaSettings
from tools.kafka.raw_batches import CODECS, CRC_AT, RECORDS_AT, batch, changed, old_batch, with_crc
from tools.kafka.topics import Message

MIB = 2**20
TOPIC = TopicPartition("posts", 3)
PLACE = Partition("posts", 3)
COMPRESSED = [name for name in CODECS if name != "none"]
install()
# aiokafka's own class, which the service's extends.
[OWN] = fetcher.PartitionRecords.__bases__

blobs = st.none() | st.binary(max_size=200)
messages = st.builds(
    Message,
    key=blobs,
    value=blobs | st.integers(1, 300).map(lambda n: b"tweet " * n),
    headers=st.lists(st.tuples(st.text(max_size=8), blobs), max_size=3),
    timestamp=st.integers(0, 2**40),
)
batches = st.lists(messages, min_size=1, max_size=8)


def read(data: bytes, start: int = 0, bytes_max: int = 64 * MIB) -> tuple[list[Any], Poll, int]:
    """Read as a poll does: the records, the poll with its faults, and where the next one begins."""
    with bounded_poll(bytes_max) as poll:
        records = _records(fetcher.PartitionRecords, fetcher.MemoryRecords, data, start)
        return list(records), poll, records.next_fetch_offset


def read_by_aiokafka(data: bytes) -> list[Any]:
    """Read by aiokafka's own classes."""
    return list(_records(OWN, MemoryRecords, data))


def _records(partition_records: Any, memory_records: Any, data: bytes, start: int = 0) -> Any:
    return partition_records(TOPIC, memory_records(data), [], start, None, None, True, 1)


@pytest.mark.parametrize("name", COMPRESSED)
@given(data=st.binary(max_size=2000), times=st.integers(1, 300))
def test_decompression_is_that_of_aiokafka(name: str, data: bytes, times: int) -> None:
    """Byte for byte, with a bound of exactly its size; with one byte less it is refused."""
    whole = data * times or b"-"
    packed = memoryview(getattr(codec, f"{name}_encode")(whole))

    plain = decompress(CODECS[name], packed, len(whole), margin=61)

    assert bytes(getattr(codec, f"{name}_decode")(packed.tobytes())) == plain[61:].tobytes()
    with pytest.raises(cramjam.DecompressionError):
        decompress(CODECS[name], packed, len(whole) - 1)


@given(data=st.binary(min_size=1, max_size=2000))
def test_a_bare_block_of_snappy_is_decompressed(data: bytes) -> None:
    """As clients in C write it."""
    packed = memoryview(codec.snappy_encode(data, xerial_compatible=False))
    assert data == decompress(CODECS["snappy"], packed, len(data)).tobytes()


@pytest.mark.parametrize("number", [*CODECS.values(), 5, 6, 7])
@given(data=st.binary(max_size=200) | st.binary(max_size=50).map(lambda b: b"\x82SNAPPY\0" + b))
def test_nonsense_decompresses_within_the_bound_or_is_refused(number: int, data: bytes) -> None:
    """With one class of error."""
    try:
        plain = decompress(number, memoryview(data), 1000)
    except cramjam.DecompressionError:
        return
    assert len(plain) <= 1000


@pytest.mark.parametrize("name", ["gzip", "lz4", "zstd"])
def test_4_gib_take_the_memory_of_the_bound(name: str) -> None:
    """Decompression stops there, instead of measuring the result."""
    part = bytes(getattr(codec, f"{name}_encode")(bytes(16 * MIB)))
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(cramjam.DecompressionError):
        decompress(CODECS[name], memoryview(part * 256), 4 * MIB)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 64 * 1024


@pytest.mark.parametrize("name", CODECS)
@given(groups=st.lists(batches, min_size=1, max_size=3), cut=st.integers(0, 95))
def test_records_are_those_of_aiokafka(name: str, groups: list[list[Message]], cut: int) -> None:
    """With several batches, the last of them possibly cut off."""
    data, first = b"", 0
    for group in groups:
        data += batch(group, name, first)
        first += len(group)
    data += batch([Message()], name, first)[:cut]

    records, poll, following = read(data)

    assert read_by_aiokafka(data) == records
    assert ({}, first + (cut >= len(batch([Message()], name)))) == (poll.faults, following)


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("name", ["none", "gzip", "snappy"])
def test_old_formats_are_read_and_bounded(name: str, magic: int) -> None:
    """Brokers still return what was stored before 2017."""
    data = old_batch([Message(b"k", b"tweet " * 300_000)] * 2, name, magic)

    records, poll, _ = read(data)
    assert read_by_aiokafka(data) == records
    assert {} == poll.faults
    if name != "none":
        records, poll, _ = read(data, bytes_max=3 * MIB)
        assert [] == records
        assert "does not unfold within 3145728 bytes" in str(poll.faults[PLACE])


@given(name=st.binary(min_size=4, max_size=4), value=st.binary(max_size=20))
def test_a_header_may_have_any_name(name: bytes, value: bytes) -> None:
    """Bytes that are not UTF-8 become escapes; other records are as they were."""
    others = [("a", b"1"), ("\u00e9", None)]
    sent = [
        Message(b"0", b"before", others),
        Message(b"1", None, [others[0], ("\x00NAME", value), others[1]]),
        Message(None, b"after", others),
    ]
    data = changed(batch(sent), b"\x00NAME", b"\x00" + name)

    records, poll, _ = read(data)

    text = "\x00" + name.decode(errors="backslashreplace")
    expected = [others, [others[0], (text, value), others[1]], others]
    assert [tuple(headers) for headers in expected] == [r.headers for r in records]
    assert [(m.key, m.value) for m in sent] == [(r.key, r.value) for r in records]
    assert {} == poll.faults
    assert text.encode()


@pytest.mark.parametrize("name", COMPRESSED)
def test_what_is_before_a_batch_over_the_bound_is_read(name: str) -> None:
    """And the error has topic, partition, offset and both remedies."""
    good = [Message(value=b"good")] * 3
    data = batch(good) + batch([Message(value=bytes(2 * MIB))] * 2, name, 3) + batch(good, first=5)

    records, poll, following = read(data, bytes_max=MIB)

    assert ([0, 1, 2], 3) == ([r.offset for r in records], following)
    fault = poll.faults[PLACE]
    assert isinstance(fault, BrokerError)
    assert str(fault).startswith(
        "the batch of posts/3 at offset 3 does not unfold within 1048576 bytes ("
    )
    assert str(fault).endswith(
        "); raise SENTIMENT_KAFKA__UNFOLDED_BYTES_MAX, or stop the service and move its group past "
        "this batch with kafka-consumer-groups --reset-offsets --topic posts:3 --to-offset 5"
    )


def test_a_poll_ends_where_its_batches_together_would_exceed_the_bound() -> None:
    """However many batches a response has; the next poll begins behind the last record."""
    data = b"".join(batch([Message(value=bytes(MIB))], "zstd", n) for n in range(10))
    start, polls = 0, []
    while start < 10:
        records, poll, start = read(data, start, bytes_max=3 * MIB)
        assert {} == poll.faults
        assert poll.decompressed_bytes <= 3 * MIB
        polls.append(len(records))
        data = b"".join(batch([Message(value=bytes(MIB))], "zstd", n) for n in range(start, 10))
    assert [2, 2, 2, 2, 2] == polls


@given(at=st.integers(CRC_AT, 1000), bit=st.integers(0, 7), count=st.integers(0, 3))
def test_a_corrupt_batch_loses_no_other(at: int, bit: int, count: int) -> None:
    """Records before it are read, and the error is one that may pass."""
    good = batch([Message(value=b"good")] * count) if count else b""
    bad = bytearray(batch([Message(value=b"tweet")] * 5, first=count))
    bad[CRC_AT + at % (len(bad) - CRC_AT)] ^= 1 << bit

    records, poll, following = read(good + bytes(bad) + batch([Message()], first=count + 5))

    assert (count, count) == (len(records), following)
    assert isinstance(poll.faults[PLACE], RetriableError)
    assert f"posts/3 at offset {count} is corrupt" in str(poll.faults[PLACE])


@pytest.mark.parametrize("length", [-12, -1, 0, 1, 13, 48])
def test_a_batch_that_is_too_short_is_corrupt(length: int) -> None:
    """And nothing is read beyond its end."""
    data = batch([Message(value=b"good")])
    short = struct.pack(">qi", 1, length) + data[12 : 12 + max(0, length)]

    records, poll, _ = read(data + short)

    assert 1 == len(records)
    assert isinstance(poll.faults[PLACE], RetriableError)


def test_a_batch_with_nonsense_in_it_is_named_without_its_text() -> None:
    """Its CRC is right, so that waiting does not help."""
    data = bytearray(batch([Message(value=b"secret " * 100)], "zstd"))
    data[RECORDS_AT:] = (b"secret " * 100)[: len(data) - RECORDS_AT]

    _, poll, _ = read(with_crc(bytes(data)))

    assert isinstance(poll.faults[PLACE], BrokerError)
    assert "secret" not in str(poll.faults[PLACE])
    assert "\n" not in str(poll.faults[PLACE])


def test_nothing_of_aiokafka_is_replaced_before_the_installation() -> None:
    """An import replaces nothing, and a second installation changes nothing."""
    code = """
from aiokafka.consumer import fetcher
own = fetcher.PartitionRecords, fetcher.MemoryRecords
import service.kafka.once.letters, service.kafka.session
from service.kafka.client.batches import install
assert own == (fetcher.PartitionRecords, fetcher.MemoryRecords)
install()
replaced = fetcher.PartitionRecords, fetcher.MemoryRecords
assert not set(own) & set(replaced)
install()
assert replaced == (fetcher.PartitionRecords, fetcher.MemoryRecords)
assert replaced[0].__bases__ == own[:1]
"""
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - the tests' own code


async def test_consumers_are_made_after_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one of a session, and the one of a reader of topics once."""
    made: list[type] = []

    def consumer(**_: object) -> None:
        made.append(fetcher.PartitionRecords)
        raise KafkaConnectionError

    for module in (fetching, reader):
        monkeypatch.setattr(module, "AIOKafkaConsumer", consumer)
    monkeypatch.setattr(fetcher, "PartitionRecords", OWN)
    with pytest.raises(KafkaConnectionError):
        await KafkaSession(KafkaSettings(), 1)._join()
    monkeypatch.setattr(fetcher, "PartitionRecords", OWN)
    with pytest.raises(KafkaConnectionError):
        TopicReader({}, ["posts"])

    assert [(OWN,), (OWN,)] == [replacement.__bases__ for replacement in made]
