"""Removes or replaces web addresses, e-mail addresses and handles.

Exists because a model finds words in them: an added address or handle changed the label of one text
in four. The people whom a text addresses, and the pages that it links to, are no part of its
opinion. So addresses and handles before and after the text are removed, and each one within it is
replaced by the same word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.text.normalise.social import URL

if TYPE_CHECKING:
    from collections.abc import Sequence

LINK, USER = "link", "@user"
_SIGNS = ("@", "/", "www.", "WWW.")

# An address without `http` needs a path: `amazon.com` alone is the name of what a text is about.
# Repeats are bounded by the length limits of host and mailbox names. A path has no bound, but the
# expression does not backtrack in it.
_TOKEN = re.compile(
    rf"(?P<link>{URL.pattern}"
    r"|(?<![\w.+@-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,4}[a-z]{2,24}(?![\w@])"
    r"|(?<![\w.@/-])(?:[\w-]{1,63}\.){1,3}"
    r"(?:be|co|com|de|edu|fr|gl|gov|io|it|ly|me|net|org|tv|uk|us)/[^\s<>\"]*[^\s<>\".,:;!?')\]}])"
    # Not a time: `@5pm`.
    r"|(?<![\w@])@(?!\d{1,2}(?:[ap]m)?(?!\w))(?=[\d_]*[^\W\d_])\w+",
    re.IGNORECASE,
)
# What may be before the first handle of a row and between two: punctuation, and words that belong
# to the handle, as in `RT @name:`. An emoticon may not: `:(` is part of the text.
_GAP = re.compile(
    r"[)\]\"'>]?[:;,.]{0,3}[\s,.|&+/\u2013\u2014-]*(?:(?:rt|mt|cc|via|h/t)[\s:]+)?[(\[\"'<.]?",
    re.IGNORECASE,
)
_AFTER_FIRST = re.compile(r"(?:[)\]\"'>]?[:;,.]{0,3}(?=\s|\Z))?\s*(?:[-\u2013\u2014|,:]\s+)?")
_AFTER_LAST = re.compile(r"[)\]\"'>]?[\s.,!?-]*")
_BEFORE_LAST = re.compile(
    r"(?:(?<=\s)(?:rt|mt|cc|via|h/t)[\s:]+)?(?:(?<=\s)[(\[\"'<])?\Z", re.IGNORECASE
)
# Longer than any match of _BEFORE_LAST.
_BEFORE_LAST_CHARACTERS = 8
_MARKS = re.compile(r"[!?]+")


def replace_addresses(text: str) -> str:
    """Remove addresses and handles at both ends; replace the others by `link` or `@user`.

    A text that has nothing else becomes that word.
    """
    if not any(sign in text for sign in _SIGNS) or not (found := list(_TOKEN.finditer(text))):
        return text
    first, last = 0, len(found)
    begin, end, marks = 0, len(text), ""
    while first < last and _GAP.fullmatch(text, begin, found[first].start()):
        if text.startswith("'s", found[first].end()):
            # In `@name's bag` the handle is part of the sentence.
            break
        begin = found[first].end()
        first += 1
    if first == last and _GAP.fullmatch(text, begin):
        return USER if all(match["link"] is None for match in found) else LINK
    if first and (rest := _AFTER_FIRST.match(text, begin)):
        begin = rest.end()
    if last > first and _AFTER_LAST.fullmatch(text, found[-1].end()):
        marks = "".join(_MARKS.findall(text, found[-1].end()))
        last -= 1
        while last > first and _GAP.fullmatch(text, found[last - 1].end(), found[last].start()):
            last -= 1
        end = _end_before(text, found[last].start())
    return _joined(text, found[first:last], begin, end) + marks


def _end_before(text: str, place: int) -> int:
    near = text[max(0, place - _BEFORE_LAST_CHARACTERS) : place]
    match = _BEFORE_LAST.search(near)
    end = place - len(near) + (match.start() if match else len(near))
    while end and (text[end - 1].isspace() or text[end - 1] == ","):
        end -= 1
    return end


def _joined(text: str, found: Sequence[re.Match[str]], begin: int, end: int) -> str:
    parts: list[str] = []
    word = ""
    for match in found:
        gap = text[begin : match.start()]
        begin = match.end()
        new = USER if match["link"] is None else LINK
        if new == word and _GAP.fullmatch(gap):
            # Several handles in a row become one word.
            continue
        parts += (gap, new)
        word = new
    return "".join((*parts, text[begin:end]))
