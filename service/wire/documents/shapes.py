"""Finds messages of another shape than the settings expect, and names their fields.

Exists because a message of a foreign shape meets the conditions that a feed is known with, and
would be skipped in silence. Pure. Returns names of fields, and no text of a message.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from service.records import Reason
from service.wire.documents import forms
from service.wire.documents.json_values import MISSING, RejectError, type_of
from service.wire.documents.pointers import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.settings.places import Pointer

# Enough to recognise a shape by, in a line of a log.
FIELDS_MAX = 8
# What programmers name a field. Other names may be of people, as in an object of all of them.
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$.-]{0,39}")


class Shape:
    """What each message of a feed holds: something at one of these pointers. None if not known."""

    def __init__(self, pointers: Sequence[Pointer]) -> None:
        """Look at nothing yet."""
        self._pointers = pointers

    def foreign_fields(self, message: Any) -> tuple[str, ...] | None:
        """The names at the top of a message that is not of the feed; None if it may be."""
        if not self._pointers or not isinstance(message, dict):
            return None
        try:
            if any(find(message, pointer.names) is not MISSING for pointer in self._pointers):
                return None
        except RejectError:
            return None
        return tuple(islice(filter(_NAME.fullmatch, message), FIELDS_MAX))


def check_type(message: Any, event: dict[str, Any] | None, *, is_whole: bool) -> None:
    """Check that a message may hold a text, with `is_whole` that it may be one.

    Raises:
        RejectError: it is not there, or of another type.
    """
    if message is MISSING:
        if event is not None and "data_base64" in event:
            forms.with_data(event)
        raise RejectError(Reason.TEXT_MISSING, "there is nothing at /data")
    if not isinstance(message, dict) and not is_whole:
        remedy = ""
        if isinstance(message, str):
            remedy = '; SENTIMENT_KAFKA__TEXT_FIELD="" takes it for the text'
        elif isinstance(message, list):
            remedy = "; send an object, or one array of objects"
        raise RejectError(Reason.WRONG_TYPE, f"the message is {type_of(message)}{remedy}")
