"""What markup, quotes and signatures change in the label, and what their removal costs.

    python tests/bench/texts/markup.py ../shared/data [MODEL] [--before] [--row NAME]

600 Reddit comments with an opinion, of 25 to 200 characters, each as it is and wrapped as a
producer sends it. Prints a table in Markdown: the share of labels that differ from those of the
comment, once if the wrapped text is scored as it is and once with its `TEXT_FORMAT`; the share of
texts that come out as they went in; and the time that the conversion takes for a text. Where a
mention, a link or a label belongs to the text, the comment has the same in plain text. Takes a
minute, with `--before` several.
"""

from __future__ import annotations

import html
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from service.scoring.texts import Scorer
from service.text.markup import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.records import TextFormat

TEXTS = 600
CHARACTERS_MIN, CHARACTERS_MAX = 25, 200
ROUNDS = 3

STYLE = "".join(
    f"p.MsoNormal, li.MsoNormal {{margin:0cm; font-size:{size}.0pt; font-family:Calibri;}}\n"
    for size in range(8, 12)
)
NOTICE = (
    "This e-mail and any attachments are confidential and intended solely for the use of the "
    "individual to whom they are addressed. If you have received this e-mail in error, please "
    "notify the sender and delete it."
)
REPLY = (
    "Hi Alex,\n\nThank you for reaching out to us. I am happy to help you with this and I have "
    "added a voucher to your account. Have a wonderful day!\n\nBest wishes,\nMaria"
)
HEADER = "On Mon, 3 Mar 2025 at 10:15, Maria Lopez <maria@example.org> wrote:"


class Wrapping(NamedTuple):
    """What a producer makes of a comment; `same` is what of it belongs to the text."""

    name: str
    form: TextFormat
    wrap: Callable[[str, str], str]
    same: Callable[[str], str] = str


def escaped(text: str) -> str:
    """As in HTML."""
    return html.escape(text, quote=True).replace("&#x27;", "&#39;")


def marked(text: str, mark: str = "> ") -> str:
    """Each line behind a mark."""
    return "\n".join(mark + line for line in text.split("\n"))


WRAPPINGS = [
    Wrapping("`<p>` and escapes", "html", lambda t, _: f"<p>{escaped(t)}</p>"),
    Wrapping(
        "Mastodon: mention and hashtag",
        "html",
        lambda t, _: (
            '<p><span class="h-card" translate="no"><a href="https://social.example/@ann" '
            f'class="u-url mention">@<span>ann</span></a></span> {escaped(t)} '
            '<a href="https://social.example/tags/news" class="mention hashtag" rel="tag">#'
            "<span>news</span></a></p>"
        ),
        lambda t: f"@ann {t} #news",
    ),
    Wrapping(
        "Mastodon: link",
        "html",
        lambda t, _: (
            f'<p>{escaped(t)} <a href="https://www.example.com/2026/03/a-long-path" '
            'target="_blank" rel="nofollow noopener"><span class="invisible">https://www.</span>'
            '<span class="ellipsis">example.com/2026/03/a-l</span><span class="invisible">ong-path'
            "</span></a></p>"
        ),
        lambda t: f"{t} https://www.example.com/2026/03/a-long-path",
    ),
    Wrapping(
        "YouTube: textDisplay",
        "html",
        lambda t, _: (
            f'<a href="https://www.youtube.com/watch?v=abc&amp;t=83">1:23</a> {escaped(t)}<br><br>'
        ),
        lambda t: f"1:23 {t}",
    ),
    Wrapping(
        "Zendesk: html_body with greeting",
        "mail",
        lambda t, _: (
            '<div class="zd-comment" dir="auto">Hello,<br>&nbsp;<br>'
            f"{escaped(t)}<br>&nbsp;<br>Regards,<br>Alex</div>"
        ),
    ),
    Wrapping(
        "Outlook: HTML body",
        "mail",
        lambda t, _: (
            '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta '
            f'http-equiv="Content-Type" content="text/html; charset=utf-8"><style><!--\n{STYLE}'
            '--></style></head><body lang="EN-GB"><div class="WordSection1"><p class="MsoNormal">'
            f'<span style="font-size:11.0pt">{escaped(t)}<o:p></o:p></span></p><p class="Mso">'
            "<o:p>&nbsp;</o:p></p></div></body></html>"
        ),
    ),
    Wrapping(
        "Reddit: body_html",
        "html",
        lambda t, _: f'<!-- SC_OFF --><div class="md"><p>{escaped(t)}</p>\n</div><!-- SC_ON -->',
    ),
    Wrapping(
        "Reddit: Markdown with escapes",
        "markdown",
        lambda t, _: (
            f"{html.escape(t, quote=False)}\n\n&amp;#x200B;\n\n[*source*](https://i.redd.it/x1.jpg)"
        ),
        lambda t: f"{t}\n\nsource",
    ),
    Wrapping(
        "Slack: mention and labelled link",
        "slack",
        lambda t, _: f"<@U024BE7LH> {html.escape(t, quote=False)} <https://example.com/a|our page>",
        lambda t: f"@user {t} our page",
    ),
    Wrapping(
        "Discord: mention, bold, custom emoji",
        "markdown",
        lambda t, _: f"<@!80351110224678912> **{t}** ||<:blank:41771983429993937>||",
        lambda t: f"@user {t} :blank:",
    ),
    Wrapping(
        "opposite opinion quoted under a mail",
        "mail",
        lambda t, o: f"{t}\n\n{HEADER}\n\n{marked(o)}",
    ),
    Wrapping("the same without marks", "mail", lambda t, o: f"{t}\n\n{HEADER}\n{o}\n"),
    Wrapping(
        "the same by Outlook, HTML",
        "mail",
        lambda t, o: (
            f'<div class="WordSection1"><p class="MsoNormal">{escaped(t)}</p><div style='
            '"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="Mso">'
            "<b>From:</b> Maria Lopez &lt;maria@example.org&gt;<br><b>Sent:</b> Monday, 3 March "
            "2025 10:15<br><b>To:</b> Alex &lt;alex@example.com&gt;<br><b>Subject:</b> order</p>"
            f'</div><p class="MsoNormal">{escaped(o)}</p></div>'
        ),
    ),
    Wrapping(
        "the same by Gmail, HTML",
        "mail",
        lambda t, o: (
            f'<div dir="ltr">{escaped(t)}</div><br><div class="gmail_quote gmail_quote_container">'
            f'<div dir="ltr" class="gmail_attr">{escaped(HEADER)}<br></div>'
            f'<blockquote class="gmail_quote" style="margin:0px">{escaped(o)}</blockquote></div>'
        ),
    ),
    Wrapping("opposite opinion quoted, Reddit", "markdown", lambda t, o: f"{marked(o)}\n\n{t}"),
    Wrapping(
        "opposite opinion quoted, Slack",
        "slack",
        lambda t, o: (
            f"{marked(html.escape(o, quote=False), '&gt; ')}\n{html.escape(t, quote=False)}"
        ),
    ),
    Wrapping("support's reply quoted", "mail", lambda t, _: f"{t}\n\n{HEADER}\n{marked(REPLY)}"),
    Wrapping(
        "signature and notice",
        "mail",
        lambda t, _: (
            f"{t}\n\nKind regards,\nAlex Kim\nHead of Happy Customers | Example Ltd\n"
            f"Tel: +44 20 7946 0958\n\n{NOTICE}"
        ),
    ),
    Wrapping("sent from a phone", "mail", lambda t, _: f"{t}\n\nSent from my iPhone"),
    Wrapping("plain text", "html", lambda t, _: escaped(t)),
    Wrapping("plain text", "markdown", lambda t, _: t),
    Wrapping("plain text", "slack", lambda t, _: html.escape(t, quote=False)),
    Wrapping("plain text", "mail", lambda t, _: t),
]


