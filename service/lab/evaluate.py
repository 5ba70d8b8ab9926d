"""Figures of a model on labelled text: `sentiment-stream evaluate`.

Exists so that the published figures of a model can be reproduced with the code that runs in
production. Only measures: nothing is fitted here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import track
from rich.table import Table
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from service.errors import InputError
from service.lab.glue import read_glue
from service.lab.scoring import LoadedModel, load_model, score_texts

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from rich.console import Console

    from service.settings import Settings

AVERAGES = ("macro", "micro", "weighted")


def evaluate(
    data: Path, settings: Settings, console: Console, model: LoadedModel | None = None
) -> dict[str, Any]:
    """Score a TSV with the header `sentence<TAB>label`; `console` shows the progress.

    Figures are fractions, `loss` is the mean of -ln(probability of the true label), a row of
    `confusion_matrix` holds the examples of one true label. `auc` is None where a label has no
    example. `precision`, `recall` and `f1` without an average are those of label 1 of two.
    `model` is one that is loaded already; `seconds` is the time of scoring alone.

    Raises:
        InputError: the file cannot be used, or has a label that the model does not have.
        SettingsError, ModelError: as `load_model`, or the model has stopped working.
    """
    examples = read_glue(data)
    if not examples:
        raise InputError(f"{data}: has no example; give a TSV with rows below its header")
    model = model or load_model(settings.model)
    info = model.engine.info
    beyond = next((e for e in examples if e.label >= len(info.labels)), None)
    if beyond is not None:
        raise InputError(
            f"{data}: has the label {beyond.label}, but {info.name} has {len(info.labels)} labels "
            f"({', '.join(info.labels)}); give data with its labels"
        )
    started = time.monotonic()
    scored = track(
        score_texts((e.text for e in examples), model),
        "evaluate",
        total=len(examples),
        console=console,
    )
    shares = np.array([list(s.scores.values()) for s in scored])
    seconds = time.monotonic() - started
    return {
        **figures_of(np.array([e.label for e in examples]), shares),
        "examples": len(examples),
        "labels": list(info.labels),
        "model": {
            "name": info.name,
            "revision": info.revision,
            "engine": info.engine,
            "precision": info.precision,
        },
        "seconds": round(seconds, 3),
    }


def figures_of(labels: NDArray[np.int64], shares: NDArray[np.float64]) -> dict[str, Any]:
    """The figures of probabilities, shape (examples, labels), against true label indices."""
    indices = range(shares.shape[1])
    predicted = shares.argmax(axis=1)
    figures: dict[str, Any] = {"accuracy": float(accuracy_score(labels, predicted))}
    if shares.shape[1] == 2:
        figures |= _precision_recall_f1(labels, predicted, average="binary", suffix="")
    for average in AVERAGES:
        figures |= _precision_recall_f1(labels, predicted, average=average, suffix=f"_{average}")
    return figures | {
        "auc": _auc(labels, shares),
        # Labels that are not exclusive do not sum to 1; the likelihood of one needs that.
        "loss": float(
            log_loss(labels, shares / shares.sum(axis=1, keepdims=True), labels=list(indices))
        ),
        "confusion_matrix": confusion_matrix(labels, predicted, labels=list(indices)).tolist(),
    }


def _precision_recall_f1(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], *, average: str, suffix: str
) -> dict[str, float]:
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, predicted, average=average, zero_division=0.0
    )
    return {
        f"precision{suffix}": float(precision),
        f"recall{suffix}": float(recall),
        f"f1{suffix}": float(f1),
    }


def _auc(labels: NDArray[np.int64], shares: NDArray[np.float64]) -> float | None:
    """Area under the ROC curve of label 1 of two; of more, the mean of each against the rest."""
    if len(np.unique(labels)) < shares.shape[1]:
        return None
    areas = [
        float(roc_auc_score(labels == index, shares[:, index]))
        for index in (range(1, 2) if shares.shape[1] == 2 else range(shares.shape[1]))
    ]
    return sum(areas) / len(areas)


def print_table(figures: dict[str, Any], console: Console) -> None:
    """Show the figures to a person."""
    model = figures["model"]
    table = Table(
        title=f"{model['name']} ({model['revision'][:14]}, {model['engine']}, "
        f"{model['precision']}) on {figures['examples']} examples",
    )
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        if isinstance(value, float):
            table.add_row(name, f"{value:.5f}" if name != "seconds" else f"{value:.1f}")
    console.print(table)
    counts = Table(title="true label by row, predicted by column")
    counts.add_column("")
    for label in figures["labels"]:
        counts.add_column(label, justify="right")
    for label, row in zip(figures["labels"], figures["confusion_matrix"], strict=True):
        counts.add_row(label, *map(str, row))
    console.print(counts)
