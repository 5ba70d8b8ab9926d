"""The settings of a model as keywords of Python, and errors that name them so.

Exists so that `Scorer` says what is wrong in the words that its caller has written: in a notebook
there are no variables and no flags. Nothing is loaded or scored here.
"""

from __future__ import annotations

import difflib
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from service.errors import ServiceError, SettingsError
from service.settings import ModelSettings, allowed, variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What becomes of a record is decided where there are records: why each would change nothing.
_OF_RECORDS = {
    "other_languages": "a scorer scores every text and tells its `language`",
    "text_bytes_max": "a scorer refuses no text for its length, and reads text_tokens_max of it",
    "repeats_max": "a scorer keeps no scores",
}
# As for misspelt variables, see `settings`.
_SIMILARITY_MIN = 0.65
# Enough to recognise a value.
_VALUE_CHARACTERS_MAX = 100
_VARIABLE = re.compile(rf"{variable('model', '')}([A-Z_]+)=?")


def model_settings(name: str, given: Mapping[str, Any]) -> ModelSettings:
    """The settings of the model `name` with these keywords.

    Raises:
        SettingsError: one is unknown, has a wrong value, or is for records alone; one line.
    """
    fields = ModelSettings.model_fields
    for keyword, value in given.items():
        if keyword not in fields:
            raise SettingsError(f"{keyword} is no setting; {_meant(keyword)}")
        if keyword in _OF_RECORDS and value != fields[keyword].get_default():
            raise SettingsError(
                f"{keyword}={_shown(value)} is for the stream alone: {_OF_RECORDS[keyword]}; "
                "leave it out"
            )
    try:
        return ModelSettings(**{"name": name, **given})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        keyword = str(first["loc"][0])
        written = "model" if keyword == "name" and "name" not in given else keyword
        raise SettingsError(
            f"{written}={_shown(first['input'])}: give {allowed('model', keyword)}"
        ) from None


@contextmanager
def in_keywords() -> Iterator[None]:
    """Errors that name variables of the environment name the keywords of `Scorer` instead."""
    try:
        yield
    except ServiceError as error:
        raise type(error)(_VARIABLE.sub(_keyword, str(error))) from None


def _keyword(found: re.Match[str]) -> str:
    name = found[1].lower()
    return f"{'model' if name == 'name' else name}="


def _meant(keyword: str) -> str:
    known = [name for name in ModelSettings.model_fields if name not in _OF_RECORDS]
    similar = difflib.get_close_matches(keyword.lower(), known, 1, _SIMILARITY_MIN)
    return f"did you mean {similar[0]}?" if similar else f"give one of {', '.join(known)}"


def _shown(value: Any) -> str:
    shown = repr(value if isinstance(value, str | int | float | list) else str(value))
    return shown if len(shown) <= _VALUE_CHARACTERS_MAX else shown[:_VALUE_CHARACTERS_MAX] + "…"
