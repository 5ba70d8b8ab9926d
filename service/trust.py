"""What makes a model's scores mean something, kept beside its weights in `sentiment.json`.

Exists so that measuring (`lab`) and running share one file: the normaliser that the model was
trained with, the temperature and bias that make its scores probabilities, from where on it may be
believed, and what its input and scores looked like when it was made. A model without the file is
scored raw, so that a published one gives its published figures. Values and their file; no model.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from service.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "sentiment.json"
# No file of ours comes near; a larger one is none of ours.
FILE_BYTES_MAX = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Reference:
    """What a model saw and said when it was made; each value is a share from 0 to 1.

    `scores` are the shares of texts whose probability of the last label lies in each tenth of 0 to
    1, `tokens` of texts with up to 8, 16, 32, 64, 128 tokens and more; `unknown` is the share of
    unknown tokens, `languages` of texts in each language.
    """

    scores: tuple[float, ...]
    tokens: tuple[float, ...]
    unknown: float
    languages: dict[str, float]


@dataclass(frozen=True, slots=True)
class Trust:
    """How a model's logits become a score that can be believed.

    Texts pass through version `normaliser` of the normaliser, 0 being none. Probabilities are the
    softmax of (logits / temperature + bias), `bias` having one value for each label, or none. A
    label is called with confidence where its probability is at least `threshold`, which was found
    to be right for a share of `target_accuracy`; 0 where none was sought.
    """

    normaliser: int = 0
    temperature: float = 1.0
    bias: tuple[float, ...] = ()
    threshold: float = 0.0
    target_accuracy: float = 0.0
    reference: Reference | None = None


RAW = Trust()


def read_trust(folder: Path, labels: int) -> Trust:
    """What the folder of a model with so many labels says; `RAW` where it says nothing.

    Raises:
        ModelError: the file is there and cannot be used.
    """
    file = folder / FILE
    if not file.is_file():
        return RAW
    try:
        return _checked(json.loads(_bounded(file)), labels)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelError(
            f"{file}: cannot be used ({type(error).__name__}: {str(error)[:200]}); make it anew "
            "with `sentiment-stream calibrate`, or remove it to have raw scores"
        ) from None


def write_trust(folder: Path, trust: Trust) -> None:
    """Write it beside the weights."""
    (folder / FILE).write_text(json.dumps(asdict(trust), indent=2) + "\n")


def _bounded(file: Path) -> bytes:
    if file.stat().st_size > FILE_BYTES_MAX:
        raise ValueError(f"it is larger than {FILE_BYTES_MAX} bytes")
    return file.read_bytes()


def _checked(content: Any, labels: int) -> Trust:
    if not isinstance(content, dict):
        raise TypeError("it is no JSON object")
    known = dict(content)
    reference = known.pop("reference", None)
    trust = Trust(**known | {"bias": tuple(known.get("bias", ()))})
    numbers = (trust.temperature, trust.threshold, trust.target_accuracy, *trust.bias)
    if not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
        raise ValueError("a value is no finite number")
    if type(trust.normaliser) is not int or trust.normaliser < 0:
        raise ValueError("normaliser must be a version, 0 for none")
    if not trust.temperature > 0:
        raise ValueError("temperature must be above 0")
    if not (0 <= trust.threshold <= 1 and 0 <= trust.target_accuracy <= 1):
        raise ValueError("threshold and target_accuracy must be from 0 to 1")
    if len(trust.bias) not in (0, labels):
        raise ValueError(f"bias must have {labels} values, one for each label")
    if reference is None:
        return trust
    shares = {name: tuple(reference[name]) for name in ("scores", "tokens")}
    return replace(
        trust,
        reference=Reference(
            **shares,
            unknown=float(reference["unknown"]),
            languages={str(k): float(v) for k, v in reference["languages"].items()},
        ),
    )
