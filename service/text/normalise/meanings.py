"""What emoji mean to the people who send them, their shortcodes, and letters of a wrong encoding.

Exists because the Unicode names tell what is drawn: "face with symbols on mouth" is swearing. The
words are whole words of the bundled vocabulary; gender and colour are left out, so that nobody is
scored by them. The tables are values.
"""

from __future__ import annotations

import re
from functools import cache

from emoji import EMOJI_DATA

from service.text.normalise.social import LOOKS, emoji_names, replace_emoji

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
    # Of any colour but black, and as `<3` is.
    **dict.fromkeys("❤♥💕💖💗💙💚💜🧡💛", "red heart"), "🖤": "black heart",
    "💯": "hundred percent",
    "🔥": "fire", "✨": "sparkle", "💥": "bang", "🏆": "winner", "✅": "check", "❌": "wrong",
    "🚫": "forbidden", "⚠": "warning", "🚩": "red flag warning", "🥇": "first place",
}  # fmt: skip

# Rows of them: `:heart::heart:`. An hour has a digit before it.
_SHORTCODES = re.compile(r"(?<![\w:])(?::[+a-zA-Z0-9_-]{2,40}:)+(?![\w:/])")
_SHORTCODE = re.compile(":([^:]+):")
_TONE = re.compile(r":skin-tone-[1-6]:")
_GENDERS = re.compile("\u200d[\u2640\u2642]")
# What `emoji` lacks of the codes of chat programs.
_MORE_CODES = {
    "facepalm": "🤦", "man-facepalming": "🤦", "woman-facepalming": "🤦", "man-shrugging": "🤷",
    "woman-shrugging": "🤷", "thumbs_down": "👎", "thumbs_up": "👍", "puke": "🤮", "vomit": "🤮",
    "eyeroll": "🙄", "face_with_rolling_eyes": "🙄", "middle_finger": "🖕", "lol": "😂",
}  # fmt: skip

# UTF-8 that was read as Windows-1252 or Latin-1, of signs that are frequent in English.
_MISREAD = {
    "\u00e2\u20ac\u2122": "'", "\u00e2\u20ac\u02dc": "'", "\u00e2\u20ac\u0153": '"',
    "\u00e2\u20ac\u009d": '"', "\u00e2\u20ac\u00a6": "...", "\u00e2\u20ac\u201c": "-",
    "\u00e2\u20ac\u201d": "-", "\u00ef\u00bf\u00bd": "\ufffd", "\u00c2\u00a3": "\u00a3",
    "\u00c3\u00a9": "\u00e9",
}  # fmt: skip
_MISREAD_ANY = re.compile("|".join(_MISREAD))
_APOSTROPHE = re.compile(
    "(?<=[^\\W\\d_])[`\u00b4\ufffd](?=(?:s|t|d|m|ll|re|ve|all)(?!\\w))", re.IGNORECASE
)


def decoded(text: str) -> str:
    """With signs that a wrong encoding broke as they were: `I`d` and `donâ€™t` have apostrophes."""
    if not text.isascii():
        text = _MISREAD_ANY.sub(lambda m: _MISREAD[m[0]], text)
    return _APOSTROPHE.sub("'", text).replace("\ufffd", " ")


def shortcodes_to_emoji(text: str) -> str:
    """The emoji for each `:code:` that is known as one."""
    if text.count(":") < 2:
        return text
    codes = _codes()

    def known(code: re.Match[str]) -> str:
        return codes.get(code[1].lower(), code[0])

    return _SHORTCODES.sub(lambda row: _SHORTCODE.sub(known, row[0]), _TONE.sub("", text))


def emoji_to_meanings(text: str) -> str:
    """Words for each emoji, without gender and colour."""
    if text.isascii():
        return text
    return replace_emoji(_GENDERS.sub("", text), *_meanings())


@cache
def _codes() -> dict[str, str]:
    names = {
        name.strip(":").lower(): symbols
        for symbols, data in EMOJI_DATA.items()
        for name in (data["en"], *data.get("alias", ()))
        # Without a second form of a heart that has other looks.
        if not LOOKS.search(symbols.strip("\ufe0f"))
    }
    return {**names, **_MORE_CODES}


@cache
def _meanings() -> tuple[dict[str, str], int]:
    names, longest = emoji_names()
    return {**names, **MEANINGS}, longest
