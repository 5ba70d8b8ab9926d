"""The ranges of activations that a checkpoint keeps with its weights, for int8 with fixed scales.

Exists so that what was trained with these ranges runs with them: they are in the metadata of the
safetensors file, which nothing but this reads, and whoever writes other weights leaves them out.
Only numpy is used.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from service.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The name in the metadata. Its value is JSON: a list with an object for each block but the last,
# which has a range for each place.
KEY: Final = "int8_ranges"
# The input of which linear layers: query, key and value; attention_out; feed_in; feed_out.
PLACES: Final = ("query", "attention_out", "feed_in", "feed_out")
# Steps from the lower to the upper end of a range (uint8).
STEPS: Final = 255


class Scale(NamedTuple):
    """A number x is the integer round(x / step) + zero, from 0 to `STEPS`."""

    step: np.float32
    zero: np.uint8


class Place(NamedTuple):
    """The scales of one place: of all tokens, or `edge` of the first and the last of each text.

    In these models the outliers are in those two, [CLS] and [SEP], and are ten times as large as
    other numbers: with one range for all, the others would have few steps.
    """

    inner: Scale
    edge: Scale | None = None


Block = dict[str, Place]


def scale_of(low: float, high: float) -> Scale:
    """The scale of numbers from `low` to `high`; 0 is always among them, and exact."""
    low, high = min(low, 0.0), max(high, 0.0)
    # In a place that is always 0, the step must not be 0, by which numbers are divided.
    step = np.float32(max((high - low) / STEPS, 1e-12))
    return Scale(step, np.uint8(np.clip(np.rint(-low / float(step)), 0, STEPS)))


def read_ranges(file: Path, metadata: Mapping[str, str], blocks: int) -> tuple[Block, ...]:
    """The scales of each block that has 8-bit integers; none if the file has no ranges.

    `blocks` is the number of all blocks of the model.

    Raises:
        ModelError: they cannot be used.
    """
    if KEY not in metadata:
        return ()
    try:
        return _blocks(json.loads(metadata[KEY]), blocks - 1)
    except (ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(
            f"{file}: {KEY} in its metadata cannot be used ({reason}); train again, or save the "
            "weights without it, so that int8 finds ranges at run time"
        ) from None


def _blocks(content: Any, count: int) -> tuple[Block, ...]:
    if not isinstance(content, list) or len(content) != count:
        raise ValueError(f"there must be a list of {count} blocks")
    return tuple(_block(block) for block in content)


def _block(content: Any) -> Block:
    if not isinstance(content, dict) or content.keys() != set(PLACES):
        raise ValueError(f"a block must have {', '.join(PLACES)}")
    return {place: _place(content[place]) for place in PLACES}


def _place(content: Any) -> Place:
    if not isinstance(content, list) or len(content) not in (2, 4):
        raise ValueError("a range must be [low, high], or [low, high, edge low, edge high]")
    if not all(type(number) in (int, float) and math.isfinite(number) for number in content):
        raise ValueError("an end of a range is not a finite number")
    pairs = list(zip(content[::2], content[1::2], strict=True))
    if any(low > high for low, high in pairs):
        raise ValueError("a range ends before it begins")
    return Place(*(scale_of(*pair) for pair in pairs))
