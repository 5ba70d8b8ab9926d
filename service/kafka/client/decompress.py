"""Decompression that stops at a bound, for the codecs of Kafka.

Exists because a few kilobytes can decompress to gigabytes, and aiokafka's own codecs return only
when all of it is in memory. Nothing may enter that knows the format of a record batch.
"""

from __future__ import annotations

from struct import Struct

import cramjam
import numpy as np

# Text seldom shrinks to less than an eighth, so a buffer of this many times the input is tried
# first.
RATIO_USUAL = 8

_INT = Struct(">i")
# Java's snappy writes this header and then blocks, each behind its length; others write one block.
_XERIAL_MAGIC, _XERIAL_HEADER_BYTES = b"\x82SNAPPY\x00", 16


def decompress(codec: int, data: memoryview, bytes_max: int, margin: int = 0) -> memoryview:
    """Decompress `data`; `codec` is Kafka's number for it, from 1 to 4.

    The result begins with `margin` bytes of undefined content for the caller to fill. Behind them
    no more than `bytes_max` bytes are ever written: decompression stops there.

    Raises:
        cramjam.DecompressionError: the result would be longer, or `data` is invalid.
    """
    if not data:
        return memoryview(bytearray(margin))
    into = _INTO.get(codec)
    if into is None:
        raise cramjam.DecompressionError(f"codec {codec} is unknown")
    # numpy does not zero the buffer, so the system provides memory only for pages written to.
    buffer = np.empty(margin + min(RATIO_USUAL * len(data), bytes_max), np.uint8).data
    try:
        count = into(data, buffer[margin:])
    except cramjam.DecompressionError:
        buffer = np.empty(margin + bytes_max, np.uint8).data
        count = into(data, buffer[margin:])
    return buffer[: margin + count]


def _snappy_into(data: memoryview, buffer: memoryview) -> int:
    if bytes(data[: len(_XERIAL_MAGIC)]) != _XERIAL_MAGIC:
        return cramjam.snappy.decompress_raw_into(data, buffer)
    at, written = _XERIAL_HEADER_BYTES, 0
    while at < len(data):
        at += _INT.size
        size = _INT.unpack_from(data, at - _INT.size)[0] if at <= len(data) else 0
        if not 0 < size <= len(data) - at:
            raise cramjam.DecompressionError("snappy: a block is cut short")
        written += cramjam.snappy.decompress_raw_into(data[at : at + size], buffer[written:])
        at += size
    return written


_INTO = {
    1: cramjam.gzip.decompress_into,
    2: _snappy_into,
    3: cramjam.lz4.decompress_into,
    4: cramjam.zstd.decompress_into,
}
