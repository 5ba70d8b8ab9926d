"""Version 2: handles and polite phrases are removed, ratings and emoji become words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from service.text.normalise import STEPS, apply_steps, normalise
from service.text.normalise.meanings import MEANINGS

VERSION = 2
VOCABULARY = Tokenizer.from_file(
    str(Path(__file__).resolve().parents[2] / "service" / "model" / "tokenizer.json")
).get_vocab()
COMPLAINTS = (
    "My order never came.",
    "I was charged twice and nobody answers",
    "it stopped after a day!",
    "Thanks for nothing. The bag is still lost",
)


def _normal(text: str) -> str:
    return normalise(text, VERSION)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@VirginAmerica @SomeOne thanks for nothing", "thanks for nothing"),
        ("thanks @delta", "thanks"),
        ("so late again @delta, @jfk!", "so late again!"),
        (".@delta: where is my bag", "where is my bag"),
        ("RT @bob: I love it (https://t.co/aB3)", "I love it"),
        ("nice photo via @bob", "nice photo"),
        ("why is @Delta_Air always late", "why is @user always late"),
        ("ask @a @b and @c about it", "ask @user and @user about it"),
        ("@delta's planes are old", "@user's planes are old"),
        ("write to Jo.Doe+x@mail.example.co.uk, then wait", "write to link, then wait"),
        ("see bit.ly/2x?y=1 or www.x.org/y_z. It is bad", "see link or link. It is bad"),
        ("amazon.com is slow, and/or dead", "amazon.com is slow, and/or dead"),
        ("@delta", "@user"),
        ("(https://example.com/a) @delta", "link"),
        ("so sad :( @delta", "so sad frowning face"),
        ("@delta :) yes", "smiling face yes"),
        ("be there @8pm or @ noon, 5 @ 3", "be there @8pm or @ noon, 5 @ 3"),
    ],
)
def test_addresses_and_handles(text: str, expected: str) -> None:
    """Removed at the ends, replaced by one word within; text that only looks similar stays."""
    assert expected == _normal(text)
    assert expected == _normal(expected)


@pytest.mark.parametrize("complaint", COMPLAINTS)
@pytest.mark.parametrize("added", ["@{0} {1}", "{1} @{0}", "{1} https://t.co/{0}", "x@{0}.org {1}"])
@pytest.mark.parametrize("name", ["Happy_Air", "sadsadsad", "B2"])
def test_an_address_beside_a_text_changes_nothing(complaint: str, added: str, name: str) -> None:
    """Whatever words its name has."""
    assert _normal(complaint) == _normal(added.format(name, complaint))


@pytest.mark.parametrize("complaint", COMPLAINTS)
@pytest.mark.parametrize(
    "around",
    [
        "Hi team, {}", "Hello,\n{}", "Hi,\n\n{}", "Dear Sir or Madam, {}", "Dear Ms. O'Neil:\n{}",
        "Good morning all, {}", "Hey @x, {}", "hey there! {}", "To whom it may concern: {}",
        "Hi Alex - {}", "Hello, I hope you are well. {}", "Hi @x {}",
        "Good day, customer service. {}",
        "{}\nThanks,\nAlex", "{}\n\nThanks\nAlex", "{} Thanks, Alex", "{}\nMany thanks, Alex",
        "{} Many thanks, Alex", "{} Kind regards, Alex Smith, Head of Something",
        "{}\nBest, Alex", "{}\nBest,\nalex", "{}\nRegards,", "{} Regards, Alex de la Cruz",
        "{}\nCheers, J.", "{} Yours sincerely, Maria Lopez", "{} Sent from my iPhone",
        "{}\n\nSent from Mail for Windows", "{}\nThanks in advance!",
        "{}\nThank you for your time, Maria", "{}\n-- \nAlex\nACME Inc.\n+1 555 0100",
        "{}\nxoxo", "{}\n- Alex", "{} ^AB", "{}\nLooking forward to hearing from you.",
        "{}\nHave a nice day,\nAlex", "{}\nWarmest regards\nAlex Smith\nTel: +44 20 7946 0000",
        "Hi team, {}\nThanks in advance.\nKind regards,\nAlex\nSent from my iPhone",
        "{}\nThanks!\nAlex", "{}\nThank you!", "{} - Best, Alex", "{},\nYours,\nA. B. Smith",
        "{} Kind regards from Berlin, Alex", "{}\n\nRgds, Tom",
        "{} Best wishes, Alex @x https://x.org",
        "{}\n\nI would be grateful for a word.\nMaria Lopez\nCEO", "{}\nAll my respect,\nJo",
        "{}\n\nUntil we meet,\nAlex de la Cruz", "Welcome back to work, Maria!\n\n{}",
        "Happy Tuesday, everyone,\n{}", "Hope you had a lovely weekend! {}",
    ],
)  # fmt: skip
def test_greetings_and_closings_change_nothing(complaint: str, around: str) -> None:
    """All kinds of formulas around all complaints, with line breaks and without."""
    assert _normal(complaint) == _normal(around.format(complaint))


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for nothing", "Thanks, you have been wonderful", "Best phone ever", "Thanks!",
        "Thank you so much for the quick help!", "Great service, thanks!", "Hello", "Hi team,",
        "You sorted it out so fast. Thank you!", "You made my day, thank you so much!",
        "They were so kind. Thanks, Delta!", "We flew home early. Thank you, America.",
        "This is simply the best", "I love it, best regards to the chef and thanks for all",
        "We all cheered for him, with love", "It came on time. Thanks.",
        "Hi all the best things are free",
        "Dear me what a day", "Thanks, Alex",
        "good day at the office", "It says Sent from my heart, and I believe it",
        "I have the highest regards for them all", "see you all tonight xoxo",
        "I am looking forward to hearing from you about this wonderful prize",
        "Great food!\n\nLoved the service.\nMaria", "The end was great,\nGeorge",
        "Nice\nplace\nReally\nNice", "Welcome to the worst hotel!\nThe room stank.",
        "Hope you have a plan to fix this! My order is late.",
        "They gave me two weeks - Not good", "Hey Jude", "yours is better than mine, truly",
    ],
)  # fmt: skip
def test_thanks_and_greetings_with_a_meaning_stay(text: str) -> None:
    """Praise, formulas alone, and sentences that begin or end like formulas."""
    assert text == _normal(text)


def test_a_formula_goes_only_where_enough_remains() -> None:
    """At least three words; otherwise the formula is most of the text."""
    assert _normal("Hi team, too late") == "Hi team, too late"
    assert _normal("Hi team, much too late") == "much too late"
    assert _normal("Too late. Kind regards, Alex") == "Too late. Kind regards, Alex"


def test_a_long_signature_stays() -> None:
    """A signature is a limited number of names, titles and numbers."""
    text = "It never came at all. Kind regards, " + "Alex Smith " * 10
    assert _normal(text.strip()) == text.strip()
    assert "regards" in _normal("It never came at all. Kind regards, and it was broken")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2/10", "rated 2 out of 10"),
        ("10/10 would buy again", "rated 10 out of 10 would buy again"),
        ("Rating: 4.5 / 5", "rated 4.5 out of 5"),
        ("1/5 stars, two out of ten", "rated 1 out of 5, rated 2 out of 10"),
        ("rated 3 out of 5", "rated 3 out of 5"),
        ("★☆☆☆☆ no", "rated 1 out of 5 no"),
        ("★★★★★ and ★ ★ ★ ☆ ☆", "rated 5 out of 5 and rated 3 out of 5"),
        ("⭐️⭐️", "rated 2 out of 5"),
        ("⭐ Broke in a day", "rated 1 out of 5 Broke in a day"),
        ("4.5 ⭐ 2★", "rated 4.5 out of 5 rated 2 out of 5"),
        ("5 stars! Zero stars from me", "rated 5 out of 5! rated 0 out of 5 from me"),
        ("One star.", "rated 1 out of 5."),
    ],
)
def test_ratings_have_one_form(text: str, expected: str) -> None:
    """Fractions, words and rows of stars."""
    assert expected == _normal(text)
    assert expected == _normal(expected)


@pytest.mark.parametrize(
    "text",
    [
        "a 3-star hotel", "a 5 star hotel", "open 24/7", "9/11", "50/50", "1/2 of it",
        "on 1/5 we left",
        "10/10/2020", "2020/5/10", "12/10", "4/5 dentists agree", "9 out of 10 people", "a/5/10",
        "Thursday 9/10 in Tampa", "$2/10", "3/5 of them", "v1.2/10", "1/10th", "part 2/5",
        "I saw 5 stars in the sky", "5 stars of the show", "one star player",
        "Infinity 3.0 Star Wars",
        "☆☆", "-1/10",
    ],
)  # fmt: skip
def test_what_is_no_rating_stays(text: str) -> None:
    """Dates, shares, parts, and texts that only contain stars."""
    assert "rated" not in _normal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (":-1:", "thumbs down bad"),
        (":+1::thumbsdown: :heart:", "thumbs up good thumbs down bad red heart"),
        (":rage: :Facepalm: :woman-shrugging::skin-tone-3:",
         "angry face face palm embarrassed shrug do not know"),
        ("at 10:30:45, a:b:c, :nosuchcode: and C::on::D",
         "at 10:30:45, a:b:c, :nosuchcode: and C::on::D"),
        ("The new update is here 🤬", "The new update is here swearing angry face"),
        ("🤦🏽\u200d♀️ 🤦🏿\u200d♂️", "face palm embarrassed face palm embarrassed"),
        ("💜 ❤️ <3", "red heart red heart red heart"),
        ("I`d say don\u00e2\u20ac\u2122t, it isn\ufffdt", "I'd say don't, it isn't"),
        ("`code` is \u00e2\u20ac\u0153fine\u00e2\u20ac\u009d", '`code` is "fine"'),
    ],
)  # fmt: skip
def test_shortcodes_emoji_and_broken_letters(text: str, expected: str) -> None:
    """A code becomes its emoji, an emoji its meaning, a broken apostrophe an apostrophe."""
    assert expected == _normal(text)


def test_meanings_are_whole_words_of_the_vocabulary() -> None:
    """And each symbol of the table is found in a text."""
    words = {word for meaning in MEANINGS.values() for word in meaning.split()}
    # Version 1 has this word for `;)` too.
    assert sorted(words - set(VOCABULARY)) == ["winking"]
    for symbol, meaning in MEANINGS.items():
        assert meaning == _normal(symbol) == _normal(f"{symbol}\ufe0f")


def test_each_step_can_be_left_out() -> None:
    """So the effect of each step can be measured."""
    text = (
        "Hi team, &gt; \u201c I`d see http://x.org/a today #AbcDef :-1: \U0001f642 :( 2/10 nooo"
        " way. Kind regards, Alex"
    )
    steps = STEPS[VERSION]
    for name in steps:
        assert apply_steps(text, [steps[name]]) != text
        assert apply_steps(text, [steps[n] for n in steps if n != name]) != _normal(text)
    assert apply_steps(text, ()) == text


def test_prose_comes_back_as_the_same_object() -> None:
    """With its white space and line breaks."""
    text = "A film,  to be seen twice.\n\nOr not?"
    assert _normal(text) is text


@given(st.text(max_size=200))
def test_any_text_is_accepted(text: str) -> None:
    """The result has a bounded length, and is empty only if the text is."""
    found = _normal(text)
    assert len(found) <= 100 * max(1, len(text))
    assert bool(found) == bool(text)


@given(
    st.lists(
        st.sampled_from(
            [*"@#:;,.!-\n ★☆⭐5/`\u200b\ufe0f(", "Hi", "Thanks", "Best", "regards", "Alex", "@a",
             "http://a.b", "a@b.org", "2/10", "out of", "stars", ":-1:", "xoxo",
             "Sent from my iPhone",
             "-- \n", "RT", " via ", "\ufffd"]
        ),
        max_size=30,
    )
)  # fmt: skip
def test_any_mixture_of_symbols_is_accepted(parts: list[str]) -> None:
    """The patterns find nothing that the tables lack, and no text becomes empty."""
    text = "".join(parts)
    assert bool(_normal(text)) == bool(text)


@pytest.mark.parametrize(
    "unit",
    ["a@", "a.", "a@a.", "@a ", "@a, ", "@a's ", "((@a", "http://a ", "a.co/.", "RT @a: ", "via ",
     ":ab:", ":+1:", "::--:", "★", "★ ", "★☆", "5★", "5 ★", "1/", "2/10", "2/10 ", "one out of ",
     "5 stars ", "Thanks,", "Thanks, Al ", "Hi ", "Hi A ", "Dear Sir ", "\n", "\n-- \n", " ", "A. ",
     "- A", "xo", "Kind regards ", "Sent from my iPhone ", "I`d", "\u00e2\u20ac\u2122", "\ufffd",
     "rated ", "_", "#aB", "\U0001f642", "\u200d\u2640", ":-", "aaab"],
)  # fmt: skip
def test_hostile_text_takes_time_in_proportion(unit: str) -> None:
    """64 KiB of a repeated unit; with a quadratic step the test would time out."""
    for text in (unit * (2**16 // len(unit)), "x " + unit * (2**16 // len(unit)) + " x"):
        assert len(_normal(text)) <= 100 * len(text)
