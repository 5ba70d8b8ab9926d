"""A report for people: tables for the terminal, and a bar chart as SVG.

Exists so that measuring (`report`) is apart from showing. Nothing is measured here.
"""

from __future__ import annotations

from html import escape
from statistics import median
from typing import TYPE_CHECKING, get_args

from service.bench.limits import best_of
from service.records import EngineName
from service.terminal import Table, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from service.bench.report import Report

# How the names of the service's own engines begin.
OURS: tuple[str, ...] = get_args(EngineName)
STAGES = ("prepare", "score", "publish")


def show(report: Report, console: Console) -> None:
    """Print all tables, beginning with the conditions."""
    console.print(Table.of_figures("measured", report.conditions))
    peaks = Table(
        "the fastest square product, and the messages/s that it would allow",
        "precision, library", ">GFLOP/s", ">messages/s",
    )  # fmt: skip
    for name, values in report.peaks.items():
        limit = median(values) * 1e9 / report.operations_per_message
        peaks.add_row(name, f"{median(values):.0f}", f"{limit:.0f}")
    console.print(peaks)
    console.print(_engines(report))
    if report.services:
        console.print(_services(report))
        console.print(_latencies(report))


def _engines(report: Report) -> Table:
    table = Table(
        "engines, from text to probability",
        "engine", ">messages/s", ">least to most", ">of the best other", ">of the peak",
        "batches of", ">99 % differ by",
    )  # fmt: skip
    for name, values in sorted(report.engines.items(), key=lambda e: -median(e[1])):
        peak = best_of(report.peaks, _precision(name))
        ratio = of_the_best_other(report, name)
        table.add_row(
            name,
            f"{median(values):.0f}",
            f"{min(values):.0f} to {max(values):.0f}",
            "" if ratio is None else f"{ratio:.2f}",
            percent(report.gflops(name) / peak, 0) if peak else "",
            *_found(report.peers.get(name, {})),
        )
    for name, figures in report.peers.items():
        if "left_out" in figures:
            table.add_row(name, "left out", str(figures["left_out"]))
    return table


def _found(figures: Mapping[str, float | str]) -> tuple[str, str]:
    """The batching that a peer runs best with, and how far its scores are from ours in float32."""
    if "batch_texts" not in figures:
        return "", ""
    at_a_time = f", {figures['at_a_time']} at a time"
    return f"{figures['batch_texts']}{at_a_time}", f"{figures['difference_p99']:.4f}"


def of_the_best_other(report: Report, name: str) -> float | None:
    """The rate by that of the quickest engine of others in the same precision, round by round.

    None if there is no other, as in bfloat16.
    """
    others = [
        values
        for other, values in report.engines.items()
        if not other.startswith(OURS) and _precision(other) == _precision(name)
    ]
    if not others:
        return None
    best = max(others, key=median)
    return median(own / other for own, other in zip(report.engines[name], best, strict=True))


def _precision(name: str) -> str:
    return next((p for p in ("int8", "bfloat16") if p in name), "float32")


def _services(report: Report) -> Table:
    table = Table(
        "the whole service, broker and load on the same CPUs",
        "what", ">messages/s", ">least to most", ">of the engine", ">CPUs", ">peak MB",
        *(f">{s}" for s in STAGES),
    )  # fmt: skip
    for name, figures in report.services.items():
        shares = (figures.get(f"share_{stage}") for stage in STAGES)
        of_engine = figures.get("of_engine")
        table.add_row(
            name,
            f"{figures['messages_per_s']:.0f}",
            f"{figures['least_per_s']:.0f} to {figures['most_per_s']:.0f}",
            "" if of_engine is None else f"{of_engine:.2f}",
            f"{figures['cpu_cores']:.2f}",
            f"{figures['peak_mb']:.0f}",
            *("" if share is None else percent(share, 0) for share in shares),
        )
    return table


def _latencies(report: Report) -> Table:
    table = Table(
        f"float32, exactly once; the model alone takes {report.alone_ms:.1f} ms",
        ">messages/s", ">records", ">p50 ms", ">p95 ms", ">p99 ms", ">most ms",
    )  # fmt: skip
    for at in report.latencies:
        names = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
        table.add_row(f"{at['rate']:.0f}", f"{at['records']:.0f}", *(f"{at[n]:.1f}" for n in names))
    return table


def plot(report: Report) -> str:
    """A bar chart of the engines' messages per second, as SVG."""
    bars = sorted(((median(v), name) for name, v in report.engines.items()), reverse=True)
    most, line = bars[0][0], 26
    rows = "".join(
        f'<text x="300" y="{line * n + 44}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="310" y="{line * n + 31}" width="{360 * value / most:.1f}" height="17" '
        f'fill="{"#2a78d6" if "packed" in name else "#9aa4b2"}"/>'
        f'<text x="{316 + 360 * value / most:.1f}" y="{line * n + 44}">{value:.0f}</text>'
        for n, (value, name) in enumerate(bars)
    )
    height = line * len(bars) + 50
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 {height}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="10" y="18" font-weight="bold">messages/s, {escape(report.conditions["model"])}, '
        f"{report.conditions['threads']} threads</text>{rows}</svg>\n"
    )
