"""Greetings and closing formulas are found and left out: they are manners, and no opinion.

Exists because "Thanks, Alex" under a complaint turned 141 of 142 to praise. A formula is left out
only as the very first or last thing of a text, with no more than names and titles beside it, and
where enough of a text remains; thanks that say for what ("Thank you so much for the quick help!")
are part of what a text says. The tables are values; the matchers see a bounded part of the text.
"""

from __future__ import annotations

import re

# What is looked at; a signature of more lines stays.
_HEAD_CHARACTERS, _TAIL_CHARACTERS = 160, 300
# A text of fewer words than remain behind a formula is the formula.
_WORDS_LEFT_MIN = 3
# Formulas stand on each other: thanks in advance, regards, name, and the telephone's own line.
_FORMULAS_MAX = 4
_SIGNATURE_WORDS_MAX = 14
_WORD = re.compile(r"\w+")

_GREETINGS = (
    r"hi|hello|hallo|hey|hiya|heya|dear|greetings|salutations|howdy|aloha|yo|good\sday"
    r"|(?:good\s)?(?:morning|afternoon|evening)"
)
_GREETINGS_WHOLE = r"to\swhom\s(?:this|it)\smay\sconcern"
_ADDRESSEES = (
    r"team|all|everyone|everybody|folks|guys|there|again|support|sirs?|madam|ma'am|mr|mrs|ms|dr"
    r"|customer\s(?:services?|support|care|relations)|help\s?desk|friends|both|colleagues|and|or|&|to|the|whole|you"
    r"|sirs?\s?/\s?madam|@user"
)
# No word that begins a sentence: `Hi Im Better. Thanks`.
_NAME = (
    r"(?!(?:I'?m?|It|My|The|This|That|What|Why|How|You|We|Your|Thanks?|Please|Not?|Yes|Very|So)\b)"
    r"[A-Z](?:[\w'-]{1,24}|\.)"
)
_GREETING = re.compile(
    rf"\s*(?:(?i:{_GREETINGS})(?:,?[ \t]+(?:(?i:{_ADDRESSEES})(?!\w)\.?|{_NAME}(?!\w))){{0,4}}"
    rf"|(?i:{_GREETINGS_WHOLE}))"
    r"(?:\s*[,!:;]+(?![)(DPp/\\])\s*|\s*\.+\s+|\s+[-\u2013\u2014]+\s+|[ \t]*\n\s*|(?<=@user)\s+)"
)
_WELL_WISHES = re.compile(
    r"\s*(?i:(?:i\s)?(?:really\s)?hope\s(?:this\s(?:e-?mail|message|note|letter)\sfinds\syou\swell"
    r"|(?:you\sare|you're|all\sis|everyone\sis)\s(?:all\s)?(?:keeping\s|doing\s)?well)"
    r"(?:\stoday)?"
    r"|(?:i\s|we\s)?hope\syou(?:\shad|\shave|'ve\shad|\sare\shaving|\senjoyed)\s(?:a|an|your|the)\s"
    r"(?:\w{1,12}\s){0,2}(?:day|week|weekend|morning|afternoon|evening|summer|winter|spring|autumn"
    r"|holidays?|break|vacation|easter|christmas|trip|start)(?:\s\w{1,12}){0,2})\s*[,.!]+\s*"
)
# A letter's first line, if it is short and alone: `Welcome back from your travels, Maria!`
_FIRST_LINE = re.compile(r"\s*(?P<line>[^\n]{2,60}[,!:])[ \t]*\n\s*")
_FIRST_LINE_WORDS_MAX = 8
_ADDRESSES = re.compile(
    r"\b(?:welcome\sback|good\s(?:day|morning|afternoon|evening)|greetings?|hello|hi|dear|esteemed"
    r"|season'?s|happy\s\w{3,6}day)\b|\Ato\s(?:all|whom)\b",
    re.IGNORECASE,
)

