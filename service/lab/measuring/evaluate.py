"""Evaluates a model on labelled text: `sentiment-stream evaluate`.

Exists so that the published figures of a model can be reproduced with the code that runs in
production. Changes no model: thresholds for a target accuracy are written only to a file that the
user names.
"""

from __future__ import annotations

import time
from dataclasses import replace
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

from service.checkpoint.calibration import write_calibration
from service.checkpoint.files import load_calibration, resolve
from service.errors import InputError
from service.lab.data.tabled import read_any
from service.lab.data.truth import of_poles, truth_of
from service.lab.measuring import reliability, thresholds
from service.scoring.texts import LoadedModel, load_model, score_texts
from service.terminal import GOOD, WARN, Table, percent, track

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from rich.console import Console

    from service.lab.data.labelled import Form
    from service.lab.data.tabled import Columns
    from service.settings import ModelSettings, Settings

AVERAGES = ("macro", "micro", "weighted")
# Of fewer examples the accuracy may well be ten points above or below what is measured.
EXAMPLES_MIN = 100


def evaluate(
    data: Path,
    settings: Settings,
    console: Console,
    model: LoadedModel | None = None,
    *,
    form: Form | Columns = "glue",
    target_accuracy: float | None = None,
) -> dict[str, Any]:
    """Score a file of labelled text of this form, or a table; `console` shows the progress.

    Figures are fractions, `loss` is the mean of -ln(probability of the true label), a row of
    `confusion_matrix` holds the examples of one true label. `auc` is None if a label has no
    example. `precision`, `recall` and `f1` without an average are those of label 1 of two.
    `confident_share` and `confident_accuracy` are those of the model as it runs; `target` has the
    thresholds that the data supports for `target_accuracy`, if that is given (see `thresholds`).
    `model` is one that is loaded already; `seconds` is the time of scoring alone.
    A model with more labels is measured on examples of two poles by its two-way probabilities;
    `labels` are then the poles, and `read_as_poles` is true. Neutral examples are left out if the
    model has no neutral label; `left_out` is their number. `skipped` rows are left out by the
    mapping of a table's labels, and `failed` counts those that cannot be used, by reason.

    Raises:
        InputError: the file cannot be used, or has a label that the model does not have.
        SettingsError, ModelError: as `load_model`, or the model has stopped working.
    """
    labelled = read_any(data, form)
    if not labelled.examples:
        raise InputError(f"{data}: has no example; give a table with rows below its header")
    model = model or load_model(settings.model)
    info = model.engine.info
    truth = truth_of(data, labelled.examples, labelled.form, info.labels, info.name)
    if not truth.examples:
        raise InputError(f"{data}: has neutral examples alone; give a model with such a label")
    started = time.monotonic()
    scoring = score_texts((e.text for e in truth.examples), model)
    scored = list(track(scoring, "evaluate", len(truth.examples), console))
    whole = np.array([list(s.scores.values()) for s in scored])
    seconds = time.monotonic() - started
    labels, probabilities, names = truth.labels, whole, info.labels
    if truth.poles is not None:
        labels = (labels == truth.poles[1]).astype(np.int64)
        probabilities = of_poles(whole, truth.poles)
        names = tuple(info.labels[index] for index in truth.poles)
    figures = {
        **figures_of(labels, probabilities),
        **_calibration_figures(
            probabilities.max(axis=1),
            probabilities.argmax(axis=1) == labels,
            np.array([s.confident for s in scored]),
        ),
        "examples": len(truth.examples),
        "left_out": truth.left_out,
        "skipped": labelled.skipped,
        "failed": dict(labelled.failed),
        "labels": list(names),
        "read_as_poles": truth.poles is not None,
        "model": model.described(),
        "seconds": round(seconds, 3),
    }
    if target_accuracy is not None:
        figures["target"] = _target(data, truth.labels, whole, info.labels, target_accuracy)
    return figures


def write_target(file: Path, settings: ModelSettings, figures: dict[str, Any]) -> None:
    """Write the model's calibration with the thresholds found for a target to a file.

    Raises:
        InputError: no threshold was found.
        SettingsError, ModelError: the model cannot be found, or its calibration cannot be used.
    """
    target = figures["target"]
    by_label = tuple(target["thresholds"].values())
    if not any(threshold is not None for threshold in by_label):
        raise InputError(
            f"nothing to write: no threshold is proven for the target {target['target_accuracy']} "
            f"({next(iter(target['stopped_by'].values()))}); give more data, or a lower "
            "--target-accuracy"
        )
    checkpoint = resolve(settings)
    found = replace(
        load_calibration(settings, checkpoint),
        thresholds=by_label,
        target_accuracy=target["target_accuracy"],
        precision="int8" if figures["model"]["precision"] == "int8" else "float32",
        revision=checkpoint.revision,
    )
    write_calibration(file, found)


