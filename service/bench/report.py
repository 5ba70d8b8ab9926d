"""One run of all measurements, and what a person reads of it: tables, JSON, a plot.

Exists so that all ratios come from one run on one machine, with its conditions beside them.
"""

from __future__ import annotations

import platform
import tempfile
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from rich.progress import Progress
from rich.table import Table

from service.bench.engines import PIPELINE, contenders, rate
from service.bench.full_size import write_full_size
from service.bench.limits import arithmetic, best_of, measure_squares
from service.engines.checkpoint import load_tokenizer, resolve
from service.engines.cpu_limit import cpu_limit
from service.engines.layout import load_layout
from service.lab.texts import read_texts
from service.text import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from service.settings import ModelSettings

# Of a capacity, at which latency is measured.
SHARES = (0.25, 0.5, 0.75, 0.9)
IDLE_PER_S = 2.0
WARM_UP = 64


@dataclass
class Report:
    """All figures; rates are messages per second, peaks GFLOP/s."""

    conditions: dict[str, Any]
    operations_per_message: float = 0.0
    peaks: dict[str, list[float]] = field(default_factory=dict)
    engines: dict[str, list[float]] = field(default_factory=dict)
    alone_ms: float = 0.0
    services: dict[str, dict[str, float]] = field(default_factory=dict)
    latencies: list[dict[str, float]] = field(default_factory=list)

    def gflops(self, name: str) -> float:
        """Needed arithmetic per second that an engine did."""
        return median(self.engines[name]) * self.operations_per_message / 1e9

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


def run(  # noqa: PLR0913 - what the command is given
    settings: ModelSettings,
    *,
    texts: Path | None,
    count: int,
    rounds: int,
    bootstrap_servers: str | None,
    full_size: bool,
    seconds: float,
    console: Console,
) -> Report:
    """Measure as the command is asked to, with a bar.

    Raises:
        InputError: the texts cannot be read.
        SettingsError, ModelError, BrokerError: as `measure`.
    """
    chosen = read_texts(texts, count)
    with tempfile.TemporaryDirectory() as folder, Progress(console=console) as progress:
        if full_size:
            model = write_full_size(Path(folder) / "distilbert-size-random")
            settings = settings.model_copy(update={"name": str(model)})
        return measure(settings, chosen, rounds, bootstrap_servers, seconds, progress)


def measure(
    settings: ModelSettings, texts: Sequence[str], rounds: int, brokers: str | None,
    seconds: float, progress: Progress,
) -> Report:  # fmt: skip
    """Measure limits and engines, interleaved, and on a broker the whole service.

    Latency is measured for so many seconds at each rate.

    Raises:
        SettingsError, ModelError, BrokerError: the model, or the broker, cannot be used.
    """
    threads = settings.threads or cpu_limit()
    checkpoint = resolve(settings)
    encoder = TextEncoder(load_tokenizer(checkpoint), checkpoint.tokens_max)
    lengths = [len(ids) for ids in encoder.sequences(texts)]
    report = Report(_conditions(checkpoint.name, lengths, threads, rounds))
    report.operations_per_message = arithmetic(load_layout(checkpoint.folder), lengths) / len(texts)
    _engines(report, settings, texts, threads, rounds, progress)
    if brokers is not None:
        _services(report, settings, texts, rounds, brokers, progress)
        _latencies(report, settings, texts, brokers, seconds, progress)
    return report


def _conditions(name: str, lengths: list[int], threads: int, rounds: int) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "processor": _processor(),
        "python": platform.python_version(),
        "threads": threads,
        "model": name,
        "texts": len(lengths),
        "tokens_mean": round(sum(lengths) / len(lengths), 1),
        "tokens_most": max(lengths),
        "rounds": rounds,
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def _engines(
    report: Report, settings: ModelSettings, texts: Sequence[str], threads: int, rounds: int,
    progress: Progress,
) -> None:  # fmt: skip
    found = contenders(settings, threads)
    shown = progress.add_task("engines", total=(rounds + 1) * (len(found) + 1))
    loaded: dict[str, Callable[[Sequence[str]], None]] = {}
    for name, load in found.items():
        progress.update(shown, description=f"loading {name}")
        loaded[name] = load()
        loaded[name](texts[:WARM_UP])
        progress.advance(shown)
    progress.advance(shown)
    for _ in range(rounds):
        progress.update(shown, description="square products")
        for name, gflops in measure_squares(threads).items():
            report.peaks.setdefault(name, []).append(gflops)
        progress.advance(shown)
        for name, run in loaded.items():
            progress.update(shown, description=name)
            report.engines.setdefault(name, []).append(rate(run, texts))
            progress.advance(shown)
    alone = loaded["onnx_packed float32"]
    report.alone_ms = 1000 / median(rate(alone, [text]) for text in texts[:200])


