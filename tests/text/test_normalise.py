"""Version 1: social notation becomes words of the vocabulary, and names stay as written."""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from service.text.normalise import STEPS, VERSION, apply_steps, normalise

# Models with this version were trained on exactly these results.
FIRST = 1

TOKENIZER = Tokenizer.from_file(
    str(Path(__file__).resolve().parents[2] / "service" / "model" / "tokenizer.json")
)
UNKNOWN = 100
# The hundred most used emoji of 2021, from the Unicode consortium.
MOST_USED = (  # noqa: SIM905 - one a line would be pages
    "😂 ❤️ 🤣 👍 😭 🙏 😘 🥰 😍 😊 🎉 😁 💕 🥺 😅 🔥 ☺️ 🤦 ♥️ 🤷 "
    "🙄 😆 🤗 😉 🎂 🤔 👏 🙂 😳 🥳 😎 👌 💜 😔 💪 ✨ 💖 👀 😋 😏 "
    "😢 👉 💗 😩 💯 🌹 💞 🎈 💙 😃 😡 💐 😜 🙈 🤞 😄 🤤 🙌 🤪 ❣️ "
    "😀 💋 💀 👇 💔 😌 💓 🤩 🙃 😬 😱 😴 🤭 😐 🌞 😒 😇 🌸 😈 🎶 "
    "✌️ 🎊 🥵 😞 💚 ☀️ 🖤 💰 😚 👑 🎁 💥 🙋 ☹️ 😑 🥴 👈 💩 ✅ 👋 "
).split()


def _normal(text: str) -> str:
    return normalise(text, FIRST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fish &amp; chips &lt;3 &#128514;", "fish & chips red heart face with tears of joy"),
        ("fish&notes AT&T &nosuchthing;", "fish&notes AT&T &nosuchthing;"),
        ("it\u2019s \u201cfine\u201d\u2026 \u200bor not", 'it\'s "fine"... or not'),
        ("\U0001d4f1\U0001d4f2 \uff57\uff4f\uff57 \ufb01ne", "hi wow fine"),
        ("Nike™ has 1½ m²", "Nike™ has 1½ m²"),
        ("see https://t.co/aB3, (www.x.org/y_z)!", "see link, (link)!"),
        ("thanks @BarackObama @joe_smith!", "thanks Barack Obama joe smith!"),
        ("a@b.org @ 5 #1 C# &#x41;", "a@b.org @ 5 #1 C# A"),
        ("#ThisIsGreat #so_good #BBCNews", "This Is Great so good BBC News"),
        ("#WorldCup2018 #covid19 #G20", "World Cup 2018 covid 19 G20"),
        ("#iPhone #eSwatini #McCartney #LeBronJames", "iPhone eSwatini McCartney LeBron James"),
        ("ok👍🏿👍 ❤️❤️❤️❤️❤️", "ok thumbs up thumbs up red heart red heart"),
        ("🇫🇷 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🧑🏽‍🚀 4️⃣", "France Scotland astronaut 4"),
        (":) ;-) :-(( :'(", "smiling face winking face frowning face crying face"),
        (":D XDD :P >:(", "grinning face laughing face playful face angry face"),
        ("<3 </3 T_T ^_^", "red heart broken heart crying face smiling face"),
        (";_; T_; ;__t", "crying face crying face crying face"),
        ("great:) (: ok", "great smiling face smiling face ok"),
        ("not (like:this) 10:30 3:1) x=D :", "not (like:this) 10:30 3:1) x=D :"),
        ("Soooo goooood, NOOOO! yessss loooove wellll", "So good, NO! yes love well"),
        ("too sonnn tooooo", "too son too"),
        ("World War III, the AAA and XXXTentacion", "World War III, the AAA and XXXTentacion"),
        ("what?????? no!!!!!!! so....... ok!!!", "what??? no!!! so... ok!!!"),
    ],
)  # fmt: skip
def test_each_kind_of_social_text(text: str, expected: str) -> None:
    """Each becomes words; text that only looks similar stays."""
    assert expected == _normal(text)


def test_prose_comes_back_as_the_same_object() -> None:
    """With its white space and line breaks."""
    text = "A film,  to be seen twice.\n\nOr not?"
    assert _normal(text) is text


def test_version_zero_is_the_text_itself() -> None:
    """A model without a version gives its published figures."""
    text = "soooo :) &amp; 🙂"
    assert normalise(text, 0) is text