# These are closings whatever stands before them, if they begin with a capital letter.
_FIRM = (
    r"(?:with\s)?(?:kind(?:est)?|best|warm(?:est)?)\s(?:personal\s)?regards"
    r"(?:\sfrom\s\w{1,16})?|regards|b?rgds"
    r"|(?:many\s)?(?:thanks|thank\syou)\s(?:and|&)\s(?:kind\s|best\s)?regards"
    r"|(?:many\s)?thanks\sin\sadvance(?:\sfor\syour\s\w{1,16})?"
    r"|thank\syou\s(?:very\smuch\s|so\smuch\s)?in\sadvance(?:\sfor\syour\s\w{1,16})?"
    r"|(?:thanks|thank\syou)\sfor\syour\s(?:time|attention|understanding|consideration|cooperation)"
    r"(?:\s(?:and|in)\s(?:this|the|\w{1,16})(?:\s\w{1,16})?)?"
    r"|yours\s(?:sincerely|faithfully|truly)|(?:sincerely|faithfully)(?:\syours)?|very\struly\syours"
    r"|(?:i\s(?:am\s)?|i'm\s)?look(?:ing)?\sforward\sto\s(?:hearing\sfrom\syou|your\s(?:prompt\s)?"
    r"(?:reply|response|answer))(?:\ssoon)?"
)
# These also begin sentences: they close with a comma or a line's end behind them.
_SOFT = (
    r"(?:with\s)?(?:best|kind|warm|good)\swishes|(?:with|many)\sthanks"
    r"|(?:thanks|thank\syou)"
    r"(?:\s(?:and|&)\s(?:all\sthe\s)?best|\s(?:again|so\smuch|very\smuch|a\slot))?"
    r"|have\sa\s(?:nice|good|great|lovely)\s(?:day|evening|weekend|week)|(?:all\sthe\s)?best"
    r"|thx|tks|ty|ta|cheers|ciao|bye|br|kr|warmly|cordially|respectfully|yours|love|take\scare"
)
_CLOSING = re.compile(rf"(?<![\w'-])(?i:(?P<firm>{_FIRM})|(?P<soft>{_SOFT}))(?![\w'-])")
# In each of them; told sooner than that there is none.
_HINTS = (
    "thank", "thx", "tks", "ty,", "ty\n", "ta,", "ta\n", "cheers", "best", "wishes", "regard",
    "rgds", "sincerely", "faithfully", "truly", "looking f", "look f", "have a ", "ciao", "bye",
    "br,", "br\n", "kr,", "kr\n", "warmly", "cordially", "respectfully", "yours", "love,", "love\n",
    "take care",
)  # fmt: skip
_DEVICE = re.compile(
    r"(?<!\w)(?:Sent (?:from|via|using) (?:my )?(?:(?:verizon|samsung|galaxy|android|huawei|sony)"
    r" ?)?(?:iphone|ipad|ipod|phone|mobile|smartphone|android|galaxy|samsung|blackberry|huawei"
    r"|nokia|mail|outlook|yahoo|gmail|proton ?mail|tablet|device)|Get Outlook)"
    r"(?: (?:for|on|to|mail|app|device|phone|mobile|smartphone|ios|android|windows|\w{1,10}))"
    r"{0,4}[.,]?\s*\Z",
    re.IGNORECASE,
)
# Within a sentence they are what it says: `see you all tonight xoxo`.
_KISSES = re.compile(rf"(?<=[.!?\n])\s*(?i:(?:xo){{2,6}}x?)(?:,?\s{_NAME}(?: {_NAME})?)?[.!]*\s*\Z")
# The line by which programs part a signature from what was written, and an agent's initials.
_PARTED = re.compile(r"\n-- ?\n[^\n]{0,80}(?:\n[^\n]{0,80}){0,5}\n?\Z|\s\^[A-Z]{2}\s*\Z")
_DASHED = re.compile(
    rf"(?<=[.!?\n])\s*[-\u2013\u2014~]{{1,2}}[ \t]?{_NAME}(?: {_NAME}){{0,2}}\s*\Z"
)

# A letter's last lines: a short one of thanks, hope or wishes, and names below it.
_LETTER_LINE_WORDS_MAX, _LETTER_NAME_LINES_MAX = 10, 3
_MANNERS = re.compile(
    r"thank|grate|appreciat|hope|hoping|forward|regard|wish|sincer|yours|care|cheers|best|respect"
    r"|bless|soon|advance|warm|cordial|faithful",
    re.IGNORECASE,
)

# Within a signature, between names: `Head of Service`, `de la Cruz`.
_CONNECTING = "of the and for at de da di van von der la le del bin al & | / - \u2013 \u2014"
_CONNECTORS = frozenset(_CONNECTING.split())
# Behind a comma, but no names: what thanks are for, or the next sentence.
_NOT_NAMING = (
    "i i'm i've it it's its this that these those they we you you're your u he she but so or "
    "not no never nothing to is was are were very really too still now then here there what "
    "why how when great good awesome amazing wonderful excellent fantastic perfect lovely nice "
    "brilliant best better bad worse worst terrible horrible awful love loved hate hated happy "
    "sad please sorry everyone everybody all guys lol omg wow yes ever much again just my our "
    "service phone thanks thank bye"
)
_NO_NAMES = frozenset(_NOT_NAMING.split())
# What led over to a formula that is gone.
_LEFT = re.compile(r"(?:,|\s[-\u2013\u2014]{1,2})?\s*\Z")
# Between a formula and a name.
_AROUND = " \t\n,.!;-\u2013\u2014\"'"
_INITIAL = re.compile(r"(?:(?<!\w)[A-Z]|Jr|Sr)\.\Z")
_CONTACT = re.compile(
    r"[+(]?[\d()./-]{1,24}|link|@user|(?:tel|phone|mobile|fax|e-?mail|web)\.?:?", re.IGNORECASE
)


