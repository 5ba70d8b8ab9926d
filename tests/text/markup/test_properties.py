"""Of every format: raises nothing, adds nothing, takes time in proportion to the text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.records import TextFormat
from service.text.markup import Plain, plain_text

if TYPE_CHECKING:
    from types import FrameType

FORMATS = get_args(TextFormat)
MARKED = [form for form in FORMATS if form != "plain"]

# What the formats and their parsers look for, to be put together in any order.
PIECES = (
    "<p>", "</p>", "<div>", "</div>", "<b id=1>", "</b>", "<blockquote>", "</blockquote>", "<!--",
    "-->", "<!-- x -->", "<pre><code>", "</code>", "</pre>", "<style>", "</style>", "<script>",
    "</script>", "<a href=", '"', "'", "<br>", "<img alt=':x:'>", "<div hidden>", "<svg>",
    "&amp;", "&#x200B;", "&gt;", "&", "<", ">", "<?", "<![CDATA[", "]]>", "<title>", "<textarea>",
    "> ", ">> ", "```", "~~~", "`", "    ", "- ", "1. ", "# ", "|", "|-|-|", "[", "](", "![", ")",
    "*", "_", "~~", "[x]: y", "\\", "<@U1>", "<http://x|y>", "<:a:1>", "||", ">!", "!<", "-# ",
    "\n", "\n\n", "\r\n", "-- ", "--", "From: a@b", "Sent: 10:15", "Date: Mon, 3 Mar 2025",
    "To: a@b", "Subject: c", "On ", "On Mon, 3 Mar 2025 at 10:15 <a@b> wrote:", "wrote:",
    "-----Original Message-----", "____________", "Content-Type: multipart/mixed; boundary=b",
    "--b", "--b--", "MIME-Version: 1.0", "Content-Transfer-Encoding: base64",
    "Content-Transfer-Encoding: quoted-printable", "=C3", "YQ==", "Kind regards,", "Ann Lee",
    "Thanks", "Sent from my phone", "This e-mail is confidential.", ":", "\u200b", "\u202e",
    "\u0000", "\ud7ff", "é", "\u5199\u9053\uff1a", "a", " ", "Tel: +44 20 7946 0958", "PS: x",
    "CAUTION: This email originated from outside", "[EXTERNAL]", "@",
    "-----BEGIN PGP SIGNATURE-----", "\ufeff", "From a@b Mon\n",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=60).map("".join)


@pytest.mark.parametrize("form", FORMATS)
@settings(deadline=None, max_examples=300)
@given(text=TEXTS)
def test_what_is_left_and_cut_is_no_longer_than_the_text(form: TextFormat, text: str) -> None:
    """Whatever it holds; nothing is raised. So the bound on texts bounds what is scored too."""
    plain = plain_text(text, form)

    assert len(plain.text) + sum(plain[1:]) <= len(text)


@pytest.mark.parametrize("form", MARKED)
@settings(deadline=None)
@given(words=st.lists(st.from_regex(r"[a-zA-Z0-9,.!?']{1,9}", fullmatch=True), min_size=1))
def test_plain_words_come_through_unchanged(form: TextFormat, words: list[str]) -> None:
    """Where there is no markup, nothing is taken for some."""
    text = "I " + " ".join(words)

    assert plain_text(text, form) == Plain(text)


@settings(deadline=None)
@given(text=st.text())
def test_plain_changes_nothing(text: str) -> None:
    """It is the default: what was scored before the formats were there is scored the same."""
    assert plain_text(text, "plain") == Plain(text)


def _steps(text: str, form: TextFormat) -> int:
    """Lines of Python executed, and functions called, those in C included."""
    steps = 0

    def traced(_frame: FrameType, _event: str, _argument: Any) -> Any:
        nonlocal steps
        steps += 1
        return traced

    def profiled(_frame: FrameType, _event: str, _argument: Any) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(profiled)
    sys.settrace(traced)
    try:
        plain_text(text, form)
    finally:
        sys.settrace(None)
        sys.setprofile(None)
    return steps


REPEATED = (
    *PIECES, "<p>x<b>", "<b><p>", "> a\n- b\n", "a:\n", "Ann\n", "> a\nwrote:\n", "From: a@b\n",
    "x\n\n", "<div><p>", "<table>x", "<li><b>", "<p><table>",
    "On 1 <a@b\n", "| a | b |\n", "- a\n", "</x>", "<x></y>",
)  # fmt: skip


@pytest.mark.parametrize("form", MARKED)
@pytest.mark.parametrize("piece", REPEATED)
def test_twice_the_text_takes_twice_the_steps(form: TextFormat, piece: str) -> None:
    """Steps are counted, no time is taken; within expressions all repeats have a bound."""
    plain_text("", form)
    # Long enough for what is done once to be little.
    once, twice = (_steps(piece * (size // len(piece)), form) for size in (1000, 2000))

    assert twice <= 2.2 * once + 400


@pytest.mark.parametrize("form", MARKED)
@pytest.mark.parametrize(
    "text",
    [
        "<p>" + "".join(f"<b id={n}>" for n in range(400)) + "<p>x" * 400,
        "<div>" * 3000 + "x" + "</div>" * 3000,
        "<blockquote>" * 3000 + "x",
        "> " * 3000 + "x",
        "- " * 3000 + "x",
        "".join("  " * n + "- a\n" for n in range(100)),
        "[" * 3000,
        "![" * 3000,
        "*a **b " * 800,
    ],
    ids=lambda text: text[:16],
)
def test_deep_nesting_is_no_harm(form: TextFormat, text: str) -> None:
    """Neither stack nor memory grows with it: a browser makes 160,000 elements of the first."""
    plain = plain_text(text, form)

    assert len(plain.text) + sum(plain[1:]) <= len(text)
