"""Measures how to run a model fastest on this machine: `sentiment-stream tune`.

Exists so that the choice is made once, ahead of time, by measurement: the service measures nothing
at its start. A candidate that is not close enough to float32 is shown, but not chosen.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.text import Text

from service.checkpoint.files import resolve
from service.checkpoint.tuning import Tuning
from service.engines import load_engine
from service.engines.cpu_limit import cpu_limit
from service.errors import ServiceError, SettingsError, first_line
from service.processor import this_processor
from service.scoring.processing import load_processing
from service.terminal import QUIET, STRONG, WARN, Pace, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from rich.console import Console

    from service.checkpoint.files import Checkpoint
    from service.records import EngineName, Precision
    from service.scoring.readings import LogitsReader
    from service.settings import ModelSettings

# For 99 % of texts, probabilities may differ from those in float32 by this at most. The precision
# that a model's calibration was fitted in is chosen however it differs: its scores mean that one.
DIFFERENCE_P99_MAX = 0.02
TEXTS = 512
BATCH_TEXTS = 128
ROUNDS = 3
RUN_TOKENS = (256, 512, 1024, 2048)


@dataclass
class Candidate:
    """One way to run the model, and its measurements."""

    settings: ModelSettings
    engine: str = ""
    precision: Precision = "float32"
    device: str = ""
    kernel: str = ""
    difference_p99: float = 0.0
    rates: list[float] = field(default_factory=list)
    error: str = ""
    calibrated: bool = False

    @property
    def messages_per_s(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rates) if self.rates else 0.0

    @property
    def close_enough(self) -> bool:
        """Whether it may be chosen."""
        close = self.calibrated or self.difference_p99 <= DIFFERENCE_P99_MAX
        return not self.error and close


class Trial(NamedTuple):
    """The input of all candidates, and the expected probabilities, shape (texts, labels)."""

    checkpoint: Checkpoint
    reader: LogitsReader
    sequences: list[list[int]]
    expected: NDArray[np.float32]


def tune(
    settings: ModelSettings, texts: Sequence[str], seconds: float, console: Console
) -> tuple[Tuning, list[Candidate]]:
    """Measure engines and precisions, then threads and sizes of runs with the best of them.

    All of it takes about so many `seconds`, or as long as it takes to load each engine once, check
    it on all texts and compute a batch. What the settings name is not varied.

    Raises:
        SettingsError: no candidate that the settings allow is close enough.
        SettingsError, ModelError: the model cannot be found or loaded.
    """
    began = time.perf_counter()
    checkpoint = resolve(settings)
    _, encoder, reader = load_processing(settings, checkpoint)
    sequences = encoder.sequences(texts[:TEXTS])
    exact = settings.model_copy(update={"precision": "float32", "engine": "auto"})
    # The calibrated ones, because these are published.
    expected = reader.probabilities(load_engine(exact, checkpoint).logits(sequences))
    ways = _ways(settings)
    share = len(ways) / (len(ways) + len(RUN_TOKENS) + 2)
    trial = Trial(checkpoint, reader, sequences, expected)
    measured = _measure(ways, trial, began + seconds * share, console, "1 of 2, engines")
    best = _best(measured)
    more = _measure(_variants(best), trial, began + seconds, console, "2 of 2, threads and sizes")
    best = _best([best, *more])
    return Tuning(
        model=checkpoint.name,
        revision=checkpoint.revision,
        device=best.device,
        engine=best.engine,  # type: ignore[arg-type] # one of ours
        precision=best.precision,
        threads=best.settings.threads or cpu_limit(),
        run_tokens_max=best.settings.run_tokens_max,
        messages_per_s=round(best.messages_per_s, 1),
        difference_p99=round(best.difference_p99, 5),
        kernel=best.kernel,
    ), [*measured, *more]


def _ways(settings: ModelSettings) -> list[Candidate]:
    """Each engine with each of its precisions, as far as the settings allow."""
    engines: list[tuple[EngineName, tuple[Precision, ...]]] = [("onnx_packed", ("float32", "int8"))]
    if importlib.util.find_spec("torch") is not None:
        engines.append(("torch_packed", ("float32", "bfloat16", "float16")))
        if importlib.util.find_spec("transformers") is not None:
            engines.append(("torch_plain", ("float32",)))
    return [
        Candidate(settings.model_copy(update={"engine": engine, "precision": precision}))
        for engine, precisions in engines
        for precision in precisions
        if settings.engine in ("auto", engine) and settings.precision in ("auto", precision)
    ]


def _variants(best: Candidate) -> list[Candidate]:
    found = best.settings.model_copy(update={"engine": best.engine, "precision": best.precision})
    sizes = [] if found.run_tokens_max else RUN_TOKENS
    changes: list[dict[str, int]] = [{"run_tokens_max": size} for size in sizes]
    if not found.threads and best.device == "cpu":
        changes += [{"threads": count} for count in {1, max(1, cpu_limit() // 2)} - {cpu_limit()}]
    return [Candidate(found.model_copy(update=change)) for change in changes]


def _measure(
    candidates: list[Candidate], trial: Trial, until: float, console: Console, title: str
) -> list[Candidate]:
    """Measure all candidates in each round, so that a busy moment affects all alike.

    The first round is made in any case; others, which make figures steadier, while there is time.
    """
    sequences = trial.sequences
    rounds = [(c, number) for number in range(ROUNDS) for c in candidates]
    for done, (candidate, number) in enumerate(_paced(rounds, title, console)):
        began = time.perf_counter()
        if candidate.error or (number and began >= until):
            continue
        ends = began + (until - began) / (len(rounds) - done)
        try:
            engine = load_engine(candidate.settings, trial.checkpoint)
            if not number:
                found = trial.reader.probabilities(engine.logits(sequences))
                gaps = np.abs(found - trial.expected).max(axis=1)
                candidate.difference_p99 = float(np.quantile(gaps, 0.99))
        except (ServiceError, RuntimeError) as error:
            candidate.error = first_line(error, 100)
            continue
        info = engine.info
        candidate.engine, candidate.precision = info.engine, info.precision
        candidate.device, candidate.kernel = info.device, info.kernel
        way = (info.engine, info.precision)
        candidate.calibrated = way == ("onnx_packed", trial.checkpoint.precision)
        started, count = time.perf_counter(), 0
        while time.perf_counter() < ends or not count:
            first = count % len(sequences)
            batch = sequences[first : first + BATCH_TEXTS]
            engine.logits(batch)
            count += len(batch)
        candidate.rates.append(count / (time.perf_counter() - started))
    return candidates


def _paced(
    rounds: list[tuple[Candidate, int]], title: str, console: Console
) -> Iterator[tuple[Candidate, int]]:
    """The rounds, with a bar on a terminal, and in a pipe a line now and then."""
    done = 0
    with Pace(title, console, lambda: done / len(rounds), unit="measurements") as pace:
        for one in rounds:
            yield one
            done += 1
            pace.update(done)


def _best(candidates: list[Candidate]) -> Candidate:
    fit = [c for c in candidates if c.close_enough]
    if not fit:
        tried = "; ".join(f"{_name(c)}: {c.error or _too_far(c)}" for c in candidates)
        raise SettingsError(
            f"nothing can be chosen ({tried or 'no such engine is installed'}); leave "
            "SENTIMENT_MODEL__ENGINE and SENTIMENT_MODEL__PRECISION at auto"
        )
    return max(fit, key=lambda c: c.messages_per_s)


def _name(candidate: Candidate) -> str:
    return f"{candidate.settings.engine} {candidate.settings.precision}"


def _too_far(candidate: Candidate) -> str:
    return f"1 % of texts differ by more than {candidate.difference_p99:.3f} from float32"


def print_candidates(candidates: list[Candidate], tuning: Tuning, console: Console) -> None:
    """Print the measurements, and the choice."""
    table = Table(
        f"{tuning.model} on {this_processor().name}, {cpu_limit()} CPUs",
        "engine", "precision", "runs on", "threads", "tokens a run", ">messages/s",
        ">99 % differ by", "",
    )  # fmt: skip
    best = max(candidates, key=lambda c: c.close_enough * c.messages_per_s)
    for c in candidates:
        remark = Text(c.error, QUIET) if c.error else Text()
        if not c.error and not c.close_enough:
            remark = Text(f"not within {DIFFERENCE_P99_MAX}", WARN)
        table.add_row(
            c.engine or c.settings.engine,
            c.precision if c.engine else c.settings.precision,
            c.kernel or c.device,
            str(c.settings.threads or "all"),
            str(c.settings.run_tokens_max or "usual"),
            f"{c.messages_per_s:.0f}" if c.rates else "",
            f"{c.difference_p99:.4f}" if c.rates else "",
            remark,
            style=STRONG if c is best else "",
        )
    console.print(table)
    size = f"{tuning.run_tokens_max} tokens" if tuning.run_tokens_max else "the usual tokens"
    console.print(
        f"chosen: {tuning.engine}, {tuning.precision} on {tuning.kernel or tuning.device}, "
        f"{tuning.threads} threads, "
        f"{size} a run: {tuning.messages_per_s:.0f} messages/s"
    )
