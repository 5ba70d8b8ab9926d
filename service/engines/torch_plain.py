"""Runs any Hugging Face sequence-classification checkpoint, padded, as transformers does.

The engine that takes every architecture, and the reference that faster ones are compared with.
Batching, order and queues are not its concern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
import transformers
from transformers import AutoModelForSequenceClassification

from service.engines.cpu_limit import cpu_limit
from service.engines.slices import slices_by_length
from service.errors import ModelError, SettingsError
from service.records import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedModel

    from service.engines.checkpoint import Checkpoint
    from service.records import Precision
    from service.settings import ModelSettings

NAME = "torch_plain"

# Padded tokens of one run. A CPU gains nothing from more, and each costs it tens of kilobytes; a
# GPU is idle with few. Sequences of like length run together, so little of it is padding.
CPU_TOKENS_MAX = 2048
GPU_TOKENS_MAX = 32768


class TorchPlain:
    """Implements `ports.Engine`."""

    def __init__(self, checkpoint: Checkpoint, settings: ModelSettings) -> None:
        """Load the weights onto the device and run them once.

        Raises:
            SettingsError: the device is absent, or cannot compute in the precision asked for.
            ModelError: the weights cannot be loaded.
        """
        torch.set_num_threads(settings.threads or cpu_limit())
        self._device = _device(settings.device)
        precision = _precision(settings.precision, self._device)
        self._checkpoint = checkpoint
        self._model = _load(checkpoint, getattr(torch, precision), self._device)
        self._info = ModelInfo(
            name=checkpoint.name,
            revision=checkpoint.revision,
            engine=NAME,
            precision=precision,
            device=str(self._device),
            labels=checkpoint.labels,
        )
        try:
            self._logits([[checkpoint.pad_token_id]])
        except (RuntimeError, NotImplementedError) as error:
            raise SettingsError(
                f"SENTIMENT_MODEL__PRECISION={settings.precision} does not run on {self._device} "
                f"({str(error).splitlines()[0][:200]}); set it to float32"
            ) from None

    @property
    def info(self) -> ModelInfo:
        """Which model this is and how it runs."""
        return self._info

    def probabilities(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Score token sequences, special tokens included; shape (sequences, labels), float32.

        A row sums to 1, except for a model whose labels do not exclude each other.

        Raises:
            ModelError: the model's output is not finite.
        """
        shares = np.empty((len(sequences), len(self._info.labels)), np.float32)
        limit = CPU_TOKENS_MAX if self._device.type == "cpu" else GPU_TOKENS_MAX
        for indices in slices_by_length(sequences, limit):
            shares[indices] = self._shares([sequences[index] for index in indices])
        return shares

    def _shares(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        logits = self._logits(sequences).float()
        if not bool(logits.isfinite().all()):
            raise ModelError(
                f"the model {self._info.name} gave numbers that are not finite; "
                "set SENTIMENT_MODEL__PRECISION=float32, or name another model"
            )
        shares = logits.sigmoid() if self._checkpoint.multi_label else logits.softmax(-1)
        return shares.cpu().numpy()

    @torch.inference_mode()
    def _logits(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        longest = max(len(ids) for ids in sequences)
        pad = self._checkpoint.pad_token_id
        ids = [[*ids, *[pad] * (longest - len(ids))] for ids in sequences]
        mask = [[1] * len(ids) + [0] * (longest - len(ids)) for ids in sequences]
        logits: torch.Tensor = self._model(
            input_ids=torch.tensor(ids, device=self._device),
            attention_mask=torch.tensor(mask, device=self._device),
        ).logits
        return logits


def _load(checkpoint: Checkpoint, dtype: torch.dtype, device: torch.device) -> PreTrainedModel:
    # Its reports and bars would stand between the service's log lines, and its lines beside them.
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call] # has no types
    transformers.logging.disable_default_handler()
    transformers.logging.enable_propagation()
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call] # has no types
    model: PreTrainedModel
    try:
        model, report = AutoModelForSequenceClassification.from_pretrained(
            checkpoint.folder,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            dtype=dtype,
            output_loading_info=True,
        )
    except Exception as error:  # noqa: BLE001 - transformers raises many kinds for a bad folder
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(
            f"{checkpoint.folder}: cannot be loaded ({reason}); fetch the model anew"
        ) from None
    # Otherwise transformers makes missing weights up at random.
    if report["missing_keys"] or report["mismatched_keys"]:
        missing = sorted(map(str, report["missing_keys"] or report["mismatched_keys"]))
        raise ModelError(
            f"{checkpoint.folder}: weights are missing or of another shape ({missing[0]}, "
            f"{len(missing)} in all); take a model trained for sequence classification"
        )
    # Models that read the last token find it by the padding.
    model.config.pad_token_id = checkpoint.pad_token_id
    torch.nn.Module.to(model, device)  # the override of transformers hides the types
    model.eval()  # type: ignore[no-untyped-call] # has no types
    return model


def _device(wanted: str) -> torch.device:
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


def _precision(wanted: Literal["auto"] | Precision, device: torch.device) -> Precision:
    if wanted != "auto":
        return wanted
    if device.type == "cpu":
        # Only some CPUs compute in less than this at full speed.
        return "float32"
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16"
    return "float16"
