"""Runs any Hugging Face sequence-classification checkpoint, padded, as transformers does.

The engine that takes every architecture, and the reference that faster ones are compared with.
Batching, order and queues are not its concern.
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
from service.records import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedModel

    from service.checkpoint.files import Checkpoint
    from service.settings import ModelSettings

NAME = "torch_plain"


class TorchPlain:
    """Implements `ports.Engine`."""

    def __init__(self, checkpoint: Checkpoint, settings: ModelSettings) -> None:
        """Load the weights onto the device and run them once.

        Raises:
            SettingsError: the device is absent, or cannot compute in the precision asked for.
            ModelError: the weights cannot be loaded.
        """
        torch.set_num_threads(settings.threads or cpu_limit())
        self._device = choose_device(settings.device)
        self._run_tokens_max = settings.run_tokens_max or run_tokens_max(self._device)
        precision = choose_precision(settings.precision, self._device)
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
                f"({first_line(error)}); set it to float32"
            ) from None

    @property
    def info(self) -> ModelInfo:
        """Which model this is and how it runs."""
        return self._info

    def logits(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The model's raw output; shape (sequences, labels), float32.

        Raises:
            ModelError: a number is not finite, or the device has failed.
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
        raise ModelError(
            f"{checkpoint.folder}: cannot be loaded ({first_line(error)}); fetch the model anew"
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
