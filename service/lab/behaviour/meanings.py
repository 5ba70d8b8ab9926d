"""Sentences whose meaning depends on grammar (negation, time, "but"), for `evaluate --behaviour`.

Exists so that sentences and correct labels are in one place. Values only. No frame here may be
trained on (a test checks this). `cases` fills the slots in braces from `FILLERS` here and in
`texts`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

# `not negative` allows every other label. `no sure pole` fails only if the model is confident of a
# pole.
Expected = Literal[
    "negative", "positive", "neutral", "not negative", "not positive", "no sure pole"
]


class Group(NamedTuple):
    """Frames with the same correct label."""

    expected: Expected
    frames: tuple[str, ...]


class Meaning(NamedTuple):
    """A test with a description for the report, and its frames."""

    name: str
    description: str
    groups: tuple[Group, ...]


FILLERS: dict[str, tuple[str, ...]] = {
    "good": (
        "good", "great", "excellent", "wonderful", "pleasant", "lovely", "fantastic", "brilliant",
        "beautiful",
    ),
    "bad": (
        "bad", "terrible", "awful", "horrible", "disappointing", "dreadful", "lousy", "boring",
        "annoying",
    ),
    "like": ("like", "love", "enjoy", "adore"),
    "dislike": ("hate", "dislike", "despise", "loathe"),
    "very": (
        "amazingly", "incredibly", "unbelievably", "remarkably", "wonderfully", "extraordinarily",
        "astonishingly", "perfectly",
    ),
    "madly": ("insanely", "ridiculously", "stupidly", "crazy", "scarily", "wickedly"),
    "extra": ("a pocket", "a spare battery", "a longer strap", "a cover", "a printed manual"),
    "feature": ("a dark mode", "an offline mode", "an undo button", "a list view", "tags"),
    "trouble": (
        "hour on hold", "delay", "power cut", "broken link", "cancelled train", "flat tyre",
        "hidden fee", "price rise", "crash",
    ),
    "low": ("0", "1", "2", "3"),
    "high": ("9", "10", "9.5"),
    "few_stars": ("★☆☆☆☆", "★✩✩✩✩", "1 star", "one star", "1/5", "⭐"),
    "many_stars": ("★★★★★", "⭐⭐⭐⭐⭐", "5 stars", "five stars", "5/5"),
    "cross": ("😡", "🤬", "😠", "👎", "🤮", "😤", "😞", "💔"),
    "glad": ("😍", "🥰", "👍", "🎉", "😊", "🤩", "❤️", "😁"),
    "cross_code": (":-1:", ":thumbsdown:", ":rage:", ":angry:", ":face_vomiting:"),
    "glad_code": (":+1:", ":thumbsup:", ":heart_eyes:", ":tada:", ":heart:"),
    "tune": (
        "song", "beat", "mixtape", "bassline", "remix", "track", "chorus", "set", "freestyle",
        "album", "solo", "verse",
    ),
}  # fmt: skip

NEGATION = (
    Meaning("negated_positive", "not + positive is NEGATIVE", (
        Group("negative", (
            "That was not a {good} {noun}.",
            "The {noun} is not {good} at all.",
            "The {noun} isn't {good}, honestly.",
            "I did not {like} the {noun}.",
            "Nobody in our group could {like} this {noun}.",
            "There is nothing {good} about the {noun}.",
            "In no way would I call it a {good} {noun}.",
            "The {noun} was never {good}.",
        )),
    )),
    Meaning("negated_positive_far", "not ... + positive is NEGATIVE", (
        Group("negative", (
            "I can't say, after all these years in the trade, that this is a {good} {noun}.",
            "I don't think, given what they told us on {day}, that the {noun} was {good}.",
            "It is not true, whatever the poster by the door claims, that the {noun} is {good}.",
            "I wouldn't, even if you asked me at {time} on a {day}, call the {noun} {good}.",
        )),
    )),
    Meaning("negated_negative", "not + negative is not NEGATIVE", (
        Group("not negative", (
            "That was not a {bad} {noun}.",
            "The {noun} is not {bad} at all.",
            "The {noun} isn't {bad}, honestly.",
            "I did not {dislike} the {noun}.",
            "There is nothing {bad} about the {noun}.",
            "In no way would I call it a {bad} {noun}.",
            "The {noun} was never {bad}.",
            "Not one of us found the {noun} {bad}.",
        )),
    )),
    Meaning("hope_disappointed", '"I thought it would be good, but it was not"', (
        Group("negative", (
            "I thought the {noun} would be {good}, but it was not.",
            "I expected the {noun} to be {good}, but it wasn't.",
            "They promised us a {good} {noun}. It was not.",
            "Everybody told me how {good} the {noun} would be; no, it was not.",
            "I so wanted to {like} this {noun}, but I could not.",
        )),
    )),
    Meaning("fear_disproved", '"I thought it would be bad, but it was not"', (
        Group("not negative", (
            "I thought the {noun} would be {bad}, but it was not.",
            "I expected the {noun} to be {bad}, but it wasn't.",
            "They warned us of a {bad} {noun}. It was not.",
            "Everybody told me how {bad} the {noun} would be; no, it was not.",
            "I was ready to {dislike} this {noun}, but I could not.",
        )),
    )),
    Meaning("praise_in_negative_words", '"nothing to complain about" is not NEGATIVE', (
        Group("not negative", (
            "Nothing to complain about with the {noun}.",
            "No complaints about the {noun} whatsoever.",
            "You can't go wrong with this {noun}.",
            "I can't fault the {noun}.",
            "The {noun} could have been much worse.",
            "The {noun} never disappoints.",
            "Not a single problem with the {noun} since {day}.",
            "I could not stop smiling during the {noun}.",
        )),
    )),
)  # fmt: skip
ORDER = (
    Meaning("time_to_worse", '"used to ... now ...", to the worse, is NEGATIVE', (
        Group("negative", (
            "I used to {like} this {noun}, now I {dislike} it.",
            "The {noun} was {good} a year ago and is {bad} these days.",
            "Once a {good} {noun}, now simply {bad}.",
            "In the past I would {like} it, but lately the {noun} is {bad}.",
        )),
    )),
    Meaning("time_to_better", '"used to ... now ...", to the better, is POSITIVE', (
        Group("positive", (
            "I used to {dislike} this {noun}, now I {like} it.",
            "The {noun} was {bad} a year ago and is {good} these days.",
            "Once a {bad} {noun}, now simply {good}.",
            "In the past I would {dislike} it, but lately the {noun} is {good}.",
        )),
    )),
    Meaning("question_and_answer", "a question, and yes or no", (
        Group("negative", (
            "Do I think the {noun} is {good}? No.",
            "Was it a {bad} {noun}? Yes.",
            "Did I {like} the {noun}? No, I did not.",
        )),
        Group("positive", (
            "Do I think the {noun} is {good}? Yes.",
            "Was it a {good} {noun}? Yes, it was.",
            "Did I {like} the {noun}? Yes!",
        )),
        Group("not negative", (
            "Do I think the {noun} is {bad}? No.",
            "Was it a {bad} {noun}? No, it was not.",
        )),
    )),
    Meaning("but_clause", 'what stands behind "but" decides', (
        Group("not positive", (
            "The picture on the box looked {good}, but the {noun} itself is {bad}.",
            "The first minute was {good}, but all in all the {noun} was {bad}.",
            "{good} price, but a truly {bad} {noun}.",
        )),
        Group("not negative", (
            "The picture on the box looked {bad}, but the {noun} itself is {good}.",
            "The first minute was {bad}, but all in all the {noun} was {good}.",
            "{bad} weather, but a truly {good} {noun}.",
        )),
    )),
    Meaning("own_opinion", "the writer's opinion and not other people's", (
        Group("negative", (
            "My friends find the {noun} {good}; to me it is {bad}.",
            "Critics call it a {good} {noun}. I {dislike} it.",
        )),
        Group("positive", (
            "My friends find the {noun} {bad}; to me it is {good}.",
            "Critics call it a {bad} {noun}. I {like} it.",
        )),
    )),
)  # fmt: skip
