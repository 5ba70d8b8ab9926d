"""Text to the form that a model was trained on: versions of the normaliser, and their steps.

Exists so that a model runs on text of the very form that it learned from: it names its version in
`sentiment.json`. A version is never changed, only a new one is added. Nothing enters that needs
more than the text itself: pure, and in time linear in the text's length whatever the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.text.normalise import social
from service.text.normalise.addresses import steady_addresses
from service.text.normalise.formulas import without_closing, without_greeting
from service.text.normalise.meanings import decoded, emoji_to_meanings, shortcodes_to_emoji
from service.text.normalise.ratings import steady_ratings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

VERSION = 2

# Each version's steps, in the order in which they are taken.
STEPS: dict[int, dict[str, Callable[[str], str]]] = {
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
        # Before letters: quotes of a wrong encoding are told by the very letters that would change.
        "encoding": decoded,
        "letters": social.plain_letters,
        # Before formulas: an address or a handle may stand behind a name, or be the name.
        "addresses": steady_addresses,
        "hashtags": social.hashtags_to_words,
        "greetings": without_greeting,
        "closings": without_closing,
        # Before emoji: a star is one.
        "ratings": steady_ratings,
        "shortcodes": shortcodes_to_emoji,
        "emoji": emoji_to_meanings,
        "emoticons": social.emoticons_to_words,
        "elongations": social.shortened,
    },
}


def normalise(text: str, version: int, steps: Collection[str] | None = None) -> str:
    """The text in the form of a version; version 0 is the text itself.

    `steps` names those of the version that are taken, to measure what each is worth; by default
    all. A text of which version 2 would leave nothing (zero-width characters alone) comes back as
    it is: whoever asks decides what to do with it. Version 1 makes an empty text of such a one.

    Raises:
        ValueError: there is no such version.
    """
    if version == 0:
        return text
    if version not in STEPS:
        raise ValueError(f"there is no version {version} of the normaliser, the last is {VERSION}")
    found = text
    for name, step in STEPS[version].items():
        if steps is None or name in steps:
            found = step(found)
    if found == text:
        return text
    found = " ".join(found.split())
    return text if version > 1 and not found else found
