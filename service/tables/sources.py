"""Bytes of a file or of standard input, decompressed, in chunks of bounded size.

Exists so that a file of another kind is refused in one line before anything of it is read as text.
Nothing may enter that knows rows.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from backports import zstd

from service.errors import InputError
from service.tables.rows import ROW_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STANDARD_INPUT = "-"
CHUNK_BYTES = 256 * 2**10
# Enough to tell what a file is.
_HEAD_BYTES = 16
_NUL_WITHIN = 4096
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PARQUET = b"PAR1"
_COMPRESSED = {".gz": _GZIP, ".zst": _ZSTD}
_BOM = b"\xef\xbb\xbf"
_UTF_16 = "is UTF-16; convert it: iconv -f UTF-16 -t UTF-8"
# How files of other kinds begin, and what to do with one.
_KINDS = (
    (PARQUET, "is a Parquet file; give --format parquet, or name it .parquet"),
    (b"PK\x03\x04", "is a ZIP archive, as an .xlsx is; unpack it, or save the sheet as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "is a file of an old Excel or Word; save it as CSV UTF-8"),
    (b"\xfd7zXZ\x00", "is compressed by xz; decompress it, gzip and zstd are read"),
    (b"\x04\x22\x4d\x18", "is compressed by lz4; decompress it, gzip and zstd are read"),
    (b"ARROW1\x00\x00", "is a file of Arrow or Feather; write it as Parquet"),
    (b"Obj\x01", "is a file of Avro; write it as JSON Lines or Parquet"),
    (b"SQLite format 3\x00", "is a database of SQLite; export the table as CSV"),
    (b"%PDF-", "is a PDF; give its text"),
    (b"\xff\xfe", _UTF_16),
    (b"\xfe\xff", _UTF_16),
)


class Source:
    """An open file; `done` is the share of it that is read, None if its length is not known."""

    def __init__(self, place: str) -> None:
        """Open a path, or standard input for `-`.

        Raises:
            InputError: it cannot be read.
        """
        self.name = "standard input" if place == STANDARD_INPUT else place
        self._read_bytes = 0
        self._size: int | None = None
        if place == STANDARD_INPUT and sys.stdin is None:
            raise InputError("standard input: is closed; give a file, or pipe one in")
        if place == STANDARD_INPUT:
            # Unbuffered, as far as it is a file: a thread that waits in a buffer's lock when the
            # process ends would abort it.
            buffer = sys.stdin.buffer
            self._file: Any = getattr(buffer, "raw", buffer)
        else:
            self._file = _opened(Path(place))
            if self._file.seekable():
                self._size = Path(place).stat().st_size
        self.head = b""
        while len(self.head) < _HEAD_BYTES and b"\n" not in self.head:
            more = self._file.read(CHUNK_BYTES)
            if not more:
                break
            self.head += more
        self._waiting = self.head
        for suffix, magic in _COMPRESSED.items():
            if place.endswith(suffix) and self.head and not self.head.startswith(magic):
                self.close()
                raise InputError(f"{place}: is not what {suffix} stands for; name it as what it is")

    @property
    def done(self) -> float | None:
        """The share that is read, from 0 to 1."""
        if not self._size:
            return None
        return min(1.0, self._read_bytes / self._size)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, as many as there are now; for decompressors."""
        if self._waiting:
            size = len(self._waiting) if size < 0 else size
            data, self._waiting = self._waiting[:size], self._waiting[size:]
        else:
            data = self._file.read(CHUNK_BYTES if size < 0 else size) or b""
        self._read_bytes += len(data)
        return data

    def chunks(self) -> Iterator[bytes]:
        """The content, decompressed and without a byte order mark.

        Raises:
            InputError: it is of another kind, or its compression is broken.
        """
        is_first = True
        for chunk in self._decompressed():
            if is_first:
                refuse_other_kinds(self.name, chunk)
                is_first = False
                yield chunk.removeprefix(_BOM)
            else:
                yield chunk

    def _decompressed(self) -> Iterator[bytes]:
        file: Any = self
        kind = ""
        if self.head.startswith(_GZIP):
            file, kind = gzip.GzipFile(fileobj=file), "gzip"
        elif self.head.startswith(_ZSTD):
            file, kind = zstd.ZstdFile(file), "zstd"
        read = file.read1 if kind else file.read
        while True:
            try:
                data = read(CHUNK_BYTES)
            except (EOFError, gzip.BadGzipFile, zlib.error, zstd.ZstdError):
                raise InputError(
                    f"{self.name}: its {kind} is cut short or broken; give the whole file"
                ) from None
            if not data:
                return
            yield data

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self.name != "standard input":
            self._file.close()

    def __enter__(self) -> Self:
        """Be open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def _opened(path: Path) -> Any:
    try:
        return path.open("rb", buffering=0)
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder; give a file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a file") from None


def refuse_other_kinds(name: str, head: bytes) -> None:
    """Refuse what is no text by how it begins.

    Raises:
        InputError: it is of another kind; the message says which, and what to do.
    """
    for magic, what in _KINDS:
        if head.startswith(magic):
            raise InputError(f"{name}: {what}")
    if b"\x00" in head[:_NUL_WITHIN]:
        raise InputError(f"{name}: is no text (it has zero bytes); give UTF-8")


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Lines with their `\n`; of one over ROW_BYTES_MAX the first ROW_BYTES_MAX + 1 bytes."""
    rest = bytearray()
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        rest += first[: max(0, ROW_BYTES_MAX + 1 - len(rest))]
        for other in others:
            rest += b"\n"
            yield bytes(rest)
            rest = bytearray(other[: ROW_BYTES_MAX + 1])
    if rest:
        yield bytes(rest)
