"""Draws a map of the world as SVG, coloured by a score for each country.

Exists so that the report needs no drawing library and no network. Knows TopoJSON, a projection and
colours; nothing of models. A shape without a score gets no colour.
"""

from __future__ import annotations

import json
import math
from html import escape
from typing import TYPE_CHECKING, Any

from service.errors import InputError
from service.lab.data.files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Point = tuple[float, float]
Rings = list[list[Point]]

WIDTH = 960
# Points of an outline that are closer to each other are left out.
STEP_MIN = 0.35
SEA, COAST, NO_SCORE = "#eef2f7", "#8a94a3", "#ffffff"
# From 0 to 1, also for people who cannot distinguish red and green (ColorBrewer, RdBu).
COLOURS = ((178, 24, 43), (239, 138, 98), (240, 236, 232), (103, 169, 207), (33, 102, 172))

# Šavrič, Patterson and Jenny, "The Equal Earth map projection", 2018: areas keep their size.
_A = (1.340264, -0.081106, 0.000893, 0.003796)
_X_MAX, _Y_MAX = 2.7066299, 1.3173628
_SCALE = WIDTH / 2 / _X_MAX
HEIGHT = round(2 * _Y_MAX * _SCALE)


def read_world(file: Path) -> dict[str, Rings]:
    """The outlines of a TopoJSON file of countries, as lists of (longitude, latitude) in degrees.

    The key is the ISO number of a shape, or its name if it has none (Northern Cyprus, Somaliland,
    Kosovo).

    Raises:
        InputError: the file is missing or is no TopoJSON of countries.
    """
    text = read_text(
        file,
        "name the folder that holds it with --data; service/model/README.md says where to get it",
    )
    try:
        topology = json.loads(text)
        arcs = [_decoded(arc, topology["transform"]) for arc in topology["arcs"]]
        world: dict[str, Rings] = {}
        for shape in topology["objects"]["countries"]["geometries"]:
            polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
            rings = [_joined(ring, arcs) for polygon in polygons for ring in polygon]
            # Some numbers have two shapes: the country and an overseas part.
            world.setdefault(shape.get("id") or shape["properties"]["name"], []).extend(rings)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(
            f"{file}: is no TopoJSON of countries ({type(error).__name__}); give world-atlas's"
        ) from None
    return world


def draw(
    world: Mapping[str, Rings],
    scores: Mapping[str, tuple[str, float]],
    title: str,
    suffix: str = "",
) -> str:
    """The map as SVG; `scores` has the name and score, from 0 to 1, of a country by ISO number.

    The ids in it end with `suffix`, so that a page can have two maps.
    """
    shapes = []
    for number, rings in world.items():
        name, score = scores.get(number, (number, None))
        label = f"{name}: {score:.3f}" if score is not None else f"{name}: no score"
        fill = colour(score) if score is not None else f"url(#none{suffix})"
        path = "".join(_path(part) for ring in rings for part in _on_the_map(ring))
        if path:
            shapes.append(f'<path d="{path}" fill="{fill}"><title>{escape(label)}</title></path>')
    globe = _path([*((180.0, lat) for lat in range(-90, 91, 5)),
                   *((-180.0, lat) for lat in range(90, -91, -5))])  # fmt: skip
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 82}" '
        'font-family="sans-serif" font-size="18" fill="#1f2937" role="img">'
        f'<defs><pattern id="none{suffix}" width="5" height="5" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="5" height="5" fill="{NO_SCORE}"/>'
        '<rect width="1.4" height="5" fill="#b8c0cb"/></pattern></defs>'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="8" y="22" font-weight="bold" font-size="20">{escape(title)}</text>'
        f'<g transform="translate(0 32)"><path d="{globe}" fill="{SEA}"/>'
        f'<g stroke="{COAST}" stroke-width="0.5" fill-rule="evenodd">{"".join(shapes)}</g></g>'
        f"{_legend(suffix)}</svg>\n"
    )


def colour(score: float) -> str:
    """The colour of a score from 0 to 1, as #rrggbb."""
    place = min(max(score, 0.0), 1.0) * (len(COLOURS) - 1)
    low = min(int(place), len(COLOURS) - 2)
    share = place - low
    mixed = (
        round(a + (b - a) * share) for a, b in zip(COLOURS[low], COLOURS[low + 1], strict=True)
    )
    return "#" + "".join(f"{value:02x}" for value in mixed)


