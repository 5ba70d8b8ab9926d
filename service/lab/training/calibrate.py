"""Calibrates a trained model: `sentiment-stream calibrate`.

Exists so that a score is a probability, and that `confident` promises an accuracy. Both are fitted
on text that was held out of the training data, never on a test set. Writes `sentiment.json` into
the model's folder and changes no weight.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from service.checkpoint.calibration import (
    UNCALIBRATED,
    Calibration,
    FittedIn,
    Reference,
    write_calibration,
)
from service.checkpoint.files import located
from service.engines import load_engine
from service.errors import InputError
from service.lab.measuring import thresholds
from service.lab.measuring.reliability import expected_calibration_error
from service.lab.teaching.mixture import read_mixture
from service.lab.teaching.recipe import Recipe
from service.lab.training.batches import encode, load_tokenizer
from service.lab.training.losses import cross_entropy
from service.observe.drift import TOKEN_EDGES, UNDETERMINED
from service.scoring.readings import LogitsReader
from service.settings import ModelSettings
from service.text.language import Languages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from service.lab.data.glue import Example
    from service.lab.teaching.sources import Sources
    from service.ports import Engine

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

# Languages in the reference. The detector takes some short texts for rare languages, so the rest is
# noise.
LANGUAGES_MAX = 10
_ITERATIONS_MAX = 200
# A range that no trained model exceeds, in steps too small to see in a score.
_TEMPERATURES = tuple(round(0.5 + step / 100, 2) for step in range(451))


class _Half(NamedTuple):
    """Half of a domain's rows: logits (rows, labels), labels (rows), and `poles_only` (rows)."""

    logits: Floats
    labels: NDArray[np.int64]
    poles_only: Booleans


def calibrate(
    folder: Path, sources: Sources, window_tokens: int = 0, precision: FittedIn = "float32"
) -> dict[str, Any]:
    """Fit the calibration on the rows that training held out, and return its figures by domain.

    Temperature and bias are fitted on one half of the rows of each domain. The thresholds (see
    `measuring.thresholds`) and the figures come from the other half. Every domain has the same
    weight. The logits are those of the engine in `precision`, which is written into the calibration
    with `window_tokens` (see `Calibration`).

    Raises:
        InputError: the folder has no model that `train` wrote, or a file cannot be used.
    """
    recipe = _recipe_of(folder)
    mixture = read_mixture(sources, recipe)
    mixture.require_examples(sources.data)
    tokenizer = load_tokenizer(folder)
    engine = _engine(folder, precision)

    def logits(texts: Sequence[str]) -> Floats:
        return engine.logits(encode(tokenizer, texts, recipe.length_max)).astype(np.float64)

    domains = {
        name: _halves(logits([e.text for e in rows]), rows)
        for name, rows in _merged(mixture.held_out).items()
    }
    temperature, bias = fit(*zip(*(first for first, _ in domains.values()), strict=True))
    fitted = Calibration(
        normaliser=recipe.normaliser,
        temperature=temperature,
        bias=bias,
        window_tokens=window_tokens,
        precision=precision,
    )
    held = {name: second for name, (_, second) in domains.items()}
    found = thresholds.find(
        {name: thresholds.Domain(_shares(h.logits, fitted), h.labels) for name, h in held.items()},
        mixture.labels,
    )
    detect = Languages((), "score").detect
    messages = mixture.messages or [e.text for e in next(iter(mixture.held_out.values()))]
    calibration = replace(
        fitted,
        thresholds=found.thresholds,
        target_accuracy=thresholds.TARGET_ACCURACY,
        reference=reference(
            _shares(logits(messages), fitted),
            mixture.labels,
            encode(tokenizer, messages, tokenizer.model_max_length),
            tokenizer.unk_token_id,
            [detect(text) for text in messages],
        ),
    )
    write_calibration(folder, calibration)
    return {
        "temperature": temperature,
        "bias": list(bias),
        "thresholds": list(found.thresholds),
        "stopped_by": list(found.stopped_by),
        **{
            name: {**_figures(half, calibration), "confident": found.domains[name]}
            for name, half in held.items()
        },
    }


def _engine(folder: Path, precision: FittedIn) -> Engine:
    settings = ModelSettings(name=str(folder), device="cpu", precision=precision)
    # What is in the place of the calibration now may be of no use: this one will replace it.
    return load_engine(settings, located(settings))


def _merged(held_out: Mapping[str, list[Example]]) -> dict[str, list[Example]]:
    """Merge small domains into larger ones of their kind: alone they are too few for thresholds."""
    found = dict(held_out)
    reviews = next(iter(found))
    kinds = {reviews: ("sst5", "customer_reviews"), "semeval": ("kaggle", "tweets")}
    for whole, parts in kinds.items():
        if whole in found:
            found[whole] = [*found[whole], *(e for name in parts for e in found.pop(name, []))]
    return found


def _halves(logits: Floats, rows: Sequence[Example]) -> tuple[_Half, _Half]:
    """The even and the odd rows; the order of rows is random."""
    labels = np.array([row.label for row in rows])
    # In a domain without a single neutral row, annotators could only choose a pole.
    has_neutral = bool(((labels > 0) & (labels < logits.shape[1] - 1)).any())
    poles_only = np.array([row.poles_only or not has_neutral for row in rows])
    whole = _Half(logits, labels, poles_only)
    first, second = (
        _Half(logits[start::2], labels[start::2], poles_only[start::2]) for start in (0, 1)
    )
    return first, second if len(rows) > 1 else whole