def test_an_unknown_version_is_refused() -> None:
    """An older service could not normalise the text for a newer model."""
    with pytest.raises(ValueError, match=f"no version {VERSION + 1} "):
        normalise("x", VERSION + 1)


def test_each_step_can_be_left_out() -> None:
    """So the effect of each step can be measured."""
    text = "&gt; “ http://x.org/a @Bob #AbcDef 🙂 :( nooo"
    steps = STEPS[FIRST]
    for name in steps:
        assert apply_steps(text, [steps[name]]) != text
        assert apply_steps(text, [steps[n] for n in steps if n != name]) != _normal(text)
    assert apply_steps(text, ()) == text


@pytest.mark.parametrize("symbol", MOST_USED)
def test_no_emoji_in_common_use_is_unknown(symbol: str) -> None:
    """Alone, within a word, and in any colour: the bundled vocabulary has a word for each."""
    for text in (symbol, f"so{symbol}good", f"{symbol}\U0001f3fd", symbol.strip("\ufe0f")):
        ids = TOKENIZER.encode(_normal(text), add_special_tokens=False).ids
        assert ids
        assert UNKNOWN not in ids


def test_there_are_a_hundred_of_them() -> None:
    """The list above is complete."""
    assert len(set(MOST_USED)) == 100


def test_the_colour_of_a_skin_changes_nothing() -> None:
    """All skin colours give the same words."""
    assert {_normal(f"thanks 🙏{tone} 🤦{tone}\u200d♀️") for tone in "🏻🏼🏽🏾🏿"} == {
        _normal("thanks 🙏 🤦\u200d♀️")
    }


def _countries(data: Path) -> list[dict[str, str]]:
    with (data / "bias" / "countries.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFC", text)))


def test_names_of_countries_stay_as_they_are(shared_data: Path) -> None:
    """Names and adjectives in prose, in social text, as hashtags and as handles."""
    for row in _countries(shared_data):
        for name in {row["name"], row["official_name"], row["adjective"]} - {""}:
            plain = name.replace("\u2019", "'")
            assert _normal(f"This film was filmed in {name}.") in (
                f"This film was filmed in {plain}.",
                f"This film was filmed in {name}.",
            )
            assert f"so {plain} red heart" == _normal(f"sooo {name} &lt;3")
            tag = re.sub(r"\W+", "", name)
            assert _letters(f"{tag}{tag}") == _letters(_normal(f"#{tag} @{tag}"))


def test_a_flag_becomes_the_name_of_its_country(shared_data: Path) -> None:
    """In plain letters, so that flags get the same scores as names."""
    differing = 0
    rows = [row for row in _countries(shared_data) if row["iso2"]]
    for row in rows:
        flag = "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in row["iso2"])
        name = _normal(flag)
        assert name != flag
        assert UNKNOWN not in TOKENIZER.encode(name).ids
        differing += _letters(name) != _letters(row["name"].replace("\u2019", "'"))
    # Myanmar (Burma), Hong Kong SAR China and the like.
    assert differing < len(rows) / 5


@given(st.text(max_size=200))
def test_any_text_is_accepted(text: str) -> None:
    """The result is a text of bounded length."""
    found = _normal(text)
    assert len(found) <= 100 * max(1, len(text))
    assert apply_steps(text, ()) == text


@given(st.lists(st.sampled_from([*"&;:)(<3D'_-^@#.!axX=TO \ufe0f\u200d🙂🇫", "www.", "http://"])))
def test_any_mixture_of_symbols_is_accepted(parts: list[str]) -> None:
    """The patterns find nothing that the tables lack."""
    assert isinstance(_normal("".join(parts)), str)


@pytest.mark.parametrize(
    "unit",
    ["&", "&#", "&amp;", "a", "ab", "aaab", "aB", "@", "@_", "@a", "#", "#_", "#aB", "_", "www.",
     "http://", "http://.", ":", ":)", ":D", ":-", "<3", "<", ";_", ">_", "-_", "T_", "(:", "xD",
     "!", "🙂", "👨\u200d", "🇫", "\ufe0f", "\u200d", "\u0300", "\u00c5", "\ufdfa", "1\u20e3", "^_",
     "=", "\\"],
)  # fmt: skip
def test_hostile_text_takes_time_in_proportion(unit: str) -> None:
    """64 KiB of a repeated unit; with a quadratic step the test would time out."""
    for text in (unit * (2**16 // len(unit)), "x" + unit * (2**16 // len(unit)) + "x"):
        assert len(_normal(text)) <= 100 * len(text)
