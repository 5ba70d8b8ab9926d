"""Reads values of Avro, by the schema that they were written with.

Exists so that schemas and values that are made to harm are refused; the reader itself is
fastavro's. Its quick form crashes the process where a value is nested too deep for the stack, and
reads without end where the elements of an array take no bytes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import fastavro
from fastavro._read_py import schemaless_reader as read_on_the_heap

from service.records import Reason
from service.registry.documents import SchemaUnusableError, as_json
from service.wire.documents.json_values import DEPTH_MAX, RejectError, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.registry.framing import Framed

_TIMES: Final = ("date", "time-", "timestamp-", "local-timestamp-")


class AvroReader:
    """Reads values that were written with one schema."""

    def __init__(self, text: str, references: Sequence[str] = ()) -> None:
        """Parse a schema; `references` are those that it names, each behind those it names itself.

        Raises:
            SchemaUnusableError: it is no Avro schema, or one that cannot be read safely.
        """
        texts = (*references, text)
        try:
            self._schema, named = _parsed(texts)
            # For times beyond the years 1 to 9999, which Python has not.
            self._without_times, _ = _parsed(texts, times=False)
        except RejectError as error:
            raise SchemaUnusableError(f"it is no Avro schema ({error.detail})") from None
        except Exception as error:  # noqa: BLE001 - a parser of anything
            raise SchemaUnusableError(f"it is no Avro schema ({type(error).__name__})") from None
        shape = _Shape(named)
        shape.visit(self._schema, ())
        self._read = read_on_the_heap if shape.is_recursive else fastavro.schemaless_reader

    def read(self, framed: Framed) -> Any:
        """The value as JSON.

        Raises:
            RejectError: the bytes are not of this schema.
        """
        try:
            try:
                value = self._value(framed, self._schema)
            except (OverflowError, ValueError):
                value = self._value(framed, self._without_times)
            return as_json(value)
        except UnicodeDecodeError as error:
            raise RejectError(Reason.NOT_UTF8, f"a string is not UTF-8: {error.reason}") from None
        except RecursionError:
            raise RejectError(Reason.TOO_DEEP, f"nested over {DEPTH_MAX} deep") from None
        except RejectError:
            raise
        except Exception as error:  # noqa: BLE001 - a reader of any bytes
            detail = f"the bytes are not of the Avro schema ({type(error).__name__})"
            raise RejectError(Reason.SCHEMA_ERROR, detail) from None

    def _value(self, framed: Framed, schema: Any) -> Any:
        if framed.is_json_encoded:
            [value] = fastavro.json_reader(io.StringIO(framed.payload.decode()), schema)
            return value
        stream = io.BytesIO(framed.payload)
        value = self._read(stream, schema, None)
        left = len(framed.payload) - stream.tell()
        if left:
            detail = f"{left} bytes are left behind the value, so it is of another Avro schema"
            raise RejectError(Reason.SCHEMA_ERROR, detail)
        return value


class _Shape:
    """Walks a parsed schema: whether it names itself, and whether reading it comes to an end."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named = named
        self._seen: set[str] = set()
        self.is_recursive = False

    def visit(self, schema: Any, around: tuple[str, ...]) -> None:
        """Look at a schema within the named types that are `around` it."""
        if isinstance(schema, list):
            for one in schema:
                self.visit(one, around)
            return
        if isinstance(schema, str):
            self._visit_name(schema, around)
            return
        kind = schema["type"]
        if kind == "array":
            if self._takes_no_bytes(schema["items"], ()):
                raise SchemaUnusableError("it has an array whose elements take no bytes")
            self.visit(schema["items"], around)
        elif kind == "map":
            self.visit(schema["values"], around)
        elif kind in ("record", "error"):
            self._seen.add(schema["name"])
            for field in schema["fields"]:
                self.visit(field["type"], (*around, schema["name"]))
        elif not isinstance(kind, str):
            self.visit(kind, around)

    def _visit_name(self, name: str, around: tuple[str, ...]) -> None:
        if name in around:
            self.is_recursive = True
        elif name in self._named and name not in self._seen:
            self.visit(self._named[name], around)

    def _takes_no_bytes(self, schema: Any, around: tuple[str, ...]) -> bool:
        if isinstance(schema, str):
            if schema in around or schema not in self._named:
                return schema == "null"
            return self._takes_no_bytes(self._named[schema], around)
        if isinstance(schema, list):
            return False
        kind = schema["type"]
        if kind in ("record", "error"):
            inside = (*around, schema["name"])
            return all(self._takes_no_bytes(field["type"], inside) for field in schema["fields"])
        if kind == "fixed":
            return bool(schema["size"] == 0)
        return kind == "null" or (isinstance(kind, dict) and self._takes_no_bytes(kind, around))


def _parsed(texts: Sequence[str], *, times: bool = True) -> tuple[Any, dict[str, Any]]:
    """The last of these schemas, which may name the others, and all that have a name."""
    named: dict[str, Any] = {}
    schema: Any = None
    for text in texts:
        whole = parsed(text.encode(), text)
        schema = fastavro.parse_schema(whole if times else _plain(whole), named)
    return schema, named


def _plain(schema: Any) -> Any:
    """A schema whose times are the numbers that they are written as."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _plain(one) for name, one in schema.items()}
    if str(kept.get("logicalType", "")).startswith(_TIMES):
        del kept["logicalType"]
    return kept
