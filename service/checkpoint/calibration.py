"""The calibration of a model, in the file `sentiment.json` beside its weights.

Exists so that `lab` and the service share one file. It has the normaliser that the model was
trained with, the temperature and bias that make its scores probabilities, the thresholds of
confidence, and the distributions of its input and scores at that time. A model without the file is
not calibrated, so that a published model gives its published figures. No model code here.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from service.errors import ModelError, first_line

if TYPE_CHECKING:
    from pathlib import Path

FILE = "sentiment.json"
# Far more than any file that `calibrate` or `evaluate` writes.
FILE_BYTES_MAX = 64 * 2**10
# Enough for most sentences; shorter windows would cut them.
WINDOW_TOKENS_MIN = 32
# What a file must have one of; the other fields only describe these.
_HOLDS = ("normaliser", "temperature", "bias", "thresholds", "threshold", "window_tokens",
          "reference")  # fmt: skip
_DESCRIBES = ("target_accuracy", "revision", "precision")
# Precisions in which weights can be served on every processor.
FittedIn = Literal["float32", "int8"]
# What only files of `tune` have (see `tuning`); both kinds end in .json.
_OF_TUNING = {"engine", "messages_per_s", "difference_p99"}


@dataclass(frozen=True, slots=True)
class Reference:
    """Distributions of input and scores when the model was calibrated, to detect drift.

    All values are shares from 0 to 1.

    Attributes:
        scores: the shares of texts by their probability of the last label, in ten bins.
        tokens: the shares of texts with up to 8, 16, 32, 64 and 128 tokens, and with more.
        unknown: the share of unknown tokens.
        languages: the share of texts in each language.
        labels: the share of texts with each likeliest label, because `scores` do not show a label
            between the poles; empty in older files.
    """

    scores: tuple[float, ...]
    tokens: tuple[float, ...]
    unknown: float
    languages: dict[str, float]
    labels: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a text becomes input of the model, and its logits become probabilities.

    The probabilities are the softmax of (logits / temperature + bias).

    Attributes:
        normaliser: the version of the normaliser; 0 for none.
        temperature: see above.
        bias: a value for each label, or empty for none.
        thresholds: for each label, the least probability at which it is confident; None if it never
            is. If empty, every label is confident.
        target_accuracy: the accuracy of confident labels for which the thresholds were found.
        window_tokens: the most tokens in a window; 0 for what the model takes.
        precision: the precision in which it was fitted, and in which `onnx_packed` runs the model
            unless the settings or a tuning file name another.
        revision: the revision of the model that was calibrated, in a file that is not in the
            model's folder.
        reference: the distributions of input and scores, or None.
    """

    normaliser: int = 0
    temperature: float = 1.0
    bias: tuple[float, ...] = ()
    thresholds: tuple[float | None, ...] = ()
    target_accuracy: float = 0.0
    window_tokens: int = 0
    precision: FittedIn = "float32"
    revision: str = ""
    reference: Reference | None = None


UNCALIBRATED = Calibration()


def read_calibration(folder: Path, labels: int) -> Calibration:
    """The calibration in the folder of a model with `labels` labels; `UNCALIBRATED` without a file.

    Raises:
        ModelError: there is a file, and it cannot be used.
    """
    file = folder / FILE
    if not file.is_file():
        return UNCALIBRATED
    try:
        return read_file(file, labels)
    except ValueError as error:
        raise ModelError(
            f"{file}: cannot be used ({error}); write a new one with `sentiment-stream calibrate`, "
            "or remove it for raw scores"
        ) from None


def read_file(file: Path, labels: int) -> Calibration:
    """The calibration in a file, for a model with `labels` labels.

    Raises:
        ValueError: the file cannot be used; the message is one line.
    """
    try:
        return _checked(json.loads(_bounded(file)), labels)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(_why(error)) from None


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    if isinstance(error, KeyError):
        return f"its reference has no {error.args[0]}"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return f"it is no JSON: {first_line(error)}"
    return first_line(error)


def write_calibration(place: Path, calibration: Calibration) -> None:
    """Write a calibration to a file, or to `FILE` in a folder."""
    file = place / FILE if place.is_dir() else place
    content = asdict(calibration)
    if calibration.precision == "float32":
        # Releases that know no other can read the file.
        del content["precision"]
    file.write_text(json.dumps(content, indent=2) + "\n")


def _bounded(file: Path) -> bytes:
    if file.stat().st_size > FILE_BYTES_MAX:
        raise ValueError(f"it is larger than {FILE_BYTES_MAX} bytes")
    return file.read_bytes()


def _checked(content: Any, labels: int) -> Calibration:
    if not isinstance(content, dict):
        raise TypeError("it is no JSON object")
    _check_names(set(content))
    known = dict(content)
    reference = known.pop("reference", None)
    # Older files have one threshold for all labels, or 0 for none.
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


def _check_names(names: set[str]) -> None:
    others = sorted(names - {*_HOLDS, *_DESCRIBES})
    if names >= _OF_TUNING:
        raise ValueError(
            "it is no calibration file but one of `tune`, for SENTIMENT_MODEL__TUNING_FILE"
        )
    if others:
        raise ValueError(f"it is no calibration file: none has {others[0][:50]!r}")
    if not names & {*_HOLDS}:
        raise ValueError("there is no calibration in it")


def _check_values(calibration: Calibration, labels: int) -> None:
    found = [threshold for threshold in calibration.thresholds if threshold is not None]
    numbers = (calibration.temperature, calibration.target_accuracy, *calibration.bias, *found)
    if not all(_is_number(number) for number in numbers):
        raise ValueError("a value is not a finite number")
    if type(calibration.normaliser) is not int or calibration.normaliser < 0:
        raise ValueError("normaliser must be a version, 0 for none")
    if not calibration.temperature > 0:
        raise ValueError("temperature must be above 0")
    if not all(0 <= share <= 1 for share in (calibration.target_accuracy, *found)):
        raise ValueError("thresholds and target_accuracy must be from 0 to 1; null: not confident")
    for name, values in (("bias", calibration.bias), ("thresholds", calibration.thresholds)):
        if len(values) not in (0, labels):
            raise ValueError(f"{name} must have {labels} values, one for each label")
    if not isinstance(calibration.revision, str):
        raise TypeError("revision must be a text")
    if calibration.precision not in get_args(FittedIn):
        raise ValueError(f"precision must be one of {', '.join(get_args(FittedIn))}")
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