def without_greeting(text: str) -> str:
    """Without a greeting at the start, and the wish to find the reader well."""
    for pattern in (_GREETING, _FIRST_LINE, _WELL_WISHES):
        match = pattern.match(text[:_HEAD_CHARACTERS])
        if match is None or (pattern is _FIRST_LINE and not _addresses(match["line"])):
            continue
        if _is_enough(text[match.end() :]):
            text = text[match.end() :]
    return text


def _addresses(line: str) -> bool:
    return len(line.split()) <= _FIRST_LINE_WORDS_MAX and _ADDRESSES.search(line) is not None


def without_closing(text: str) -> str:
    """Without closing formulas, the names behind them, and what programs add, at the end."""
    for _ in range(_FORMULAS_MAX):
        before = max(0, len(text) - _TAIL_CHARACTERS)
        place = _closing_begin(text[before:])
        if place is None or (before and not place):
            break
        shorter = text[:before] + _LEFT.sub("", text[before : before + place])
        if not _is_enough(shorter):
            break
        text = shorter
    return text


def _is_enough(text: str) -> bool:
    words = _WORD.finditer(text)
    return sum(1 for _ in zip(range(_WORDS_LEFT_MIN), words, strict=False)) == _WORDS_LEFT_MIN


def _closing_begin(tail: str) -> int | None:
    for pattern in (_DEVICE, _KISSES, _PARTED, _DASHED):
        if match := pattern.search(tail):
            return match.start()
    if (begin := _letter_end(tail)) is not None:
        return begin
    lower = tail.lower()
    if not any(hint in lower for hint in _HINTS):
        return None
    for match in _CLOSING.finditer(tail):
        if _may_begin(tail, match) and _is_signature(match, tail[match.end() :]):
            return match.start()
    return None


def _letter_end(tail: str) -> int | None:
    """Where the closing line of a letter begins, which has nothing but names below it."""
    rest, names = tail.rstrip(), 0
    while names < _LETTER_NAME_LINES_MAX:
        above, newline, line = rest.rpartition("\n")
        name = line.strip()
        if not newline or not name or name[-1] in ".!?" or not _are_names(name, below=True):
            break
        rest, names = above.rstrip(), names + 1
    above, newline, line = rest.rpartition("\n")
    closes = line.rstrip().endswith(",") or _MANNERS.search(line) is not None
    if names and newline and closes and len(line.split()) <= _LETTER_LINE_WORDS_MAX:
        return len(above)
    return None


def _may_begin(tail: str, match: re.Match[str]) -> bool:
    before = tail[: match.start()]
    bare = before.rstrip()
    if not bare or "\n" in before[len(bare) :] or bare[-1] in ".!?)\"'":
        return True
    if bare[-1] in "-\u2013\u2014":
        return True
    if bare[-1] in ",;":
        return match["firm"] is not None or match[0].lower().startswith("thank")
    # The mark or the line's end before it was lost: its capital letter tells.
    word = bare.rsplit(None, 1)[-1]
    return match[0][0].isupper() and match[0].lower() != "love" and not word[0].isupper()


def _is_signature(match: re.Match[str], rest: str) -> bool:
    name = rest.lstrip(_AROUND).rstrip("\"'\n\t ")
    between = rest[: rest.index(name)] if name else rest
    own_line = "\n" in match.string[len(match.string[: match.start()].rstrip()) : match.start()]
    if not name:
        if match["firm"] is not None:
            return True
        return own_line or between.strip() == ","
    below = "\n" in between
    if name[-1] in "!?" or ("!" in between and not below):
        return False
    if match["firm"] is None and not below:
        # "Thank you, America." speaks to the one that it names; a signature ends without a mark.
        ends = name[-1] == "." and not _INITIAL.search(name)
        if ends or not any(sign in between for sign in ",-\u2013\u2014"):
            return False
    return _are_names(name, below)


def _are_names(found: str, below: bool) -> bool:
    """Whether words are names, titles and numbers; `below` is on a line of their own."""
    words = found.split()
    if len(words) > _SIGNATURE_WORDS_MAX:
        return False
    if below and len(words) == 1 and words[0].isalpha():
        return words[0].lower() not in _NO_NAMES
    for number, word in enumerate(words):
        bare = word if word in _CONNECTORS else word.strip(".,()|:;")
        if bare.lower() in _NO_NAMES or not bare:
            return False
        is_name = bare[0].isupper() or _CONTACT.fullmatch(word)
        if not is_name and (number == 0 or bare not in _CONNECTORS):
            return False
    return True
