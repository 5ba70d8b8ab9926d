"""Writes the packed graph as an ONNX file: `sentiment-stream export`.

Exists so that the graph that runs in the service can be used and inspected elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnxruntime

from service.checkpoint.files import resolve
from service.engines import load_engine
from service.engines.layout import load_layout, supported
from service.engines.onnx_graph import build_graph
from service.engines.packing import pack
from service.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from service.settings import ModelSettings

# Two lengths, so that the padding inside attention is tested too.
SAMPLE = [[5, 6, 7, 8, 9], [7, 8]]
DIFFERENCE_MAX = 1e-4


def export(settings: ModelSettings, output: Path) -> dict[str, Any]:
    """Write the graph with its weights; returns a description with its inputs and outputs.

    An int8 graph needs ONNX Runtime, a float32 graph runs wherever ONNX does.

    Raises:
        InputError: no packed engine supports the model, or the file cannot be written.
        SettingsError, ModelError: as `resolve` and `load_engine`.
    """
    checkpoint = resolve(settings)
    if not supported(checkpoint.folder):
        raise InputError(
            f"SENTIMENT_MODEL__NAME={settings.name}: is not a DistilBERT, BERT or RoBERTa "
            "classifier; name one"
        )
    precision: Literal["float32", "int8"] = "int8" if settings.precision == "int8" else "float32"
    metadata = {
        "model": checkpoint.name,
        "revision": checkpoint.revision,
        "precision": precision,
        "labels": ",".join(checkpoint.labels),
    }
    model = build_graph(load_layout(checkpoint), precision, whole=True, metadata=metadata)
    try:
        output.write_bytes(model)
    except OSError as error:
        raise InputError(
            f"{output}: cannot be written ({error.strerror}); give another path"
        ) from None
    session = onnxruntime.InferenceSession(output, providers=["CPUExecutionProvider"])
    found = session.run(["logits"], pack(SAMPLE))[0]
    chosen = settings.model_copy(update={"precision": precision, "engine": "onnx_packed"})
    expected = load_engine(chosen, checkpoint).logits(SAMPLE)
    assert np.abs(found - expected).max() < DIFFERENCE_MAX  # noqa: S101 - a bug, not a wrong input
    return {
        "file": str(output),
        "bytes": output.stat().st_size,
        "precision": precision,
        "labels": list(checkpoint.labels),
        "inputs": {i.name: f"{i.type} {i.shape}" for i in session.get_inputs()},
        "outputs": {o.name: f"{o.type} {o.shape}" for o in session.get_outputs()},
    }
