"""What is left of HTML: what a reader sees, without quotes and code."""

from __future__ import annotations

import pytest

from service.text.markup import Plain, plain_text

OWN = "The app crashes all the time."

TEXTS = {
    "paragraph and escapes": (
        "<p>It&#39;s &quot;fine&quot; &amp; &lt;ok&gt;</p>",
        'It\'s "fine" & <ok>',
    ),
    "two paragraphs": ("<p>a</p><p>b</p>", "a\n\nb"),
    "breaks": ("a<br>b<br/>c", "a\nb\nc"),
    "mention": (
        '<p><span class="h-card"><a href="https://x.y/@ann">@<span>ann</span></a></span> hi</p>',
        "@ann hi",
    ),
    "address in parts": (
        '<a href="https://x.y/z"><span class="invisible">https://</span><span>x.y/</span>z</a>',
        "https://x.y/z",
    ),
    "labelled link": ('see <a href="https://x.y/z">this page</a>', "see this page"),
    "style": (f"<style>p {{margin: 0}}</style>{OWN}", OWN),
    "style in a comment": (f"<head><style><!-- p {{margin: 0}} --></style></head><body>{OWN}", OWN),
    "script": (f"<script>if (a < b) alert('<b>great</b>')</script>{OWN}", OWN),
    "title": (f"<html><head><title>Great!</title></head><body>{OWN}</body></html>", OWN),
    "comment": (f"<!-- great --->{OWN}<!-- > -->", OWN),
    "condition of Office": (f"<!--[if gte mso 9]><xml>a</xml><![endif]-->{OWN}", OWN),
    "hidden attribute": (f"<div hidden>great</div>{OWN}", OWN),
    "hidden by style": (f'<span style="color:red; DISPLAY : none">great <b>x</b></span>{OWN}', OWN),
    "hidden, nested": (f'<div style="display:none"><div>a</div>b</div>{OWN}', OWN),
    "size zero": (f'<p style="font-size:0px">great</p>{OWN}', OWN),
    "small but seen": ('<p style="font-size:0.8em">small print</p>', "small print"),
    "template": (f"<template><p>great</p></template>{OWN}", OWN),
    "quote": (f"<blockquote><p>great</p></blockquote><p>{OWN}</p>", OWN),
    "quote in a quote": (f"<blockquote>a<blockquote>b</blockquote>c</blockquote>{OWN}", OWN),
    "quote without an end tag of its paragraph": (f"<blockquote><p>a</blockquote>{OWN}", OWN),
    "quote in the middle": ("a<blockquote>q</blockquote>b", "a\n\nb"),
    "forum's quote": (f'<aside class="quote no-group"><div>Ann:</div>great</aside>{OWN}', OWN),
    "quoted post": (
        f'<p class="quote-inline">RE: <a href="https://x.y">x.y</a></p><p>{OWN}</p>',
        OWN,
    ),
    "code block": (f"<pre><code>great = 1\n</code></pre>{OWN}", OWN),
    "highlighted code": (f'<pre class="highlight">great = 1</pre>{OWN}', OWN),
    "code in a line": ("call <code>great()</code> now", "call great() now"),
    "preformatted text": ("<pre>a  b\nc</pre>", "a  b\nc"),
    "list": ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
    "list without end tags": ("<ul><li>a<li>b</ul>", "a\nb"),
    "table": ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
    "white space": ("<p>\n  a\n  b </p>\n", "a b"),
    "space at the edge of an element": ("a<b> b</b> c", "a b c"),
    "emoji as an image": ('so <img alt="😡" class="emoji" src="x.png"> now', "so 😡 now"),
    "emoji by its code": ('<img alt=":rage:" src="x">no', ":rage:no"),
    "image with words": ('a<img alt="a great picture" src="x">b', "a b"),
    "no markup": ("2 < 3 and I <3 you & me", "2 < 3 and I <3 you & me"),
    "unclosed tag": ("good <b>bad", "good bad"),
    "broken tag at the end": (f"{OWN} <a href=", OWN),
    "stray end tags": (f"</div></blockquote></p>{OWN}</b>", OWN),
    "crossed elements": ("<b>a<i>b</b>c</i>d", "abcd"),
    "capital letters": (f"<P>{OWN}</P><BLOCKQUOTE>x</BLOCKQUOTE>", OWN),
    "attributes in disorder": (f"<p a b='>' c=\">\" d=e/>{OWN}", OWN),
    "zero width": ("<p>a\u200bb</p>", "a\u200bb"),
    "no-break space": ("a&nbsp;b", "a\u00a0b"),
    "right to left": ('<p dir="rtl">الخدمة سيئة</p>', "الخدمة سيئة"),
    "numeric entities": ("&#128545; &#x1F621;", "😡 😡"),
    "plain text in a text area": ("<textarea>a <b></textarea>", "a <b>"),
}


@pytest.mark.parametrize(("html", "expected"), TEXTS.values(), ids=TEXTS)
def test_what_a_reader_sees_is_left(html: str, expected: str) -> None:
    """Also of HTML that is not well formed."""
    assert plain_text(html, "html").text == expected


@pytest.mark.parametrize(
    "html", ["", "<p></p>", "<img src=x>", "<!-- x", "<style>p", "<blockquote>x"]
)
def test_nothing_may_be_left(html: str) -> None:
    """Whoever prepares texts says so."""
    assert plain_text(html, "html").text == ""


def test_what_is_cut_is_counted() -> None:
    """By kind, in characters that a reader sees; markup is not counted."""
    html = "<blockquote><b>12</b> 45<br>6</blockquote><pre><code>1234</code></pre><p>own</p>"

    assert plain_text(html, "html") == Plain("own", quoted_chars=6, code_chars=4)


def test_comments_without_number() -> None:
    """Beyond some hundred they are taken out before the tokenizer sees them."""
    html = "a<!-- x -->" * 500 + "<!---->" * 500 + "b" + "<!-- no end" * 3

    assert plain_text(html, "html").text == "a" * 500 + "b"
