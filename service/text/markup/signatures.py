"""Marks what stands under a mail: signatures, lines that phones add, and legal notices.

Exists because "Kind regards, Ann, Head of Service" and a notice of confidentiality move the score
of the complaint above them. Only the end of what the writer wrote is looked at, and something must
remain above it: a text of thanks and a name is an opinion. Pure; sees a bounded number of lines.
"""

from __future__ import annotations

import re

from service.text.markup import phrases
from service.text.markup.lines import Kind, Line

# Lines of a signature, and words and characters of one of its lines.
_LINES_MAX, _WORDS_MAX, _CHARACTERS_MAX = 10, 10, 100
# Parts under each other: a phone's line, a notice in two languages, the signature itself.
_PARTS_MAX = 8
_NOTICE_CHARACTERS_MAX = 4000

# The line between a text and its signature. Only `-- ` is the standard; programs drop the space.
_SEPARATOR = re.compile(r"--|\u2014|_{2,}")

# Also those of scripts without capitals.
_SENTENCE_ENDS = "!?\u3002\uff01\uff1f"
# Of a link, as programs write it in plain text.
_ADDRESS = re.compile(r"\s?<https?://[^<>\s]{1,1000}>")
_POSTSCRIPT = re.compile(r"p\.?\s?s\.?\s?[:.,-]|nb:|edit:|update:", re.IGNORECASE)
# No notice has these words.
_OWN = re.compile(r"\b(?:I|[Mm]y|[Mm]e)\b")
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)")
# Below such a closing formula, a name may be in small letters; not below thanks.
_FORMAL = re.compile(
    r"[\w ]{0,30}(?:regards|wishes|gr[uü](?:ß|ss)e?n?|saludos|saluti)\W{0,3}$", re.IGNORECASE
)
_SMALL_NAME = re.compile(r"[^\W\d_]{2,20} [^\W\d_]{2,20}")

_CONTACT = re.compile(
    r"(?:tel|phone|mobile|mob|cell|fax|telefon|mobil|e-?mail|web|www)\b|\+?\(?\d[\d\s()/.-]{6,}"
    r"|[^\s@]+@[^\s@]+\.\w|https?://|www\.",
    re.IGNORECASE,
)
# Words in small letters between names and titles.
_CONNECTING = (
    "of the and for at de da di do van von der den la le del du des und et y e i en bin al zu im"
    " a to in by & | / - \u2013 \u2014 \u00b7 \u2022 , ;"
)
_SMALL = frozenset(_CONNECTING.split())
# These end the search for names: a sentence goes on with them.
_SPOKEN = (
    "i i'm i've it it's its this that these those they we you you're your u he she but so or not no"
    " never nothing is was are were very really too still now then here there what why how when my"
    " our please sorry do don't did didn't can't won't worst bad terrible great good awful"
)
_NO_NAMES = frozenset(_SPOKEN.split())


def with_signature(lines: list[Line]) -> list[Line]:
    """The lines, with signature, notices and a mail server's banner marked as such."""
    found = list(lines)
    _mark_banner(found)
    begin, end = _own_end(found)
    for _ in range(_PARTS_MAX):
        part = _part(found, begin, end)
        if part is None:
            break
        above, below = part
        for place in range(above, below):
            found[place] = Line(found[place].text, Kind.SIGNATURE)
        end = above
    return found


def _own_end(lines: list[Line]) -> tuple[int, int]:
    """The bounds of the last lines that the writer wrote, between what is quoted."""
    end = len(lines)
    while end and (lines[end - 1].kind is not Kind.KEPT or not lines[end - 1].text.strip()):
        end -= 1
    begin = end
    while begin and lines[begin - 1].kind is Kind.KEPT:
        begin -= 1
    return begin, end


def _part(lines: list[Line], begin: int, end: int) -> tuple[int, int] | None:
    """The bounds of the lowest part of the signature within these bounds; None if there is none."""
    end = _trimmed(lines, begin, end)
    paragraph = _paragraph(lines, begin, end)
    if end > begin and _POSTSCRIPT.match(_bare(lines, paragraph)):
        # What was forgotten stays, and a signature is looked for above it.
        end = _trimmed(lines, begin, paragraph)
        paragraph = _paragraph(lines, begin, end)
    if end == begin:
        return None
    above = _device(lines, begin, end)
    for find in (_notice, _separated, _closed, _contact):
        above = (
            find(lines, paragraph if find in (_notice, _contact) else begin, end)
            if above is None
            else above
        )
    if above is None or not any(kind is Kind.KEPT and text.strip() for text, kind in lines[:above]):
        return None
    return above, end


def _bare(lines: list[Line], place: int) -> str:
    return lines[place].text.strip()


def _trimmed(lines: list[Line], begin: int, end: int) -> int:
    while end > begin and not _bare(lines, end - 1):
        end -= 1
    return end


def _paragraph(lines: list[Line], begin: int, end: int) -> int:
    """The first line of the paragraph that ends here."""
    place = end
    while place > begin and _bare(lines, place - 1):
        place -= 1
    return place


