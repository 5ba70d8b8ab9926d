"""Marks what a mail repeats of other mails: lines with `>`, and all that follows a reply's header.

Exists because an opposite opinion that is quoted under a mail decides its label. What is only
similar stays: a header of a reply needs a date, a time or an address beside its words. Pure; sees
bounded windows of lines, so that time is linear.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.text.markup import phrases
from service.text.markup.lines import Kind, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

# Mail programs wrap the line above a quote into at most this many.
_ATTRIBUTION_LINES_MAX = 4
_ATTRIBUTION_CHARACTERS_MAX = 400
# Words of a line that names nothing but who wrote.
_NAME_WORDS_MAX = 8
_WITHIN_CHARACTERS_MIN = 40
# Lines after `From:` in which the rest of such a block is looked for.
_BLOCK_LINES_MAX = 9

# Not an emoticon: `>:(`, `>_<`.
_MARKED = re.compile(r"\s{0,3}(?:\|\s?)?>(?![:;=]['-]?[()\[\]/\\|DOo](?!\w)|[_.<])")

_WROTE = rf"(?<!\w)(?:{phrases.WROTE})(?!\w)"
# What no sentence before a colon has: an address, or a date or time beside the words.
_WHO = re.compile(r"[<\[(]\s?(?:mailto:)?[^\s<>@]{1,64}@")
_WHEN = re.compile(
    r"\d{1,2}[:.h]\d{2}(?!\d)|(?<!\d)(?:19|20)\d{2}(?!\d)"
    r"|(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?!\d)"
)
# How such a line begins; with a digit somewhere in its first line.
_LEAD = re.compile(
    r"\W{0,3}(?:(?:On|Am|Le|El|Em|Il|Op|Den|Dne|W dniu|På|No dia)(?!\w)|\d{4}\W)(?=.*\d)"
)
_VERB = re.compile(rf"{_WROTE}|{phrases.WROTE_UNSPACED}", re.IGNORECASE)
_LAST = re.compile(rf"(?:{_WROTE}|{phrases.WROTE_UNSPACED})\s?[:\uff1a]\Z", re.IGNORECASE)
# Gmail in some languages has no verb, or one of any language: a date, a time, a name, an address in
# angle brackets, perhaps a word or two, a colon.
_NO_VERB = re.compile(
    r"[^\n]{0,40}?\d{4}\s?(?:\u5e74|\W).{1,100}\d{1,2}:\d{2}.{1,150}"
    r"<[^\s<>@]{1,64}@[^\s<>]{1,200}>\s?(?:\w[\w ]{0,20})?[:\uff1a]"
)
# Signs of the direction of writing, which Gmail puts around names in Hebrew and Arabic.
_DIRECTIONS = dict.fromkeys(
    map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
# The same within a line, where a program has joined the lines of a mail.
_WITHIN = re.compile(
    rf"(?<!\w)(?:On|Am|Le|El|Em|Il|Op|Den) (?=[^\n]{{0,80}}\d)[^\n]{{6,200}}?"
    rf"<[^\s<>@]{{1,64}}@[^\s<>]{{1,200}}>\s?(?:{phrases.WROTE})\s?[:\uff1a](?:\s|$)"
)

_DIVIDER = re.compile(
    rf"[*_ ]{{0,3}}-{{2,}}\s*(?:{phrases.REPEATED})\s*[:\uff1a]?\s*-{{2,}}[*_ ]{{0,3}}"
    rf"|(?:{phrases.FORWARDED})\s*[:\uff1a]"
    r"|#{2,}-.{0,120}-#{2,}|[-_=]{3,}\s?(?:please )?reply above this line.{0,40}",
    re.IGNORECASE,
)
_ENDED = re.compile(rf"-{{2,}}\s*(?:{phrases.ENDED})\s*-{{2,}}", re.IGNORECASE)
_DIVIDER_WITHIN = re.compile(rf"-{{3,20}} ?(?:{phrases.REPEATED}) ?-{{3,20}}", re.IGNORECASE)

# Outlook's block: each word with a colon, perhaps in bold.
_FIELD = r"\s{{0,3}}\*{{0,2}}(?:{})\s?\*{{0,2}}\s?[:\uff1a]\*{{0,2}}(?:\s|$)"
_BLOCK = re.compile(_FIELD.format(phrases.FROM), re.IGNORECASE)
_BLOCK_SENT = re.compile(_FIELD.format(phrases.SENT), re.IGNORECASE)
_BLOCK_ABOUT = re.compile(_FIELD.format(phrases.ABOUT), re.IGNORECASE)
_BLOCK_TO = re.compile(_FIELD.format(phrases.TO), re.IGNORECASE)
# All of the block in one line: who, when and what about, each within so many characters.
_ANY_FIELD = re.compile(
    rf"(?<![\w*])\*?(?:(?P<sender>{phrases.FROM})|(?P<sent>{phrases.SENT})|(?P<about>{phrases.ABOUT}))"
    r"\s?:\*?\s",
    re.IGNORECASE,
)
_FIELD_CHARACTERS_MAX = 600
_RULE = re.compile(r"[-_=*]{5,}")


def with_quotes(lines: list[Line]) -> list[Line]:
    """The lines of a mail, with those that repeat other mails marked as quoted."""
    found = [Line(line.text, _kind(line)) for line in _split(lines)]
    place, first_kept = 0, len(found)
    while place < len(found):
        if found[place].kind is Kind.KEPT and found[place].text.strip():
            begin = _header_begin(found, place)
            if begin is not None:
                is_first = begin <= first_kept
                is_alone = _is_header_alone(found, begin, place, is_first)
                end = place + 1 if is_alone else _end(found, place)
                found[begin:end] = [Line(text, Kind.QUOTED) for text, _ in found[begin:end]]
                place, first_kept = end, len(found) if is_first else first_kept
                continue
            first_kept = min(first_kept, place)
        place += 1
    return found


def _split(lines: list[Line]) -> Iterator[Line]:
    """The lines; if the header of a reply is within one of them, all after it is quoted."""
    is_rest = False
    for line in lines:
        text, kind = line
        if is_rest:
            yield Line(text, Kind.QUOTED)
            continue
        # Only long lines were joined of several.
        is_long = kind is Kind.KEPT and len(text) > _WITHIN_CHARACTERS_MIN
        begin, end = _header_within(text) if is_long else (0, 0)
        if begin == end:
            yield line
            continue
        after = text[end:].strip()
        is_rest = bool(after)
        yield Line(text[:begin])
        yield Line(text[begin:end].strip(), Kind.QUOTED if is_rest else Kind.KEPT)
        yield Line(after, Kind.QUOTED)


def _header_within(text: str) -> tuple[int, int]:
    """The bounds of a reply's header within a line, empty without one."""
    for pattern in (_DIVIDER_WITHIN, _WITHIN):
        match = pattern.search(text)
        if match is not None:
            return match.span()
    begin, seen = -1, 0
    for field in _ANY_FIELD.finditer(text):
        if field["sender"]:
            begin, seen = field.start(), field.end()
        elif begin < 0 or field.start() - seen > _FIELD_CHARACTERS_MAX:
            begin = -1
        elif field["about"] and _WHEN.search(text, begin, field.start()):
            return begin, field.end()
    return 0, 0


