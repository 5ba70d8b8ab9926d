"""Normalises a text to the form that a model was trained on; a version is a list of steps.

Exists so that a model sees text in the same form in training and at run time: its version is in
`sentiment.json`. A version never changes; only new ones are added. A step sees only the text: it is
pure, and takes time linear in the length of any text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.text.normalise import social
from service.text.normalise.addresses import replace_addresses
from service.text.normalise.formulas import without_closing, without_greeting
from service.text.normalise.meanings import emoji_to_meanings, repair_encoding, shortcodes_to_emoji
from service.text.normalise.ratings import replace_ratings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Step = Callable[[str], str]

VERSION = 2

# The steps of each version by name, in order. Version 0 leaves the text as it is.
STEPS: dict[int, dict[str, Step]] = {
    0: {},
    1: {
        "references": social.without_references,
        "letters": social.plain_letters,
        "urls": social.urls_to_words,
        "mentions": social.mentions_to_words,
        "hashtags": social.hashtags_to_words,
        "emoji": social.emoji_to_words,
        "emoticons": social.emoticons_to_words,
        "elongations": social.shortened,
    },
    2: {
        "references": social.without_references,
        # Before letters: that step would change the letters by which mojibake is recognised.
        "encoding": repair_encoding,
        "letters": social.plain_letters,
        # Before greetings and closings: an address or handle can follow a name, or be the name.
        "addresses": replace_addresses,
        "hashtags": social.hashtags_to_words,
        "greetings": without_greeting,
        "closings": without_closing,
        # Before emoji: stars are emoji too.
        "ratings": replace_ratings,
        "shortcodes": shortcodes_to_emoji,
        "emoji": emoji_to_meanings,
        "emoticons": social.emoticons_to_words,
        "elongations": social.shortened,
    },
}


def normalise(text: str, version: int) -> str:
    """The text in the form of a version; the same object if no step changes it.

    A text that has no visible character, so that no word of it is left, is returned unchanged by
    version 2 and is empty after version 1.

    Raises:
        ValueError: there is no such version.
    """
    if version not in STEPS:
        raise ValueError(f"there is no version {version} of the normaliser, the last is {VERSION}")
    found = apply_steps(text, STEPS[version].values())
    return text if version > 1 and not found else found


def apply_steps(text: str, steps: Iterable[Step]) -> str:
    """The text after these steps, with single spaces if any of them changed it; may be empty."""
    found = text
    for step in steps:
        found = step(found)
    return text if found == text else " ".join(found.split())
