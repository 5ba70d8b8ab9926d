"""Two plots of calibration, as SVG: `evaluate --plots`.

Exists so that figures can be plotted without a drawing library. Takes the figures of `evaluate`;
computes nothing.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from service.lab.data.files import write_pages

if TYPE_CHECKING:
    from pathlib import Path

INK, GRID, BLUE, RED = "#1f2937", "#d5dae1", "#2a78d6", "#c8553d"
SIDE = 360
LEFT, TOP = 64, 44
COUNTS_HEIGHT = 46
# The axis of the error rate ends here or higher, so that few errors do not look like many.
RISK_MIN = 0.05


def write_plots(figures: dict[str, Any], folder: Path) -> list[Path]:
    """Write `reliability.svg` and `risk-coverage.svg`; returns their paths.

    Raises:
        InputError: the folder cannot be written to.
    """
    pictures = {
        "reliability.svg": reliability_diagram(figures),
        "risk-coverage.svg": risk_coverage_curve(figures),
    }
    return write_pages(folder, pictures)


def reliability_diagram(figures: dict[str, Any]) -> str:
    """Accuracy of each bin of confidence with the line where both are equal; counts below."""
    most = max(b["count"] for b in figures["reliability"])
    floor = TOP + SIDE + 104
    marks = [_line((0, 0), (1, 1), GRID)]
    for b in figures["reliability"]:
        left, width = _x(b["from"]) + 1, _x(b["to"]) - _x(b["from"]) - 2
        top = _y(b["accuracy"])
        marks.append(_bar(left, top, width, TOP + SIDE - top, BLUE))
        height = COUNTS_HEIGHT * b["count"] / most
        marks.append(_bar(left, floor - height, width, height, INK))
        hint = f"{b['count']}: confidence {b['confidence']:.3f}, accuracy {b['accuracy']:.3f}"
        marks.append(_dot(_x(b["confidence"]), top, hint))
    marks.append(_text(LEFT - 8, floor, "texts", "end"))
    error = figures["expected_calibration_error"]
    return _frame(
        f"{_title(figures)}: calibration error {error:.3f}",
        ("probability of the predicted label", "share correct"),
        marks,
        SIDE + 160,
    )


def risk_coverage_curve(figures: dict[str, Any]) -> str:
    """The error rate of confident texts, against the share of texts that is confident."""
    curve = figures["risk_coverage"]
    highest = max(RISK_MIN, *(point["risk"] for point in curve)) * 1.1
    path = " ".join(f"{_x(p['coverage']):.1f},{_y(p['risk'] / highest):.1f}" for p in curve)
    marks = [f'<polyline points="{path}" fill="none" stroke="{BLUE}" stroke-width="2"/>']
    target = figures.get("target")
    if target and target["accuracy"] is not None:
        allowed = (1 - target["target_accuracy"]) / highest
        x, y = _x(target["coverage"]), _y((1 - target["accuracy"]) / highest)
        hint = f"{100 * target['coverage']:.1f} % confident"
        marks.append(_line((0, allowed), (1, allowed), RED))
        marks += [_dot(x, y, hint), _text(min(x, LEFT + SIDE - 8), y - 12, hint, "end")]
    title = f"{_title(figures)}: errors among the confident"
    return _frame(title, ("share confident", "share of them wrong"), marks, SIDE + 110, highest)


def _title(figures: dict[str, Any]) -> str:
    return escape(f"{figures['model']['name']}, {figures['examples']} examples")


def _x(share: float) -> float:
    return LEFT + SIDE * share


def _y(share: float) -> float:
    return TOP + SIDE * (1 - share)


def _line(start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    return (
        f'<line x1="{_x(start[0]):.1f}" y1="{_y(start[1]):.1f}" x2="{_x(end[0]):.1f}" '
        f'y2="{_y(end[1]):.1f}" stroke="{colour}" stroke-width="1.5" stroke-dasharray="4 4"/>'
    )


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{colour}" fill-opacity="0.7"/>'
    )


def _dot(x: float, y: float, hint: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{RED}"><title>{hint}</title></circle>'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="11">{text}</text>'


def _frame(
    title: str, axes: tuple[str, str], marks: list[str], height: int, highest: float = 1.0
) -> str:
    grid = []
    for step in range(6):
        share, y = step / 5, _y(step / 5)
        across = f'x1="{LEFT}" x2="{LEFT + SIDE}" y1="{y:.1f}" y2="{y:.1f}"'
        grid.append(f'<line {across} stroke="{GRID}" stroke-width="0.7"/>')
        shown = f"{share:.1f}" if highest == 1 else f"{share * highest:.3f}"
        grid.append(_text(LEFT - 8, y + 4, shown, "end"))
        grid.append(_text(_x(share), TOP + SIDE + 17, f"{share:.1f}"))
    middle = TOP + SIDE / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + SIDE + 24} {height}" '
        f'width="{LEFT + SIDE + 24}" font-family="sans-serif" font-size="12" fill="{INK}">'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{LEFT}" y="24" font-weight="bold" font-size="13">{title}</text>'
        f"{''.join(grid)}{''.join(marks)}"
        f'<text x="{LEFT + SIDE / 2}" y="{TOP + SIDE + 38}" text-anchor="middle">{axes[0]}</text>'
        f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">'
        f"{axes[1]}</text></svg>\n"
    )
