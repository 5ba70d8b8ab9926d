"""What makes a model's scores mean something, kept beside its weights in `sentiment.json`.

Exists so that measuring (`lab`) and running share one file: the normaliser that the model was
trained with, the temperature and bias that make its scores probabilities, from where on it may be
believed, and what its input and scores looked like when it was made. A model without the file is
scored raw, so that a published one gives its published figures. Values and their file; no model.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from service.errors import ModelError, first_line

if TYPE_CHECKING:
    from pathlib import Path

FILE = "sentiment.json"
# No file of ours comes near; a larger one is none of ours.
FILE_BYTES_MAX = 64 * 2**10
# A sentence fits; shorter windows would tear most of them.
WINDOW_TOKENS_MIN = 32


@dataclass(frozen=True, slots=True)
class Reference:
    """What a model saw and said when it was made; each value is a share from 0 to 1.

    `scores` are the shares of texts whose probability of the last label lies in each tenth of 0 to
    1, `tokens` of texts with up to 8, 16, 32, 64, 128 tokens and more; `unknown` is the share of
    unknown tokens, `languages` of texts in each language, `labels` of texts of which each label is
    the likeliest: a label between the poles does not show in `scores`. Empty in older files.
    """

    scores: tuple[float, ...]
    tokens: tuple[float, ...]
    unknown: float
    languages: dict[str, float]
    labels: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a model's logits become a score that can be believed.

    Texts pass through version `normaliser` of the normaliser, 0 being none, and are cut into
    windows of at most `window_tokens`, 0 being what the model takes. Probabilities are the softmax
    of (logits / temperature + bias), `bias` having one value for each label, or none. A label is
    called with confidence where its probability is at least its own of `thresholds`, never where
    that is None; they were found for a share of `target_accuracy` to be right. Without thresholds
    none were sought, and every label is called with confidence. `revision` is that of the model
    that it was found on, where it is kept apart from the model.
    """

    normaliser: int = 0
    temperature: float = 1.0
    bias: tuple[float, ...] = ()
    thresholds: tuple[float | None, ...] = ()
    target_accuracy: float = 0.0
    window_tokens: int = 0
    revision: str = ""
    reference: Reference | None = None


UNCALIBRATED = Calibration()


def read_calibration(folder: Path, labels: int) -> Calibration:
    """What the folder of a model with so many labels says; `UNCALIBRATED` where it says nothing.

    Raises:
        ModelError: the file is there and cannot be used.
    """
    file = folder / FILE
    if not file.is_file():
        return UNCALIBRATED
    try:
        return read_file(file, labels)
    except ValueError as error:
        raise ModelError(
            f"{file}: cannot be used ({error}); make it anew with `sentiment-stream calibrate`, or "
            "remove it to have raw scores"
        ) from None


def read_file(file: Path, labels: int) -> Calibration:
    """What one file says of a model with so many labels.

    Raises:
        ValueError: it cannot be used; says why, in one line.
    """
    try:
        return _checked(json.loads(_bounded(file)), labels)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {first_line(error)}") from None


def write_calibration(place: Path, calibration: Calibration) -> None:
    """Write it to a file, or into a model's folder beside the weights."""
    file = place / FILE if place.is_dir() else place
    file.write_text(json.dumps(asdict(calibration), indent=2) + "\n")


def _bounded(file: Path) -> bytes:
    if file.stat().st_size > FILE_BYTES_MAX:
        raise ValueError(f"it is larger than {FILE_BYTES_MAX} bytes")
    return file.read_bytes()


def _checked(content: Any, labels: int) -> Calibration:
    if not isinstance(content, dict):
        raise TypeError("it is no JSON object")
    known = dict(content)
    reference = known.pop("reference", None)
    # Files from before each label had its own: one for all, 0 for none.
    of_all = known.pop("threshold", 0)
    if of_all and known.get("thresholds"):
        raise ValueError("it has both threshold and thresholds")
    known["thresholds"] = tuple(known.get("thresholds", ())) or (
        (of_all,) * labels if of_all else ()
    )
    calibration = Calibration(**known | {"bias": tuple(known.get("bias", ()))})
    _check_values(calibration, labels)
    return (
        calibration if reference is None else replace(calibration, reference=_reference(reference))
    )


def _check_values(calibration: Calibration, labels: int) -> None:
    found = [threshold for threshold in calibration.thresholds if threshold is not None]
    numbers = (calibration.temperature, calibration.target_accuracy, *calibration.bias, *found)
    if not all(_is_number(number) for number in numbers):
        raise ValueError("a value is no finite number")
    if type(calibration.normaliser) is not int or calibration.normaliser < 0:
        raise ValueError("normaliser must be a version, 0 for none")
    if not calibration.temperature > 0:
        raise ValueError("temperature must be above 0")
    if not all(0 <= share <= 1 for share in (calibration.target_accuracy, *found)):
        raise ValueError("thresholds and target_accuracy must be from 0 to 1; null calls none")
    for name, values in (("bias", calibration.bias), ("thresholds", calibration.thresholds)):
        if len(values) not in (0, labels):
            raise ValueError(f"{name} must have {labels} values, one for each label")
    if not isinstance(calibration.revision, str):
        raise TypeError("revision must be a text")
    window = calibration.window_tokens
    if type(window) is not int or 0 != window < WINDOW_TOKENS_MIN:
        raise ValueError(f"window_tokens must be 0, or {WINDOW_TOKENS_MIN} or more")


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type] # is one


def _reference(content: Any) -> Reference:
    shares = {name: tuple(content[name]) for name in ("scores", "tokens")}
    return Reference(
        **shares,
        unknown=float(content["unknown"]),
        languages=_shares(content["languages"]),
        labels=_shares(content.get("labels", {})),
    )


def _shares(content: Any) -> dict[str, float]:
    if not isinstance(content, dict):
        raise TypeError("shares by name must be a JSON object")
    shares = {name: float(share) for name, share in content.items()}
    if not all(0 <= share <= 1 for share in shares.values()):
        raise ValueError("a share must be from 0 to 1")
    return shares
