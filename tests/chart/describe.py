"""Writes what the chart says of its values: schema and README, from values.yaml and the program.

Exists so that each value is described once: by its comment in values.yaml, and a setting by the
program itself. `python tests/chart/describe.py` after a change; `test_chart_settings.py` holds
the files to it. Types and bounds of the chart's own values stay as they are in the schema.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped] # ships no types

from service.settings import Settings, each_setting

CHART = Path(__file__).resolve().parents[2] / "helm" / "sentiment-stream"
VALUES = CHART / "values.yaml"
SCHEMA = CHART / "values.schema.json"
README = CHART / "README.md"

# What the chart sets itself: names of pods, where it mounts secrets, and that pods listen on all
# addresses.
OWN = {
    ("kafka", "group_instance_id"),
    ("kafka", "sasl_password_file"),
    ("kafka", "sasl_token_file"),
    ("kafka", "ssl_ca_file"),
    ("kafka", "ssl_certificate_file"),
    ("kafka", "ssl_key_file"),
    ("kafka", "schema_registry_password_file"),
    ("kafka", "schema_registry_ca_file"),
    ("kafka", "schema_registry_certificate_file"),
    ("kafka", "schema_registry_key_file"),
    ("http", "host"),
}
# A pod needs a port that it can name, and that a process without rights may have.
BOUNDS = {("http", "port"): {"minimum": 1024}}
# The table of values in README.md stands between these.
BEGIN, END = "<!-- values: begin -->", "<!-- values: end -->"

_LINE = re.compile(r"^( *)(?:# ?(-- )?(.*)|([A-Za-z0-9_.-]+):.*)$")

Path_ = tuple[str, ...]


def camel(name: str) -> str:
    """A setting's name as the chart has it; Helm's `snakecase` leads back."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def comments(text: str) -> dict[Path_, str]:
    """The description of each value, in the order of the file."""
    found: dict[Path_, str] = {}
    path: list[str] = []
    words: list[str] = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            words = []
            continue
        indent, begins, comment, key = match.groups()
        if key is None:
            if begins or words:
                words.append(comment.strip())
            continue
        path = [*path[: len(indent) // 2], key]
        if words:
            found[tuple(path)] = " ".join(words)
        words = []
    return found


def settings_schema() -> dict[str, Any]:
    """What `settings` may hold, by group, as the program has it."""
    groups: dict[str, Any] = {
        group: {"type": "object", "additionalProperties": False, "properties": {}}
        for group in Settings.model_fields
    }
    for group, name, field in each_setting():
        if (group, name) in OWN:
            continue
        model: Any = Settings.model_fields[group].annotation
        whole = model.model_json_schema()["properties"][name]
        schema = whole.get("anyOf", [whole])[0] | BOUNDS.get((group, name), {})
        kept = {k: v for k, v in schema.items() if k not in ("allowed", "title", "format")}
        kept["description"] = " ".join((field.description or "").split())
        if field.get_default() is not None:
            kept["default"] = field.get_default()
        groups[group]["properties"][camel(name)] = kept
    return groups


def schema(current: str) -> str:
    """The schema with its descriptions and settings made anew."""
    whole: dict[str, Any] = json.loads(current)
    whole["properties"]["settings"]["properties"] = settings_schema()
    program = {("settings", *path) for path in _leaves(settings_schema())}
    for path, text in comments(VALUES.read_text()).items():
        if path not in program:
            _at(whole, path)["description"] = text
    return json.dumps(whole, indent=2) + "\n"


def readme(current: str) -> str:
    """README.md with its table of values made anew."""
    before, _, rest = current.partition(BEGIN)
    _, _, after = rest.partition(END)
    values = yaml.safe_load(VALUES.read_text())
    texts = comments(VALUES.read_text())
    lines = ["| value | default | meaning |", "| --- | --- | --- |"]
    for path, text in texts.items():
        value = values
        for name in path:
            value = value[name]
        parent = any(other[:-1] == path for other in texts)
        default = "" if parent else f"`{json.dumps(value)}`"
        lines.append(f"| `{'.'.join(path)}` | {default} | {text.replace('|', chr(92) + '|')} |")
    return "\n".join([before + BEGIN, *lines, END + after])


def _at(whole: dict[str, Any], path: Path_) -> dict[str, Any]:
    found = whole
    for name in path:
        found = found["properties"][name]
    return found


def _leaves(groups: dict[str, Any]) -> list[Path_]:
    return [(group, name) for group, inner in groups.items() for name in inner["properties"]]


if __name__ == "__main__":
    SCHEMA.write_text(schema(SCHEMA.read_text()))
    README.write_text(readme(README.read_text()))
