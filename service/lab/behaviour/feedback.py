"""Sentences in the style of feedback and posts, with their labels, for `evaluate --behaviour`.

Exists so that sentences and correct labels are in one place. Values only. No frame here may be
trained on (a test checks this). `cases` fills the slots in braces from `FILLERS` of `meanings` and
`texts`.
"""

from __future__ import annotations

from service.lab.behaviour.meanings import Group, Meaning

FEEDBACK = (
    Meaning("intensified_negative", '"amazingly bad" is NEGATIVE', (
        Group("negative", (
            "This is a {very} {bad} {noun}.",
            "The {noun} was {very} {bad}.",
            "What a {very} {bad} {noun} that is.",
        )),
    )),
    Meaning("intensified_positive", '"insanely good" is POSITIVE', (
        Group("positive", (
            "This is a {madly} {good} {noun}.",
            "The {noun} was {madly} {good}.",
            "What a {madly} {good} {noun} that is.",
        )),
    )),
    Meaning("thanks_in_complaint", "thanks within a complaint is NEGATIVE", (
        Group("negative", (
            "Thank you for losing my {goods} a second time.",
            "Thanks, {firm}, for cancelling without a word and keeping the fee.",
            "Many thanks for two wasted hours at the {firm}.",
            "Thank you so much for ruining our holiday, dear {firm}.",
            "Please tell me why my {goods} is still broken after three repairs. Thank you.",
            "Nobody has answered me since {day}. Thanks anyway.",
            "The {app} deleted all my notes. Please fix this mess, thanks!",
            "Thanks to the {firm} I missed my {day} shift and lost a day's pay.",
            "Thank you for nothing, {firm}.",
            "The {goods} stopped working on {day}. Thank you for your useless warranty.",
            "I appreciate the call, but the {firm} still owes me for the {goods}.",
        )),
    )),
    Meaning("sarcasm", '"great, another delay" is NEGATIVE', (
        Group("negative", (
            "Oh great, yet another {trouble}.",
            "Fantastic, one more {trouble} on a {day}. Just what I needed.",
            "Well done {firm}, a {trouble} again, you must be proud.",
            "Lovely start of the week: {trouble}, then a second {trouble}.",
        )),
    )),
    Meaning("complaint_of_fact", "a complaint that only tells facts is NEGATIVE", (
        Group("negative", (
            "The {firm} has billed me two times for one {goods}.",
            "I received an empty parcel instead of the {goods}.",
            "I paid for the {goods} in March and it has not come.",
            "The {goods} lacks the lid that is in the picture.",
            "The {app} shows a blank screen after the login.",
            "The {firm} says that the refund is on its way, for nine weeks now.",
            "There was a hair in my {meal}.",
            "We waited for our {meal} until {time} and left hungry.",
        )),
    )),
    Meaning("wish_or_request", "a wish or a request is not POSITIVE", (
        Group("not positive", (
            "I wish the {app} had {feature}.",
            "Could you please send me the {paper} once more?",
            "Kindly add {extra} to the {goods}.",
            "I hope that the next {goods} gets {extra}.",
            "I would like to change my appointment at the {firm} to {day}.",
            "The {app} needs {feature}, please.",
            "Can anyone help me with the {app}, please?",
            "I want to cancel my order of the {goods}.",
        )),
    )),
    Meaning("ratings", "fractions, stars and numbers of stars", (
        Group("negative", (
            "{low}/10",
            "{few_stars}",
            "{noun}: {low}/10",
            "{few_stars} for the {noun}",
            "I give the {noun} {low} out of 10.",
            "{noun}, {few_stars}.",
        )),
        Group("positive", (
            "{high}/10",
            "{many_stars}",
            "{noun}: {high}/10",
            "{many_stars} for the {noun}",
            "I give the {noun} {high} out of 10.",
            "{noun}, {many_stars}.",
        )),
    )),
)  # fmt: skip
INFORMAL = (
    Meaning("emoji", "an emoji that decides", (
        Group("negative", (
            "Tried the {noun} today {cross}", "{noun} {cross}{cross}", "The new {noun} {cross}",
            "{cross} {noun} on {day}",
        )),
        Group("positive", (
            "Tried the {noun} today {glad}", "{noun} {glad}{glad}", "The new {noun} {glad}",
            "{glad} {noun} on {day}",
        )),
    )),
    Meaning("shortcodes", "a shortcode that decides", (
        Group("negative", ("Tried the {noun} today {cross_code}", "The new {noun} {cross_code}",
                           "{cross_code} {noun} on {day}")),
        Group("positive", ("Tried the {noun} today {glad_code}", "The new {noun} {glad_code}",
                           "{glad_code} {noun} on {day}")),
    )),
    Meaning("slang_praise", "slang of praise is POSITIVE", (
        Group("positive", (
            "her new {tune} is so sick", "that {tune} slaps", "this {tune} is straight fire",
            "yo the {tune} goes hard", "the {tune} was dope af", "your {tune} is a banger, no cap",
            "can't stop listening, the {tune} is killer", "the {noun} was lit",
            "your {noun} is the bomb", "damn that {noun} was badass",
            "ngl the {noun} was chef's kiss", "ok the {noun} totally rocks",
        )),
    )),
    Meaning("slang_criticism", "slang of criticism is NEGATIVE", (
        Group("negative", (
            "the {noun} is trash ngl", "her new {tune} is so cringe", "this {tune} is hot garbage",
            "the {noun} blows", "what a joke of a {noun}", "the {noun} was a total ripoff smh",
            "that {noun} is meh at best, skip it", "big L for the {noun}",
            "ugh the {noun} was hella bad", "lmao that {noun} is so wack",
            "{noun} = total dumpster fire",
        )),
    )),
    Meaning("profane_praise", "praise in foul words is POSITIVE", (
        Group("positive", (
            "holy shit this {noun} is {good}", "that was one fucking {good} {noun}",
            "the {noun} was so damn {good}", "hell yes, what a {good} {noun}",
            "best fucking {noun} in ages", "this {tune} kicks ass",
        )),
    )),
    Meaning("plain_opinion", "plain opinion", (
        Group("positive", ("The {noun} was {good}.", "I {like} this {noun}.", "{good} {noun}!",
                           "I found the {noun} {good}.")),
        Group("negative", ("The {noun} was {bad}.", "I {dislike} this {noun}.", "{bad} {noun}!",
                           "I found the {noun} {bad}.")),
    )),
)  # fmt: skip

# Ends of long texts of praise, which make them negative.
LAST_WORDS = (
    "Then we found bedbugs in the mattress. I shall never set foot in there again.",
    "But on the last day they stole my wallet and laughed at me. Stay away.",
    "In the end all of us got food poisoning and nobody said sorry. Never again.",
    "And then it caught fire and burned down my kitchen. Do not buy it.",
    "But now they refuse to give my money back. I was cheated.",
)
# Texts of one word, which have no certain opinion.
BARE_WORDS = (
    "ok", "okay", "yes", "no", "hm", "?", "...", "maybe", "lol", "well", "so", "and", "what", "who",
    "now", "today", "me", "same", "first", "test", "12", "3.14", "2024-05-04", "#", "-", "hello",
    "a", "nope", "yep", "sure", "really", "then", "here", "done", "k", "idk", "re:", "fwd", "n/a",
    "this",
)  # fmt: skip
