"""Adds to a text what is no opinion: greetings, sign-offs, handles, links, typos.

Exists so that a model learns that these do not change the sentiment. Some greetings and sign-offs
are left out on purpose ("Warm wishes", "Respectfully"): measurements use those.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from service.lab.teaching.templates import neutral as lessons_neutral
from service.lab.teaching.templates.words import COMMON, filled, words
from service.text.normalise import STEPS, apply_steps

Edit = Callable[[random.Random, str], str]

GREETINGS = words("""Hi|Hi team|Hi there|Hi all|Hi {name}|Hi {name} and team|Hello|Hello there|
    Hello team|Hello {name}|Hello everyone|Dear Support|Dear team|Dear {name}|Dear all|
    Dear customer service|Dear Sir or Madam|Dear {name} {surname}|Dear Ms {surname}|
    Dear Mr {surname}|Dear Dr {surname}|Hey|Hey guys|Hey there|Hey {name}|Good morning|
    Good afternoon|Good evening|Good morning {name}|Good day|Morning|Morning all|Hiya|
    To whom it may concern|Hi support team|Attention customer care|Hello {handle}|Evening all""")
FAREWELLS = words("""Thanks|Thank you|Thanks a lot|Many thanks|Many thanks in advance|
    Thanks in advance|Thank you in advance|Thanks again|Thanks and regards|Thank you very much|
    Thanks so much|Thx|Ta|Best|Best regards|Best wishes|All the best|Kind regards|Kindest regards|
    Regards|Rgds|Warm regards|With kind regards|With best regards|With regards|Sincerely|
    Yours sincerely|Yours faithfully|Yours truly|Cheers|Yours|Greetings|Greetings from {city}|
    Have a nice day|Have a good day|Have a good weekend|Have a great day|Take care|
    Thanks for your time|Thank you for your time|Thank you for your help|Thanks for your help|
    Looking forward to your reply|Looking forward to hearing from you|Hope to hear from you soon|
    Hoping for a quick reply|Please let me know|Please advise|Awaiting your reply|Bye|Love|xx|
    KR|BR|Sent from my phone|Sent from my tablet|Talk soon|Thank you and have a nice day""")
SIGNERS = words("""{name}|{name}|{name} {surname}|{name} {surname}|Mr {surname}|Mrs {surname}|
    Dr {name} {surname}|{name} from {city}|{name} and {name}|The {surname} family|-{name}|{name} S.|
    {name} {surname}, {title}|{name} {surname}{break}{title}|{name}{break}{title}, {city}|
    {name} {surname}{break}{title}{break}Tel. 0{digits} {digits}{digits}""")
TITLES = words("""Head of Sales|Project Manager|Teacher|Office Manager|Customer {order_number}|
    Accountant|Purchasing|Engineer|Director|Student|Facilities|Member since 2014|Nurse|CEO|
    Assistant to the Board|Marketing|Retired|Senior Analyst|Photographer|Team Lead|Clerk""")
HASHTAGS = words("""#travel|#monday|#news|#flight|#{city}|#train|#shopping|#tech|#update|#work|
    #banking|#{weekday}|#food|#hotel|#2024|#customer|#feedback|#film|#music|#commute|#holiday""")
PLACED = words("""I am writing from {city}.|My name is {name} {surname}.|{name} was with me.|
    I live in {city}.|This is {name} from {city}.|I am in {city} until {weekday}.|
    My colleague {name} can confirm it.|I spoke to {name}.|We were in {city}.|
    {name} told me to write to you.|I bought it in {city}.|My sister {name} lives in {city}.""")
_WORDS = {**COMMON, "title": TITLES, "break": ("\n",), "plain": lessons_neutral.WORDS["plain"]}
# The normaliser's steps that remove greetings and closings.
FORMULA_STEPS = ("greetings", "closings")
_WORD = re.compile(r"\b[a-z]{4,}\b")
# The most characters that one edit adds.
ADDED_MAX = 150
# Punctuation at the end of a text.
_MARKED = re.compile(r"[.,;:!?…)\]]$")


def normalised_with_formulas(text: str, version: int) -> str:
    """The text in the form of a version of the normaliser, but with its greetings and closings.

    So the model also learns that a greeting changes no opinion: the normaliser does not know all.
    """
    steps = (step for name, step in STEPS[version].items() if name not in FORMULA_STEPS)
    return apply_steps(text, steps) or text


