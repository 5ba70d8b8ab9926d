"""Removes greetings and closing formulas, which are polite phrases and not opinions.

Exists because "Thanks, Alex" under a complaint made 141 of 142 complaints positive. A formula is
removed only at the very start or end of a text, with nothing but names and titles beside it, and if
enough text remains. Thanks for something ("Thank you so much for the quick help!") are part of the
opinion and stay. The patterns see a bounded part of the text.
"""

from __future__ import annotations

import re

# The parts of a text that are searched; a longer signature stays.
_HEAD_CHARACTERS, _TAIL_CHARACTERS = 160, 300
# Words that must remain; otherwise the formula is the text, and stays.
_WORDS_LEFT_MIN = 3
# Several formulas can follow each other: thanks, regards with a name, and the phone's own line.
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
# A word that can start a sentence is no name: `Hi Im Better. Thanks`.
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
# A short first line of a letter, alone on its line: `Welcome back from your travels, Maria!`
_FIRST_LINE = re.compile(r"\s*(?P<line>[^\n]{2,60}[,!:])[ \t]*\n\s*")
_FIRST_LINE_WORDS_MAX = 8
_ADDRESSES = re.compile(
    r"\b(?:welcome\sback|good\s(?:day|morning|afternoon|evening)|greetings?|hello|hi|dear|esteemed"
    r"|season'?s|happy\s\w{3,6}day)\b|\Ato\s(?:all|whom)\b",
    re.IGNORECASE,
)

# These may also follow a comma, and need no comma or new line after them.
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
# These can also start a sentence: a closing has a comma or the end of a line after it.
_SOFT = (
    r"(?:with\s)?(?:best|kind|warm|good)\swishes|(?:with|many)\sthanks"
    r"|(?:thanks|thank\syou)"
    r"(?:\s(?:and|&)\s(?:all\sthe\s)?best|\s(?:again|so\smuch|very\smuch|a\slot))?"
    r"|have\sa\s(?:nice|good|great|lovely)\s(?:day|evening|weekend|week)|(?:all\sthe\s)?best"
    r"|thx|tks|ty|ta|cheers|ciao|bye|br|kr|warmly|cordially|respectfully|yours|love|take\scare"
)
_CLOSING = re.compile(rf"(?<![\w'-])(?i:(?P<firm>{_FIRM})|(?P<soft>{_SOFT}))(?![\w'-])")
# Every closing contains one of these; a quick check first, because most texts have none.
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
# Only after a sentence: in `see you all tonight xoxo` they are part of it.
_KISSES = re.compile(rf"(?<=[.!?\n])\s*(?i:(?:xo){{2,6}}x?)(?:,?\s{_NAME}(?: {_NAME})?)?[.!]*\s*\Z")
# The separator line that mail programs put before a signature, or an agent's initials.
_SEPARATED = re.compile(r"\n-- ?\n[^\n]{0,80}(?:\n[^\n]{0,80}){0,5}\n?\Z|\s\^[A-Z]{2}\s*\Z")
_DASHED = re.compile(
    rf"(?<=[.!?\n])\s*[-\u2013\u2014~]{{1,2}}[ \t]?{_NAME}(?: {_NAME}){{0,2}}\s*\Z"
)

# The last lines of a letter: a short line of thanks, hope or wishes, and names below it.
_LETTER_LINE_WORDS_MAX, _LETTER_NAME_LINES_MAX = 10, 3
_POLITE = re.compile(
    r"thank|grate|appreciat|hope|hoping|forward|regard|wish|sincer|yours|care|cheers|best|respect"
    r"|bless|soon|advance|warm|cordial|faithful",
    re.IGNORECASE,
)

# Between names and titles in a signature: `Head of Service`, `de la Cruz`.
_CONNECTING = "of the and for at de da di van von der la le del bin al & | / - \u2013 \u2014"
_CONNECTORS = frozenset(_CONNECTING.split())
# Words that are no name after "Thanks,": a reason for the thanks, or the next sentence.
_NOT_NAMING = (
    "i i'm i've it it's its this that these those they we you you're your u he she but so or "
    "not no never nothing to is was are were very really too still now then here there what "
    "why how when great good awesome amazing wonderful excellent fantastic perfect lovely nice "
    "brilliant best better bad worse worst terrible horrible awful love loved hate hated happy "
    "sad please sorry everyone everybody all guys lol omg wow yes ever much again just my our "
    "service phone thanks thank bye"
)
_NO_NAMES = frozenset(_NOT_NAMING.split())
# A comma or dash before a removed formula.
_LEFT = re.compile(r"(?:,|\s[-\u2013\u2014]{1,2})?\s*\Z")
# Characters between a formula and a name.
_AROUND = " \t\n,.!;-\u2013\u2014\"'"
_INITIAL = re.compile(r"(?:(?<!\w)[A-Z]|Jr|Sr)\.\Z")
_CONTACT = re.compile(
    r"[+(]?[\d()./-]{1,24}|link|@user|(?:tel|phone|mobile|fax|e-?mail|web)\.?:?", re.IGNORECASE
)


def without_greeting(text: str) -> str:
    """Remove a greeting at the start, and a wish like "I hope this finds you well"."""
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
    """Remove closing formulas at the end, the names after them, and lines of mail programs."""
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
    """The index at which the last closing formula begins; None if there is none."""
    for pattern in (_DEVICE, _KISSES, _SEPARATED, _DASHED):
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
    """The index of the closing line of a letter, above lines of names; None if there is none."""
    rest, names = tail.rstrip(), 0
    while names < _LETTER_NAME_LINES_MAX:
        above, newline, line = rest.rpartition("\n")
        name = line.strip()
        if not newline or not name or name[-1] in ".!?" or not _are_names(name, below=True):
            break
        rest, names = above.rstrip(), names + 1
    above, newline, line = rest.rpartition("\n")
    closes = line.rstrip().endswith(",") or _POLITE.search(line) is not None
    if names and newline and closes and len(line.split()) <= _LETTER_LINE_WORDS_MAX:
        return len(above)
    return None


def _may_begin(tail: str, match: re.Match[str]) -> bool:
    """Whether a closing can begin here, by the text before it."""
    before = tail[: match.start()]
    bare = before.rstrip()
    if not bare or "\n" in before[len(bare) :] or bare[-1] in ".!?)\"'":
        return True
    if bare[-1] in "-\u2013\u2014":
        return True
    if bare[-1] in ",;":
        return match["firm"] is not None or match[0].lower().startswith("thank")
    # Without punctuation or a new line before it, its capital letter shows a new sentence.
    word = bare.rsplit(None, 1)[-1]
    return match[0][0].isupper() and match[0].lower() != "love" and not word[0].isupper()


def _is_signature(match: re.Match[str], rest: str) -> bool:
    """Whether the text after a closing is a signature, or nothing."""
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
        # "Thank you, America." addresses its name; a signature has no full stop at its end.
        ends = name[-1] == "." and not _INITIAL.search(name)
        if ends or not any(sign in between for sign in ",-\u2013\u2014"):
            return False
    return _are_names(name, below)


def _are_names(found: str, below: bool) -> bool:
    """Whether all words are names, titles or numbers; `below` if they are on their own line."""
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
