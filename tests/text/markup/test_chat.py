"""What is left of Markdown (Reddit, Discord, GitHub) and of Slack's messages."""

from __future__ import annotations

import pytest

from service.text.markup import Plain, plain_text

OWN = "The app crashes all the time."

MARKDOWN = {
    "plain": (OWN, OWN),
    "styles": ("it is **very** *slow* and ~~good~~ `bad`", "it is very slow and good bad"),
    "link": ("see [our page](https://x.y/z 'title')", "see our page"),
    "address": ("see <https://x.y/z>", "see https://x.y/z"),
    "image": ("![a picture](https://x.y/z.png) bad", "a picture bad"),
    "reference": ("see [this]\n\n[this]: https://x.y", "see this"),
    "quote": (f"> great\n\n{OWN}", OWN),
    "answer right below a quote": (f"> great\n{OWN}", OWN),
    "quote in the middle": ("a\n\n> q\n\nb", "a\n\nb"),
    "nested quotes": (f"> > a\n> b\n\n{OWN}", OWN),
    "list in a quote": (f"> - great\n> - good\n\n{OWN}", OWN),
    "code in a quote": (f"> ```\n> a\n> ```\n\n{OWN}", OWN),
    "Reddit's escapes": (
        "&gt; great\n\nIt&#39;s &amp;lt;slow&amp;gt; &amp; bad",
        "It's <slow> & bad",
    ),
    "Reddit's zero width": (f"{OWN}\n\n&amp;#x200B;\n\nYes", f"{OWN}\n\n\u200b\n\nYes"),
    "Reddit's spoiler": (">!the end is bad!<", "the end is bad"),
    "spoiler's opening without an end": ("it >!is >!bad!<", "it >!is bad"),
    "fence": (f"```python\ngreat = 1\n```\n{OWN}", OWN),
    "fence without an end": (f"{OWN}\n```\ngreat", OWN),
    "indented code": (f"{OWN}\n\n    great = 1\n", OWN),
    "indented at the beginning": (f"    {OWN}", OWN),
    "heading": ("# Bad\nvery", "Bad\n\nvery"),
    "underlined heading": ("Bad\n===\nvery", "Bad\n\nvery"),
    "list": ("- slow\n- dear\n\n1. bad", "slow\n\ndear\n\nbad"),
    "table": ("| a | b |\n|---|---|\n| c | d |", "a\nb\nc\nd"),
    "rule": (f"{OWN}\n\n---\n\nYes", f"{OWN}\n\nYes"),
    "HTML": ("<details><summary>more</summary>bad</details>", "more\nbad"),
    "HTML in a line": ("it is <b>bad</b><br>yes", "it is bad\nyes"),
    "HTML comment": (f"<!-- great -->\n{OWN}", OWN),
    "line ends": ("a\nb  \nc\\\nd\r\ne", "a\nb\nc\nd\ne"),
    "escaped signs": (r"5 \* 3 \> 2", "5 * 3 > 2"),
    "no markup": (
        "5 * 3 > 2, snake_case_name, #fail, 1) no",
        "5 * 3 > 2, snake_case_name, #fail, 1) no",
    ),
    "emoticons": (">:( it broke\n>_< and <3", ">:( it broke\n>_< and <3"),
    "Discord: mentions": ("<@80351110224678912> <@!1> <@&2> hi <#3>", "@user @user @user hi"),
    "Discord: custom emoji": ("bad <:sad:41771983429993937> <a:cry:1>", "bad :sad: :cry:"),
    "Discord: time, command": ("at <t:1618953630:R> </help:12>", "at  /help"),
    "Discord: spoiler": ("it ||is bad||", "it is bad"),
    "Discord: small print": ("-# it is bad", "it is bad"),
    "many brackets": ("[" * 300 + "bad", "[" * 300 + "bad"),
}

SLACK = {
    "plain": (OWN, OWN),
    "mention": (
        "<@U024BE7LH> hi <@U1|ann> and <!here> <!subteam^S1|@team>",
        "@user hi @user and @user @user",
    ),
    "channel": ("in <#C024BE7LR|general> <#C1>", "in #general"),
    "labelled link": ("see <https://x.y/z?a=1&amp;b=2|our page>", "see our page"),
    "bare link": ("see <https://x.y/z?a=1&amp;b=2>", "see https://x.y/z?a=1&b=2"),
    "mail address": ("to <mailto:a@x.y|a@x.y>", "to a@x.y"),
    "date": ("on <!date^1392734382^{date}|2 March>", "on 2 March"),
    "escapes, once": ("2 &lt; 3 &amp;amp; it&amp;gt;", "2 < 3 &amp; it&gt;"),
    "styles": ("it is *very* _slow_ and ~good~ `bad`", "it is very slow and good bad"),
    "signs within words": ("5 * 3, a_b_c and 2*3*4", "5 * 3, a_b_c and 2*3*4"),
    "quote": (f"&gt; great\n{OWN}", OWN),
    "quote in the middle": ("a\n&gt; q\n&gt;q2\nb", "a\n\nb"),
    "quote to the end": (f"{OWN}\n&gt;&gt;&gt; great\nand good", OWN),
    "emoticons": ("&gt;:( it broke\n&gt;_&lt; no", ">:( it broke\n>_< no"),
    "code block": (f"```great = 1\n```\n{OWN}", OWN),
    "code block in a line": ("a ```great``` b", "a\n\nb"),
    "fence without an end": ("a ```great", "a ```great"),
    "shortcode": (":-1: :rage:", ":-1: :rage:"),
}


@pytest.mark.parametrize(("text", "expected"), MARKDOWN.values(), ids=MARKDOWN)
def test_markdown(text: str, expected: str) -> None:
    """What a reader sees, without quotes and code."""
    assert plain_text(text, "markdown").text == expected


@pytest.mark.parametrize(("text", "expected"), SLACK.values(), ids=SLACK)
def test_slack(text: str, expected: str) -> None:
    """Mentions have no ids, links have their labels, quotes and code are cut."""
    assert plain_text(text, "slack").text == expected


def test_what_is_cut_is_counted() -> None:
    """By kind; the marks themselves are not counted where they are markup."""
    assert plain_text("> 123\n> 45\n\n```\n1\n```\nown", "markdown") == Plain("own", 5, 0, 1)
    assert plain_text("&gt; 123\n```12```own", "slack") == Plain("own", 5, 0, 2)


def test_the_formats_leave_what_the_normaliser_reads() -> None:
    """Shortcodes and mentions are words of its own."""
    from service.text.normalise import normalise  # noqa: PLC0415

    text = plain_text("<@U024BE7LH> the new one :-1:", "slack").text

    assert normalise(text, 2) == "the new one thumbs down bad"