def _calibration_figures(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], confident: NDArray[np.bool_]
) -> dict[str, Any]:
    error = reliability.expected_calibration_error
    figures: dict[str, Any] = {
        "expected_calibration_error": error(confidence, correct),
        "accuracy_interval": reliability.accuracy_interval(confidence, correct),
        "expected_calibration_error_interval": reliability.interval(error, confidence, correct),
        "reliability": reliability.reliability(confidence, correct),
        "risk_coverage": reliability.risk_coverage(confidence, correct),
        "confident_share": float(confident.mean()),
        "confident_accuracy": float(correct[confident].mean()) if confident.any() else None,
    }
    return figures


def _target(
    data: Path,
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    names: tuple[str, ...],
    target_accuracy: float,
) -> dict[str, Any]:
    """The thresholds that the data supports, as one domain."""
    domains = {data.name: thresholds.Domain(probabilities, labels)}
    found = thresholds.find(domains, names, target_accuracy)
    return {
        "target_accuracy": target_accuracy,
        "thresholds": dict(zip(names, found.thresholds, strict=True)),
        "stopped_by": dict(zip(names, found.stopped_by, strict=True)),
        **found.domains[data.name],
    }


def figures_of(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """Figures from probabilities, shape (examples, labels), and the indices of the true labels."""
    indices = range(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    figures: dict[str, Any] = {"accuracy": float(accuracy_score(labels, predicted))}
    if probabilities.shape[1] == 2:
        figures |= _precision_recall_f1(labels, predicted, average="binary", suffix="")
    for average in AVERAGES:
        figures |= _precision_recall_f1(labels, predicted, average=average, suffix=f"_{average}")
    return figures | {
        "auc": _auc(labels, probabilities),
        # Probabilities of a multi-label model do not sum to 1, as the log loss requires.
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
    """Area under the ROC curve of label 1 of two, or the mean of each label against the rest."""
    if len(np.unique(labels)) < probabilities.shape[1]:
        return None
    areas = [
        float(roc_auc_score(labels == index, probabilities[:, index]))
        for index in (range(1, 2) if probabilities.shape[1] == 2 else range(probabilities.shape[1]))
    ]
    return sum(areas) / len(areas)


def print_table(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as tables."""
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
    for remark in _remarks(figures):
        console.print(remark)
    if "target" in figures:
        for line in _target_lines(figures["target"]):
            console.print(line)
    labels = figures["labels"]
    counts = Table("true label by row, predicted by column", "", *(f">{name}" for name in labels))
    for label, row in zip(labels, figures["confusion_matrix"], strict=True):
        right = labels.index(label)
        counts.add_row(
            label, *(Text(str(n), GOOD if at == right else "") for at, n in enumerate(row))
        )
    console.print(counts)


def _remarks(figures: dict[str, Any]) -> Iterator[str]:
    """What to know of the examples."""
    count = figures["examples"]
    if count < EXAMPLES_MIN:
        yield f"measured on {count} examples, so this is a guess; give {EXAMPLES_MIN} or more"
    if figures["read_as_poles"]:
        yield "The data has two poles, so the likelier pole of each text counts."
    if figures["left_out"]:
        yield f"{figures['left_out']} neutral examples are left out: the model has no such label"
    if figures["skipped"]:
        yield f"{figures['skipped']} rows are left out by --labels"
    if figures["failed"]:
        reasons = ", ".join(f"{reason} {count}" for reason, count in figures["failed"].items())
        yield f"{sum(figures['failed'].values())} rows cannot be used: {reasons}"


def _target_lines(target: dict[str, Any]) -> Iterator[Text]:
    accuracy = target["target_accuracy"]
    for label, threshold in target["thresholds"].items():
        why = target["stopped_by"][label]
        if threshold is None:
            yield Text(
                f"{label}: never confident, no threshold is proven for {accuracy} ({why})", WARN
            )
        else:
            yield Text(
                f"{label}: confident from {threshold:.4f} on"
                + (f", limited by {why}" if why else "")
            )
    if target["accuracy"] is not None:
        yield Text(f"confident: {percent(target['coverage'])}, accuracy {target['accuracy']:.4f}")
