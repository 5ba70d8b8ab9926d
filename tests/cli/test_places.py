"""The syntax of TEXT_FIELD and SKIP: what each value means, and why a wrong one is refused."""

from __future__ import annotations

import re

import pytest

from service.records import SkipReason
from service.settings.places import Pointer, skip_conditions, text_places


def _pointer(written: str, *names: str | None) -> Pointer:
    return Pointer(written, names)


TEXT = _pointer("/text", "text")


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ("", [[_pointer("")]]),
        (" ", [[_pointer("")]]),
        ("/text", [[TEXT]]),
        ("/", [[_pointer("/", "")]]),
        ("/a~1b/c~0d", [[_pointer("/a~1b/c~0d", "a/b", "c~d")]]),
        ("/a%2Cb%2bc/%2A", [[_pointer("/a%2Cb%2bc/%2A", "a,b+c", "*")]]),
        ("/100%25/a*/ö%20b c", [[_pointer("/100%25/a*/ö%20b c", "100%", "a*", "ö b c")]]),
        ("/a=b/!c", [[_pointer("/a=b/!c", "a=b", "!c")]]),
        ("/a , /text", [[_pointer("/a", "a")], [TEXT]]),
        ("/a+/text,/b", [[_pointer("/a", "a"), TEXT], [_pointer("/b", "b")]]),
        ("/e/*/t", [[_pointer("/e/*/t", "e", None, "t")]]),
        ("/a/*/b/*", [[_pointer("/a/*/b/*", "a", None, "b", None)]]),
    ],
)  # fmt: skip
def test_where_the_text_is(value: str, places: list[list[Pointer]]) -> None:
    """Commas between places, plus signs within one; escapes for both, and for an asterisk."""
    assert tuple(map(tuple, places)) == text_places(value)


def test_pointers_into_one_list_may_stand_beside_others() -> None:
    """Those without an asterisk are common to all elements."""
    places = text_places("/title+/e/*/title+/e/*/a/b,/e/*/text,/text")
    assert [("e", None)] * 3 == [p.in_list for place in places for p in place if p.in_list]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("text", "is not a JSON pointer (Location must start with /)"),
        ("/a,text", "has text, which is not a JSON pointer (Location must start with /)"),
        ("/a+b", "has b, which is not a JSON pointer (Location must start with /)"),
        ("/a~2", "is not a JSON pointer (Found invalid escape ~2)"),
        ("/a,", "has nothing before or after a comma or plus sign"),
        ("+/a", "has nothing before or after a comma or plus sign"),
        ("/a,,/b", "has nothing before or after a comma or plus sign"),
        ("/100%", "has 100%; write %25 for a percent sign"),
        ("/%ff", "has %ff, whose escapes are not UTF-8"),
        ("/*/text", "an array on top is a list of messages anyway, so leave out the first /*"),
        ("/a/*/t,/b/*/t", "names the elements of two lists"),
        ("/a/*/t,/a/*/b/*/t", "names the elements of two lists"),
        (",".join(["/a"] * 33), "has 33 pointers, over 32"),
    ],
)
def test_what_says_no_place(value: str, complaint: str) -> None:
    """The message follows the value, and says what to do."""
    with pytest.raises(ValueError, match=re.escape(complaint)):
        text_places(value)


@pytest.mark.parametrize(
    ("value", "conditions"),
    [
        ("", []),
        ("!", [(SkipReason.NO_TEXT, "", "", None)]),
        ("!/text", [(SkipReason.ABSENT, "/text", "", None)]),
        ("/bot", [(SkipReason.PRESENT, "/bot", "", None)]),
        ("/op=d", [(SkipReason.VALUE, "/op", "d", None)]),
        ("/op=", [(SkipReason.VALUE, "/op", "", None)]),
        ("/body=[deleted] , /b = taken down ",
         [(SkipReason.VALUE, "/body", "[deleted]", None),
          (SkipReason.VALUE, "/b", "taken down", None)]),
        ("/a=b=c", [(SkipReason.VALUE, "/a", "b=c", None)]),
        ("/a%3Db%21!=%3Dc", [(SkipReason.OTHER_VALUE, "/a%3Db%21", "=c", None)]),
        ("/event!=update", [(SkipReason.OTHER_VALUE, "/event", "update", None)]),
        ("/event != update", [(SkipReason.OTHER_VALUE, "/event", "update", None)]),
        ("/a==/b", [(SkipReason.UNCHANGED, "/a", "", "/b")]),
        ("/a == /b", [(SkipReason.UNCHANGED, "/a", "", "/b")]),
        ("=[removed]", [(SkipReason.VALUE, "", "[removed]", None)]),
    ],
)  # fmt: skip
def test_what_is_skipped(
    value: str, conditions: list[tuple[SkipReason, str, str, str | None]]
) -> None:
    """Five questions, told apart by their signs; white space around them does not count."""
    found = [
        (c.reason, c.pointer.written, c.value, c.other and c.other.written)
        for c in skip_conditions(value)
    ]
    assert conditions == found


def test_a_value_has_escapes() -> None:
    """For the comma that would end it, for a sign of equality before it, and for white space."""
    [condition] = skip_conditions("/a=%3Dsorry%2C taken%20")
    assert "=sorry, taken " == condition.value


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("text", "is not a JSON pointer"),
        ("!text", "has text, which is not a JSON pointer"),
        ("!,", "has no pointer where one is expected"),
        ("/a,", "has no pointer where one is expected"),
        ("/a==", "has no pointer where one is expected"),
        ("/a==b", "has b, which is not a JSON pointer"),
        ("!/a=b", "has !/a=b; write /a!=b for any other value"),
        ("!/op!=c", "has !/op!=c; write /op!=c for any other value"),
        ("!=x", "has !=x, with no pointer before !="),
        ("/op!!=c", "has /op!!=c; write /op!= for any other value, and %21 where a name ends in !"),
        ("/op! != c", "and %21 where a name ends in !"),
        ("/op!==/b", "and %21 where a name ends in !"),
        ("/op=a,b", "has b, which is not a JSON pointer; write %2C for a comma"),
        ("/a=100%", "has 100%; write %25 for a percent sign"),
        ("!/*/a", "has /*/a; an array on top is a list of messages anyway"),
        (",".join(["/a"] * 33), "has 33 pointers, over 32"),
    ],
)
def test_what_says_no_condition(value: str, complaint: str) -> None:
    """As for the places of the text."""
    with pytest.raises(ValueError, match=re.escape(complaint)):
        skip_conditions(value)
