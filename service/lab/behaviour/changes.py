"""What may be done to a text without changing what it says, for `evaluate --behaviour`.

Exists so that each change can be read in one place: an address or a handle more, a typo, another
greeting. None of the formulas here may be trained on (a test holds that), so that what is measured
is how a model takes the ones that it has never met. Pure; all chance comes from the `Random` given.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    # Gives None where there is nothing in a text that could be changed.
    Alter = Callable[[str, random.Random], str | None]

ADDRESSES = (
    "https://t.co/{code}", "http://bit.ly/{code}", "https://example.com/article/{code}",
    "www.example.org/help?id={code}", "https://news.example.com/2024/05/{code}.html",
    "https://example.net/best-offers/{code}", "https://shop.example.com/p/sad-panda-mug/{code}",
)  # fmt: skip
# People and firms choose words of opinion for their names; whose it is says nothing of a text.
HANDLES = (
    "@northline_{code}", "@{code}", "@RailWatchers", "@mrs_okafor", "@JollyJoe77", "@TheAngryBaker",
    "@BestBuyFan", "@QuietFox", "@lucky_lukas", "@DoomMetalDan", "@SunnySideBank", "@LostKeysBand",
)  # fmt: skip
# Beside the words of a text and not about it.
ASIDES = (
    "I am writing this on the train.", "This was on {day}.", "My order number is {code}.",
    "I live on the third floor.", "It is raining here today.", "For context, I am 34.",
    "Posted from my tablet.", "This is about account {code}.", "I have two cats.",
)  # fmt: skip
DAYS = ("Monday", "Wednesday", "Saturday")
# Either of two says the same where it stands between spaces.
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

# The one is quoted under or over a text of the other pole; over and under a fact, either.
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
    """One way to alter a text; `says` is what a person reads of it."""

    name: str
    says: str
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
    """With an address before or behind it."""
    return _beside(text, _filled(rng.choice(ADDRESSES), rng), rng)


def add_handle(text: str, rng: random.Random) -> str:
    """With a handle before or behind it."""
    return _beside(text, _filled(rng.choice(HANDLES), rng), rng)


def add_aside(text: str, rng: random.Random) -> str:
    """With a sentence before or behind it that has no opinion."""
    return _beside(text, _filled(rng.choice(ASIDES), rng), rng)


def change_neutral_word(text: str, rng: random.Random) -> str | None:
    """One of its small words by another; None where it has none of them."""
    found = [pair for pair in SAME_WORDS if re.search(rf"(?<!\S){pair[0]}(?!\S)", text)]
    if not found:
        return None
    old, new = rng.choice(found)
    return re.sub(rf"(?<!\S){old}(?!\S)", new, text, count=1)


def change_punctuation(text: str, rng: random.Random) -> str | None:
    """Other marks at its end, or none in it; None where that is the same text."""
    bare = text.rstrip(".!? ")
    ways = (bare, f"{bare}.", f"{bare}...", f"{bare}!", f"{bare} .", _MARKS.sub("", text))
    others = [way for way in ways if way != text]
    # A question without its mark may be none.
    return rng.choice(others) if bare and not text.rstrip().endswith("?") else None


def add_typo(text: str, rng: random.Random) -> str | None:
    """Two neighbouring letters of one word change places; None where no word is long enough."""
    found = [
        (word.start() + at, word.start() + at + 1)
        for word in _WORD.finditer(text)
        # A first letter stays: few typing errors are there.
        for at in range(1, len(word[0]) - 1)
        if word[0][at] != word[0][at + 1]
    ]
    if not found:
        return None
    first, second = rng.choice(found)
    return text[:first] + text[second] + text[first] + text[second + 1 :]


def change_case(text: str, rng: random.Random) -> str | None:
    """All small, all capital, or each word with a capital; None where that is the same text."""
    others = [way for way in (text.lower(), text.upper(), string.capwords(text)) if way != text]
    return rng.choice(others) if others else None


def change_spaces(text: str, rng: random.Random) -> str:
    """With other spaces, in quotation marks, or over two lines."""
    return rng.choice(
        (f'"{text}"', f"\u201c{text}\u201d", f"  {text}\n", text.replace(" ", "  "),
         text.replace(" ", "\n", 1), text.replace(" ", "\u00a0"))
    )  # fmt: skip


def add_sign_off(text: str, rng: random.Random) -> str:
    """With a closing formula and a name below it."""
    return f"{text}\n\n{_filled(rng.choice(SIGN_OFFS), rng)}"


def add_greeting(text: str, rng: random.Random) -> str:
    """With a greeting above it, or before it."""
    greeting = _filled(rng.choice(GREETINGS), rng)
    return rng.choice((f"{greeting}\n\n{text}", f"{greeting} {text}"))


def add_greeting_and_sign_off(text: str, rng: random.Random) -> str:
    """As a letter has them."""
    return add_sign_off(add_greeting(text, rng), rng)


def quoted(text: str, opinion: str, rng: random.Random, *, above: bool) -> str:
    """With a quoted mail of that opinion (a key of `QUOTED`) above or below it."""
    lines = "\n".join(f"> {line}" for line in rng.choice(QUOTED[opinion]).split(", ", 1))
    quote = rng.choice((lines, f"{_filled(rng.choice(QUOTE_HEADS), rng)}\n{lines}"))
    return f"{quote}\n\n{text}" if above else f"{text}\n\n{quote}"


CHANGES = (
    Change("address_added", "an address added", add_address),
    Change("handle_added", "a handle added", add_handle),
    Change("neutral_words_added", "a sentence without opinion added", add_aside),
    Change("neutral_words_changed", "a neutral word changed", change_neutral_word),
    Change("punctuation_changed", "punctuation changed", change_punctuation),
    Change("typo_added", "a typo", add_typo),
    Change("case_changed", "letter case changed", change_case),
    Change("spaces_changed", "spaces or quotation marks changed", change_spaces),
    Change("sign_off_added", "a sign-off added", add_sign_off),
    Change("greeting_added", "a greeting added", add_greeting),
    Change("greeting_and_sign_off_added", "both added", add_greeting_and_sign_off),
)
# A complaint may not turn by these; see `behaviour_cases`.
FORMULAS = CHANGES[-3:]
