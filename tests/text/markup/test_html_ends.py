"""What is left of HTML in which end tags are left out, as HTML lets its writers do."""

from __future__ import annotations

import pytest

from service.text.markup import plain_text

HIDDEN = {
    "paragraph, then a division": '<p style="display:none">pre<div>seen</div>',
    "paragraph, then a list": "<p hidden>pre<ul><li>seen</ul>",
    "paragraph, then a heading": "<p hidden>pre <b>bold<h2>seen</h2>",
    "list item": "<ul><li hidden>pre<li>seen</ul>",
    "list item with a paragraph": "<ul><li hidden><p>pre<li>seen</ul>",
    "row": '<table><tr style="display:none"><td>pre<tr><td>seen</table>',
    "cell": "<table><tr><td hidden>pre<td>seen</table>",
    "heading cell": "<table><tr><th hidden>pre<td>seen</table>",
    "rows of a table": "<table><tbody hidden><tr><td>pre<tbody><tr><td>seen</table>",
    "term": "<dl><dt hidden>pre<dd>seen</dl>",
    "option": "<select><option hidden>pre<option>seen</select>",
    "track": "<track hidden>seen",
    "param": "<param hidden>seen",
    "picture": '<svg style="display:none"/>seen',
}


@pytest.mark.parametrize("html", HIDDEN.values(), ids=HIDDEN)
def test_what_follows_a_hidden_element_without_its_end_tag_is_seen(html: str) -> None:
    """A browser ends the element where the next one of its kind begins."""
    assert plain_text(html, "html").text == "seen"


INSIDE = {
    "list in an item": "<ul><li hidden>a<ul><li>b</ul>c</ul>seen",
    "table in a cell": "<table><tr><td hidden>a<table><tr><td>b</table>c</table>seen",
    "division in a hidden one": "<div hidden>a<p>b<div>c</div></div>seen",
    "paragraph in a cell": "<table hidden><tr><td><p>a<table><tr><td><p>b</table></table>seen",
}


@pytest.mark.parametrize("html", INSIDE.values(), ids=INSIDE)
def test_what_is_within_a_hidden_element_stays_hidden(html: str) -> None:
    """A list or table within it ends no item or cell outside of it."""
    assert plain_text(html, "html").text == "seen"


def test_a_signature_without_its_end_tag_ends_at_the_next_division() -> None:
    """What the writer wrote below it is scored."""
    html = '<div>Awful.</div><p class="signature">Bob<div>Never again.</div>'

    assert plain_text(html, "html") == ("Awful.\n\nNever again.", 0, 3, 0)
