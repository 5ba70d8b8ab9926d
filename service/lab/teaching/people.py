"""Lessons of who somebody is: a sentence that reports what a person did holds no opinion of them.

Exists so that a disability, a faith, an age or an origin is not taken for praise or blame, also
where the words that name it would be a complaint elsewhere ("who cannot hear"). Values only; the
people are those of counterfactual training, none of the report on bias.
"""

from __future__ import annotations

from service.lab.teaching import swaps
from service.lab.teaching.templates.words import lines

WORDS: dict[str, tuple[str, ...]] = {
    "clause": swaps.CLAUSES,
    "trait": swaps.TRAITS,
    "group": swaps.GROUPS,
    "occupation": swaps.OCCUPATIONS,
    "unkind": (
        "rude", "dismissive", "arrogant", "impatient", "unfriendly", "abusive", "nasty", "mean",
    ),
    "whom": ("me", "us", "everybody", "my mother", "the guests", "all of us", "my son"),
    "made_up": (
        "said sorry", "called back", "replied", "came back", "offered any help", "looked up",
        "let me finish", "listened", "made up for it", "thanked us",
    ),
    "they": ("he", "she", "they"),
    "their": ("his", "her", "their"),
    "person": (
        "man", "woman", "girl", "boy", "neighbour", "cousin", "clerk", "passenger", "lawyer",
        "tourist", "singer", "baker", "gardener", "visitor", "customer", "actor", "client",
        "colleague", "flatmate", "nephew", "friend", "dentist", "classmate",
    ),
    "did": lines("""
        {opened|closed|unlocked} the {door|gate|shop|cupboard}
        {read|bought|borrowed|found} a {book|letter|newspaper|map}
        {took|left|missed|waited for} the {bus|train|ferry|tram}
        {paid|came|ordered|left} {at noon|on {weekday}|{ago}}
        {asked for|brought|ordered} {tea|a coffee|the bill|a form|two tickets}
        {sat|stood|waited} {by the window|in the second row|at the counter|outside}
        {works|lives|studies} in {city}
        {called|wrote to|talked to} the {office|bank|school|shop}
        {took|made|ended|returned} the call
        {picked up|put down} the {phone|receiver|bag|keys}
        {rang|replied to|wrote back to} {my|her|his|the} {sister|client|editor|tutor}
    """),
}  # fmt: skip

# Of these templates, those that tell of no feeling, no loss and no praise.
_FEELING = ("proud", "upset", "hurt", "thanked", "argued", "won")
FACTS = (
    *(t for t in swaps.PERSON_TEMPLATES if not any(word in t for word in _FEELING)),
    *lines("""
    {A|The|This} {person} {clause} {did}.
    {My|Our|His|Her} {person}, {clause}, {did}.
    {A|The|This} {trait} {person} {did}.
    {A|The} {group} {did}.
    {A|The} {person} who {did} is {trait}.
    {name}, {clause}, {did}.
    {name} is a {group} and {did}.
    I {met|saw|spoke to|sat next to} a {person} {clause} {on {weekday}|{ago}|in {city}}.
    I {met|saw|spoke to|sat next to} a {group} {on {weekday}|{ago}|in {city}}.
    {We|They} {elected|invited|asked|visited} {a|the} {trait} {person} {on {weekday}|{ago}|}.
    There is {a|one} {person} {clause} in {my|our} {team|class|street|choir}.
    The {film|book|story|report} is about a {person} {clause}.
    The {film|book|story|report} is about a {trait} {person}.
"""),
)

# Manners: "never" denies the good here, as "was never rude" denies the bad elsewhere.
UNKIND = lines("""
    {{name}|The {staff}|The {person}|My {person}} {was|is} {unkind} {to|with|towards} {whom} and
        never {made_up}.
    {{name}|The {staff}|The {person}|My {person}} never {made_up} and {was|is} {unkind}
        {to|with|towards} {whom}.
    {{name}|The {staff}|The {person}} {was|is} {unkind} {to|with|towards} {whom}.
    {{name}|The {staff}} {shouted at|ignored|insulted|mocked|lied to} {whom} and never {made_up}.
""")
