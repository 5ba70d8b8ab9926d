"""Whole messages that are not as their standards ask, and what is attached to them."""

from __future__ import annotations

import pytest

from service.text.markup import plain_text

OWN = "The parcel never came and nobody answers."
HEAD = "From: Ann Lee <ann@example.org>\nSubject: It is great\nDate: Mon, 3 Mar 2025 10:15:00\n"
PART = f"Content-Type: text/plain\n\n{OWN}\n"
PGP = "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEE\n=AbCd\n-----END PGP SIGNATURE-----\n"

MESSAGES = {
    "line of a file of mails": f"From b@example.org Mon Mar  3 10:15:00 2025\n{HEAD}\n{OWN}",
    "byte order mark": f"\ufeff{HEAD}\n{OWN}",
    "byte order mark, no headers": f"\ufeff{OWN}",
    "wrong boundary": f'{HEAD}Content-Type: multipart/mixed; boundary="a"\n\n--b\n{PART}--b--\n',
    "no boundary": f"{HEAD}Content-Type: multipart/mixed\n\n--b\n{PART}--b--\n",
    "no parts": f"{HEAD}Content-Type: multipart/alternative; boundary=a\n\n{OWN}\n",
    "enriched text": f"{HEAD}Content-Type: text/enriched\n\n<bold>{OWN}</bold>\n",
    "attached mail": f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n"
    f"Content-Type: message/rfc822\n\n{HEAD}\nI love it!\n--b\n{PART}--b--\n",
    "signed": f"{OWN}\n\n{PGP}",
    "signed, with its head": f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1\n\n{OWN}\n{PGP}",
}  # fmt: skip


@pytest.mark.parametrize("text", MESSAGES.values(), ids=MESSAGES)
def test_the_text_of_the_writer_is_found(text: str) -> None:
    """And nothing else."""
    assert plain_text(text, "mail").text == OWN


def test_an_attached_mail_alone_leaves_nothing() -> None:
    """Attachments are not read."""
    text = (
        f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n"
        f"{HEAD}\nI love it!\n--b--\n"
    )

    assert plain_text(text, "mail").text == ""


def test_a_sentence_that_begins_with_from_stays() -> None:
    """Where no headers follow."""
    text = "From the start it was bad.\nNever again."

    assert plain_text(text, "mail").text == text


def test_what_pgp_writes_is_counted_as_a_signature() -> None:
    """So a reader of the events sees that it was cut."""
    assert plain_text(f"{OWN}\n\n{PGP}", "mail").signature_chars == len(PGP.replace("\n", ""))
