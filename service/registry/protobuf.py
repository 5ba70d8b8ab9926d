"""Reads values of Protobuf, by the schema that they were written with.

Exists so that the ways in which serializers name the message of a schema are in one place. Values
become JSON as Protobuf itself maps them, under the names of the schema.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    json_format,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from service.records import Reason
from service.registry.documents import SchemaUnusableError, as_json
from service.registry.proto_text import compiled
from service.wire.documents.json_values import DEPTH_MAX, RejectError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.registry.framing import Framed

# Files that every compiler of Protobuf brings, and that registries do not keep.
_STANDARD: Final = (
    *(any_pb2, descriptor_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2),
    *(timestamp_pb2, wrappers_pb2),
)
_NAME: Final = "schema.proto"
_LENGTH_DELIMITED: Final = 0x0A
# More levels than a message of any schema; a count beyond it is no list of indexes.
_INDEXES_MAX: Final = 32


class Imported(NamedTuple):
    """A schema that another one imports, and the name under which it does."""

    name: str
    text: str


class ProtobufReader:
    """Reads values that were written with one schema."""

    def __init__(self, text: str, references: Sequence[Imported] = ()) -> None:
        """Compile a schema; `references` are those that it imports, each behind its own imports.

        Raises:
            SchemaUnusableError: it is no Protobuf schema, or imports what the registry has not.
        """
        self._pool = DescriptorPool()
        for module in _STANDARD:
            self._pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        known = {module.DESCRIPTOR.name for module in _STANDARD}
        for one in references:
            if one.name not in known:
                self._add(_file(one.text, one.name), known)
                known.add(one.name)
        self._file = self._add(_file(text, _NAME), known)
        self._messages = list(self._file.message_types_by_name.values())
        if not self._messages:
            raise SchemaUnusableError("it is a Protobuf schema without a message")
        self._by_name: dict[str, Any] = {}
        for message in self._messages:
            self._add_names(message)

    def _add(self, file: FileDescriptorProto, known: set[str]) -> Any:
        """Add a file, without imports that nobody has: options may be all that they are for."""
        imports = [name for name in file.dependency if name in known]
        missing = [name for name in file.dependency if name not in known]
        del file.dependency[:], file.public_dependency[:], file.weak_dependency[:]
        file.dependency.extend(imports)
        try:
            self._pool.Add(file)
            return self._pool.FindFileByName(file.name)
        except Exception as error:  # noqa: BLE001 - a schema may be wrong in any way
            why = f"imports {', '.join(missing)}, which" if missing else "has types that"
            raise SchemaUnusableError(
                f"the Protobuf schema {why} the registry does not refer to, or is wrong "
                f"({type(error).__name__})"
            ) from None

    def _add_names(self, message: Any) -> None:
        self._by_name.setdefault(message.full_name, message)
        self._by_name.setdefault(message.name, message)
        for nested in message.nested_types:
            self._add_names(nested)

    def read(self, framed: Framed) -> Any:
        """The value as JSON.

        Raises:
            RejectError: the bytes are not of this schema.
        """
        descriptor, payload = self._message(framed)
        try:
            message = GetMessageClass(descriptor).FromString(payload)
            found = json_format.MessageToDict(
                message,
                preserving_proto_field_name=True,
                always_print_fields_with_no_presence=True,
                descriptor_pool=self._pool,
            )
        except DecodeError:
            detail = f"the bytes are no message {descriptor.name} of the Protobuf schema"
            raise RejectError(Reason.SCHEMA_ERROR, detail) from None
        except RecursionError:
            raise RejectError(Reason.TOO_DEEP, f"nested over {DEPTH_MAX} deep") from None
        except Exception as error:  # noqa: BLE001 - of values such as a time beyond year 9999
            detail = f"a message {descriptor.name} has no form in JSON ({type(error).__name__})"
            raise RejectError(Reason.SCHEMA_ERROR, detail) from None
        return as_json(found)

    def _message(self, framed: Framed) -> tuple[Any, bytes]:
        """The type of the message and its bytes; serializers name it in one of four ways."""
        payload = framed.payload
        if framed.indexes is not None:
            # Without a path it is the first message, as it usually is.
            return self._at(_indexes(framed.indexes or b"\0")[0]), payload
        name, behind = _type_ref(payload)
        if name in self._by_name:
            return self._by_name[name], behind
        if framed.type_name is not None:
            if framed.type_name not in self._by_name:
                detail = "its headers name a message that the Protobuf schema has not"
                raise RejectError(Reason.SCHEMA_ERROR, detail)
            return self._by_name[framed.type_name], payload
        indexes, behind = _indexes(payload)
        return self._at(indexes), behind

    def _at(self, indexes: Sequence[int]) -> Any:
        messages, found = self._messages, None
        for index in indexes:
            if not 0 <= index < len(messages):
                detail = f"it names message {list(indexes)}, which the Protobuf schema has not"
                raise RejectError(Reason.SCHEMA_ERROR, detail)
            found = messages[index]
            # The entry of a map is a type in descriptors alone; indexes count those in the text.
            messages = [one for one in found.nested_types if not one.GetOptions().map_entry]
        return found


def _file(text: str, name: str) -> FileDescriptorProto:
    """A schema's descriptor; some serializers register it in place of the text, in base64."""
    try:
        file = FileDescriptorProto.FromString(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, DecodeError):
        return compiled(text, name)
    file.name = name
    return file


def _type_ref(payload: bytes) -> tuple[str, bytes]:
    """The name of the message before its bytes, as Apicurio writes it, and what is behind it."""
    size = payload[0] if payload else 0
    if not 2 < size < 128 or len(payload) <= size:
        return "", payload
    if payload[1] != _LENGTH_DELIMITED or payload[2] != size - 2:
        return "", payload
    return payload[3 : 1 + size].decode(errors="replace"), payload[1 + size :]


def _indexes(payload: bytes) -> tuple[list[int], bytes]:
    """The path to the message in the schema, as Confluent writes it, and what is behind it.

    Raises:
        RejectError: there is none.
    """
    count, at = _zigzag(payload, 0)
    if count == 0:
        return [0], payload[at:]
    if not 0 < count <= _INDEXES_MAX:
        raise RejectError(Reason.SCHEMA_ERROR, "the path to its message in the schema is no path")
    found = []
    for _ in range(count):
        index, at = _zigzag(payload, at)
        found.append(index)
    return found, payload[at:]


def _zigzag(payload: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 35, 7):
        if at >= len(payload):
            break
        byte = payload[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number >> 1 ^ -(number & 1), at
    raise RejectError(Reason.SCHEMA_ERROR, "it ends within the path to its message in the schema")
