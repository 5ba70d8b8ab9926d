"""Feeds: names for the values of TEXT_FIELD, SKIP and TEXT_FORMAT that fit what a source sends.

Exists so that a known feed needs one setting, and these three win if they are set themselves. The
table is `feeds.json`; no feed may need code of its own.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_settings import PydanticBaseSettingsSource

from service.settings.places import Pointer, text_places

# The settings that a feed stands for.
PRESET = ("text_field", "skip", "text_format")

_TABLE = Path(__file__).with_name("feeds.json")
# As for misspelt names of settings: a slip is recognised, another word is not.
_SIMILARITY_MIN = 0.65


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed's messages hold, and the settings that it stands for.

    `reads` and `passes_over` say in words what is scored and what is skipped; `source` names the
    document that the shape of the messages is from, and its version or date. `others` are what the
    feed's other messages are known by, where the pointers of `text_field` and `skip` find nothing.
    """

    reads: str
    passes_over: str
    text_field: str
    skip: str
    text_format: str
    source: str
    others: tuple[Pointer, ...] = ()

    @property
    def settings(self) -> dict[str, str]:
        """The values by the names of the Kafka settings."""
        return {name: getattr(self, name) for name in PRESET}


def _feed(row: dict[str, Any]) -> Feed:
    others = text_places(",".join(row["others"])) if "others" in row else ()
    joined = {name: ",".join(row[name]) for name in ("text_field", "skip")}
    return Feed(**row | joined | {"others": tuple(pointer for [pointer] in others)})


FEEDS = {name: _feed(row) for name, row in json.loads(_TABLE.read_bytes()).items()}


def _feed_name(value: str) -> str:
    if value not in FEEDS:
        similar = difflib.get_close_matches(value.lower(), FEEDS, 1, _SIMILARITY_MIN)
        guess = f" (did you mean {similar[0]}?)" if similar else ""
        raise ValueError(f"is no feed that is known{guess}")
    return value


FeedName = Annotated[
    str,
    Field(json_schema_extra={"allowed": "a name that `sentiment-stream feed` lists"}),
    AfterValidator(_feed_name),
]


class FeedSource(PydanticBaseSettingsSource):
    """The settings of the feed that is named: after flags and environment, before defaults."""

    def get_field_value(self, *_: object) -> tuple[Any, str, bool]:
        """Nothing: `__call__` gives all values at once."""
        return None, "", False

    def __call__(self) -> dict[str, Any]:
        """The values by group; none without a feed, or with one that is refused later."""
        given = self.current_state.get("kafka")
        feed = FEEDS.get(given.get("feed", "")) if isinstance(given, dict) else None
        return {} if feed is None else {"kafka": feed.settings}
