"""Replaces the notation of social media by words: `:)`, `#SoGood` and emoji.

These are the steps of version 1; version 2 has most of them too. Their results never change,
because models were trained on them. Names of countries, people and groups stay as written: a flag
becomes the name of its country, a handle or hashtag the words in it.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache
from itertools import groupby

from emoji import EMOJI_DATA

# Only complete references: browsers also accept them without `;`, which would change `fish&notes`.
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")

# Styled letters (wide, bold, in circles, ligatures), which stand for plain ones. Not everything
# that NFKC maps: it would append `TM` to a name, and turn `1½` into `11/2`.
_STYLED = re.compile(
    "[\u2102-\u2115\u2119-\u211d\u2124\u2128-\u2138\u24b6-\u24e9\ufb00-\ufb06\uff01-\uff5e"
    "\U0001d400-\U0001d7ff\U0001f130-\U0001f149]+"
)
_TYPOGRAPHY: dict[str, str] = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
    **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000", " "),
    # Invisible: soft hyphen, zero width, direction, byte order mark.
    **dict.fromkeys("\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff", ""),
    "\u2026": "...",
    "\u203c": "!!",
    "\u2049": "!?",
    "\u2047": "??",
}
_PLAIN = str.maketrans(_TYPOGRAPHY)

# Without punctuation at its end, which belongs to the sentence.
URL = re.compile(r"(?:https?://|(?<!\w)www\.)[^\s<>\"]*[^\s<>\".,:;!?')\]}]", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@.])@(\w*[^\W_]\w*)")
_HASHTAG = re.compile(r"(?<![\w&/])#(\w*[^\W\d_]\w*)")
# Where to split words that are written together; `iPhone`, `eSwatini`, `McCartney` and `DeNiro`
# are one word.
_LOWER, _UPPER = "a-z\u00df-\u00f6\u00f8-\u00ff", "A-Z\u00c0-\u00d6\u00d8-\u00de"
_SEAM = re.compile(
    rf"_+|(?<=[^\W\d_][{_LOWER}])(?<!Mc)(?<!Mac)(?<![DL][ae])(?<!D[iu])(?=[{_UPPER}])"
    rf"|(?<=[{_UPPER}])(?=[{_UPPER}][{_LOWER}]{{2}})|(?<=[{_LOWER}]{{2}})(?=[0-9])"
)

# Characters that can start an emoji, and that can follow in one; a table lists the real ones.
_SYMBOLS = (
    "\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_EMOJI = re.compile(f"[{_SYMBOLS}][{_SYMBOLS}\u200d\ufe0e\ufe0f\U000e0020-\U000e007f]*")
# Variation selectors, and skin colours, which must never change a score.
VARIANTS = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
_KEYCAP = re.compile("([0-9#*])\ufe0f?\u20e3")
# The same emoji in a row is kept this many times: twenty mean no more than two.
_EMOJI_REPEATS_MAX = 2

_EMOTICON = re.compile(
    # With a mouth of punctuation it may follow a word, but not a number: `fine:)`.
    r"(?P<face>(?<![\d:;=])>?[:;=]['\u2019]?[-^]?(?:\)+|\(+|[\]\[}{*|])(?!\w)"
    # With a mouth that is a letter or slash it has to stand alone.
    r"|(?<![\w:;=])>?[:;=]-?(?:D+|[PpOoSs]|[/\\])(?![\w/\\])"
    r"|(?<![\w:;=])[xX][dD]+(?!\w))"
    r"|(?P<mirrored>(?<!\S)[()]-?['\u2019]?[:;=](?!\S))"
    r"|(?P<other></?3+(?!\w)|(?<!\w)(?:[Tt;]_+[Tt;]|[oO]_+[oO])(?!\w)|\^[_.-]\^|>_+<"
    r"|(?<![\w-])-_+-(?![\w-])|\\o/)"
)
# A quick check first, because most texts have no emoticon.
_EMOTICON_MARK = re.compile(r"[:;=<^_\\]|[xX][dD]")
# Words by mouth, the same as for emoji of the same meaning.
_MOUTHS = {
    ")": "smiling face", "]": "smiling face", "}": "smiling face",
    "(": "frowning face", "[": "frowning face", "{": "frowning face",
    "D": "grinning face", "P": "playful face", "*": "kissing face", "|": "neutral face",
    "O": "surprised face", "S": "confused face", "/": "confused face", "\\": "confused face",
}  # fmt: skip
_OTHERS = {
    "<3": "red heart", "</3": "broken heart", "T_T": "crying face", ";_;": "crying face",
    "T_;": "crying face", ";_T": "crying face",
    "O_O": "surprised face", "^_^": "smiling face", "^.^": "smiling face", "^-^": "smiling face",
    ">_<": "frustrated face", "-_-": "unimpressed face", "\\O/": "happy",
}  # fmt: skip

_STRETCHED = re.compile(r"(?<![^\W_])[a-z]*?([a-z])\1\1[a-z]*", re.IGNORECASE)
_RUN = re.compile(r"([a-z])\1\1+", re.IGNORECASE)
# Roman numerals, `www`, and words with three equal capitals at the start, like names of groups.
_NOT_STRETCHED = re.compile(r"[IVXLCDM]+|w+|([A-Z])\1\1(?!\1).*")
_MARKS = re.compile(r"([!?.,~*=_-])\1{3,}")
# Words with a double letter that people stretch (`goooood`). Other words get a single letter
# (`soooo`).
_DOUBLED = (  # noqa: SIM905 - one per line would fill pages
    "all been boo boom boss call class cool dress fall feel feeling feels food fool free "
    "freezing full funny good goodbye goodnight green happy hell hello kill killed killing "
    "kiss look looking loser loss mess miss missed missing mood moon need needs oops pissed "
    "pizza poor pretty really school see seen sleep sleepy soon sorry speed stress suck sweet "
    "tall tell tomorrow too wee week weekend well will"
).split()


def without_references(text: str) -> str:
    """Replace HTML character references by their characters."""
    return _REFERENCE.sub(lambda m: html.unescape(m[0]), text) if "&" in text else text


def plain_letters(text: str) -> str:
    """Replace styled letters and typographic punctuation by plain ones."""
    if text.isascii():
        return text
    text = _STYLED.sub(lambda m: unicodedata.normalize("NFKC", m[0]), text.translate(_PLAIN))
    return unicodedata.normalize("NFC", text)


def urls_to_words(text: str) -> str:
    """Replace each web address by `link`."""
    return URL.sub("link", text)


def mentions_to_words(text: str) -> str:
    """Replace each handle by the words in it."""
    return _MENTION.sub(lambda m: _split(m[1]), text) if "@" in text else text


def hashtags_to_words(text: str) -> str:
    """Replace each hashtag by the words in it."""
    return _HASHTAG.sub(lambda m: _split(m[1]), text) if "#" in text else text


def _split(name: str) -> str:
    return _SEAM.sub(" ", name)


def emoji_to_words(text: str) -> str:
    """Replace each emoji by its Unicode name."""
    return replace_emoji(text, *emoji_names())


def replace_emoji(text: str, names: dict[str, str], longest: int) -> str:
    """Replace each emoji by its words in `names`, whose longest key has `longest` characters."""
    if text.isascii():
        return text
    return _EMOJI.sub(lambda m: _words_of_emoji(m[0], names, longest), _KEYCAP.sub(r"\1 ", text))


def _words_of_emoji(found: str, names: dict[str, str], longest: int) -> str:
    symbols = VARIANTS.sub("", found)
    words: list[str] = []
    place = 0
    while place < len(symbols):
        for size in range(min(longest, len(symbols) - place), 0, -1):
            name = names.get(symbols[place : place + size])
            if name is not None:
                break
        else:
            # Newer than the table, or no emoji: leave it to the tokenizer.
            name, size = symbols[place].strip("\u200d"), 1
        place += size
        if words[-_EMOJI_REPEATS_MAX:] != [name] * _EMOJI_REPEATS_MAX:
            words.append(name)
    return f" {' '.join(words)} "


@cache
def emoji_names() -> tuple[dict[str, str], int]:
    """The words for each emoji without its variants, and the length of the longest emoji."""
    names: dict[str, str] = {}
    for symbols, data in EMOJI_DATA.items():
        bare = VARIANTS.sub("", symbols)
        name = data["en"].strip(":").replace("_", " ").translate(_PLAIN)
        # Of an emoji's variants the one without a skin colour has the shortest name.
        if bare and not bare[0].isascii() and len(name) < len(names.get(bare, name + " ")):
            names[bare] = name
    return names, max(map(len, names))


def emoticons_to_words(text: str) -> str:
    """Replace each emoticon by the words of an emoji."""
    return _EMOTICON.sub(_words_of_emoticon, text) if _EMOTICON_MARK.search(text) else text


def _words_of_emoticon(match: re.Match[str]) -> str:
    found = match[0]
    if match["other"]:
        words = _OTHERS[re.sub(r"([3_])\1+", r"\1", found.upper())]
    elif match["mirrored"]:
        words = "smiling face" if found[0] == "(" else "frowning face"
    elif "'" in found or "\u2019" in found:
        words = "tears of joy" if found[-1] == ")" else "crying face"
    elif found[0] in "xX":
        words = "laughing face"
    elif found[0] == ">" and found[-1] in "([{":
        words = "angry face"
    elif found[0] == ";" and found[-1] in ")]}D":
        words = "winking face"
    else:
        words = _MOUTHS[found[-1].upper()]
    return f" {words} "


def shortened(text: str) -> str:
    """Shorten stretched words and rows of punctuation to their usual length."""
    if _RUN.search(text):
        text = _STRETCHED.sub(_as_meant, text)
    return _MARKS.sub(r"\1\1\1", text)


def _as_meant(match: re.Match[str]) -> str:
    word = match[0]
    if _NOT_STRETCHED.fullmatch(word):
        return word
    runs = [(letter, len(list(same))) for letter, same in groupby(word.lower())]
    if len(runs) == 1:
        return word[:3]
    for meant in _doubled().get("".join(letter for letter, _ in runs), ()):
        if all(count >= least for (_, count), least in zip(runs, meant[1], strict=True)):
            return meant[0].upper() if word.isupper() else meant[0]
    return _RUN.sub(r"\1", word)


@cache
def _doubled() -> dict[str, list[tuple[str, list[int]]]]:
    """Words and the lengths of their runs of letters; the key has each run as one letter."""
    found: dict[str, list[tuple[str, list[int]]]] = {}
    for word in _DOUBLED:
        runs = [(letter, len(list(same))) for letter, same in groupby(word)]
        key = "".join(letter for letter, _ in runs)
        found.setdefault(key, []).append((word, [count for _, count in runs]))
    return found
