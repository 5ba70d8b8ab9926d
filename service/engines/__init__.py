"""The ways to run a model, one module each, and the choice between them.

Exists so that torch, transformers and onnxruntime are imported here alone (besides `lab` and
`bench`), and only by the engine that needs them: importing this package is cheap.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from service.engines.layout import supported
from service.errors import ModelError, SettingsError, install_command

if TYPE_CHECKING:
    from service.checkpoint.files import Checkpoint
    from service.ports import Engine
    from service.records import EngineName
    from service.settings import ModelSettings

# Device files of GPU drivers: looking for them takes microseconds, asking torch takes seconds.
_GPU_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))
_ONNX_PRECISIONS = ("auto", "float32", "int8")


def load_engine(settings: ModelSettings, checkpoint: Checkpoint) -> Engine:
    """Load the model onto its device; takes seconds, so call it on the thread that will run it.

    `checkpoint` is the result of `resolve` for the same settings. See `engine_name` for the choice.

    Raises:
        SettingsError: the device or the precision in the settings is not available.
        ModelError: the model cannot be loaded.
    """
    name = engine_name(settings, checkpoint)
    try:
        if name == "onnx_packed":
            from service.engines.onnx_packed import OnnxPacked  # noqa: PLC0415 - slow to import

            return OnnxPacked(checkpoint, settings)
        if name == "torch_packed":
            from service.engines.torch_packed import TorchPacked  # noqa: PLC0415 - slow to import

            return TorchPacked(checkpoint, settings)
        from service.engines.torch_plain import TorchPlain  # noqa: PLC0415 - slow to import
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{error.name} is not installed, which this model needs on this device; "
            + install_command("torch")
        ) from None
    return TorchPlain(checkpoint, settings)


def engine_name(settings: ModelSettings, checkpoint: Checkpoint) -> EngineName:
    """The engine for a checkpoint and these settings; loads nothing.

    With `auto`, a packed engine where it supports the model: `onnx_packed` on a CPU, `torch_packed`
    on a GPU or in half precision. All other models run on `torch_plain`.

    Raises:
        SettingsError: the engine in the settings cannot run the model as the settings require.
    """
    packed = supported(checkpoint.folder)
    for_onnx = settings.device in ("auto", "cpu") and settings.precision in _ONNX_PRECISIONS
    reason = (
        f"SENTIMENT_MODEL__NAME={settings.name}, SENTIMENT_MODEL__DEVICE={settings.device} and "
        f"SENTIMENT_MODEL__PRECISION={settings.precision} require something else; set it to auto"
    )
    if settings.engine == "onnx_packed" and not (packed and for_onnx):
        raise SettingsError(
            f"SENTIMENT_MODEL__ENGINE={settings.engine} runs DistilBERT, BERT and RoBERTa in "
            f"float32 and int8 on the CPU, but {reason}"
        )
    if settings.engine == "torch_packed" and not packed:
        raise SettingsError(
            f"SENTIMENT_MODEL__ENGINE={settings.engine} runs DistilBERT, BERT and RoBERTa, but "
            f"{reason}"
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
