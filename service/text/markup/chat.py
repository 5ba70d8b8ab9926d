"""Slack's and Discord's own marks: mentions, channels, labelled links, custom emoji, escapes.

Exists because `<@U024BE7LH>` is letters to the model. A mention becomes `@user`, which the
normaliser knows; ids have no words. Every expression ends at the first sign that cannot belong to
it and has bounded repeats: time is linear.
"""

from __future__ import annotations

import re

from service.text.markup.lines import Kind, Line, as_lines

MENTION = "@user"
FENCE = "```"

_SLACK = re.compile(
    r"<(?:(?P<date>!date\^[^<>|]{0,400})|(?P<channel>#\w{1,63})"
    r"|(?P<user>[@!]\w[\w-]{0,63}(?:\^\w{1,63})?)|(?P<url>[a-z][a-z+.-]{1,30}:[^<>|]{0,4000}))"
    r"(?:\|(?P<label>[^<>]{0,4000}))?>"
)
_DISCORD = re.compile(
    r"<(?:(?P<user>@[!&]?\d{1,20})|#\d{1,20}|(?P<emoji>a?:\w{1,32}:)\d{1,20}"
    r"|t:-?\d{1,20}(?::[a-zA-Z])?|(?P<command>/[\w -]{1,100}):\d{1,20})>"
)
_SPOILER = re.compile(r"\|\|([^|\n]{1,4000})\|\|")
_SMALL = re.compile(r"(?m)^-# ")
# `*bold*`, `_italic_`, `~struck~`, and code within a line, all without a space inside the marks.
_STYLED = re.compile(
    r"(?<![\w*_~`])([*_~`])(?=[^\s*_~`])([^*_~`\n]{0,2000}[^\s*_~`])\1(?![\w*_~`])"
)
_ESCAPES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ESCAPE = re.compile("|".join(_ESCAPES))
# An emoticon is no quote: `>:(`, `>_<`.
_QUOTE = re.compile(r"\s{0,3}(?:&gt;|>)(?![:;=]['-]?[()\[\]/\\|DOo](?!\w)|[_.<]|&lt;)")
_QUOTE_REST = ("&gt;&gt;&gt;", ">>>")


def unescaped(text: str) -> str:
    """The text with the three escapes of chat programs and of Reddit's interface resolved, once."""
    return _ESCAPE.sub(lambda found: _ESCAPES[found[0]], text) if "&" in text else text


def without_discord_marks(text: str) -> str:
    """Mentions as `@user`, custom emoji as their names in colons, spoilers and small print bare."""
    if "<" in text:
        text = _DISCORD.sub(_of_discord, text)
    return _SMALL.sub("", _SPOILER.sub(r"\1", text))


def _of_discord(found: re.Match[str]) -> str:
    if found["user"]:
        return MENTION
    if found["emoji"]:
        return found["emoji"].removeprefix("a")
    return found["command"] or ""


def slack_lines(text: str) -> list[Line]:
    """The lines of a message in Slack's mrkdwn; never raises."""
    lines: list[Line] = []
    # Odd parts are within fences; an opening fence without a closing one is text.
    parts = text.split(FENCE)
    if len(parts) % 2 == 0:
        parts[-2:] = [FENCE.join(parts[-2:])]
    for place, part in enumerate(parts):
        found = as_lines(part)
        lines += [Line(line.text, Kind.CODE) for line in found] if place % 2 else _marked(found)
    return lines


def _marked(lines: list[Line]) -> list[Line]:
    found: list[Line] = []
    is_rest = False
    for line in lines:
        is_rest = is_rest or line.text.startswith(_QUOTE_REST)
        is_quoted = is_rest or _QUOTE.match(line.text) is not None
        found.append(Line(_bare(line.text), Kind.QUOTED if is_quoted else Kind.KEPT))
    return found


def _bare(line: str) -> str:
    line = _SLACK.sub(_of_slack, line) if "<" in line else line
    return unescaped(_STYLED.sub(r"\2", line))


def _of_slack(found: re.Match[str]) -> str:
    label: str | None = found["label"]
    if found["user"]:
        return MENTION
    if found["channel"]:
        return f"#{label}" if label else ""
    return label or found["url"] or ""
