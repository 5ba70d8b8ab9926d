"""The OpenAPI document as an HTML page for people, without scripts and further requests.

Exists so that the documentation needs no third-party bundle. Supports the parts of OpenAPI that
`openapi` uses. Everything taken from the document is escaped.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
pre { overflow-x: auto; padding: .75rem; border: 1px solid; border-radius: .25rem }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
         border-bottom: 1px solid }
"""


def docs_page(document: dict[str, Any]) -> str:
    """The HTML page for an OpenAPI document."""
    info = document["info"]
    schemas: dict[str, Any] = document["components"]["schemas"]
    operations = [
        _operation(path, method, operation, schemas)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    forms = [_schema(name, schema) for name, schema in schemas.items()]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n<p>{escape(info['description'])}</p>\n"
        '<p>For programs: <a href="openapi.json">openapi.json</a></p>\n'
        f"{''.join(operations)}<h2>Forms</h2>\n{''.join(forms)}</main>\n</body>\n</html>\n"
    )


def _operation(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    asked = _models(operation["requestBody"]["content"])
    examples = [example for name in asked for example in schemas[name].get("examples", ())]
    rows = "".join(
        f"<tr><td>{escape(status)}</td><td>{escape(answer['description'])}</td>"
        f"<td>{_links(_models(answer['content']))}</td></tr>\n"
        for status, answer in operation["responses"].items()
    )
    calls = "\n".join(
        f"curl -H 'Content-Type: application/json' localhost:8080{path} -d '{json.dumps(example)}'"
        for example in examples
    )
    asked_for = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{_type(parameter['schema'])}"
        f"</td><td>{escape(parameter['description'])}</td></tr>\n"
        for parameter in operation.get("parameters", ())
    )
    if asked_for:
        head = "<tr><th>In the address</th><th>Values</th><th>Meaning</th></tr>"
        asked_for = f"<table>\n{head}\n{asked_for}</table>\n"
    return (
        f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2>\n"
        f"<p>{escape(operation['summary'])}</p>\n<p>Takes {_links(asked)}.</p>\n"
        f"{asked_for}<pre>{escape(calls)}</pre>\n"
        f"<table>\n<tr><th>Status</th><th>Meaning</th><th>Form</th></tr>\n{rows}</table>\n"
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td>"
        f"<td>{'yes' if field in required else 'no'}</td>"
        f"<td>{_type(inner)}</td><td>{escape(inner.get('description', ''))}</td></tr>\n"
        for field, inner in schema.get("properties", {}).items()
    )
    heading = "<tr><th>Field</th><th>Always</th><th>Type</th><th>Meaning</th></tr>\n"
    table = f"<table>\n{heading}{rows}</table>\n" if rows else f"<p>{_type(schema)}</p>\n"
    described = escape(schema.get("description", ""))
    return f'<h3 id="{escape(name)}">{escape(name)}</h3>\n<p>{described}</p>\n{table}'


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _links([_name(schema)])
    either = schema.get("anyOf", schema.get("oneOf"))
    if either:
        return " or ".join(map(_type, either))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    if "enum" in schema:
        return escape(" or ".join(schema["enum"]))
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"))
        if key in schema
    ]
    return escape(" ".join([str(schema.get("type", "any")), *bounds]))


def _models(content: dict[str, Any]) -> list[str]:
    schema = content["application/json"]["schema"]
    return [_name(reference) for reference in schema.get("anyOf", [schema])]


def _name(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _links(names: list[str]) -> str:
    return " or ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in names)
