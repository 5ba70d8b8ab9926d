"""Lines over time as SVG, one panel for each, written by hand: no plotting library is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT, MARGIN = 800, 120, 90


def svg(unit: str, times: Sequence[float], lines: Mapping[str, Sequence[float]]) -> str:
    """Draw lines, each as long as `times` and in a panel from 0 to its maximum."""
    height = HEIGHT * len(lines) + 20
    size = f'width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    inner = HEIGHT - 30
    for number, (name, values) in enumerate(lines.items()):
        top, most = number * HEIGHT + 20, max(*values, 1)
        bottom = top + inner
        points = " ".join(
            f"{MARGIN + (WIDTH - MARGIN - 20) * time / times[-1]:.1f},"
            f"{bottom - inner * value / most:.1f}"
            for time, value in zip(times, values, strict=True)
        )
        parts += [
            f'<text x="4" y="{top + inner / 2}">{escape(name)}</text>',
            f'<text x="{MARGIN - 4}" y="{top + 8}" text-anchor="end">{most:.0f}</text>',
            f'<text x="{MARGIN - 4}" y="{bottom}" text-anchor="end">0</text>',
            f'<path d="M{MARGIN} {bottom}H{WIDTH - 20}" stroke="silver"/>',
            f'<polyline points="{points}" fill="none" stroke="steelblue"/>',
        ]
    caption = f"0 to {times[-1]:.1f} {escape(unit)}"
    parts.append(f'<text x="{WIDTH / 2}" y="{height - 4}">{caption}</text></svg>\n')
    return "\n".join(parts)
