"""Compiles the text of a Protobuf schema, as registries return it, to a descriptor of its file.

Exists because registries keep text, and Google's runtime takes descriptors alone. Names of types
are resolved by the runtime. What changes neither the bytes nor their meaning is left out: services,
extensions, and all options but those for packed fields and for two names of one enum value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from antlr4.error.ErrorStrategy import BailErrorStrategy
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from proto_schema_parser import ast
from proto_schema_parser.parser import Parser

from service.registry.documents import SchemaUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable

# The parser takes about a second for a text of this size.
TEXT_BYTES_MAX: Final = 128 * 2**10

_SCALARS: Final = {
    name: getattr(FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in (
        *("double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string"),
        *("bytes", "uint32", "sfixed32", "sfixed64", "sint32", "sint64"),
    )
}
_LABELS: Final = {
    ast.FieldCardinality.REQUIRED: FieldDescriptorProto.LABEL_REQUIRED,
    ast.FieldCardinality.REPEATED: FieldDescriptorProto.LABEL_REPEATED,
}


def compiled(text: str, name: str) -> FileDescriptorProto:
    """The descriptor of a file of this name.

    Raises:
        SchemaUnusableError: it is no Protobuf schema, or one that is not compiled.
    """
    if len(text) > TEXT_BYTES_MAX:
        raise SchemaUnusableError(
            f"it has {len(text)} characters, over {TEXT_BYTES_MAX} of a Protobuf schema"
        )
    try:
        tree = Parser(setup_lexer=_silent, setup_parser=_strict).parse(text)
    except Exception as error:  # noqa: BLE001 - a parser of anything
        raise SchemaUnusableError(
            f"it is no Protobuf schema ({type(error).__name__} in parsing)"
        ) from None
    if tree.edition is not None:
        raise SchemaUnusableError(f"its edition {tree.edition} is not read, proto2 and proto3 are")
    # Without a declaration it is proto2.
    syntax = tree.syntax or "proto2"
    file = FileDescriptorProto(name=name, syntax=syntax)
    for element in tree.file_elements:
        match element:
            case ast.Package():
                file.package = element.name
            case ast.Import():
                if element.public:
                    file.public_dependency.append(len(file.dependency))
                file.dependency.append(element.name)
            case ast.Message():
                _add_message(file.message_type.add(), element.name, element.elements, syntax)
            case ast.Enum():
                _add_enum(file.enum_type.add(), element)
            case _:
                pass
    return file


def _silent(lexer: Any) -> None:
    # It would write to standard error, and pass over what it does not know.
    lexer.removeErrorListeners()


def _strict(parser: Any) -> None:
    parser.removeErrorListeners()
    parser._errHandler = BailErrorStrategy()  # noqa: SLF001 - the runtime has no setter for it


def _add_message(into: DescriptorProto, name: str, elements: Iterable[Any], syntax: str) -> None:
    into.name = name
    for element in elements:
        match element:
            case ast.Field():
                field = into.field.add()
                _set_field(field, element)
                field.proto3_optional = (
                    syntax == "proto3" and element.cardinality is ast.FieldCardinality.OPTIONAL
                )
            case ast.MapField():
                _add_map(into, element)
            case ast.OneOf():
                _add_oneof(into, element)
            case ast.Message():
                _add_message(into.nested_type.add(), element.name, element.elements, syntax)
            case ast.Enum():
                _add_enum(into.enum_type.add(), element)
            case ast.Group():
                raise SchemaUnusableError("it has a group, which is not read")
            case _:
                pass
    # Such a field is alone in a `oneof` of its own, which must be behind all others.
    for field in into.field:
        if field.proto3_optional:
            field.oneof_index = len(into.oneof_decl)
            into.oneof_decl.add(name=f"_{field.name}")


def _add_oneof(into: DescriptorProto, element: Any) -> None:
    index = len(into.oneof_decl)
    into.oneof_decl.add(name=element.name)
    for inner in element.elements:
        if isinstance(inner, ast.Field):
            _set_field(into.field.add(oneof_index=index), inner)
        elif isinstance(inner, ast.Group):
            raise SchemaUnusableError("it has a group, which is not read")


def _set_field(field: FieldDescriptorProto, element: Any) -> None:
    field.name, field.number = element.name, element.number
    field.label = _LABELS.get(element.cardinality, FieldDescriptorProto.LABEL_OPTIONAL)
    _set_type(field, element.type)
    for option in element.options:
        if isinstance(option, ast.Option) and option.name == "packed":
            field.options.packed = option.value is True or option.value == "true"


def _set_type(field: FieldDescriptorProto, name: str) -> None:
    if name in _SCALARS:
        field.type = _SCALARS[name]
    else:
        field.type_name = name


def _add_map(into: DescriptorProto, element: Any) -> None:
    entry = into.nested_type.add(name=f"{_camel(element.name)}Entry")
    entry.options.map_entry = True
    for number, (name, kind) in enumerate(
        (("key", element.key_type), ("value", element.value_type)), 1
    ):
        part = entry.field.add(name=name, number=number)
        part.label = FieldDescriptorProto.LABEL_OPTIONAL
        _set_type(part, kind)
    into.field.add(
        name=element.name,
        number=element.number,
        label=FieldDescriptorProto.LABEL_REPEATED,
        type_name=entry.name,
    )


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _add_enum(into: Any, element: Any) -> None:
    into.name = element.name
    for one in element.elements:
        if isinstance(one, ast.EnumValue):
            into.value.add(name=one.name, number=one.number)
        elif isinstance(one, ast.Option) and one.name == "allow_alias":
            into.options.allow_alias = True
