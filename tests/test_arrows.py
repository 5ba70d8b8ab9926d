"""The shape of the house: which room may import which.

Read from the source with `ast`, imports inside functions included; nothing is imported here.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
SERVICE = ROOT / "service"
MODULES = sorted(SERVICE.rglob("*.py"))

# What each room needs to run. Whoever wants another arrow argues for it here.
ARROWS: dict[str, set[str]] = {
    # Pure: values, and what is computed of them.
    "records": set(),
    "errors": set(),
    "terminal": set(),
    "ports": set(),
    "progress": set(),
    "contracts": {"records"},
    "headers": set(),
    "codec": {"contracts", "headers", "records"},
    "normalise": set(),
    "windows": set(),
    "language": set(),
    "calls": {"trust"},
    "poles": set(),
    "text": {"errors", "normalise", "records", "windows"},
    "prepare": {"records"},
    "cost": set(),
    "runs": set(),
    "backoff": set(),
    "batcher": {"cost", "records"},
    "breaker": {"records"},
    "drift": set(),
    "repeats": {"records"},
    "trust": {"errors"},
    "accounts": {"records"},
    "feed": {"records"},
    "pipeline": {"backoff", "errors", "progress", "records"},
    # The edges: each knows one thing of the world outside.
    "settings_groups": set(),
    "settings": {"errors", "settings_groups"},
    "telemetry": {"records"},
    "logs": {"errors", "terminal"},
    "page": set(),
    "turns": {"errors"},
    "inference": {"calls", "errors", "records", "repeats", "runs", "turns", "windows"},
    "web.__init__": set(),
    "web.server": {"errors", "telemetry"},
    "web.live": {"feed", "telemetry"},
    "web.bodies": set(),
    "web.countries": set(),
    "web.docs_page": set(),
    "web.explain": {"web.countries", "web.score_contracts"},
    "web.openapi": {"web.score_contracts"},
    "web.score_contracts": set(),
    "web.score_api": {
        "errors", "poles", "runs", "web.bodies", "web.docs_page", "web.explain", "web.openapi",
        "web.score_contracts",
    },
    "engines": {"errors", "records", "settings", "trust"},
    "kafka": {"errors", "progress", "records", "runs", "settings"},
    "tuning": {"errors", "records"},
    "processing": {"calls", "engines", "errors", "text", "trust"},
    "tracing": {"errors", "records"},
    "model": set(),
    # Whoever puts them together.
    "assembly": {"batcher", "breaker", "codec", "pipeline", "prepare", "telemetry"},
    "app": {
        "accounts", "assembly", "backoff", "drift", "engines", "errors", "feed", "inference",
        "kafka", "language", "processing", "telemetry", "tracing", "tuning", "web.live",
        "web.score_api", "web.server",
    },
    # Beside the stream.
    "asyncapi": {"contracts", "headers", "settings"},
    "schemas": {"asyncapi", "contracts", "web.openapi"},
    "reference": {"contracts", "errors", "records", "settings", "telemetry"},
    "lab": {
        "calls", "codec", "contracts", "drift", "engines", "errors", "kafka", "language",
        "normalise", "poles", "processing", "records", "settings", "terminal", "trust", "tuning",
        "windows",
    },
    "demo": {"app", "contracts", "errors", "logs", "records", "settings", "terminal"},
    "bench": {
        "app", "engines", "errors", "lab", "logs", "records", "settings", "terminal", "text",
    },
    "cli": {
        "app", "bench", "demo", "errors", "lab", "logs", "records", "reference", "schemas",
        "settings", "terminal",
    },
    "__init__": set(), "__main__": {"cli"},
}  # fmt: skip

# What a room names in annotations only.
TYPE_ARROWS: dict[str, set[str]] = {
    "app": {"pipeline", "prepare", "settings"},
    "calls": {"records"},
    "drift": {"records", "trust"},
    "engines": {"ports"},
    "inference": {"ports"},
    "lab": {"ports", "text"},
    "logs": {"settings"},
    "accounts": {"drift", "feed", "telemetry"},
    "assembly": {"accounts", "language", "ports", "records", "settings", "text", "tracing"},
    "pipeline": {"accounts", "batcher", "breaker", "codec", "ports", "tracing"},
    "ports": {"progress", "records"},
    "prepare": {"codec", "language", "text"},
    "processing": {"settings"},
    "progress": {"records"},
    "telemetry": {"drift"},
    "tracing": {"ports", "settings"},
    "turns": {"ports"},
    "tuning": {"engines", "settings"},
    "web.explain": {"calls"},
    "web.score_api": {"calls", "records", "telemetry"},
    "web.server": {"settings"},
}

# Libraries that are heavy, or that stand for something outside, and the rooms that know them.
LIBRARIES: dict[str, set[str]] = {
    "aiohttp": {"web.bodies", "web.live", "web.score_api", "web.server"},
    "aiokafka": {"kafka", "bench", "demo"},
    "click": {"cli"},
    "confluent_kafka": {"bench", "demo"},
    "cramjam": {"kafka"},
    "onnx": {"bench", "engines", "lab"},
    "onnxruntime": {"bench", "engines", "lab"},
    "opentelemetry": {"tracing"},
    "sklearn": {"lab"},
    "torch": {"bench", "engines", "lab"},
    "transformers": {"bench", "engines", "lab"},
}


class Import(NamedTuple):
    """One module that a room imports; `name` is dotted, `typing` means for annotations only."""

    room: str
    name: str
    typing: bool


def _room(path: Path) -> str:
    return _named(path.relative_to(SERVICE).with_suffix("").parts)


def _named(parts: Sequence[str]) -> str:
    # In `web` each module is a room: some are pure, and some speak HTTP.
    return ".".join(parts[:2]) if parts[0] == "web" else parts[0]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), str(path))


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _names(node: ast.AST, typing: bool = False) -> Iterator[tuple[str, bool]]:
    """Dotted names imported at or below a node, and whether for annotations only."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, typing) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute, so that they can be searched for"
        assert node.module is not None
        if node.module == "service":
            yield from ((f"service.{alias.name}", typing) for alias in node.names)
        else:
            yield node.module, typing
    elif isinstance(node, ast.If) and _is_type_checking(node):
        for inside in node.body:
            yield from _names(inside, typing=True)
        for outside in node.orelse:
            yield from _names(outside, typing)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _names(child, typing)