def comments(data: Path) -> list[tuple[str, str]]:
    """Comments with an opinion, each with one of the opposite opinion."""
    poles: dict[str, list[str]] = {"1": [], "3": []}
    for line in (data / "reddit" / "dev.tsv").read_text().splitlines():
        text, label, _ = line.split("\t")
        if label in poles and CHARACTERS_MIN <= len(text) <= CHARACTERS_MAX:
            poles[label].append(text)
    rng = random.Random(7)
    for texts in poles.values():
        rng.shuffle(texts)
    half = TEXTS // 2
    negative, positive = poles["1"][:half], poles["3"][:half]
    return [*zip(negative, positive, strict=True), *zip(positive, negative, strict=True)]


def flips(scorer: Scorer, wanted: list[str], found: list[str]) -> float:
    """The share of texts whose label is not that of the wanted text; equal texts score alike."""
    differing = [pair for pair in zip(wanted, found, strict=True) if pair[0] != pair[1]]
    of_wanted = scorer.score(wanted for wanted, _ in differing)
    of_found = scorer.score(found or "." for _, found in differing)
    pairs = zip(of_wanted, of_found, strict=True)
    return sum(one.label != other.label for one, other in pairs) / len(wanted)


def measure(data: Path, model: str, *, before: bool, row: str) -> None:
    """Print the table, or those of its rows that have `row` in their name."""
    pairs = comments(data)
    scorer = Scorer(model)
    click.echo("| text | format | other label before | after | unchanged | time |")
    click.echo("|---|---|---|---|---|---|")
    for wrapping in [wrapping for wrapping in WRAPPINGS if row in wrapping.name]:
        same = [wrapping.same(text) for text, _ in pairs]
        wrapped = [wrapping.wrap(text, opposite) for text, opposite in pairs]
        converted: list[str] = []
        times = []
        for _ in range(ROUNDS):
            begin = time.process_time()
            converted = [plain_text(text, wrapping.form).text for text in wrapped]
            times.append((time.process_time() - begin) / len(pairs) * 1e6)
        equal = sum(a.split() == b.split() for a, b in zip(same, converted, strict=True))
        cells = [
            wrapping.name,
            f"`{wrapping.form}`",
            f"{flips(scorer, same, wrapped):.1%}" if before else "",
            f"{flips(scorer, same, converted):.1%}",
            f"{equal / len(same):.1%}",
            f"{min(times):.0f} µs",
        ]
        click.echo(f"| {' | '.join(cells)} |")


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.argument("model", default="bundled")
@click.option("--before", is_flag=True, help="Score the wrapped texts as they are too; slow.")
@click.option("--row", default="", help="Only rows that have this in their name.")
def main(data: Path, model: str, before: bool, row: str) -> None:
    """Print the table."""
    measure(data, model, before=before, row=row)


if __name__ == "__main__":
    main()
