"""HTML to lines: what a reader sees, with block quotes, code and signatures marked.

Exists because the model reads tags as words, and a style sheet at the beginning hides the language.
Follows the events of a tokenizer of HTML and builds no tree: in a browser's tree, 20 KB of HTML can
become gigabytes. Time is linear in the length of the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from justhtml import stream

from service.text.markup.lines import BLANK, Kind, Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    Attributes = Mapping[str, str | None]

# The tokenizer looks through the rest of the text for each comment. Few mails have more, and this
# many cost 20 ms in the longest text.
_COMMENTS_MAX = 100

_UNSEEN = frozenset({"script", "style", "title", "template", "noscript", "iframe", "noembed"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
    | {"track", "param"}
)
# Elements with an empty line around them, and others that begin a line of their own.
_PARAGRAPHS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "ul", "ol", "dl", "table", "hr"}
)
_LINES = frozenset(
    {"div", "li", "tr", "br", "dt", "dd", "section", "article", "header", "footer", "main", "aside"}
    | {"caption", "figure", "figcaption", "address", "details", "summary", "form", "center", "body"}
)
_CELLS = frozenset({"td", "th"})
# The end tags that HTML lets a writer leave out. By the element that begins: those that it ends,
# and those beyond which it ends none.
_P = (frozenset({"p"}), frozenset({"table", "caption", "button", "object"}) | _CELLS)
_ENDS_P = (_PARAGRAPHS | _LINES | {"nav", "fieldset"}) - {"tr", "br", "caption", "body"}
_LISTS = frozenset({"ul", "ol", "dl", "menu", "table", "blockquote"})
_TABLE = frozenset({"table"})
_GROUPS = frozenset({"thead", "tbody", "tfoot", "caption", "colgroup"})
_ENDS_LIKE = {
    "li": (frozenset({"li"}), _LISTS),
    **dict.fromkeys(("dt", "dd"), (frozenset({"dt", "dd"}), _LISTS)),
    **dict.fromkeys(_CELLS, (_CELLS | {"caption"}, _TABLE)),
    "tr": (frozenset({"tr", "caption", "colgroup"}), _TABLE),
    **dict.fromkeys(_GROUPS, (_GROUPS, _TABLE)),
    "option": (frozenset({"option"}), frozenset({"select", "datalist"})),
}
# Such an element is looked for among this many open ones, so that time is linear. People's and
# programs' tags for bold or links, which may stand between, are fewer.
_NEAR_MAX = 32
_HIDDEN = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|font-size\s*:\s*0(?:px|pt|em|%)?\s*(?:;|!|$))",
    re.IGNORECASE,
)
# What programs name the parts of a reply by, in `class` or `id`.
_QUOTES = frozenset(
    {"gmail_attr", "moz-cite-prefix", "outlookmessageheader", "yahoo_quoted", "quote-inline"}
    | {"bbcode_quote", "protonmail_quote"}
)
_SIGNATURES = frozenset(
    {"gmail_signature", "moz-signature", "signature", "ms-outlook-mobile-signature"}
    | {"protonmail_signature_block"}
)
_CODE = re.compile(r"code|highlight|lang|brush|source|listing", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\f\r]+")
# A picture without content: only in these elements does `/>` end one, and the tokenizer does not
# say how a tag ends.
_EMPTY = re.compile(r"<(?:svg|math)(?:\s[^<>]{0,2000})?/>", re.IGNORECASE)
# An image of an emoji: the emoji itself, or its code in colons.
_EMOJI = re.compile(r":[\w+-]{1,64}:|[^\w\s]{1,12}")


def html_lines(html: str) -> list[Line]:
    """The lines that a reader of the HTML sees; never raises."""
    found = _Lines()
    for event in stream(_EMPTY.sub("", _with_few_comments(html))):
        match event:
            case ("text", str(data)):
                found.text(data)
            case ("start", (str(name), dict(attributes))):
                found.start(name, attributes)
            case ("end", str(name)):
                found.end(name)
    return found.finished()


def _with_few_comments(html: str) -> str:
    if html.count("<!--") <= _COMMENTS_MAX:
        return html
    parts: list[str] = []
    place = 0
    while (begin := html.find("<!--", place)) >= 0:
        # A comment may be as short as `<!-->`.
        close = html.find("-->", begin + 2)
        if close < 0:
            break
        parts.append(html[place:begin])
        place = close + 3
    # Of comments without an end the tokenizer makes one.
    return "".join([*parts, html[place:]])


class _Lines:
    """Collects lines from the events of a tokenizer."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._parts: list[str] = []
        # Open elements with what each means for its content; None is unseen.
        self._open: list[tuple[str, Kind | None]] = []
        self._names: dict[str, int] = {}
        self._marks: dict[Kind | None, int] = dict.fromkeys([None, *Kind], 0)

    def text(self, data: str) -> None:
        """A run of text."""
        if self._marks[None]:
            return
        if not self._names.get("pre"):
            self._parts.append(_SPACES.sub(" ", data))
            return
        first, *others = data.split("\n")
        self._parts.append(first)
        for other in others:
            self._end_line()
            self._parts.append(other)

    def start(self, name: str, attributes: Attributes) -> None:
        """A start tag."""
        if name == "body":
            self._close(0)
        if name in _ENDS_P:
            self._close_near(*_P)
        if name in _ENDS_LIKE:
            self._close_near(*_ENDS_LIKE[name])
        if name == "img" and not self._marks[None]:
            shown = _EMOJI.fullmatch((attributes.get("alt") or "").strip())
            self._parts.append(shown[0] if shown else " ")
        self._break(name)
        if name in _VOID:
            return
        kind = self._kind_of(name, attributes)
        if kind is not Kind.KEPT:
            self._end_line()
        self._open.append((name, kind))
        self._names[name] = self._names.get(name, 0) + 1
        self._marks[kind] += 1

    def end(self, name: str) -> None:
        """An end tag; one that closes nothing is passed over."""
        if self._names.get(name):
            place = len(self._open) - 1
            while self._open[place][0] != name:
                place -= 1
            self._close(place)
        self._break(name)

    def finished(self) -> list[Line]:
        """All lines."""
        self._end_line()
        return self._lines

    def _close(self, place: int) -> None:
        """Close the elements from this one on."""
        if any(kind is not Kind.KEPT for _, kind in self._open[place:]):
            self._end_line()
        for name, kind in self._open[place:]:
            self._names[name] -= 1
            self._marks[kind] -= 1
        del self._open[place:]

    def _close_near(self, names: frozenset[str], bounds: frozenset[str]) -> None:
        """Close the innermost element of these names, unless it is beyond one of the others."""
        if not any(map(self._names.get, names)):
            return
        last = len(self._open) - 1
        for place in range(last, max(last - _NEAR_MAX, -1), -1):
            name, _ = self._open[place]
            if name in names:
                self._close(place)
                return
            if name in bounds:
                return

    def _break(self, name: str) -> None:
        if name in _CELLS:
            self._parts.append(" ")
        elif name in _PARAGRAPHS or name in _LINES:
            self._end_line()
            if name in _PARAGRAPHS and self._lines and self._lines[-1] is not BLANK:
                self._lines.append(BLANK)

    def _end_line(self) -> None:
        if not self._parts:
            return
        line = "".join(self._parts)
        self._parts.clear()
        bare = line if self._names.get("pre") else _SPACES.sub(" ", line).strip(" ")
        if bare:
            marks = self._marks
            kinds = (kind for kind in (Kind.QUOTED, Kind.CODE, Kind.SIGNATURE) if marks[kind])
            self._lines.append(Line(bare, next(kinds, Kind.KEPT)))
        elif self._lines and self._lines[-1] is not BLANK:
            self._lines.append(BLANK)

    def _kind_of(self, name: str, attributes: Attributes) -> Kind | None:
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}".lower().split()
        if name in _UNSEEN or "hidden" in attributes:
            return None
        if _HIDDEN.search(attributes.get("style") or ""):
            return None
        is_quote = name == "blockquote" or (name == "aside" and "quote" in names)
        if is_quote or not _QUOTES.isdisjoint(names):
            return Kind.QUOTED
        if not _SIGNATURES.isdisjoint(names):
            return Kind.SIGNATURE
        is_code = name == "pre" and any(map(_CODE.search, names))
        return Kind.CODE if is_code or (name == "code" and self._names.get("pre")) else Kind.KEPT
