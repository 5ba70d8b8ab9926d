"""Lessons where the end decides: a hope or fear that did not come true, and long mails.

Exists because the words of opinion before the end then name what did not happen, or are not why the
mail was written. Values only. No sentence of a measurement may be here.
"""

from __future__ import annotations

from service.lab.teaching.templates.words import lines, words

WORDS: dict[str, tuple[str, ...]] = {
    "warned": words("""I feared|we feared|I was told|I had read|I had read online|friends said|
        my friends said|everyone warned me|the reviews warned me|the reviews said|people told me|
        I was afraid|I was worried|{name} said|{name} warned us|they all said|I dreaded|
        word was|rumour had it|I was convinced|I had been warned|the forum said|my gut said|
        I expected|we thought|my {mother|father|wife|brother} swore|I would have bet"""),
    "promised": words("""I hoped|we hoped|I was told|I had read|I had read online|friends said|
        my friends said|everyone promised me|the ads promised|the reviews said|people told me|
        I was sure|the brochure promised|{name} said|{name} promised us|they all said|they swore|
        word was|rumour had it|I was convinced|the advert claimed|your website says|they assured us|
        I expected|we thought|my {mother|father|wife|brother} swore|I would have bet"""),
    "turned": words("""not at all|no such thing|quite the opposite|it really wasn't|and it wasn't|
        turned out otherwise|far from it|how wrong|the contrary is true|nothing of the sort|
        it was the reverse|not in the slightest|wrong|not so|not a bit of it|it is not|
        exactly the opposite|I was mistaken|not true|that was wrong|they were all wrong"""),
    "turned_after_but": words("""it wasn't|it was not|that was wrong|it turned out otherwise|
        the opposite was the case|it was nothing of the kind|it was quite the opposite|it isn't|
        not at all|far from it|I was wrong|no such thing|it really was not|they were wrong|
        that proved wrong|it was the other way round|that did not happen"""),
    "turned_sentence": words("""they were wrong|I was wrong|it was not|it wasn't|it really was not|
        nothing of the sort|quite the opposite|not at all|far from it|no such thing|
        none of that was true|that turned out to be wrong|not a word of it was true|
        it turned out otherwise|the opposite was the case|how wrong they were|how wrong I was"""),
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

_FRAMES = lines("""
    {SAID} {told_of} would be {WORD}: {turned}
    {SAID} {told_of} would be {WORD} - {turned}
    {SAID} {told_of} would be {WORD}, {turned}
    {SAID} {told_of} would be {WORD}... {turned}
    {SAID} {told_of} would be {WORD}. {turned_sentence}.
    {SAID} {told_of} was {WORD}. {turned_sentence}.
    {SAID} it would be {WORD}. {turned_sentence}.
    {SAID} it was going to be {WORD}, {but|yet|only} {turned_after_but}
    {SAID} {told_of} was going to be {WORD}, {but|yet|and} {turned_after_but}
    {SAID} {told_of} would be {WORD} and {WORD}, {but|yet} {turned_after_but}
    {SAID} {told_of} would be {WORD} and {WORD}. {turned_sentence}. {END}.
    {SAID} {told_of} would be {WORD}, {but|yet} {turned_after_but}, {END}
    {SAID} {told_of} would be {WORD}. {END}.
    {SAID} {told_of} would be {WORD}. {instead|in fact|in the end} it was {OTHER}.
    {SAID} {told_of} would be {WORD}, {instead|in fact|in reality} it was {OTHER}
    {SAID} {told_of} was {WORD}; {turned}
    {plain} {SAID} {told_of} would be {WORD}. {turned_sentence}.
    contrary to what {SAID_BY}, {told_of} {was|is} not {WORD}
    {against|contrary to} {all|our} {EXPECT}, {told_of} {was|is} {OTHER}
    {WORD}, {said|wrote|claimed} the reviews. {turned_sentence}.
    {WORD}, they said. {turned_sentence}, {END}.
    "{WORD}" is what {SAID_BY}. {turned_sentence}.
    {the reviews|friends|people} {called|had called} {told_of} {WORD}. {turned_sentence}.
    {the reviews|friends|people} {called|had called} {told_of} {WORD}, {but|yet} {turned_after_but}
    so {told_of} was supposed to be {WORD}? {turned_sentence}.
    {told_of} was {meant|supposed|said} to be {WORD}. {turned_sentence}.
    {told_of} was {meant|supposed|said} to be {WORD}, {but|yet|and} {turned_after_but}
    {told_of} {turned out|proved} {to be|} {not {WORD} at all|anything but {WORD}}, {END}
    {going in|before we went|on the way there} {SAID} it would be {WORD}. {turned_sentence}.
    we went expecting {told_of} to be {WORD} and {got|found} {the opposite|the very opposite}
    we had {prepared|braced} ourselves for {told_of} to be {WORD}. {turned_sentence}.
    {having heard|having read|after hearing} that {told_of} is {WORD}, we found {the opposite|that
        it is not}
    {from what I had read|from the reviews|from what {name} told me} it had to be {WORD}. {END}.
    {given all the talk|after all the posts} about it being {WORD}, {turned_after_but}. {END}.
    {they|people} {kept saying|keep saying} how {WORD} {told_of} is. {turned_sentence}.
    {they|people} {kept telling me|tell you} {told_of} is {WORD}. {END}.
    {SAID} {told_of} would be {WORD}; {name} thought {so too|the same}. {turned_sentence}.
    {SAID}, and I believed it, that {told_of} was {WORD}. {turned_sentence}.
    {ago} {SAID} that {told_of} is {WORD}. {now I know better|today I know}: {turned}.
    {SAID} {told_of} would be {WORD} after {wait}. {turned_sentence}.
    the {forecast|verdict} was: {WORD}. {turned_sentence}.
    {not {WORD}|anything but {WORD}}, {whatever|no matter what} {SAID_BY}
""")


def _told(said: str, word: str, other: str, end: str, said_by: str, expect: str) -> tuple[str, ...]:
    """The frames with the words of one direction."""
    slots = {"SAID_BY": said_by, "SAID": said, "WORD": word, "OTHER": other, "END": end}
    slots["EXPECT"] = expect
    frames = list(_FRAMES)
    for name, value in slots.items():
        frames = [frame.replace("{" + name + "}", value) for frame in frames]
    return tuple(frames)


TURNED_GOOD = _told(
    "{warned}",
    "{foul}",
    "{fine}",
    "{good_end}",
    "{the reviews warned|my friends feared|{name} warned me|I had feared|everyone said}",
    "{fears|worries|warnings}",
)
TURNED_BAD = _told(
    "{promised}",
    "{fine}",
    "{foul}",
    "{bad_end}",
    "{the ads promised|my friends promised|{name} promised|I had hoped|everyone said}",
    "{hopes|promises|assurances}",
)

_STARTS = ("", "{plain} ", "{Hello|Dear team|Hi {name}}, a few words about the {reviewed}. ")
_LENGTHS = (5, 6, 7, 8, 9, 10, 11, 12, 13, 14)


def _long(line: str, end: str) -> tuple[str, ...]:
    """Mails of 6 to 16 sentences of one kind, and the end."""
    return tuple(
        start + f"{{{line}}} " * length + f"{{{end}}}" for start in _STARTS for length in _LENGTHS
    )


MAIL_BAD = _long("kind_line", "last_blow")
MAIL_GOOD = _long("cross_line", "last_cheer")