def altered(order: random.Random, text: str) -> str:
    """The text after one or two random edits that do not change its opinion.

    It is empty only if the text is, and has at most `2 * ADDED_MAX` characters more.
    """
    edits = order.choices(list(EDITS), weights=list(EDITS.values()), k=order.choice((1, 1, 2)))
    found = text
    # A mail has no second greeting or signature.
    for edit in edits[:1] if set(edits) <= {_signed, _greeted, _mail} else edits:
        found = edit(order, found)
    return found if found.strip() else text


def _filled(order: random.Random, template: str) -> str:
    return filled(order, template, _WORDS)


def _greeted(order: random.Random, text: str) -> str:
    greeting = _filled(order, order.choice(GREETINGS))
    if order.random() < 0.25:
        greeting = greeting.lower()
    return greeting + order.choice((", ", ",\n", ",\n\n", " ", "! ", ". ", " - ")) + text


def _signed(order: random.Random, text: str) -> str:
    farewell = _filled(order, order.choice(FAREWELLS))
    dice = order.random()
    if dice < 0.25:
        ending = farewell
    elif dice < 0.85:
        signer = _filled(order, order.choice(SIGNERS))
        ending = farewell + order.choice((",\n", "\n", ", ", " ", ",\n\n", " - ")) + signer
    else:
        ending = _filled(order, order.choice(SIGNERS))
    if order.random() < 0.2:
        ending = ending.lower()
    mark = order.choice(("", ".", "!")) if dice < 0.25 else ""
    return _closed(order, text) + order.choice(("\n", "\n\n", " ", " ", "\n")) + ending + mark


def _closed(order: random.Random, text: str) -> str:
    """With a full stop at the end in most cases, so that the next sentence is separate."""
    return text if _MARKED.search(text) or order.random() < 0.25 else text + "."


def _mail(order: random.Random, text: str) -> str:
    return _signed(order, _greeted(order, text))


def _named(order: random.Random, text: str) -> str:
    """A handle, an address or a hashtag before, after or between the words."""
    kind = order.choice(("{handle}", "{handle}", "{address}", "{hashtag}"))
    if kind == "{hashtag}":
        added = _filled(order, order.choice(HASHTAGS)).replace(" ", "")
    elif kind == "{handle}" and order.random() < 0.4:
        letters = "".join(order.choices("abcdefghiklmnoprstuvyz", k=order.randint(4, 9)))
        added = "@" + order.choice(("{}", "{}_", "The{}", "{}88", "{}_official")).format(letters)
    else:
        added = _filled(order, kind)
    parts = text.split(" ")
    place = order.choice((0, 0, len(parts), len(parts), order.randint(0, len(parts))))
    return " ".join([*parts[:place], added, *parts[place:]])


def _marked(order: random.Random, text: str) -> str:
    """Other punctuation at the end, one comma less, or one space more."""
    dice = order.random()
    if dice < 0.2 and "," in text:
        return text.replace(",", "", 1)
    if dice < 0.35 and " " in text:
        places = [m.start() for m in re.finditer(" ", text)]
        place = order.choice(places)
        return text[:place] + " " + text[place:]
    if text[-1:] in "!?)" or not text[-1:].isascii():
        return text + order.choice(("", " ", "\n"))
    bare = text.rstrip(".")
    return (bare if bare.strip() else text) + order.choice(("", "", ".", "...", " ."))


def _misspelt(order: random.Random, text: str) -> str:
    """One word of four or more letters with two letters swapped, one missing, or one doubled."""
    found = list(_WORD.finditer(text))
    if not found:
        return text
    word = order.choice(found)
    place = word.start() + order.randint(1, len(word[0]) - 2)
    dice = order.random()
    if dice < 0.4:
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    if dice < 0.7:
        return text[:place] + text[place + 1 :]
    return text[:place] + text[place] + text[place:]


def _in_other_case(order: random.Random, text: str) -> str:
    return text.upper() if order.random() < 0.25 else text.lower()


def _beside_a_fact(order: random.Random, text: str) -> str:
    """A neutral sentence before or after the text, some with a name or a place."""
    fact = _filled(order, order.choice((*PLACED, *_WORDS["plain"])))
    if order.random() < 0.5:
        return f"{fact} {text}"
    return f"{_closed(order, text)} {fact}"


# Edits by weight. Sign-offs have the highest, because they changed most labels.
EDITS: dict[Edit, int] = {
    _signed: 26,
    _greeted: 13,
    _mail: 13,
    _named: 17,
    _marked: 8,
    _misspelt: 13,
    _in_other_case: 5,
    _beside_a_fact: 10,
}
