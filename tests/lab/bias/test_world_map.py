"""The map: shapes from TopoJSON, their places and their colours."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from service.errors import InputError
from service.lab.bias import world_map

if TYPE_CHECKING:
    from pathlib import Path

# A square from 0 to 10 degrees with two arcs, and one next to it that shares an arc, backwards.
TOPOLOGY = {
    "type": "Topology",
    "transform": {"scale": [0.1, 0.1], "translate": [0, 0]},
    "arcs": [
        [[100, 0], [0, 100]],
        [[100, 100], [-100, 0], [0, -100], [100, 0]],
        [[100, 100], [100, 0], [0, -100], [-100, 0]],
    ],
    "objects": {
        "countries": {
            "geometries": [
                {"type": "Polygon", "arcs": [[0, 1]], "id": "004", "properties": {"name": "A&B"}},
                {"type": "MultiPolygon", "arcs": [[[~0, 2]]], "properties": {"name": "Elsewhere"}},
            ]
        }
    },
}


def _world(tmp_path: Path, content: object = TOPOLOGY) -> Path:
    file = tmp_path / "world.json"
    file.write_text(json.dumps(content))
    return file


def test_arcs_are_joined_in_their_direction(tmp_path: Path) -> None:
    """Differences are summed, ~n is arc n backwards, and a corner of two arcs occurs once."""
    world = world_map.read_world(_world(tmp_path))
    assert {"004", "Elsewhere"} == set(world)
    assert [[(10, 0), (10, 10), (0, 10), (0, 0), (10, 0)]] == world["004"]
    with pytest.raises(InputError, match="no TopoJSON"):
        world_map.read_world(_world(tmp_path, {"type": "Topology"}))
    with pytest.raises(InputError, match=r"none.json: cannot be read .* --data"):
        world_map.read_world(tmp_path / "none.json")


def test_the_projection_keeps_areas_and_edges() -> None:
    """By the Equal Earth paper: the edges of the world are the edges of the picture."""
    middle = world_map.WIDTH / 2
    assert (middle, world_map.HEIGHT / 2) == pytest.approx(world_map.project(0, 0), abs=0.5)
    assert world_map.project(180, 0)[0] == pytest.approx(world_map.WIDTH, abs=0.01)
    assert world_map.project(0, 90)[1] == pytest.approx(0, abs=0.01)

    def area(latitude: float) -> float:
        x = world_map.project(0.5, latitude)[0] - world_map.project(-0.5, latitude)[0]
        y = world_map.project(0, latitude - 0.5)[1] - world_map.project(0, latitude + 0.5)[1]
        return x * y

    # On the sphere the area of a degree is proportional to the cosine: 0.5 at 60 degrees.
    assert area(60) / area(0) == pytest.approx(0.5, abs=0.002)


def test_colours_run_from_red_to_blue() -> None:
    """Both ends and the middle are those of the scale; a score beyond an end has its colour."""
    assert ("#b2182b", "#2166ac") == (world_map.colour(-1), world_map.colour(2))
    assert world_map.colour(0.5) == "#f0ece8"
    assert len({world_map.colour(n / 20) for n in range(21)}) == 21


def test_the_map_colours_shapes_with_a_score(tmp_path: Path) -> None:
    """A shape without a score is hatched; names are escaped; it is well-formed XML."""
    world = world_map.read_world(_world(tmp_path))
    svg = ET.fromstring(world_map.draw(world, {"004": ("A&B", 1.0)}, "a < b"))  # noqa: S314 - ours
    said = {
        path.findtext("{*}title"): path.get("fill") for path in svg.iterfind(".//{*}path[{*}title]")
    }
    assert {"A&B: 1.000": "#2166ac", "Elsewhere: no score": "url(#none)"} == said
    assert "a < b" in {text.text for text in svg.iterfind(".//{*}text")}


def test_a_shape_across_the_180th_meridian_is_cut(tmp_path: Path) -> None:
    """Fiji is at both edges of the map, and no line goes across it."""
    across = {**TOPOLOGY, "transform": {"scale": [0.1, 0.1], "translate": [175, 0]}}
    world = world_map.read_world(_world(tmp_path, across))
    wrapped = {"1": [[((x + 180) % 360 - 180, y) for x, y in world["004"][0]]]}
    svg = ET.fromstring(world_map.draw(wrapped, {}, ""))  # noqa: S314 - ours
    (path,) = svg.iterfind(".//{*}path[{*}title]")
    parts = [
        [float(point.split(",")[0]) for point in part.rstrip("Z").split("L")]
        for part in (path.get("d") or "").split("M")[1:]
    ]
    widths = sorted(max(part) - min(part) for part in parts)
    assert len(parts) == 2
    assert widths[1] < 20
    edges = sorted((min(part), max(part)) for part in parts)
    assert edges[0][0] < 1
    assert edges[1][1] > world_map.WIDTH - 1


def test_the_whole_world(shared_data: Path) -> None:
    """All 177 shapes are drawn, three of them without a number, with sea between them."""
    world = world_map.read_world(shared_data / "bias" / "countries-110m.json")
    assert {"N. Cyprus", "Somaliland", "Kosovo"} == {name for name in world if not name.isdigit()}
    assert len(world) == 177
    svg = ET.fromstring(world_map.draw(world, {}, ""))  # noqa: S314 - ours
    assert len(list(svg.iterfind(".//{*}path[{*}title]"))) == 177
