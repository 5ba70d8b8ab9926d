"""A mail to lines: its body, or that of a whole message, less what it repeats and its signature.

Exists because a support's stream holds mails in three forms: plain text, HTML, and messages with
their headers. Never raises; takes the first readable part of a message, and nothing of attachments.
"""

from __future__ import annotations

import email
import re
from email.policy import compat32
from typing import TYPE_CHECKING

from service.text.markup.hypertext import html_lines
from service.text.markup.lines import Line, as_lines
from service.text.markup.quotes import with_quotes
from service.text.markup.signatures import with_signature

if TYPE_CHECKING:
    from email.message import Message

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
    lines = html_lines(body) if is_html else as_lines(body)
    return with_signature(with_quotes(lines))


def _body(text: str) -> tuple[str, bool]:
    if not _is_message(text):
        return text, _HTML.search(text) is not None
    lower = text.lower()
    if lower.count("multipart/") + lower.count("message/") > _NESTED_MAX:
        return text.partition("\n\n")[2], False
    # The stricter policy raises on some headers that are not well formed.
    message = email.message_from_string(text.lstrip(), policy=compat32)
    found = {"text/plain": "", "text/html": ""}
    for part in message.walk():
        kind = part.get_content_type()
        is_open = kind in found and part.get_content_disposition() != "attachment"
        if is_open and not found[kind].strip():
            found[kind] = _content(part)
    if found["text/plain"].strip():
        return found["text/plain"], False
    return found["text/html"], True


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
