"""Rounds trained weights to what they are in int8: `train --int8`.

Exists so that float32 and int8 run the same weights, and differ by their activations alone. The
engine finds the same integers again when it loads the file. No training here: rounding in every
step of a last training (fake quantization) did no better, as the card of the bundled model tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from service.engines.graph.quantized import quantized

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def round_weights(model: PreTrainedModel) -> None:
    """Round the weights that the engine has in int8: of all blocks of a DistilBERT but the last."""
    *blocks, _ = cast("torch.nn.ModuleList", model.get_submodule("distilbert.transformer.layer"))
    for block in blocks:
        for layer in block.modules():
            if isinstance(layer, torch.nn.Linear):
                integers, scales = quantized(layer.weight.detach().numpy())
                rounded = integers * scales[:, np.newaxis]
                with torch.no_grad():
                    layer.weight.copy_(torch.from_numpy(rounded))
