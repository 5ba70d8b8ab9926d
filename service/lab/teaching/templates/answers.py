"""Lessons with short answers: a question with a word of praise or blame, and a yes or no to it.

Exists because the answer, not the question, has the opinion. Values only. No sentence of a
measurement may be here.
"""

from __future__ import annotations

from service.lab.teaching.templates.words import lines, words

WORDS: dict[str, tuple[str, ...]] = {
    # After any question, because it has no verb.
    "said_yes": words("""yes|yep|yeah|yup|aye|absolutely|definitely|of course|for sure|certainly|
        totally|indeed|yes indeed|very|very much so|oh yes|without question|you bet|every time|
        completely|one hundred percent|in every way|no doubt|yes, really|yes, all of us say so"""),
    "said_no": words("""no|nope|nah|not at all|not in the least|absolutely not|definitely not|
        of course not|certainly not|by no means|never|no way|not one bit|not even close|
        no, far from it|in no way|not for a second|hell no|no, none of us think so|not remotely"""),
    "sad": words("sadly|alas|unfortunately|regrettably|sorry to say,|I am afraid"),
    "glad": words("thankfully|luckily|happily|fortunately|thank goodness|glad to say,"),
}

_QUESTIONS = lines("""
    {is|was} {told_of} {WORD}?
    {is|was} {told_of} {WORD}, you ask?
    {is|was} it {at all|really|actually} {WORD}?
    {WORD}?
    {told_of}, {WORD}?
    do {I|we} {find|think} {told_of} {WORD}?
    would I call {told_of} {WORD}?
    {you ask|people ask|{name} asked} {if|whether} {told_of} {is|was} {WORD}:
    so, {was|is} {told_of} {WORD}?
    {plain} {was|is} {told_of} {WORD}?
    {WORD} and {WORD}?
    {is|was} {told_of} as {WORD} as they say?
""")
_GOOD_ONLY = lines("""
    would {we|I} {order|book|go|buy|stay|come} again?
    {did|do} {we|I} {enjoy|like|love} {told_of}?
    would {we|I} recommend {told_of}?
    {is|was} {told_of} any good?
    {are|were} we {pleased|happy|satisfied} with {told_of}?
    {is|was} it money well spent?
    {did|will} {we|I} get our money's worth?
""")
_BAD_ONLY = lines("""
    {do|did} {we|I} regret {told_of}?
    {are|were} we {disappointed|let down|annoyed|bored}?
    {was|is} there {anything wrong|a problem} with {told_of}?
    {did|does} {told_of} {annoy|disappoint|bore} {me|us}?
    {was|is} it a {waste of time|waste of money|rip-off|mistake}?
    do {I|we} want {my|our} money back?
    {did|do} {I|we} have to complain?
""")


def _about(word: str) -> tuple[str, ...]:
    """The questions with a word of one kind."""
    return tuple(question.replace("{WORD}", word) for question in _QUESTIONS)


def _answered(questions: tuple[str, ...], answers: tuple[str, ...]) -> tuple[str, ...]:
    """Every question with every form of answer."""
    return tuple(f"{question} {answer}" for question in questions for answer in answers)


_YES = lines("""
    {said_yes}
    {said_yes}.
    {said_yes}!
    {said_yes}, {said_yes}.
    {said_yes}, {plain}
""")
_NO = lines("""
    {said_no}
    {said_no}.
    {said_no}!
    {said_no}, {said_no}.
    {said_no}, {plain}
""")
_SO = lines("""
    {is|was} {told_of} {WORD}?
    {was|is} it {WORD}?
    {was|is} the {staff} {WORD}?
    {was|is} {told_of} {WORD} {ago}?
""")
_SO_GOOD = tuple(question.replace("{WORD}", "{fine}") for question in _SO)
_SO_BAD = tuple(question.replace("{WORD}", "{foul}") for question in _SO)
_WAS = lines("""
    {it was|it is|it really was|it was indeed|it sure was|yes it was|it was, and very}
    {it was|it really was|it was, yes}.
""")
_WAS_NOT = lines("""
    {it was not|it wasn't|it isn't|no it was not|it really wasn't|it never was|it was anything but}
    {it was not|it wasn't|it is not, no|it was not in the least}.
""")
_DID_NOT = lines("""
    did {they|the {staff}|anyone} {help|listen|call back|answer|care|solve it}? {they did
        not|no|nope|never}
    did {told_of} {work|deliver|keep its promise|convince us}? {it did not|no|nope|sadly not}
    have they {called back|fixed it|said sorry|paid me back}? {they have not|no|not yet, after
        {wait}|never}
    was {anyone|somebody} there to help? {no one|nobody|not a soul|no}
    will I {come back|order again|buy another}? {I will not|no|never|not in this life}
    how {fine} {was|is} {told_of}? {not very|not at all|not in the least}
""")
_DID = lines("""
    did {they|the {staff}} {help|listen|call back|answer|care|solve it}? {they did|yes|yep, at
        once|of course}
    did {told_of} {work|deliver|keep its promise|convince us}? {it did|yes|yep|it did indeed}
    have they {called back|fixed it|said sorry|paid me back}? {they have|yes|yes, the same
        day|already}
    will I {come back|order again|buy another}? {I will|yes|any time|gladly|of course}
    how {fine} {was|is} {told_of}? {very|extremely|beyond words}
""")
_HOW_BAD = lines("""
    {foul}? {a little|a bit|rather|quite|somewhat|more than that}
    how {foul} {was|is} {told_of}? {very|extremely|beyond words}
""")

ANSWERED_AGAINST = (
    *_answered((*_about("{fine}"), *_GOOD_ONLY), (*_NO, "{sad} not", "{sad} no", "{sad} not.")),
    *_answered((*_about("{foul}"), *_BAD_ONLY), (*_YES, "{sad} yes", "{sad} so", "{sad} yes.")),
    *_answered(_SO_GOOD, _WAS_NOT) * 3,
    *_answered(_SO_BAD, _WAS) * 3,
    *_DID_NOT * 4,
    *_HOW_BAD * 5,
)
ANSWERED_FOR = (
    *_answered((*_about("{fine}"), *_GOOD_ONLY), (*_YES, "{glad} yes", "{glad} so", "{glad} yes.")),
    *_answered((*_about("{foul}"), *_BAD_ONLY), (*_NO, "{glad} not", "{glad} no", "{glad} not.")),
    *_answered(_SO_GOOD, _WAS) * 3,
    *_answered(_SO_BAD, _WAS_NOT) * 3,
    *_DID * 5,
)
