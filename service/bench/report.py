"""One run of all measurements.

Exists so that all ratios come from one run on one machine, and the report names its conditions.
Tables and pictures of a report are in `tables`.
"""

from __future__ import annotations

import platform
import tempfile
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from service.bench.engines import contenders, rate
from service.bench.full_size import write_full_size
from service.bench.limits import arithmetic, measure_squares
from service.bench.peers.search import Peer
from service.checkpoint.files import resolve
from service.checkpoint.tokenizer import load_tokenizer
from service.engines.cpu_limit import cpu_limit
from service.engines.layout import load_layout
from service.errors import ModelError, first_line
from service.lab.data.texts import read_texts
from service.processor import kernel, this_processor
from service.terminal import progress_bar
from service.text.encoder import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from rich.progress import Progress

    from service.bench.whole import More
    from service.records import EngineName, Precision
    from service.settings import ModelSettings

# Shares of the capacity at which latency is measured.
SHARES = (0.25, 0.5, 0.75, 0.9)
IDLE_PER_S = 2.0
WARM_UP = 64
# The ways to run a model whose kernels are told.
KERNELS: tuple[tuple[EngineName, Precision], ...] = (
    ("onnx_packed", "float32"),
    ("onnx_packed", "int8"),
    ("torch_packed", "bfloat16"),
)
# The engines that the service uses on a CPU, by their names in `contenders`.
FLOAT32, INT8 = "onnx_packed float32", "onnx_packed int8"


@dataclass
class Report:
    """All figures; rates are messages per second, peaks GFLOP/s."""

    conditions: dict[str, Any]
    operations_per_message: float = 0.0
    peaks: dict[str, list[float]] = field(default_factory=dict)
    engines: dict[str, list[float]] = field(default_factory=dict)
    peers: dict[str, dict[str, float | str]] = field(default_factory=dict)
    """What a peer runs best with, or why it is left out."""
    alone_ms: float = 0.0
    services: dict[str, dict[str, float]] = field(default_factory=dict)
    latencies: list[dict[str, float]] = field(default_factory=list)

    def gflops(self, name: str) -> float:
        """Billions of needed operations per second of an engine."""
        return median(self.engines[name]) * self.operations_per_message / 1e9

    def as_json(self) -> dict[str, Any]:
        """All figures, as plain values."""
        return asdict(self)


class _Run(NamedTuple):
    """One variant of the whole service, and the name of its engine, if it has one."""

    kind: Literal["service", "null", "bare"]
    more: More
    texts: Sequence[str]
    engine: str | None = None


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
    """Measure as the command's options ask, with a progress bar.

    Raises:
        InputError: the texts cannot be read.
        SettingsError, ModelError, BrokerError: as `measure`.
    """
    chosen = read_texts(texts, count)
    with tempfile.TemporaryDirectory() as folder, progress_bar(console) as progress:
        if full_size:
            model = write_full_size(Path(folder) / "distilbert-size-random")
            settings = settings.model_copy(update={"name": str(model)})
        return measure(settings, chosen, rounds, bootstrap_servers, seconds, progress)


def measure(
    settings: ModelSettings, texts: Sequence[str], rounds: int, brokers: str | None,
    seconds: float, progress: Progress,
) -> Report:  # fmt: skip
    """Measure limits and engines in interleaved rounds, and the whole service if there is a broker.

    Latency is measured for `seconds` at each rate.

    Raises:
        SettingsError, ModelError, BrokerError: the model, or the broker, cannot be used.
    """
    threads = settings.threads or cpu_limit()
    checkpoint = resolve(settings)
    encoder = TextEncoder(load_tokenizer(checkpoint), checkpoint.tokens_max)
    lengths = [len(ids) for ids in encoder.sequences(texts)]
    report = Report(_conditions(checkpoint.name, lengths, threads, rounds))
    report.operations_per_message = arithmetic(load_layout(checkpoint), lengths) / len(texts)
    _engines(report, settings, texts, threads, rounds, progress)
    if brokers is not None:
        _services(report, settings, texts, rounds, brokers, progress)
        _latencies(report, settings, texts, brokers, seconds, progress)
    return report