def fit(
    logits: Sequence[Floats],
    labels: Sequence[NDArray[np.int64]],
    poles_only: Sequence[Booleans] | None = None,
) -> tuple[float, tuple[float, ...]]:
    """Fit temperature and bias.

    The bias minimises the mean loss over domains. The temperature then minimises the largest loss
    of a domain: scores that are too high where the model is weak do more harm than scores that are
    too low where it is strong. Within a domain every label has the same weight, because the share
    of neutral texts in a stream is unknown: the probabilities hold for equally frequent labels.

    Args:
        logits: for each domain, shape (examples, labels); the first and last label are the poles.
        labels: for each domain, shape (examples).
        poles_only: for each domain, shape (examples): whether the loss of an example is that of the
            poles alone (see `glue.Example`); by default of none.

    Returns:
        The temperature, and the bias of each label; the biases have the sum 0.
    """
    inputs = [torch.from_numpy(domain) for domain in logits]
    targets = [torch.from_numpy(domain) for domain in labels]
    known = [torch.from_numpy(np.asarray(d)) for d in poles_only or [y < 0 for y in labels]]
    weights = [_weights(domain) for domain in targets]
    scale = torch.zeros((), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(inputs[0].shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [scale, bias], max_iter=_ITERATIONS_MAX, line_search_fn="strong_wolfe"
    )

    def losses(factor: torch.Tensor | float, offset: torch.Tensor) -> torch.Tensor:
        domains = zip(inputs, targets, known, strict=True)
        return torch.stack(
            [
                (cross_entropy(x * factor + offset, y, only) * weight).sum()
                for (x, y, only), weight in zip(domains, weights, strict=True)
            ]
        )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        mean = losses(torch.exp(scale), bias).mean()
        mean.backward()  # type: ignore[no-untyped-call] # has no types
        return mean

    optimizer.step(loss)  # type: ignore[no-untyped-call] # has no types
    centred = (bias - bias.mean()).detach()
    temperature = min(_TEMPERATURES, key=lambda t: float(losses(1 / t, centred).max()))
    return temperature, tuple(round(value, 4) for value in centred.tolist())


def _weights(labels: torch.Tensor) -> torch.Tensor:
    """Weights of examples with the sum 1 that give all labels in the data the same weight."""
    counts = torch.bincount(labels)
    return 1 / (counts[labels] * int((counts > 0).sum())).double()


def reference(
    shares: Floats,
    labels: Sequence[str],
    sequences: Sequence[Sequence[int]],
    unknown_id: int | None,
    languages: Sequence[str | None],
) -> Reference:
    """The distributions of scores, text lengths and languages, for the detection of drift.

    Args:
        shares: probabilities, shape (texts, labels).
        labels: the names of the labels.
        sequences: the token ids of each text, special tokens included.
        unknown_id: the id of the unknown token.
        languages: the language of each text, or None.
    """
    detected = Counter(language or UNDETERMINED for language in languages)
    lengths = np.array([len(ids) for ids in sequences])
    tenths, _ = np.histogram(shares[:, -1], bins=10, range=(0.0, 1.0))
    in_bins = np.bincount(np.searchsorted(TOKEN_EDGES, lengths), minlength=len(TOKEN_EDGES) + 1)
    likeliest = np.bincount(shares.argmax(1), minlength=len(labels))
    # Two tokens of each text are special ones, which are never unknown.
    words = int((lengths - 2).sum())
    unknown = sum(list(ids).count(unknown_id) for ids in sequences) if unknown_id else 0
    return Reference(
        scores=_rounded(tenths),
        tokens=_rounded(in_bins),
        unknown=round(unknown / max(1, words), 6),
        languages={
            name: round(n / len(languages), 6) for name, n in detected.most_common(LANGUAGES_MAX)
        },
        labels=dict(zip(labels, _rounded(likeliest), strict=True)),
    )


def _rounded(counts: NDArray[np.int64]) -> tuple[float, ...]:
    return tuple(round(float(share), 4) for share in counts / counts.sum())


def _shares(logits: Floats, calibration: Calibration) -> Floats:
    # Through float32, as in the service.
    return LogitsReader(calibration).probabilities(logits.astype(np.float32)).astype(np.float64)


def _figures(half: _Half, calibration: Calibration) -> dict[str, float]:
    figures = {"accuracy": 0.0}
    for name, read in {"before": UNCALIBRATED, "after": calibration}.items():
        shares = _shares(half.logits, read)
        shares[:, 1:-1][half.poles_only] = 0
        shares /= shares.sum(axis=1, keepdims=True)
        correct = shares.argmax(1) == half.labels
        figures["accuracy"] = float(correct.mean())
        error = expected_calibration_error(shares.max(1), correct)
        figures[f"expected_calibration_error_{name}"] = round(error, 4)
    return figures


def _recipe_of(folder: Path) -> Recipe:
    file = folder / "training.json"
    try:
        return Recipe(**json.loads(file.read_text())["recipe"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{file}: is not a file that `train` wrote, which names what was held out; train again"
        ) from None
