"""The device and the number format for torch.

Exists so that both torch engines choose by the same rules and report a failed device in the same
words.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

import torch

from service.errors import ModelError, SettingsError, first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.records import Precision

# Padded tokens of one run. More gain nothing on a CPU and cost tens of kilobytes each; fewer leave
# a GPU idle. Sequences of similar length run together, so few of these tokens are padding.
CPU_TOKENS_MAX = 1024
GPU_TOKENS_MAX = 32768


def run_tokens_max(device: torch.device) -> int:
    """The most padded tokens in one run of the model."""
    return CPU_TOKENS_MAX if device.type == "cpu" else GPU_TOKENS_MAX


def choose_device(wanted: str) -> torch.device:
    """The device for a setting; auto is the first GPU if there is one.

    Raises:
        SettingsError: this machine does not have the device.
    """
    present = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        present.append("mps")
    present.append("cpu")
    # Replace cuda by cuda:0, so that the info and errors name the device exactly.
    device = {"auto": present[0], "cuda": "cuda:0"}.get(wanted, wanted)
    if device not in present:
        raise SettingsError(
            f"SENTIMENT_MODEL__DEVICE={wanted} does not exist; this machine has "
            f"{', '.join(present)}; set one of them, or auto"
        )
    return torch.device(device)


def choose_precision(wanted: Literal["auto"] | Precision, device: torch.device) -> Precision:
    """The number format for a setting; auto is half precision on a GPU, float32 on a CPU.

    Raises:
        SettingsError: the torch engines do not support the format.
    """
    if wanted == "int8":
        raise SettingsError(
            "SENTIMENT_MODEL__PRECISION=int8 runs on onnx_packed on a CPU, and not with torch on "
            f"{device}; set it to auto"
        )
    if wanted != "auto":
        return wanted
    if device.type == "cpu":
        # Half precision is fast on some CPUs only.
        return "float32"
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16"
    return "float16"


@contextlib.contextmanager
def device_failures(device: torch.device) -> Iterator[None]:
    """Turn the exception of a failed GPU into a ModelError; this process cannot use it again.

    Raises:
        ModelError: the device has failed.
    """
    try:
        yield
    except torch.AcceleratorError as error:
        raise ModelError(
            f"the device {device} has failed ({first_line(error)}); the service ends, and looks "
            "for a device again when it restarts"
        ) from None
