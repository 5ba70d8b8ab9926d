"""Lessons of long mails: many sentences of one kind, and an end that turns them.

Exists because the last sentence of a long mail often says why it was written. Values only. No
sentence that measures may enter.
"""

from __future__ import annotations

from service.lab.lessons_words import lines

WORDS: dict[str, tuple[str, ...]] = {
    "kind_line": lines("""
        {praise}
        The {reviewed} {was|is} {fine}.
        We found the {reviewed} {fine}.
        The {staff} was {fine} and {fine}.
        {name} {liked|loved|enjoyed} the {reviewed}.
        I {liked|loved|enjoyed} the {dish}.
        The {plural} {are|were} {fine}.
        {Booking|Getting there|Parking|Checking in|Paying} was {quick|easy|no trouble}.
        The view {was|is} {stunning|lovely|superb}.
        The price {was|is} {fair|good|low}.
        Such a {good_one} {reviewed}.
        Everyone was {friendly|kind|helpful|cheerful}.
    """),
    "cross_line": lines("""
        {grumble}
        The {reviewed} {was|is} {foul}.
        We found the {reviewed} {foul}.
        The {staff} was {foul} and {foul}.
        {name} {hated|disliked} the {reviewed}.
        I {left|hated|sent back} the {dish}.
        The {plural} {are|were} {foul}.
        {Booking|Getting there|Parking|Checking in|Paying} was {a pain|slow|a mess}.
        The view {was|is} {a wall|dull|of the bins}.
        The price {was|is} {too high|a shock}.
        Such a {bad_one} {reviewed}.
        Nobody was {friendly|kind|helpful|there}.
    """),
    "last_blow": lines("""
        {But|However,|Then} {report_fact}. {Never again|I want my money back|I am done with you}.
        {But|Yet} {bad_fact}, and {that ruined it all|for that I will not come back}.
        All of that {counts for nothing|is forgotten} because {report_fact}.
        {And then|Then} {report_fact} and {nobody cared|they laughed|no one said sorry}.
        {Why I write, though:|The reason for this mail:|What I cannot forgive:} {report_fact}.
        {In the end|On the last day} {bad_fact}. {Avoid|Stay away|A disgrace|I am furious}.
        {That was before|All this until} {report_fact}. {Now I am leaving|We will not return}.
        {Sadly|Unfortunately}, {report_fact}, {so I cancel|so I will tell everyone to stay away}.
        I would never {go|book|buy} there again, {because|as} {report_fact}.
        One thing {spoiled|ruined|destroyed} everything: {report_fact}.
        {Still|Even so}, I {regret|am sorry about} the whole thing, for {bad_fact}.
        {But|And yet} I {cannot|will not} recommend it: {bad_fact}.
        {It could have been perfect|It was so nice}, had {name} not {lied to|robbed|insulted} us.
        {But|Then} {bad_fact}. {report_fact}. {Disgusting|Shameful|Unforgivable}.
        {And all that|So much} to find that {report_fact}. I {demand|expect} a refund.
        {However,|But} {name} ended up in hospital from the {dish}.
    """),
    "last_cheer": lines("""
        {But|However,|Then} {solved}. {thankful}!
        {But|Yet} {solved}, and {that made up for it all|for that I will come back}.
        All of that {is forgotten|no longer matters} because {solved}. {thankful}!
        {And then|Then} {solved} and {everyone smiled|they even said sorry}. I am {delighted|so
            happy}.
        {Why I write, though:|The reason for this mail:|What I will not forget:} {solved}.
            {thankful}.
        {In the end|On the last day} {solved}. {Brilliant|I love this team|I am thrilled}.
        {That was before|All this until} {solved}. {Now I am a fan|We will return}. {thankful}.
        {Luckily|Happily}, {solved}, {so I stay|so I will tell everyone to come}. {thankful}.
        I would {go|book|buy} there again {any time|tomorrow}, {because|as} {solved}.
        One thing {saved|turned} everything: {solved}. {thankful}!
        {Still|Even so}, I {love|am glad about} the whole thing, for {good_fact}.
        {But|And yet} I {gladly|fully} recommend it: {good_fact}. {thankful}.
        {But|Then} {good_fact}. {solved}. {Wonderful|Heroes|Unforgettable, in the best way}.
        {However,|But} {name} {made|saved} our {holiday|day|evening}. {thankful}!
    """),
}

_STARTS = ("", "{plain} ", "{Hello|Dear team|Hi {name}}, a few words about the {reviewed}. ")
_LENGTHS = (5, 6, 7, 8, 9, 10, 11, 12, 13, 14)


def _long(line: str, end: str) -> tuple[str, ...]:
    """Mails of 6 to 16 sentences of one kind, and the end."""
    return tuple(
        start + f"{{{line}}} " * length + f"{{{end}}}" for start in _STARTS for length in _LENGTHS
    )


MAIL_BAD = _long("kind_line", "last_blow")
MAIL_GOOD = _long("cross_line", "last_cheer")
