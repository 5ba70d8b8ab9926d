"""Markdown to lines, as Reddit, Discord and GitHub write it, with quotes and code marked.

Exists because the model reads the signs of Markdown, and a quoted opinion as the writer's own. The
parser nests to a bounded depth, so time is linear in the length of the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from service.text.markup.chat import unescaped, without_discord_marks
from service.text.markup.hypertext import html_lines
from service.text.markup.lines import BLANK, Kind, Line, as_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

# Brackets within one paragraph. Nested ones are what costs the parser most, 15 µs a sign; a
# paragraph with more of them stays as it is written.
_BRACKETS_MAX = 200

# CommonMark, which nests to 20, with what all three have beside it. What is within a paragraph is
# parsed apart, below.
_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("inline")
# The parser would join the line after a quote to the quote; writers mean it as their own.
_LAZY = re.compile(r"(?m)^( {0,3}>[^\n]*\n)(?=[^\n]*\S)(?! {0,3}>)")
# An emoticon at the start of a line is no quote: `>:(`.
_FACE = re.compile(r"(?m)^( {0,3})>(?=[:;=]['-]?[()\[\]/\\|DOo]|[_.<][<>_.])")
# Reddit's spoilers begin like a quote: `>!the end!<`. None holds the opening of another, so that
# each character is looked at once, however many openings have no end.
_SPOILER = re.compile(r">!((?:[^!\n>]|>(?!!)|!(?!<)){1,2000}+)!<")
_BREAK = re.compile(r"<(?:br|BR)\s{0,9}/?>")


def markdown_lines(text: str) -> list[Line]:
    """The lines that a reader of the Markdown sees; never raises."""
    if "<" not in text and ">" not in text:
        # Reddit's interface escapes these three signs of what people typed.
        text = unescaped(text)
    text = without_discord_marks(text.replace("\r\n", "\n").lstrip())
    text = _LAZY.sub(r"\1\n", _FACE.sub(r"\1\\>", _SPOILER.sub(r"\1", text)))
    lines: list[Line] = []
    references: dict[str, object] = {}
    quotes = 0
    for token in _PARSER.parse(text, references):
        if token.type == "blockquote_open":
            quotes += 1
        elif token.type == "blockquote_close":
            quotes -= 1
        elif token.type in ("fence", "code_block"):
            kind = Kind.QUOTED if quotes else Kind.CODE
            lines += [Line(line.text, kind) for line in as_lines(token.content)]
        elif token.type == "inline":
            kind = Kind.QUOTED if quotes else Kind.KEPT
            lines += [Line(line.text, kind) for line in as_lines(_shown(token.content, references))]
        elif token.type == "html_block":
            found = html_lines(token.content)
            lines += [Line(line.text, Kind.QUOTED) for line in found] if quotes else found
        elif token.type in ("paragraph_close", "heading_close", "table_close"):
            lines.append(BLANK)
    return lines


def _shown(content: str, references: dict[str, object]) -> str:
    if content.count("[") > _BRACKETS_MAX:
        return content
    tokens: list[Token] = []
    _PARSER.inline.parse(content, _PARSER, references, tokens)
    return "".join(_texts(tokens))


def _texts(tokens: Sequence[Token]) -> list[str]:
    found = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            found.append("\n")
        elif token.type == "html_inline":
            found.append("\n" if _BREAK.fullmatch(token.content) else "")
        elif token.type == "image":
            found += _texts(token.children or ())
        else:
            found.append(token.content)
    return found
