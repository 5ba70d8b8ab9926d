"""Web and e-mail addresses and handles: the same to a model whatever they name.

Exists because a model reads words into them: with an address or a handle added, one text in four
was scored otherwise. Whom a text is addressed to, and what it links to, are not what it says of
them, so the ones before and behind it go; within it each becomes one steady word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.text.normalise.social import URL

if TYPE_CHECKING:
    from collections.abc import Sequence

LINK, USER = "link", "@user"
_SIGNS = ("@", "/", "www.", "WWW.")

# Of an address without `http`, only what has a path: `amazon.com` is a name that texts speak of.
# Repeats are bounded by the lengths that names of hosts and of mailboxes may have; a path is not,
# but nothing in it is looked at twice.
_TOKEN = re.compile(
    rf"(?P<link>{URL.pattern}"
    r"|(?<![\w.+@-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,4}[a-z]{2,24}(?![\w@])"
    r"|(?<![\w.@/-])(?:[\w-]{1,63}\.){1,3}"
    r"(?:be|co|com|de|edu|fr|gl|gov|io|it|ly|me|net|org|tv|uk|us)/[^\s<>\"]*[^\s<>\".,:;!?')\]}])"
    # Not the hour that something is at.
    r"|(?<![\w@])@(?!\d{1,2}(?:[ap]m)?(?!\w))(?=[\d_]*[^\W\d_])\w+",
    re.IGNORECASE,
)
# What may stand before the first of a run and between two: marks, and words that are there for the
# handle's sake alone, as in `RT @name:`. No emoticon: `:(` is what a text says.
_GAP = re.compile(
    r"[)\]\"'>]?[:;,.]{0,3}[\s,.|&+/\u2013\u2014-]*(?:(?:rt|mt|cc|via|h/t)[\s:]+)?[(\[\"'<.]?",
    re.IGNORECASE,
)
_AFTER_FIRST = re.compile(r"(?:[)\]\"'>]?[:;,.]{0,3}(?=\s|\Z))?\s*(?:[-\u2013\u2014|,:]\s+)?")
_AFTER_LAST = re.compile(r"[)\]\"'>]?[\s.,!?-]*")
_BEFORE_LAST = re.compile(
    r"(?:(?<=\s)(?:rt|mt|cc|via|h/t)[\s:]+)?(?:(?<=\s)[(\[\"'<])?\Z", re.IGNORECASE
)
# More than the longest that the pattern before may find.
_BEFORE_LAST_CHARACTERS = 8
_MARKS = re.compile(r"[!?]+")


def steady_addresses(text: str) -> str:
    """Without the addresses and handles at the ends; `link` or `@user` for each of the others.

    A text of nothing else becomes that word.
    """
    if not any(sign in text for sign in _SIGNS) or not (found := list(_TOKEN.finditer(text))):
        return text
    first, last = 0, len(found)
    begin, end, marks = 0, len(text), ""
    while first < last and _GAP.fullmatch(text, begin, found[first].start()):
        if text.startswith("'s", found[first].end()):
            # Whose something is belongs to the sentence.
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
            # Three addressees are no more than one.
            continue
        parts += (gap, new)
        word = new
    return "".join((*parts, text[begin:end]))
