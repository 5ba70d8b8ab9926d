"""One file for each way to run a model, and where its files come from.

With `lab` and `bench` the only importers of torch, transformers and onnxruntime. Importing this
room costs nothing: heavy packages are imported when an engine is asked for.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from service.engines.layout import supported
from service.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from service.checkpoint.files import Checkpoint
    from service.ports import Engine
    from service.settings import ModelSettings

# Where a GPU's driver shows itself; looking here takes microseconds, asking torch takes seconds.
_GPU_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))
_ONNX_PRECISIONS = ("auto", "float32", "int8")


def load_engine(settings: ModelSettings, checkpoint: Checkpoint) -> Engine:
    """Load the model onto its device; takes seconds, and belongs on the thread that will run it.

    `checkpoint` is what `resolve` gave for the same settings. A packed engine is taken where it can
    run what they ask for, else the plain one.

    Raises:
        SettingsError: a setting names what is not there: a device, a precision.
        ModelError: the model cannot be loaded.
    """
    name = engine_name(settings, checkpoint)
    try:
        if name == "onnx_packed":
            from service.engines.onnx_packed import OnnxPacked  # noqa: PLC0415 - heavy, see above

            return OnnxPacked(checkpoint, settings)
        if name == "torch_packed":
            from service.engines.torch_packed import TorchPacked  # noqa: PLC0415 - heavy, see above

            return TorchPacked(checkpoint, settings)
        from service.engines.torch_plain import TorchPlain  # noqa: PLC0415 - heavy, see above
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{error.name} is not installed, which runs this model on this device; "
            "pip install 'sentiment-stream[torch]'"
        ) from None
    return TorchPlain(checkpoint, settings)


def engine_name(settings: ModelSettings, checkpoint: Checkpoint) -> str:
    """Which engine runs a checkpoint as the settings ask; nothing is loaded for this.

    Raises:
        SettingsError: no engine, or not the one that is asked for, can.
    """
    packed = supported(checkpoint.folder)
    for_onnx = settings.device in ("auto", "cpu") and settings.precision in _ONNX_PRECISIONS
    reason = (
        f"SENTIMENT_MODEL__NAME={settings.name}, SENTIMENT_MODEL__DEVICE={settings.device} and "
        f"SENTIMENT_MODEL__PRECISION={settings.precision} ask for something else; set it to auto"
    )
    if settings.engine == "onnx_packed" and not (packed and for_onnx):
        raise SettingsError(
            "SENTIMENT_MODEL__ENGINE=onnx_packed runs DistilBERT, BERT and RoBERTa in float32 and "
            f"int8 on the CPU, but {reason}"
        )
    if settings.engine == "torch_packed" and not packed:
        raise SettingsError(
            "SENTIMENT_MODEL__ENGINE=torch_packed runs DistilBERT, BERT and RoBERTa, but " + reason
        )
    if settings.engine != "auto":
        return settings.engine
    wants_gpu = settings.device == "auto" and _torch_may_find_a_gpu()
    if packed and for_onnx and not (wants_gpu and settings.precision != "int8"):
        return "onnx_packed"
    return "torch_packed" if packed else "torch_plain"


def _torch_may_find_a_gpu() -> bool:
    present = sys.platform == "darwin" or any(device.exists() for device in _GPU_DEVICES)
    return present and importlib.util.find_spec("torch") is not None
