"""How to run a model on a machine, as `sentiment-stream tune` found by measuring, in a file.

Exists so that nothing is measured at a start: replicas that read one file agree. Only `lab` writes
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict

from service.errors import SettingsError, first_line
from service.records import EngineName, Precision  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from service.checkpoint.files import Checkpoint
    from service.settings import ModelSettings

# A file of a few lines; anything larger is another file.
FILE_BYTES_MAX = 64 * 2**10


class Tuning(BaseModel):
    """What was found, for one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    model: str
    revision: str
    device: str
    engine: EngineName
    precision: Precision
    threads: int
    run_tokens_max: int | None
    """None is what the engine takes by itself."""
    messages_per_s: float
    difference_p99: float


def tuned(settings: ModelSettings, checkpoint: Checkpoint) -> ModelSettings:
    """Settings with what the tuning file says, wherever they leave it open.

    Raises:
        SettingsError: the file is none, or is for another model.
    """
    if settings.tuning_file is None:
        return settings
    named = f"SENTIMENT_MODEL__TUNING_FILE={settings.tuning_file}"
    try:
        with settings.tuning_file.open("rb") as file:
            tuning = Tuning.model_validate_json(file.read(FILE_BYTES_MAX))
    except (OSError, pydantic.ValidationError) as error:
        raise SettingsError(
            f"{named} is no file of `sentiment-stream tune` ({first_line(error)}); write it anew, "
            "or unset it"
        ) from None
    if (tuning.model, tuning.revision) != (checkpoint.name, checkpoint.revision):
        raise SettingsError(
            f"{named} is for the model {tuning.model} at {tuning.revision}, but "
            f"{checkpoint.name} at {checkpoint.revision} runs; tune anew, or unset it"
        )
    found: dict[str, Any] = {}
    if settings.engine == settings.precision == settings.device == "auto":
        found |= {"engine": tuning.engine, "precision": tuning.precision, "device": tuning.device}
    if not settings.threads:
        found["threads"] = tuning.threads
    if settings.run_tokens_max is None:
        found["run_tokens_max"] = tuning.run_tokens_max
    return settings.model_copy(update=found)
