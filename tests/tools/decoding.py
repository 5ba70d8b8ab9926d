"""A decoder with settings as they are written, and the one message of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.settings.places import skip_conditions, text_places
from service.wire import Decoder

if TYPE_CHECKING:
    from service.records import Decoded, Record


def decoder(
    text_field: str = "/text",
    form: str = "json",
    bytes_max: int = 1000,
    *,
    skip: str = "",
    skip_tombstones: bool = False,
) -> Decoder:
    """A decoder for what these settings say."""
    return Decoder(
        form,
        text_places(text_field),
        bytes_max,
        conditions=skip_conditions(skip),
        skip_tombstones=skip_tombstones,
    )


def decoded(one: Record, by: Decoder | None = None) -> Decoded:
    """What becomes of a record that is no list."""
    [found] = (by or decoder()).decode(one)
    return found
