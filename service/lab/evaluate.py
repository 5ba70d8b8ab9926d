"""Figures of a model on labelled text: `sentiment-stream evaluate`.

Exists so that the published figures of a model can be reproduced with the code that runs in
production. Only measures; the one thing that can be found here is the probability from which on a
label is right often enough.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from service.engines.checkpoint import resolve
from service.errors import InputError
from service.lab import reliability
from service.lab.labelled import read_labelled
from service.lab.scoring import LoadedModel, load_model, score_texts
from service.poles import negative, positive
from service.terminal import GOOD, WARN, Table, percent, track
from service.trust import FILE, read_trust, write_trust

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from rich.console import Console

    from service.lab.glue import Example
    from service.lab.labelled import Form
    from service.settings import ModelSettings, Settings

AVERAGES = ("macro", "micro", "weighted")


def evaluate(
    data: Path,
    settings: Settings,
    console: Console,
    model: LoadedModel | None = None,
    *,
    form: Form = "glue",
    target_accuracy: float | None = None,
) -> dict[str, Any]:
    """Score a file of labelled text of this form; `console` shows the progress.

    Figures are fractions, `loss` is the mean of -ln(probability of the true label), a row of
    `confusion_matrix` holds the examples of one true label. `auc` is None where a label has no
    example. `precision`, `recall` and `f1` without an average are those of label 1 of two.
    `target` is there where one was asked for. `model` is one that is loaded already; `seconds` is
    the time of scoring alone.

    Raises:
        InputError: the file cannot be used, or has a label that the model does not have.
        SettingsError, ModelError: as `load_model`, or the model has stopped working.
    """
    examples = read_labelled(data, form)
    if not examples:
        raise InputError(f"{data}: has no example; give a TSV with rows below its header")
    model = model or load_model(settings.model)
    info = model.engine.info
    labels = _label_indices(data, examples, form, info.name, info.labels)
    started = time.monotonic()
    scored = track(
        score_texts((e.text for e in examples), model), "evaluate", len(examples), console
    )
    probabilities = np.array([list(s.scores.values()) for s in scored])
    seconds = time.monotonic() - started
    return {
        **figures_of(labels, probabilities),
        **_trustworthiness(
            probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, target_accuracy
        ),
        "examples": len(examples),
        "labels": list(info.labels),
        "model": model.described(),
        "seconds": round(seconds, 3),
    }


def store_target(settings: ModelSettings, figures: dict[str, Any]) -> Path:
    """Keep the threshold found for a target beside the model's weights; gives the file.

    Raises:
        InputError: there is no such threshold, or the folder cannot be written to.
        SettingsError, ModelError: the model cannot be found, or its file cannot be used.
    """
    target = figures["target"]
    if target["threshold"] is None:
        raise InputError(
            f"on no part of this data is the model right for {target['target_accuracy']}; "
            "give a lower --target-accuracy"
        )
    checkpoint = resolve(settings)
    kept = read_trust(checkpoint.folder, len(checkpoint.labels))
    try:
        write_trust(
            checkpoint.folder,
            replace(
                kept,
                thresholds=(target["threshold"],) * len(checkpoint.labels),
                target_accuracy=target["target_accuracy"],
            ),
        )
    except OSError as error:
        raise InputError(
            f"{checkpoint.folder}: cannot be written to ({error.strerror}); name a folder of "
            "your own as the model"
        ) from None
    return checkpoint.folder / FILE


def _label_indices(
    data: Path, examples: list[Example], form: Form, name: str, labels: tuple[str, ...]
) -> NDArray[np.int64]:
    if form != "glue":
        poles = (negative(labels), positive(labels))
        return np.array([poles[e.label] for e in examples])
    beyond = next((e for e in examples if e.label >= len(labels)), None)
    if beyond is not None:
        raise InputError(
            f"{data}: has the label {beyond.label}, but {name} has {len(labels)} labels "
            f"({', '.join(labels)}); give data with its labels"
        )
    return np.array([e.label for e in examples])


def _trustworthiness(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], target_accuracy: float | None
) -> dict[str, Any]:
    error = reliability.expected_calibration_error
    figures: dict[str, Any] = {
        "expected_calibration_error": error(confidence, correct),
        "accuracy_interval": reliability.interval(
            lambda _, right: float(right.mean()), confidence, correct
        ),
        "expected_calibration_error_interval": reliability.interval(error, confidence, correct),
        "reliability": reliability.reliability(confidence, correct),
        "risk_coverage": reliability.risk_coverage(confidence, correct),
    }
    if target_accuracy is not None:
        found = reliability.find_threshold(confidence, correct, target_accuracy)
        figures["target"] = asdict(found)
    return figures


def figures_of(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """The figures of probabilities, shape (examples, labels), against true label indices."""
    indices = range(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    figures: dict[str, Any] = {"accuracy": float(accuracy_score(labels, predicted))}
    if probabilities.shape[1] == 2:
        figures |= _precision_recall_f1(labels, predicted, average="binary", suffix="")
    for average in AVERAGES:
        figures |= _precision_recall_f1(labels, predicted, average=average, suffix=f"_{average}")
    return figures | {
        "auc": _auc(labels, probabilities),
        # Labels that are not exclusive do not sum to 1; the likelihood of one needs that.
        "loss": float(
            log_loss(
                labels,
                probabilities / probabilities.sum(axis=1, keepdims=True),
                labels=list(indices),
            )
        ),
        "brier_score": reliability.brier_score(labels, probabilities),
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


def _auc(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float | None:
    """Area under the ROC curve of label 1 of two; of more, the mean of each against the rest."""
    if len(np.unique(labels)) < probabilities.shape[1]:
        return None
    areas = [
        float(roc_auc_score(labels == index, probabilities[:, index]))
        for index in (range(1, 2) if probabilities.shape[1] == 2 else range(probabilities.shape[1]))
    ]
    return sum(areas) / len(areas)


def print_table(figures: dict[str, Any], console: Console) -> None:
    """Show the figures to a person."""
    model = figures["model"]
    table = Table(
        f"{model['name']} ({model['revision'][:14]}, {model['engine']}, {model['precision']}) "
        f"on {figures['examples']} examples",
        "figure", ">value", "95 % interval",
    )  # fmt: skip
    for name, value in figures.items():
        if isinstance(value, float):
            between = figures.get(f"{name}_interval")
            table.add_row(
                name,
                f"{value:.5f}" if name != "seconds" else f"{value:.1f}",
                f"{between[0]:.5f} to {between[1]:.5f}" if between else "",
            )
    console.print(table)
    if "target" in figures:
        console.print(_target_line(figures["target"]))
    labels = figures["labels"]
    counts = Table("true label by row, predicted by column", "", *(f">{name}" for name in labels))
    for label, row in zip(labels, figures["confusion_matrix"], strict=True):
        right = labels.index(label)
        counts.add_row(
            label, *(Text(str(n), GOOD if at == right else "") for at, n in enumerate(row))
        )
    console.print(counts)


def _target_line(target: dict[str, Any]) -> Text:
    if target["threshold"] is None:
        line = f"the model is on no part of this data right for {target['target_accuracy']}"
        return Text(line, WARN)
    return Text(
        f"right for {target['accuracy']:.4f} (asked: {target['target_accuracy']}) of the "
        f"{percent(target['coverage'])} whose label has a probability of at least "
        f"{target['threshold']:.4f}"
    )