def project(longitude: float, latitude: float) -> Point:
    """Convert degrees to coordinates of the picture, y downwards."""
    angle = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(latitude)))
    a1, a2, a3, a4 = _A
    slope = 9 * a4 * angle**8 + 7 * a3 * angle**6 + 3 * a2 * angle**2 + a1
    x = 2 * math.sqrt(3) * math.radians(longitude) * math.cos(angle) / (3 * slope)
    y = a4 * angle**9 + a3 * angle**7 + a2 * angle**3 + a1 * angle
    return (x + _X_MAX) * _SCALE, (_Y_MAX - y) * _SCALE


def _decoded(arc: Sequence[Sequence[int]], transform: dict[str, Any]) -> list[Point]:
    """Convert an arc to degrees: its points are integers, as differences to the point before."""
    (x_scale, y_scale), (x_first, y_first) = transform["scale"], transform["translate"]
    x = y = 0
    points = []
    for x_step, y_step in arc:
        x, y = x + x_step, y + y_step
        points.append((x * x_scale + x_first, y * y_scale + y_first))
    return points


def _joined(ring: Sequence[int], arcs: Sequence[list[Point]]) -> list[Point]:
    """The points of a ring from the indices of its arcs; ~n is arc n backwards."""
    points: list[Point] = []
    for index in ring:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points += arc[1:] if points else arc
    return points


def _on_the_map(ring: Sequence[Point]) -> Iterator[list[Point]]:
    """The parts of a ring on the map; a ring that crosses the 180th meridian has several."""
    unrolled = [ring[0]]
    for longitude, latitude in ring[1:]:
        turns = round((longitude - unrolled[-1][0]) / 360)
        unrolled.append((longitude - 360 * turns, latitude))
    if abs(unrolled[-1][0] - unrolled[0][0]) > 180:
        # The ring encloses a pole: go along the edge of the map to the pole and back.
        pole = math.copysign(90, unrolled[0][1])
        unrolled += [(unrolled[-1][0], pole), (unrolled[0][0], pole)]
    for turn in (-360, 0, 360):
        part = [(longitude + turn, latitude) for longitude, latitude in unrolled]
        for side in (1, -1):
            part = list(_clipped(part, side))
        if part:
            yield part


def _clipped(ring: Sequence[Point], side: int) -> Iterator[Point]:
    """The part of a ring west of 180 degrees east (side 1), or east of 180 degrees west (-1)."""
    for (x, y), (x_last, y_last) in zip(ring, [*ring[-1:], *ring[:-1]], strict=True):
        inside, inside_last = side * x <= 180, side * x_last <= 180
        if inside != inside_last:
            share = (side * 180 - x_last) / (x - x_last)
            yield side * 180.0, y_last + share * (y - y_last)
        if inside:
            yield x, y


def _path(ring: Sequence[Point]) -> str:
    kept = list(_apart(project(*point) for point in ring))
    if len(kept) < 3:
        return ""
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in kept) + "Z"


def _apart(points: Iterator[Point]) -> Iterator[Point]:
    last: Point | None = None
    for point in points:
        if last is None or math.dist(point, last) >= STEP_MIN:
            yield point
            last = point


def _legend(suffix: str) -> str:
    width, left, top = 300, WIDTH / 2 - 190, HEIGHT + 52
    stops = "".join(
        f'<stop offset="{step / 8}" stop-color="{colour(step / 8)}"/>' for step in range(9)
    )
    return (
        f'<defs><linearGradient id="scale{suffix}">{stops}</linearGradient></defs>'
        f'<rect x="{left}" y="{top}" width="{width}" height="11" fill="url(#scale{suffix})" '
        f'stroke="{COAST}" stroke-width="0.5"/>'
        f'<text x="{left - 8}" y="{top + 11}" text-anchor="end">0 negative</text>'
        f'<text x="{left + width + 8}" y="{top + 11}">1 positive</text>'
        f'<rect x="{WIDTH - 130}" y="{top}" width="22" height="11" fill="url(#none{suffix})" '
        f'stroke="{COAST}" stroke-width="0.5"/>'
        f'<text x="{WIDTH - 100}" y="{top + 11}">no score</text>'
    )
