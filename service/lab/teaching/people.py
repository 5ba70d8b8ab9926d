"""Lessons about people: a sentence that reports what somebody did is neutral.

Exists so that the model takes no disability, religion, age or origin for an opinion, even if its
words would be a complaint elsewhere ("who cannot hear"). Values only. The people are those of
counterfactual training, and none is in the report on bias.
"""

from __future__ import annotations

from service.lab.teaching import swaps
from service.lab.teaching.templates.words import lines

WORDS: dict[str, tuple[str, ...]] = {
    "clause": swaps.CLAUSES,
    "trait": swaps.TRAITS,
    "group": swaps.GROUPS,
    "person": (
        "man", "woman", "girl", "boy", "neighbour", "cousin", "clerk", "passenger", "lawyer",
        "tourist", "singer", "baker", "gardener", "visitor", "customer", "actor", "client",
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
    """),
}  # fmt: skip

FACTS = lines("""
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
""")