def _conditions(name: str, lengths: list[int], threads: int, rounds: int) -> dict[str, Any]:
    processor = this_processor()
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "processor": f"{processor.cpus} x {processor.name}",
        "kernels": ", ".join(
            f"{precision} {kernel(engine, precision, processor)}" for engine, precision in KERNELS
        ),
        "python": platform.python_version(),
        "threads": threads,
        "model": name,
        "texts": len(lengths),
        "tokens_mean": round(sum(lengths) / len(lengths), 1),
        "tokens_most": max(lengths),
        "rounds": rounds,
    }


def _engines(
    report: Report, settings: ModelSettings, texts: Sequence[str], threads: int, rounds: int,
    progress: Progress,
) -> None:  # fmt: skip
    found = contenders(settings, threads, texts)
    shown = progress.add_task("engines", total=(rounds + 1) * (len(found) + 1))
    loaded: dict[str, Callable[[Sequence[str]], None]] = {}
    for name, load in found.items():
        progress.update(shown, description=f"loading {name}")
        progress.advance(shown)
        try:
            run = loaded[name] = load()
        except ModelError as error:
            report.peers[name] = {"left_out": first_line(error)}
            continue
        if isinstance(run, Peer):
            report.peers[name] = {**run.figures()}
        run(texts[:WARM_UP])
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
    alone = loaded[FLOAT32]
    report.alone_ms = 1000 / median(rate(alone, [text]) for text in texts[:200])


def _services(
    report: Report, settings: ModelSettings, texts: Sequence[str], rounds: int, brokers: str,
    progress: Progress,
) -> None:  # fmt: skip
    from service.bench import whole  # noqa: PLC0415 - needs the extra `demo`

    model = _in_float32(settings)
    exact: whole.More = {"model": model, "delivery": {"mode": "exactly_once"}}
    loose: whole.More = {"model": model, "delivery": {"mode": "at_least_once"}}
    int8: whole.More = {"model": {**model, "precision": "int8"}}
    many = [texts[number % len(texts)] for number in range(10 * len(texts))]
    runs = {
        "service, float32, exactly once": _Run("service", exact, texts, FLOAT32),
        "service, float32, at least once": _Run("service", loose, texts, FLOAT32),
        "service, int8, exactly once": _Run("service", int8, texts, INT8),
        "service, null engine, exactly once": _Run("null", exact, many),
        "bare transactional loop": _Run("bare", {}, many),
    }
    loaders = contenders(settings, report.conditions["threads"], texts)
    alone = {name: loaders[name]() for name in (FLOAT32, INT8)}
    for engine in alone.values():
        engine(texts[:WARM_UP])
    shown = progress.add_task("the whole service", total=(1 + rounds) * (len(runs) + len(alone)))
    found: dict[str, list[dict[str, float]]] = {name: [] for name in runs}
    for _ in range(1 + rounds):
        rates: dict[str | None, float] = {}
        for name, engine in alone.items():
            progress.update(shown, description=f"{name} again")
            rates[name] = rate(engine, texts)
            progress.advance(shown)
        for name, run in runs.items():
            progress.update(shown, description=name)
            figures = whole.throughput(brokers, run.texts, run.kind, run.more)
            if run.engine in rates:
                # By the engine in the same round: a shared machine changes its speed within a run.
                figures["of_engine"] = figures["messages_per_s"] / rates[run.engine]
            found[name].append(figures)
            progress.advance(shown)
    # Without the first round, in which a new broker still compiles its code on the same cores.
    report.services = {name: whole.median_of(values[1:]) for name, values in found.items()}


def _in_float32(settings: ModelSettings) -> dict[str, Any]:
    return {"name": settings.name, "threads": settings.threads, "precision": "float32"}


def _latencies(
    report: Report, settings: ModelSettings, texts: Sequence[str], brokers: str, seconds: float,
    progress: Progress,
) -> None:  # fmt: skip
    from service.bench import whole  # noqa: PLC0415 - needs the extra `demo`

    more = {"model": _in_float32(settings)}
    capacity = report.services["service, float32, exactly once"]["messages_per_s"]
    rates = [IDLE_PER_S, *(share * capacity for share in SHARES)]
    shown = progress.add_task("latency", total=1)
    report.latencies = whole.latency(brokers, texts, rates, seconds, more)
    progress.advance(shown)
