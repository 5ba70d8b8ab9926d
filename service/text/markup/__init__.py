"""From a text with markup to the plain text in it: HTML, Markdown, Slack's mrkdwn, mails.

Exists because the model reads markup as words, and what a text quotes as the writer's own opinion.
What is cut is counted. Nothing here knows Kafka, models or settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.text.markup.lines import Plain, joined

if TYPE_CHECKING:
    from service.records import TextFormat
    from service.text.markup.lines import Line

__all__ = ["Plain", "plain_text"]


def plain_text(text: str, form: TextFormat) -> Plain:
    """The text to score of a text in this format; it may be empty.

    A text in the format `plain` is returned as it is. In every other format it is never longer than
    the given one, and with what was cut not either. Takes time linear in the length of the text.
    """
    return Plain(text) if form == "plain" else joined(_lines(text, form))


def _lines(text: str, form: TextFormat) -> list[Line]:
    # Their parsers take time to load, so only the one that is asked for is.
    if form == "html":
        from service.text.markup.hypertext import html_lines  # noqa: PLC0415

        return html_lines(text)
    if form == "markdown":
        from service.text.markup.markdown import markdown_lines  # noqa: PLC0415

        return markdown_lines(text)
    if form == "slack":
        from service.text.markup.chat import slack_lines  # noqa: PLC0415

        return slack_lines(text)
    from service.text.markup.mail import mail_lines  # noqa: PLC0415

    return mail_lines(text)