@cache
def _imports() -> tuple[Import, ...]:
    return tuple(
        Import(_room(path), name, typing)
        for path in MODULES
        for name, typing in _names(_tree(path))
    )


def _arrows(typing: bool) -> set[tuple[str, str]]:
    """Pairs of rooms, of which the first imports the second."""
    inside = (i for i in _imports() if i.name.startswith("service.") and i.typing is typing)
    pairs = {(i.room, _named(i.name.split(".")[1:])) for i in inside}
    return {(room, other) for room, other in pairs if room != other}


def _reached(room: str) -> set[str]:
    """All that a room may come to load, through others too: rooms, and libraries."""
    seen: set[str] = set()
    waiting = [room]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += [other for one, other in _arrows(typing=False) if one == current]
    libraries = {i.name.split(".")[0] for i in _imports() if i.room in seen and not i.typing}
    return seen | libraries


def test_every_room_is_in_the_table() -> None:
    """A new one says at once what it may import; one that is gone leaves no line."""
    assert set(ARROWS) == {_room(path) for path in MODULES}


def test_rooms_import_only_what_the_table_allows() -> None:
    """At run time, also inside of functions."""
    allowed = {(room, other) for room, others in ARROWS.items() for other in others}
    assert sorted(_arrows(typing=False) - allowed) == []


def test_annotations_name_only_what_the_table_allows() -> None:
    """Within `if TYPE_CHECKING:` a room may name more than it loads."""
    tables = (ARROWS, TYPE_ARROWS)
    allowed = {(room, other) for table in tables for room in table for other in table[room]}
    assert sorted(_arrows(typing=True) - allowed) == []


def test_no_arrow_is_left_over() -> None:
    """The tables tell what is so: an import that is gone leaves them."""
    for table, typing in ((ARROWS, False), (TYPE_ARROWS, True)):
        told = {(room, other) for room, others in table.items() for other in others}
        assert sorted(told - _arrows(typing)) == []


def test_there_is_no_circle() -> None:
    """Each room can be read after the ones it imports."""
    circles = [room for room in ARROWS for other in ARROWS[room] if room in _reached(other)]
    assert circles == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_known_to_few_rooms(library: str) -> None:
    """What it stands for can then be replaced, and need not be installed for the others."""
    rooms = {i.room for i in _imports() if i.name.split(".")[0] == library}
    assert sorted(rooms - LIBRARIES[library]) == []


@pytest.mark.parametrize("room", ["pipeline", "codec", "batcher", "progress", "text", "prepare"])
def test_the_core_reaches_no_edge(room: str) -> None:
    """Not through others either: it runs where there is no Kafka and no model."""
    edges = {"kafka", "engines", "inference", "web.server", "settings", "app", *LIBRARIES}
    assert sorted(_reached(room) & edges) == []


def test_nobody_but_commands_and_demo_imports_the_composition_root() -> None:
    """And only commands run the demo and the lab: nothing in the stream depends on these."""
    importers = {
        target: {i.room for i in _imports() if i.name.split(".")[:2] == ["service", target]}
        for target in ("app", "bench", "demo", "lab", "cli")
    }
    # The bench puts an engine that computes nothing in the place of the real one.
    assert importers["app"] - {"app"} == {"bench", "cli", "demo"}
    assert importers["bench"] - {"bench"} == {"cli"}
    assert importers["demo"] - {"demo"} == {"cli"}
    assert importers["lab"] - {"lab"} == {"bench", "cli"}
    assert importers["cli"] - {"cli"} == {"__main__"}


def test_only_the_settings_read_the_environment() -> None:
    """Two write to it: so that libraries tell nobody of a model, and start no pool of threads."""
    found: dict[str, list[str]] = {}
    for path in MODULES:
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(_tree(path)):
            if not isinstance(node, ast.Attribute | ast.ImportFrom):
                continue
            if re.match(
                r"os\.(environb?|getenv|putenv)$|from os import .*(env|\*)", ast.unparse(node)
            ):
                found.setdefault(_room(path), []).append(lines[node.lineno - 1].strip())
    assert "settings" in found
    del found["settings"]
    assert found == {
        "__init__": ['os.environ["ORT_DISABLE_TELEMETRY"] = "1"'],
        "cli": ['os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")'],
    }
