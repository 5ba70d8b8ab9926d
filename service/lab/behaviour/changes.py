"""The changes to a text that do not change its meaning, for `evaluate --behaviour`.

Exists so that each change is in one place: an added address or handle, a typo, a greeting. No
formula here may be trained on (a test checks this), so that the tests measure formulas that are new
to a model. Pure; randomness comes from the argument `rng`.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    # Returns None if the text has nothing to change.
    Alter = Callable[[str, random.Random], str | None]

ADDRESSES = (
    "https://t.co/{code}", "http://bit.ly/{code}", "https://example.com/article/{code}",
    "www.example.org/help?id={code}", "https://news.example.com/2024/05/{code}.html",
    "https://example.net/best-offers/{code}", "https://shop.example.com/p/sad-panda-mug/{code}",
)  # fmt: skip
# Some handles have words of opinion, which are no opinion of the text.
HANDLES = (
    "@northline_{code}", "@{code}", "@RailWatchers", "@mrs_okafor", "@JollyJoe77", "@TheAngryBaker",
    "@BestBuyFan", "@QuietFox", "@lucky_lukas", "@DoomMetalDan", "@SunnySideBank", "@LostKeysBand",
)  # fmt: skip
# Sentences to add that are not about the subject of a text.
UNRELATED = (
    "I am writing this on the train.", "This was on {day}.", "My order number is {code}.",
    "I live on the third floor.", "It is raining here today.", "For context, I am 34.",
    "Posted from my tablet.", "This is about account {code}.", "I have two cats.",
)  # fmt: skip
DAYS = ("Monday", "Wednesday", "Saturday")
# Pairs of words that can replace each other between spaces.
SAME_WORDS = (
    ("the", "that"), ("my", "our"), ("our", "my"), ("and", "&"), ("this", "that"), ("The", "That"),
    ("My", "Our"), ("Our", "My"), ("This", "That"), ("at", "over at"),
)  # fmt: skip

SIGN_OFFS = (
    "Warmly,\n{name}",
    "Much obliged,\n{name}",
    "With gratitude,\n{name}",
    "Have a lovely weekend!\n{name}",
    "Any word from you would be lovely,\n{name}",
    "Thank you for taking the time to read this.\n{name}",
    "Hopefully you can help me out,\n{name}",
    "Ta very much, {name}",
    "Appreciate your help with this!\n{name}",
    "Wishing you a pleasant day,\n{name}\nOffice Manager, Example Ltd",
    "All good wishes,\n{name}\n+44 20 7946 0123",
    "Hugs, {name} xx",
    "I am grateful for any answer.\n{name}",
    "Thanking you in advance,\n{name} (customer {code})",
    "Take care and stay safe,\n{name}",
    "tia\n- {name}",
)
GREETINGS = (
    "Good afternoon dear support people,",
    "Howdy folks!",
    "Happy Friday, everybody,",
    "Dear all at headquarters,",
    "To the kind soul who opens this mail,",
    "Ahoy,",
    "Greetings from a long-time customer.",
    "Esteemed {name},",
    "A very good day to you!",
    "I hope this message finds you well.",
    "Hope you had a great summer!",
    "Yo, quick one:",
    "Season's greetings,",
    "Welcome back from the holidays, {name}!",
)
SIGNED_BY = ("Morgan", "Imani", "Kenji", "Salma", "Pedro", "Heather", "Anil", "Wyatt")

# Quotes by their opinion. A text gets a quote of the opposite pole, a fact one of either.
QUOTED = {
    "positive": (
        "What a fabulous experience, everything about it was excellent and I would buy it again.",
        "We are thrilled, the staff were delightful and the result is stunning.",
        "Superb from beginning to end, five stars.",
    ),
    "negative": (
        "What a ghastly experience, everything about it was shoddy and I want my money back.",
        "We are appalled, the staff were insolent and the result is hideous.",
        "Abysmal from beginning to end, avoid.",
    ),
}
QUOTE_HEADS = (
    "On {day}, 4 March 2024 at 09:12, {name} wrote:",
    "{name} <help@example.com> wrote on {day}:",
)

_WORD = re.compile(r"[A-Za-z]{4,}")
_MARKS = re.compile(r"[.,;:!?]+(?=\s|$)")
_CODE_CHARACTERS = "abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789"


class Change(NamedTuple):
    """One way to change a text, with a description for the report."""

    name: str
    description: str
    alter: Alter


def _filled(template: str, rng: random.Random) -> str:
    return template.format(
        code="".join(rng.choices(_CODE_CHARACTERS, k=7)),
        day=rng.choice(DAYS),
        name=rng.choice(SIGNED_BY),
    )


def _beside(text: str, added: str, rng: random.Random) -> str:
    return rng.choice((f"{added} {text}", f"{text} {added}"))


def add_address(text: str, rng: random.Random) -> str:
    """Add an address before or after the text."""
    return _beside(text, _filled(rng.choice(ADDRESSES), rng), rng)


def add_handle(text: str, rng: random.Random) -> str:
    """Add a handle before or after the text."""
    return _beside(text, _filled(rng.choice(HANDLES), rng), rng)


def add_unrelated(text: str, rng: random.Random) -> str:
    """Add a sentence without an opinion before or after the text."""
    return _beside(text, _filled(rng.choice(UNRELATED), rng), rng)


def change_neutral_word(text: str, rng: random.Random) -> str | None:
    """Replace one small word by another; None if the text has none of `SAME_WORDS`."""
    found = [pair for pair in SAME_WORDS if re.search(rf"(?<!\S){pair[0]}(?!\S)", text)]
    if not found:
        return None
    old, new = rng.choice(found)
    return re.sub(rf"(?<!\S){old}(?!\S)", new, text, count=1)


def change_punctuation(text: str, rng: random.Random) -> str | None:
    """Change the punctuation at the end, or remove all; None if that gives the same text."""
    bare = text.rstrip(".!? ")
    ways = (bare, f"{bare}.", f"{bare}...", f"{bare}!", f"{bare} .", _MARKS.sub("", text))
    others = [way for way in ways if way != text]
    # A question stays as it is: without its mark it may be no question.
    return rng.choice(others) if bare and not text.rstrip().endswith("?") else None


def add_typo(text: str, rng: random.Random) -> str | None:
    """Swap two neighbouring letters of one word; None if no word is long enough."""
    found = [
        (word.start() + at, word.start() + at + 1)
        for word in _WORD.finditer(text)
        # The first letter stays, because it is rarely mistyped.
        for at in range(1, len(word[0]) - 1)
        if word[0][at] != word[0][at + 1]
    ]
    if not found:
        return None
    first, second = rng.choice(found)
    return text[:first] + text[second] + text[first] + text[second + 1 :]


def change_case(text: str, rng: random.Random) -> str | None:
    """Use lower case, upper case or capitalised words; None if that gives the same text."""
    others = [way for way in (text.lower(), text.upper(), string.capwords(text)) if way != text]
    return rng.choice(others) if others else None


def change_spaces(text: str, rng: random.Random) -> str:
    """Change spaces, add quotation marks, or break the line."""
    return rng.choice(
        (f'"{text}"', f"\u201c{text}\u201d", f"  {text}\n", text.replace(" ", "  "),
         text.replace(" ", "\n", 1), text.replace(" ", "\u00a0"))
    )  # fmt: skip


def add_sign_off(text: str, rng: random.Random) -> str:
    """Add a closing formula and a name below the text."""
    return f"{text}\n\n{_filled(rng.choice(SIGN_OFFS), rng)}"


def add_greeting(text: str, rng: random.Random) -> str:
    """Add a greeting above the text, or before it on the same line."""
    greeting = _filled(rng.choice(GREETINGS), rng)
    return rng.choice((f"{greeting}\n\n{text}", f"{greeting} {text}"))


def add_greeting_and_sign_off(text: str, rng: random.Random) -> str:
    """Add both, as in a letter."""
    return add_sign_off(add_greeting(text, rng), rng)


def quoted(text: str, opinion: str, rng: random.Random, *, above: bool) -> str:
    """Add a quoted mail with this opinion (a key of `QUOTED`) above or below the text."""
    lines = "\n".join(f"> {line}" for line in rng.choice(QUOTED[opinion]).split(", ", 1))
    quote = rng.choice((lines, f"{_filled(rng.choice(QUOTE_HEADS), rng)}\n{lines}"))
    return f"{quote}\n\n{text}" if above else f"{text}\n\n{quote}"


CHANGES = (
    Change("address_added", "an address added", add_address),
    Change("handle_added", "a handle added", add_handle),
    Change("neutral_words_added", "a sentence without opinion added", add_unrelated),
    Change("neutral_words_changed", "a neutral word changed", change_neutral_word),
    Change("punctuation_changed", "punctuation changed", change_punctuation),
    Change("typo_added", "a typo", add_typo),
    Change("case_changed", "letter case changed", change_case),
    Change("spaces_changed", "spaces or quotation marks changed", change_spaces),
    Change("sign_off_added", "a sign-off added", add_sign_off),
    Change("greeting_added", "a greeting added", add_greeting),
    Change("greeting_and_sign_off_added", "both added", add_greeting_and_sign_off),
)
# The changes for complaints; see `cases.complaint_tests`.
FORMULAS = CHANGES[-3:]