def _device(lines: list[Line], begin: int, end: int) -> int | None:
    last = _ADDRESS.sub("", _bare(lines, end - 1))
    if len(last) > _CHARACTERS_MAX or not phrases.DEVICE.fullmatch(last):
        return None
    # A program writes it with a capital, and not as the end of a sentence of the line above.
    if last[0].islower() and not last.startswith("iP"):
        return None
    above = _bare(lines, end - 2) if end - 1 > begin else ""
    is_apart = not above or above[-1] in ".\u2026" + _SENTENCE_ENDS or _is_name(above)
    return end - 1 if is_apart or phrases.CLOSING.fullmatch(above) else None


def _notice(lines: list[Line], paragraph: int, end: int) -> int | None:
    texts = [_bare(lines, place) for place in range(paragraph, end)]
    whole = " ".join(texts)
    match = phrases.NOTICE.search(whole) if len(whole) <= _NOTICE_CHARACTERS_MAX else None
    if match is None or _is_own_sentence(whole, match):
        return None
    # The line that the notice begins in, unless another sentence does.
    place, reached = paragraph, 0
    while reached + len(texts[place - paragraph]) < match.start():
        reached += len(texts[place - paragraph]) + 1
        place += 1
    is_shared = re.search(r"[.!?]\s", whole[reached : match.start()]) is not None
    return (place + 1 if place + 1 < end else None) if is_shared else place


def _is_own_sentence(text: str, match: re.Match[str]) -> bool:
    """Whether the writer speaks of themself in the sentence that holds the match."""
    begin = 0
    for end in _SENTENCE_END.finditer(text):
        if end.start() >= match.end():
            return _OWN.search(text, begin, end.start()) is not None
        if end.end() <= match.start():
            begin = end.end()
    return _OWN.search(text, begin) is not None


def _separated(lines: list[Line], begin: int, end: int) -> int | None:
    for place in range(end - 1, max(begin, end - _LINES_MAX - 2), -1):
        text = lines[place].text
        if _SEPARATOR.fullmatch(text.strip()):
            below = [line.text.strip() for line in lines[place + 1 : end]]
            is_certain = text == "-- " or all(_is_name(one) for one in below if one)
            return place if is_certain and any(below) else None
    return None


def _closed(lines: list[Line], begin: int, end: int) -> int | None:
    names = 0
    for place in range(end - 1, begin - 1, -1):
        text = _bare(lines, place)
        if not text:
            continue
        match = phrases.CLOSING.match(text)
        if match is not None:
            rest = text[match.end() :].strip()
            if not rest or (match[0][-1] in ",.-\u3001" and _is_name(rest)):
                return place
        names += 1
        if names > _LINES_MAX:
            break
        above = _bare(lines, place - 1) if place > begin else ""
        is_small_name = names == 1 and _SMALL_NAME.fullmatch(text) and _FORMAL.match(above)
        if not _is_name(text) and not is_small_name:
            break
    return None


def _contact(lines: list[Line], paragraph: int, end: int) -> int | None:
    texts = [_bare(lines, place) for place in range(paragraph, end)]
    if not 2 <= len(texts) <= _LINES_MAX or _CONTACT.search(texts[0]):
        return None
    is_contact = any(map(_CONTACT.search, texts)) and all(map(_is_name, texts))
    return paragraph if is_contact else None


def _is_name(text: str) -> bool:
    """Whether a line can be of a signature: names, titles, addresses, numbers; no sentence."""
    words = text.split()
    if len(text) > _CHARACTERS_MAX or len(words) > _WORDS_MAX or text[-1] in _SENTENCE_ENDS:
        return False
    if any(word.strip(".,;:()").lower() in _NO_NAMES for word in words):
        return False
    if _CONTACT.search(text):
        return True
    if len(words) == 1 and text.isalpha():
        return True
    return all(map(_is_name_word, words)) and not (text[-1] == "." and len(words) > 4)


def _is_name_word(word: str) -> bool:
    bare = word.strip(".,;:()[]|\"'*_")
    if not bare or word in _SMALL or bare.lower() in _SMALL:
        return True
    first = bare[0]
    # A letter without a capital is of a script that has none.
    return first.isupper() or not first.isalpha() or first.lower() == first.upper()


def _mark_banner(lines: list[Line]) -> None:
    """Mark what a mail server put above the mail, if that is not all of it."""
    first = next(
        (p for p, (text, kind) in enumerate(lines) if text.strip() and kind is Kind.KEPT), None
    )
    if first is None:
        return
    end = first
    while end < len(lines) and end - first < _LINES_MAX and _bare(lines, end):
        end += 1
    whole = " ".join(line.text.strip() for line in lines[first:end])
    is_all = not any(text.strip() for text, _ in lines[end:])
    if len(whole) <= _NOTICE_CHARACTERS_MAX and not is_all and phrases.BANNER.match(whole):
        for place in range(first, end):
            lines[place] = Line(lines[place].text, Kind.SIGNATURE)
