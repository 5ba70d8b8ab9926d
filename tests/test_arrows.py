"""The shape of the house: which room may import which.

Read from the source with `ast`, imports inside functions included; nothing is imported here.
"""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from rooms import ARROWS, FILES, LIBRARIES, LIBRARY_FILES, TYPE_ARROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
SERVICE = ROOT / "service"
MODULES = sorted(SERVICE.rglob("*.py"))
TEST_FOLDERS = sorted(
    {path.parent for path in (ROOT / "tests").rglob("*.*") if path.is_file()}
    - set((ROOT / "tests").rglob("__pycache__"))
)
FILES_MAX = 12
TEST_FILES_MAX = 20


class Import(NamedTuple):
    """One import of a file; `name` is dotted, `typing` means for annotations only."""

    room: str
    file: str
    name: str
    typing: bool


def _place(name: str) -> tuple[str, str] | None:
    """The room and the file that a dotted name is in; None outside of `service`."""
    first, *parts = name.split(".")
    if first != "service":
        return None
    while parts:
        if SERVICE.joinpath(*parts).with_suffix(".py").is_file():
            return ".".join(parts[:-1]) or parts[-1], parts[-1]
        if (SERVICE.joinpath(*parts) / "__init__.py").is_file():
            return ".".join(parts), "__init__"
        parts.pop()
    return "__init__", "__init__"


def _of(path: Path) -> tuple[str, str]:
    *folders, file = path.relative_to(SERVICE).with_suffix("").parts
    return ".".join(folders) or file, file


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
        yield from ((f"{node.module}.{alias.name}", typing) for alias in node.names)
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
        Import(*_of(path), name, typing) for path in MODULES for name, typing in _names(_tree(path))
    )


def _arrows(typing: bool) -> set[tuple[str, str]]:
    """Pairs of rooms, of which the first imports the second."""
    places = {(i.room, _place(i.name)) for i in _imports() if i.typing is typing}
    pairs = {(room, place[0]) for room, place in places if place is not None}
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
    assert set(ARROWS) == {_of(path)[0] for path in MODULES}


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
        listed = {(room, other) for room, others in table.items() for other in others}
        assert sorted(listed - _arrows(typing)) == []


def test_there_is_no_circle() -> None:
    """Each room can be read after the ones it imports, and those it names in annotations."""
    read: set[str] = set()
    for room, others in ARROWS.items():
        later = (others | TYPE_ARROWS.get(room, set())) - read
        assert later == set(), f"{room} stands before {later}"
        read.add(room)


def test_the_page_shows_the_rooms_that_there_are() -> None:
    """All of them, in its table; and each file that it names is in the room beside it."""
    page = (SERVICE / "README.md").read_text(encoding="utf-8")
    table = page.partition("| room | purpose | main files |")[2].partition("\n\n")[0]
    shown: set[str] = set()
    for row in table.splitlines()[2:]:
        beginning, purpose, files = row.strip("|").split(" | ")
        rooms = re.findall(r"`([\w/]+)`", beginning)
        if not rooms:
            rooms = re.findall(r"`(\w+)`: ", purpose)
        inner = re.findall(r"`(\w+)/`", purpose)
        shown.update(rooms, (f"{room}/{folder}" for room in rooms for folder in inner))
        for file in re.findall(r"`(\w+)`", files):
            assert any((SERVICE / room / f"{file}.py").is_file() for room in rooms), file
    assert shown == {room.replace(".", "/") for room in ARROWS} - {"__init__", "__main__"}


def test_every_file_is_in_the_table() -> None:
    """Also those that are alone; a file that is gone leaves its line."""
    files: dict[str, set[str]] = {}
    for path in MODULES:
        room, file = _of(path)
        if path.parent != SERVICE:
            files.setdefault(room, set()).add(file)
    assert {room: set(line.split()) for room, line in FILES.items()} == {
        room: names for room, names in files.items() if len(names) > 1
    }


@pytest.mark.parametrize("room", FILES)
def test_a_file_imports_only_those_before_it_in_its_folder(room: str) -> None:
    """So each folder can be read from its first file to its last."""
    order = FILES[room].split()
    for found in _imports():
        place = _place(found.name)
        if found.room == room and place is not None and place[0] == room:
            inside = place[1] != found.file
            assert not inside or order.index(place[1]) < order.index(found.file), found


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES}), ids=str)
def test_a_folder_is_seen_at_a_glance(folder: Path) -> None:
    """In a longer list it is hard to find the file to change."""
    files = [path.name for path in folder.iterdir() if path.is_file()]
    assert len(files) <= FILES_MAX, files


@pytest.mark.parametrize("folder", TEST_FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_of_tests_is_seen_at_a_glance(folder: Path) -> None:
    """Its limit is higher, because tests hold tools and data beside the files that they test."""
    files = [path.name for path in folder.iterdir() if path.is_file()]
    assert len(files) <= TEST_FILES_MAX, files


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_known_to_few_rooms(library: str) -> None:
    """What it stands for can then be replaced, and need not be installed for the others."""
    users = [i for i in _imports() if i.name.split(".")[0] == library]
    assert {i.room for i in users} == LIBRARIES[library]
    if library in LIBRARY_FILES:
        assert {i.file for i in users} == LIBRARY_FILES[library]


def test_all_that_a_service_installs_is_imported() -> None:
    """Not by the engines of others alone: their bench has an environment of its own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = {re.split(r"[\[>=<]", line)[0] for line in project["dependencies"]}
    modules = {i.name.split(".")[0] for i in _imports() if i.room != "bench.peers" and not i.typing}
    packages = packages_distributions()
    imported = {
        name.lower().replace("_", "-") for module in modules for name in packages.get(module, ())
    }
    assert sorted(installed - imported) == []


@pytest.mark.parametrize("room", ["stream", "wire", "progress", "text"])
def test_the_core_reaches_no_edge(room: str) -> None:
    """Not through others either: it runs where there is no Kafka and no model."""
    edges = {"kafka", "engines", "scoring", "web", "settings", "app", *LIBRARIES}
    assert sorted(_reached(room) & edges) == []


def test_nobody_but_commands_and_demo_imports_the_composition_root() -> None:
    """And only commands run the demo and the lab: nothing in the stream depends on these."""
    importers = {
        target: {
            i.room.split(".")[0] for i in _imports() if i.name.split(".")[:2] == ["service", target]
        }
        for target in ("app", "assembly", "bench", "demo", "lab", "cli")
    }
    # The bench puts an engine that computes nothing in the place of the real one.
    assert importers["app"] - {"app"} == {"bench", "cli", "demo"}
    assert importers["assembly"] - {"assembly"} == {"app", "bench"}
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
                found.setdefault(_of(path)[0], []).append(lines[node.lineno - 1].strip())
    assert "settings" in found
    del found["settings"]
    assert found == {
        "__init__": ['os.environ["ORT_DISABLE_TELEMETRY"] = "1"'],
        "cli": ['os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")'],
    }
