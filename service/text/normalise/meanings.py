"""Replaces emoji by what people mean by them, shortcodes by emoji, and repairs a wrong encoding.

Exists because the Unicode name of an emoji describes the picture: "face with symbols on mouth" is
swearing. Every word here is a whole word of the bundled vocabulary. Gender and skin colour are left
out, so that they cannot change a score.
"""

from __future__ import annotations

import re
from functools import cache

from emoji import EMOJI_DATA

from service.text.normalise.social import VARIANTS, emoji_names, replace_emoji

MEANINGS: dict[str, str] = {
    "👍": "thumbs up good", "👎": "thumbs down bad", "👌": "okay good", "🙏": "please",
    "👏": "clapping hands", "🙌": "raised hands celebrate", "💪": "strong", "🤝": "shaking hands",
    "🖕": "middle finger insult", "🤞": "fingers crossed hope", "✌": "peace sign", "🤙": "call me",
    "🤘": "rock on", "👊": "fist bump", "🤦": "face palm embarrassed", "🤷": "shrug do not know",
    "🙋": "raised hand", "🫡": "salute", "🫶": "heart hands love", "🤌": "pinched fingers",
    "🤬": "swearing angry face", "😡": "angry face", "😠": "angry face", "😤": "furious face",
    "👿": "angry devil", "😈": "mischievous devil", "💢": "anger", "🗯": "angry shouting",
    "😭": "crying", "😢": "crying face", "😿": "crying face", "🥺": "pleading face",
    "😩": "weary face", "😫": "tired face", "😖": "upset face", "😣": "struggling face",
    "😞": "disappointed face", "😔": "sad face", "☹": "sad face", "🙁": "sad face",
    "😟": "worried face", "😥": "sad relieved face", "😓": "stressed face", "💔": "broken heart",
    "🙄": "annoyed eye roll", "😒": "annoyed face", "😑": "annoyed blank face",
    "😐": "neutral face", "😶": "speechless face", "🫠": "melting face", "🙃": "ironic smile",
    "😏": "smug face", "🤨": "doubtful face", "🧐": "curious face", "🤔": "thinking face",
    "😬": "awkward face", "😳": "embarrassed face", "🥱": "bored face", "😴": "sleeping face",
    "🤮": "vomiting disgusting", "🤢": "sick disgusted", "🤡": "clown ridiculous",
    "💩": "shit", "🗑": "trash", "🚮": "trash", "🐍": "snake", "🤥": "lying face",
    "😂": "laughing with tears", "🤣": "laughing hard", "😹": "laughing with tears",
    "😆": "laughing face", "💀": "laughing to death", "☠": "skull and bones",
    "😅": "nervous laughing face", "😀": "grinning face", "😃": "happy face", "😄": "happy face",
    "😁": "grinning face", "😊": "happy smiling face", "☺": "happy smiling face",
    "🙂": "slight smile", "😉": "winking face", "😌": "content face", "😇": "angel face",
    "😍": "love it", "🥰": "loving face", "😘": "kissing face", "🤩": "amazed face",
    "🥳": "celebrating face", "🎉": "celebrate", "🎊": "celebrate", "😎": "cool face",
    "🤗": "hugging face", "😋": "delicious", "🤤": "delicious", "😱": "shocked scared face",
    "🤯": "mind blown", "😮": "surprised face", "😲": "astonished face", "🥵": "hot face",
    # Hearts of all colours but black, as for `<3`.
    **dict.fromkeys("❤♥💕💖💗💙💚💜🧡💛", "red heart"), "🖤": "black heart",
    "💯": "hundred percent",
    "🔥": "fire", "✨": "sparkle", "💥": "bang", "🏆": "winner", "✅": "check", "❌": "wrong",
    "🚫": "forbidden", "⚠": "warning", "🚩": "red flag warning", "🥇": "first place",
}  # fmt: skip

# One or more in a row: `:heart::heart:`. After a digit it is a time.
_SHORTCODES = re.compile(r"(?<![\w:])(?::[+a-zA-Z0-9_-]{2,40}:)+(?![\w:/])")
_SHORTCODE = re.compile(":([^:]+):")
_TONE = re.compile(r":skin-tone-[1-6]:")
_GENDERS = re.compile("\u200d[\u2640\u2642]")
# Shortcodes of chat programs that the package `emoji` lacks.
_MORE_CODES = {
    "facepalm": "🤦", "man-facepalming": "🤦", "woman-facepalming": "🤦", "man-shrugging": "🤷",
    "woman-shrugging": "🤷", "thumbs_down": "👎", "thumbs_up": "👍", "puke": "🤮", "vomit": "🤮",
    "eyeroll": "🙄", "face_with_rolling_eyes": "🙄", "middle_finger": "🖕", "lol": "😂",
}  # fmt: skip

# UTF-8 that was decoded as Windows-1252 or Latin-1, for characters that are frequent in English.
_MOJIBAKE = {
    "\u00e2\u20ac\u2122": "'", "\u00e2\u20ac\u02dc": "'", "\u00e2\u20ac\u0153": '"',
    "\u00e2\u20ac\u009d": '"', "\u00e2\u20ac\u00a6": "...", "\u00e2\u20ac\u201c": "-",
    "\u00e2\u20ac\u201d": "-", "\u00ef\u00bf\u00bd": "\ufffd", "\u00c2\u00a3": "\u00a3",
    "\u00c3\u00a9": "\u00e9",
}  # fmt: skip
_MOJIBAKE_ANY = re.compile("|".join(_MOJIBAKE))
_APOSTROPHE = re.compile(
    "(?<=[^\\W\\d_])[`\u00b4\ufffd](?=(?:s|t|d|m|ll|re|ve|all)(?!\\w))", re.IGNORECASE
)


def repair_encoding(text: str) -> str:
    """Restore characters that a wrong encoding broke: `I`d` and `donâ€™t` get apostrophes."""
    if not text.isascii():
        text = _MOJIBAKE_ANY.sub(lambda m: _MOJIBAKE[m[0]], text)
    return _APOSTROPHE.sub("'", text).replace("\ufffd", " ")


def shortcodes_to_emoji(text: str) -> str:
    """Replace each known `:code:` by its emoji."""
    if text.count(":") < 2:
        return text
    codes = _codes()

    def known(code: re.Match[str]) -> str:
        return codes.get(code[1].lower(), code[0])

    return _SHORTCODES.sub(lambda row: _SHORTCODE.sub(known, row[0]), _TONE.sub("", text))


def emoji_to_meanings(text: str) -> str:
    """Replace each emoji by words for its meaning, without gender and skin colour."""
    if text.isascii():
        return text
    return replace_emoji(_GENDERS.sub("", text), *_meanings())


@cache
def _codes() -> dict[str, str]:
    names = {
        name.strip(":").lower(): symbols
        for symbols, data in EMOJI_DATA.items()
        for name in (data["en"], *data.get("alias", ()))
        # A skin colour would be left over: one code stands for one plain emoji.
        if not VARIANTS.search(symbols.strip("\ufe0f"))
    }
    return {**names, **_MORE_CODES}


@cache
def _meanings() -> tuple[dict[str, str], int]:
    names, longest = emoji_names()
    return {**names, **MEANINGS}, longest
