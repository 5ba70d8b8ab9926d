"""A mail to lines: its body, or that of a whole message, less what it repeats and its signature.

Exists because a support's stream holds mails in three forms: plain text, HTML, and messages with
their headers. Never raises; takes the first readable part of a message, and nothing of attachments.
"""

from __future__ import annotations

import email
import re
from email.message import Message
from email.policy import compat32
from typing import TYPE_CHECKING

from service.text.markup.hypertext import html_lines
from service.text.markup.lines import Kind, Line, as_lines
from service.text.markup.quotes import with_quotes
from service.text.markup.signatures import with_signature

if TYPE_CHECKING:
    from collections.abc import Iterator

# The parser needs a level of the stack, and looks for one more end in each line, for each part
# within a part. No mail program makes as many; such a message is read as plain text.
_NESTED_MAX = 32
# Headers are looked for in this much of a text.
_HEAD_CHARACTERS = 16_384

_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60}):(?: |\t|$)")
# A message has the first and one of the others; Outlook's block above a forwarded mail has `Sent:`.
_SENDER = "from"
_OTHERS = frozenset(
    {"date", "message-id", "mime-version", "received", "content-type", "return-path"}
)
_NO_HEADERS = frozenset({"sent"})
# The line above each message in a file of mails.
_MBOX = re.compile(r"\s{0,99}From [^\s]{1,300} [^\n]{1,200}\n")
# What begins a part, where the headers do not say it.
_BOUNDARY = re.compile(r"(?:\A|\n)--([^\s\"]{1,70})\s{0,9}\n")
_PGP = re.compile(r"-----(BEGIN|END) PGP (?:SIGNATURE|(SIGNED MESSAGE))-----")
# Tags that people do not type into a plain mail.
_HTML = re.compile(
    r"\A\s{0,99}<(?:!doctype|html|head|body|div|p|table|span|meta|style|font)\b|<br\s?/?>"
    r"|</(?:p|div|span|table|td|body|html|a|b|i|u|li|ul|font|strong|em|blockquote|h[1-6])>",
    re.IGNORECASE,
)
# Names of character sets of mails; of others Python's decoders are slow, or no character sets.
_CHARSET = re.compile(
    r"utf-?8|us-ascii|iso-8859-\d{1,2}|latin-?1|(?:windows|cp)-?125\d|koi8-[ru]|macintosh"
    r"|gb2312|gbk|gb18030|big5|shift[_-]jis|euc-(?:jp|kr)|iso-2022-jp|ks_c_5601-1987|utf-16(?:[lb]e)?",
    re.IGNORECASE,
)


def mail_lines(text: str) -> list[Line]:
    """The lines of a mail: a plain or HTML body, or a message that begins with its headers."""
    body, is_html = _body(text)
    lines = html_lines(body) if is_html else _with_pgp(as_lines(body))
    return with_signature(with_quotes(lines))


def _with_pgp(lines: list[Line]) -> list[Line]:
    """The lines, with what PGP writes above and below a signed text marked as a signature."""
    found = []
    is_cut = is_head = False
    for text, _ in lines:
        match = _PGP.fullmatch(text.strip())
        if match is not None:
            is_cut, is_head = match[1] == "BEGIN", match[2] is not None
        elif is_head and not text.strip():
            is_cut = is_head = False
        found.append(Line(text, Kind.SIGNATURE if is_cut or match else Kind.KEPT))
    return found


def _body(text: str) -> tuple[str, bool]:
    text = text.lstrip("\ufeff")
    message_text = _MBOX.sub("", text, count=1) if _MBOX.match(text) else text
    if _is_message(message_text):
        text = message_text
    else:
        return text, _HTML.search(text) is not None
    lower = text.lower()
    if lower.count("multipart/") + lower.count("message/") > _NESTED_MAX:
        return text.partition("\n\n")[2], False
    # The stricter policy raises on some headers that are not well formed.
    message = email.message_from_string(text.lstrip(), policy=compat32)
    if message.get_content_maintype() == "multipart" and not message.is_multipart():
        # No part was found, as the boundary is missing or another one.
        rest = str(message.get_payload())
        boundary = _BOUNDARY.search(rest.replace("\r\n", "\n"))
        if boundary is None:
            return rest, _HTML.search(rest) is not None
        head = f'Content-Type: multipart/mixed; boundary="{boundary[1]}"\n\n'
        message = email.message_from_string(head + rest, policy=compat32)
    found = {"text/plain": "", "text/html": "", "text/enriched": ""}
    for part in _parts(message):
        kind = part.get_content_type()
        is_open = kind in found and part.get_content_disposition() != "attachment"
        if is_open and not found[kind].strip():
            found[kind] = _content(part)
    if found["text/plain"].strip():
        return found["text/plain"], False
    return found["text/html"] if found["text/html"].strip() else found["text/enriched"], True


def _parts(message: Message) -> Iterator[Message]:
    """All parts, but none of a mail that is attached."""
    if message.get_content_maintype() == "message":
        return
    yield message
    parts = message.get_payload()
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, Message):
            yield from _parts(part)


def _is_message(text: str) -> bool:
    """Whether the text begins with the headers of a message."""
    head = text[:_HEAD_CHARACTERS].lstrip().replace("\r\n", "\n")
    if not _HEADER.match(head):
        return False
    names = set()
    for line in head.partition("\n\n")[0].split("\n"):
        match = _HEADER.match(line)
        if match is not None:
            names.add(match[1].lower())
        elif not line.startswith((" ", "\t")):
            return False
    return _SENDER in names and not names.isdisjoint(_OTHERS) and names.isdisjoint(_NO_HEADERS)


def _content(part: Message) -> str:
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    if encoding not in ("base64", "quoted-printable"):
        # The message is a string already, whatever its headers say of its bytes.
        return str(part.get_payload())
    payload = part.get_payload(decode=True)
    charset = part.get_content_charset("utf-8")
    if not isinstance(payload, bytes):
        return ""
    return payload.decode(charset if _CHARSET.fullmatch(charset) else "utf-8", errors="replace")
