"""The file that `sentiment-stream tune` writes: the fastest way to run a model on a machine.

Exists so that the service measures nothing at its start, and replicas with the same file run alike.
Only `lab` writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pydantic
import structlog
from pydantic import BaseModel, ConfigDict

from service.errors import SettingsError
from service.processor import kernel, this_processor
from service.records import EngineName, Precision  # noqa: TC001 - read at run time

if TYPE_CHECKING:
    from pathlib import Path

    from service.checkpoint.files import Checkpoint
    from service.settings import ModelSettings

log = structlog.get_logger()

# The file has a few lines; a larger one is another file.
FILE_BYTES_MAX = 64 * 2**10


class Tuning(BaseModel):
    """The result of `tune` for one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    model: str
    revision: str
    device: str
    engine: EngineName
    precision: Precision
    threads: int
    run_tokens_max: int | None
    """None for the engine's own value."""
    messages_per_s: float
    difference_p99: float
    kernel: str = ""
    """What it was measured on, like "AVX-512 VNNI"; empty for a GPU and in older files."""


def tuned(settings: ModelSettings, checkpoint: Checkpoint, *, warns: bool = True) -> ModelSettings:
    """The settings, completed by the tuning file where they leave a choice.

    On another kind of processor the choice stays, so that replicas agree, and a warning says so
    where there is a log (`warns`).

    Raises:
        SettingsError: the file is not a tuning file, or is for another model.
    """
    if settings.tuning_file is None:
        return settings
    named = f"SENTIMENT_MODEL__TUNING_FILE={settings.tuning_file}"
    try:
        with settings.tuning_file.open("rb") as file:
            tuning = Tuning.model_validate_json(file.read(FILE_BYTES_MAX))
    except (OSError, pydantic.ValidationError) as error:
        raise SettingsError(
            f"{named} is no file of `sentiment-stream tune` ({_why(error)}); run it again, "
            "or unset it"
        ) from None
    if (tuning.model, tuning.revision) != (checkpoint.name, checkpoint.revision):
        raise SettingsError(
            f"{named} is for the model {tuning.model} at {tuning.revision}, but "
            f"{checkpoint.name} at {checkpoint.revision} runs; run `tune` again, or unset it"
        )
    found: dict[str, Any] = {}
    way = {"engine": tuning.engine, "precision": tuning.precision, "device": tuning.device}
    if all(getattr(settings, name) in ("auto", value) for name, value in way.items()):
        found |= way
        if warns:
            _warn_of_another_processor(tuning, settings.tuning_file)
    if not settings.threads:
        found["threads"] = tuning.threads
    if settings.run_tokens_max is None:
        found["run_tokens_max"] = tuning.run_tokens_max
    return settings.model_copy(update=found)


def _why(error: OSError | pydantic.ValidationError) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    # The first of them; how many there are, and pydantic's own heading, helps nobody.
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]


def _warn_of_another_processor(tuning: Tuning, file: Path) -> None:
    here = kernel(tuning.engine, tuning.precision, this_processor())
    if tuning.device == "cpu" and tuning.kernel not in ("", here):
        log.warning(
            "the tuning file was measured on another kind of processor, and what is quickest there "
            "may be slow here; run `tune` on this kind, and give each kind of node its own file",
            file=str(file),
            measured_on=tuning.kernel,
            runs_on=here,
        )