def _kind(line: Line) -> Kind:
    if line.kind is Kind.KEPT and _MARKED.match(line.text):
        return Kind.QUOTED
    return line.kind


def _is_header_alone(lines: list[Line], begin: int, place: int, is_first: bool) -> bool:
    """Whether no line below the header, which ends at this line, is cut for it.

    The quote may have marks of its own. An attribution without an address, above all that the
    writer wrote, may be a sentence, or their answer may stand below the quote.
    """
    text = lines[place].text.strip()
    if _next_kind(lines, place + 1) is Kind.QUOTED:
        return True
    if not is_first or _DIVIDER.fullmatch(text) or _BLOCK.match(text):
        return False
    return not _WHO.search(" ".join(line.text for line in lines[begin : place + 1]))


def _end(lines: list[Line], place: int) -> int:
    """Behind the line that ends what this divider begins; behind all lines without one.

    Each mail that is repeated within the first has its own end, or none has.
    """
    open_mails = 0
    for at in range(place, len(lines)):
        text = lines[at].text.strip()
        if _DIVIDER.fullmatch(text):
            open_mails += 1
        elif open_mails == 0:
            break
        elif _ENDED.fullmatch(text):
            open_mails -= 1
            if open_mails == 0:
                return at + 1
    return len(lines)


def _next_kind(lines: list[Line], place: int) -> Kind | None:
    """The kind of the next line that is not empty; None after the last."""
    while place < len(lines) and not lines[place].text.strip():
        place += 1
    return lines[place].kind if place < len(lines) else None


def _header_begin(lines: list[Line], place: int) -> int | None:
    """The first line of the header of a reply that ends at this line, or begins with it."""
    text = lines[place].text.translate(_DIRECTIONS).strip()
    if _DIVIDER.fullmatch(text):
        return place
    if _BLOCK.match(text) and _is_block(lines, place):
        above = place - 1
        while above > 0 and not lines[above].text.strip():
            above -= 1
        return above if above >= 0 and _RULE.fullmatch(lines[above].text.strip()) else place
    return _attribution_begin(lines, place) if text.rstrip("*_ ")[-1:] in (":", "\uff1a") else None


def _is_block(lines: list[Line], place: int) -> bool:
    """Whether the lines from here on name who wrote, and two of: what about, when, an address."""
    when = about = False
    has_address = "@" in lines[place].text
    for text, kind in lines[place + 1 : place + _BLOCK_LINES_MAX]:
        if kind is not Kind.KEPT:
            break
        if _BLOCK_SENT.match(text) and _WHEN.search(text):
            when = True
        about = about or _BLOCK_ABOUT.match(text) is not None
        if _BLOCK_TO.match(text):
            has_address = has_address or "@" in text
    return (when and about) or (about and has_address) or (when and has_address)


def _attribution_begin(lines: list[Line], place: int) -> int | None:
    """The first line of an attribution ("On … wrote:") that ends at this line."""
    begin, text, found = place, "", None
    while place - begin < _ATTRIBUTION_LINES_MAX and begin >= 0:
        line = lines[begin]
        if line.kind is not Kind.KEPT or not line.text.strip():
            break
        text = f"{line.text.translate(_DIRECTIONS).strip()} {text}".rstrip("*_ ")
        if len(text) > _ATTRIBUTION_CHARACTERS_MAX:
            break
        if _is_attribution(text):
            if _LEAD.match(line.text):
                return begin
            found = begin if found is None else found
        begin -= 1
    is_named = len(lines[place].text.split()) <= _NAME_WORDS_MAX
    if found is None and is_named and _next_kind(lines, place + 1) is Kind.QUOTED:
        found = place if _VERB.search(lines[place].text) else None
    return found


def _is_attribution(text: str) -> bool:
    if _NO_VERB.fullmatch(text):
        return True
    if not _VERB.search(text) or phrases.OWN.search(text):
        return False
    return bool(
        _WHO.search(text) or (_WHEN.search(text) and (_LEAD.match(text) or _LAST.search(text)))
    )
