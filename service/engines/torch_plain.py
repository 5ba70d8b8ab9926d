"""Runs any Hugging Face sequence-classification checkpoint with transformers, with padding.

The engine for every architecture, and the reference that the faster ones are compared with. It
knows nothing of queues and of the order of messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import transformers
from transformers import AutoModelForSequenceClassification

from service.engines.cpu_limit import cpu_limit
from service.engines.finite import finite
from service.engines.padding import padded_runs
from service.engines.torch_device import (
    choose_device,
    choose_precision,
    device_failures,
    run_tokens_max,
)
from service.errors import ModelError, SettingsError, first_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedModel

    from service.checkpoint.files import Checkpoint
    from service.records import ModelInfo
    from service.settings import ModelSettings


class TorchPlain:
    """Implements `ports.Engine`."""

    def __init__(self, checkpoint: Checkpoint, settings: ModelSettings) -> None:
        """Load the weights onto the device and run them once.

        Raises:
            SettingsError: the device is absent, or does not support the precision.
            ModelError: the weights cannot be loaded.
        """
        torch.set_num_threads(settings.threads or cpu_limit())
        self._device = choose_device(settings.device)
        self._run_tokens_max = settings.run_tokens_max or run_tokens_max(self._device)
        precision = choose_precision(settings.precision, self._device)
        self._checkpoint = checkpoint
        self._model = _load(checkpoint, getattr(torch, precision), self._device)
        self._info = checkpoint.info("torch_plain", precision, str(self._device))
        try:
            self._logits([[checkpoint.pad_token_id]])
        except (RuntimeError, NotImplementedError) as error:
            raise SettingsError(
                f"SENTIMENT_MODEL__PRECISION={settings.precision} does not run on {self._device} "
                f"({first_line(error)}); set it to float32"
            ) from None

    @property
    def info(self) -> ModelInfo:
        """The model, and how it runs."""
        return self._info

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The logits of token sequences; shape (sequences, labels), float32.

        Raises:
            ModelError: a logit is not finite, or the device has failed.
        """
        logits = np.empty((len(sequences), len(self._info.labels)), np.float32)
        for indices in padded_runs(sequences, self._run_tokens_max):
            with device_failures(self._device):
                run = self._logits([sequences[index] for index in indices])
                logits[indices] = run.float().cpu().numpy()
        return finite(logits, self._info.name)

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
    # Keep its load report and progress bars off standard error, and its log records in our format.
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
    except Exception as error:  # noqa: BLE001 - transformers raises many classes for a bad folder
        raise ModelError(
            f"{checkpoint.folder}: cannot be loaded ({first_line(error)}); download the model again"
        ) from None
    # transformers would initialise missing weights at random and go on.
    if report["missing_keys"] or report["mismatched_keys"]:
        missing = sorted(map(str, report["missing_keys"] or report["mismatched_keys"]))
        raise ModelError(
            f"{checkpoint.folder}: weights are missing or of another shape ({missing[0]}, "
            f"{len(missing)} in all); choose a model trained for sequence classification"
        )
    # Models that classify by the last token find it by the padding.
    model.config.pad_token_id = checkpoint.pad_token_id
    torch.nn.Module.to(model, device)  # the override of transformers hides the types
    model.eval()  # type: ignore[no-untyped-call] # has no types
    return model
