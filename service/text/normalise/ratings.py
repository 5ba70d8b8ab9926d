"""Gives ratings one form: `2/10`, `two out of ten` and rows of stars become `rated 2 out of 10`.

Exists because the model understands neither fractions nor rows of stars. Only what is almost
certainly a rating is changed: no dates, shares of a group, parts of a series, numbers or paths.
"""

from __future__ import annotations

import re

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {word: str(number) for number, word in enumerate(_WORDS)}
_RATED = r"(?:\brat(?:ed|ing:?)\s)?"
_ALONE = r"(?<![\w.,:/$\u00a3\u20ac+-])"
_FRACTION = re.compile(
    rf"{_RATED}{_ALONE}(?P<n>\d{{1,2}}(?:\.\d)?|{'|'.join(_WORDS)})"
    r"(?:\s?/\s?(?P<of>5|10)|\s(?:stars?\s)?out of\s(?P<out_of>5|10|five|ten))"
    r"(?![\w/%@]|[.,:]\d|-\d)(?P<stars>[\s-]stars?(?!\w))?",
    re.IGNORECASE,
)
# After these words comes a date, a part of a series or a share of a group.
_NO_RATING_BEFORE = re.compile(
    r"(?<!\w)(?:on|by|until|till|from|since|before|after|due|dated?|part|page|step|day|week|episode"
    r"|ep|chapter|season|tweet|question|level|stage|version|every|each|no|today|tomorrow|tonight"
    r"|(?:mon|tues?|wed|wednes|thu|thurs?|fri|sat|satur|sun)(?:day)?)[.,]{0,2}\s?\Z",
    re.IGNORECASE,
)
_BEFORE_CHARACTERS = 12
_NO_RATING_BEHIND = re.compile(
    r"\s?(?:of|right|correct|done|people|time|at\s?\d|am|pm|year|the\s(?:price|cost|size|time)|to\s?\d|\u2013\s?\d"
    r"|(?!(?:always|does|feels|gets|goes|guess|has|less|looks|makes|needs|plus|points|sucks"
    r"|tastes|this|unless|was|works|yes)\b)[a-z]{3,20}s)(?!\w)",
    re.IGNORECASE,
)
_STARS = re.compile(
    rf"{_RATED}{_ALONE}(?P<n>[0-5](?:\.\d)?|{'|'.join(_WORDS[:6])})\s"
    # In `5 star hotel` the number is a class, not a rating. `one star` can be a person, so it has
    # to end a sentence.
    r"(?:(?<=[0-9oeru]\s)stars|(?:(?<=[01]\s)|(?<=one\s)|(?<=zero\s))star(?=\s*(?:\Z|[.,!;:)\n]))"
    r")(?!\w|-\w|\s(?:of|in|from(?!\s(?:me|us)\b)|who|are|were|at|on|have|that)\b)",
    re.IGNORECASE,
)
_FULL, _EMPTY = "\u2605\u2b50\U0001f31f\u272d\u272e", "\u2606\u2729\u269d"
_ROW = re.compile(
    rf"(?:(?<![\w.,/-])(?P<n>[0-5](?:\.\d)?)\s?)?"
    rf"(?P<row>[{_FULL}{_EMPTY}]\ufe0f?(?:[ \t]?[{_FULL}{_EMPTY}]\ufe0f?)*)"
)
# The length of a row that shows empty stars too, and the maximum of one that does not.
_ROW_LENGTHS, _STARS_MAX = (5, 10), 5


def replace_ratings(text: str) -> str:
    """Replace each rating by `rated N out of D`."""
    if not text.isascii():
        text = _ROW.sub(_of_row, text)
    # A quick check first, because most texts have no rating.
    lower = text.lower()
    if "/" in lower or "out of" in lower:
        text = _FRACTION.sub(_of_fraction, text)
    if "star" in lower:
        text = _STARS.sub(lambda m: f"rated {_number(m['n'])} out of 5", text)
    return text


def _number(found: str) -> str:
    return _NUMBERS.get(found.lower(), found)


def _of_fraction(match: re.Match[str]) -> str:
    text = match.string
    number, whole = _number(match["n"]), _number(match["of"] or match["out_of"])
    before = text[max(0, match.start() - _BEFORE_CHARACTERS) : match.start()]
    if float(number) > int(whole) or _NO_RATING_BEFORE.search(before):
        return match[0]
    if not match["stars"] and _NO_RATING_BEHIND.match(text, match.end()):
        return match[0]
    return f"rated {number} out of {whole}"


def _of_row(match: re.Match[str]) -> str:
    row = [sign for sign in match["row"] if sign in _FULL or sign in _EMPTY]
    full = sum(sign in _FULL for sign in row)
    number, whole = str(full), _STARS_MAX
    if match["n"] is not None:
        # In `4.5 ★` the star is the unit.
        if full != 1 or len(row) != 1 or float(match["n"]) > whole:
            return match[0]
        number = match["n"]
    elif full < len(row):
        whole = len(row)
        if whole not in _ROW_LENGTHS or any(sign in _EMPTY for sign in row[:full]):
            return match[0]
    elif full > _STARS_MAX or (full == 1 and not _is_first_and_only(match)):
        # Longer rows, and single stars within a text, are decoration.
        return match[0]
    return f" rated {number} out of {whole} "


def _is_first_and_only(match: re.Match[str]) -> bool:
    if match.start() > 0:
        return False
    return _ROW.search(match.string, match.end()) is None