def _services(
    report: Report, settings: ModelSettings, texts: Sequence[str], rounds: int, brokers: str,
    progress: Progress,
) -> None:  # fmt: skip
    from service.bench import whole  # noqa: PLC0415 - needs the extra `demo`

    model = {"name": settings.name, "threads": settings.threads}
    exact: whole.More = {"model": model, "delivery": {"mode": "exactly_once"}}
    loose: whole.More = {"model": model, "delivery": {"mode": "at_least_once"}}
    int8: whole.More = {"model": {**model, "precision": "int8"}}
    many = [texts[number % len(texts)] for number in range(10 * len(texts))]
    runs: dict[str, tuple[Literal["service", "null", "bare"], whole.More, Sequence[str]]] = {
        "service, float32, exactly once": ("service", exact, texts),
        "service, float32, at least once": ("service", loose, texts),
        "service, int8, exactly once": ("service", int8, texts),
        "service, null engine, exactly once": ("null", exact, many),
        "bare transactional loop": ("bare", {}, many),
    }
    shown = progress.add_task("the whole service", total=rounds * len(runs))
    found: dict[str, list[dict[str, float]]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (kind, more, chosen) in runs.items():
            progress.update(shown, description=name)
            found[name].append(whole.throughput(brokers, chosen, kind, more))
            progress.advance(shown)
    report.services = {name: whole.median_of(values) for name, values in found.items()}


def _latencies(
    report: Report, settings: ModelSettings, texts: Sequence[str], brokers: str, seconds: float,
    progress: Progress,
) -> None:  # fmt: skip
    from service.bench import whole  # noqa: PLC0415 - needs the extra `demo`

    more = {"model": {"name": settings.name, "threads": settings.threads}}
    capacity = report.services["service, float32, exactly once"]["messages_per_s"]
    rates = [IDLE_PER_S, *(share * capacity for share in SHARES)]
    shown = progress.add_task("latency", total=1)
    report.latencies = whole.latency(brokers, texts, rates, seconds, more)
    progress.advance(shown)


def show(report: Report, console: Console) -> None:
    """The tables."""
    console.print(", ".join(f"{name} {value}" for name, value in report.conditions.items()))
    peaks = Table(title="the best square product, and the messages/s that it would allow")
    for column in ("precision, library", "GFLOP/s", "messages/s"):
        peaks.add_column(column, justify="left" if column.startswith("p") else "right")
    for name, values in report.peaks.items():
        limit = median(values) * 1e9 / report.operations_per_message
        peaks.add_row(name, f"{median(values):.0f}", f"{limit:.0f}")
    console.print(peaks)
    console.print(_engine_table(report))
    if report.services:
        console.print(_service_table(report))
        console.print(_latency_table(report))


def _engine_table(report: Report) -> Table:
    table = Table(title="engines, from text to probability")
    table.add_column("engine")
    for column in ("messages/s", "least to most", "of the pipeline", "of the peak"):
        table.add_column(column, justify="right")
    base = median(report.engines[PIPELINE]) if PIPELINE in report.engines else 0
    for name, values in sorted(report.engines.items(), key=lambda e: -median(e[1])):
        precision = next((p for p in ("int8", "bfloat16") if p in name), "float32")
        peak = best_of(report.peaks, precision)
        table.add_row(
            name,
            f"{median(values):.0f}",
            f"{min(values):.0f} to {max(values):.0f}",
            f"{median(values) / base:.2f}" if base else "",
            f"{100 * report.gflops(name) / peak:.0f} %" if peak else "",
        )
    return table


def _service_table(report: Report) -> Table:
    table = Table(title="the whole service, broker and load on the same CPUs")
    table.add_column("what")
    for column in ("messages/s", "least to most", "CPUs", "peak MB", "prepare", "score", "publish"):
        table.add_column(column, justify="right")
    for name, figures in report.services.items():
        table.add_row(
            name,
            f"{figures['messages_per_s']:.0f}",
            f"{figures['least_per_s']:.0f} to {figures['most_per_s']:.0f}",
            f"{figures['cpu_cores']:.2f}",
            f"{figures['peak_mb']:.0f}",
            *(
                f"{100 * figures[f'share_{stage}']:.0f} %" if f"share_{stage}" in figures else ""
                for stage in ("prepare", "score", "publish")
            ),
        )
    return table


def _latency_table(report: Report) -> Table:
    table = Table(title=f"float32, exactly once; the model alone takes {report.alone_ms:.1f} ms")
    for column in ("messages/s", "records", "p50 ms", "p95 ms", "p99 ms", "most ms"):
        table.add_column(column, justify="right")
    for at in report.latencies:
        names = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
        table.add_row(f"{at['rate']:.0f}", f"{at['records']:.0f}", *(f"{at[n]:.1f}" for n in names))
    return table


def plot(report: Report) -> str:
    """Bars of messages per second as SVG: engines, and what the peaks allow."""
    bars = sorted(((median(v), name) for name, v in report.engines.items()), reverse=True)
    most, line = bars[0][0], 26
    rows = "".join(
        f'<text x="300" y="{line * n + 44}" text-anchor="end">{name}</text>'
        f'<rect x="310" y="{line * n + 31}" width="{360 * value / most:.1f}" height="17" '
        f'fill="{"#2a78d6" if "packed" in name else "#9aa4b2"}"/>'
        f'<text x="{316 + 360 * value / most:.1f}" y="{line * n + 44}">{value:.0f}</text>'
        for n, (value, name) in enumerate(bars)
    )
    height = line * len(bars) + 50
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 {height}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="10" y="18" font-weight="bold">messages/s, {report.conditions["model"]}, '
        f"{report.conditions['threads']} threads</text>{rows}</svg>\n"
    )
