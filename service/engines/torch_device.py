"""Which device and which number format torch computes on and in.

Exists so that both engines of torch choose alike, and name a device's failure alike.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

import torch

from service.errors import ModelError, SettingsError, first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.records import Precision

# Padded tokens of one run. A CPU gains nothing from more, and each costs it tens of kilobytes; a
# GPU is idle with few. Sequences of like length run together, so little of it is padding.
CPU_TOKENS_MAX = 1024
GPU_TOKENS_MAX = 32768


def run_tokens_max(device: torch.device) -> int:
    """Padded tokens of one run of the model."""
    return CPU_TOKENS_MAX if device.type == "cpu" else GPU_TOKENS_MAX


def choose_device(wanted: str) -> torch.device:
    """The device that a setting names; auto is a GPU where there is one.

    Raises:
        SettingsError: it is not there.
    """
    present = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        present.append("mps")
    present.append("cpu")
    # Naming no number means the first, so that info and errors say which one it is.
    device = {"auto": present[0], "cuda": "cuda:0"}.get(wanted, wanted)
    if device not in present:
        raise SettingsError(
            f"SENTIMENT_MODEL__DEVICE={wanted} is not there; this machine has "
            f"{', '.join(present)}; set one of them, or auto"
        )
    return torch.device(device)


def choose_precision(wanted: Literal["auto"] | Precision, device: torch.device) -> Precision:
    """The number format that a setting names; auto is half precision on a GPU.

    Raises:
        SettingsError: torch's engines do not compute in it.
    """
    if wanted == "int8":
        raise SettingsError(
            f"SENTIMENT_MODEL__PRECISION=int8 is computed by onnx_packed on a CPU, and not on "
            f"{device} by torch; set it to auto"
        )
    if wanted != "auto":
        return wanted
    if device.type == "cpu":
        # Only some CPUs compute in less than this at full speed.
        return "float32"
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16"
    return "float16"


@contextlib.contextmanager
def device_failures(device: torch.device) -> Iterator[None]:
    """Name what a failed GPU raises; nothing computes on it again in this process.

    Raises:
        ModelError: the device has failed.
    """
    try:
        yield
    except torch.AcceleratorError as error:
        raise ModelError(
            f"the device {device} has failed ({first_line(error)}); the service ends, and its "
            "restart looks for a device anew"
        ) from None
