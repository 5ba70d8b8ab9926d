"""Checks the files that the settings name, for `run --check-config`.

Exists so that a wrong file is found before a deployment, with the line that `run` would end with.
Nothing is connected to or downloaded, and no weights are loaded.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from service.checkpoint.files import resolve
from service.checkpoint.hub import cached
from service.checkpoint.tuning import tuned
from service.errors import ModelError, ServiceError, SettingsError
from service.kafka.client.connection import connection_options
from service.registry import schemas_of
from service.scoring.processing import load_processing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service.settings import Settings


class _NotCachedError(Exception):
    """A hub model that only a download could check."""


def check_files(settings: Settings) -> None:
    """Check passwords, certificates, the model's folder, and its tuning and calibration files.

    Of a hub model that is not in the cache only name and commit are checked, and with it neither
    tuning nor calibration, which are for one checkpoint.

    Raises:
        SettingsError, ModelError: one line for each file that cannot be used; a SettingsError if
            there is one among them.
    """
    errors: list[ServiceError] = []
    with _collected(errors):
        connection_options(settings.kafka)
    with _collected(errors):
        schemas_of(settings.kafka)
    with suppress(_NotCachedError), _collected(errors):
        checkpoint = resolve(settings.model, _from_cache)
        with _collected(errors):
            tuned(settings.model, checkpoint)
        load_processing(settings.model, checkpoint)
    if errors:
        wrong_settings = any(isinstance(error, SettingsError) for error in errors)
        kind = SettingsError if wrong_settings else ModelError
        raise kind("\n".join(map(str, errors)))


@contextmanager
def _collected(errors: list[ServiceError]) -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        errors.append(error)


def _from_cache(name: str, revision: str) -> Path:
    folder = cached(name, revision)
    if folder is None:
        raise _NotCachedError
    return folder
