"""Own words in mails that look like the header of a reply, a signature or a notice: they stay."""

from __future__ import annotations

import pytest

from service.text.markup import Plain, plain_text

FIRST = "The kettle broke.\n\n"

KEPT = {
    "who wrote, with date and time": "On 12.05.2025 at 14:30 the driver wrote:\nnot at home. "
    "But I was at home all day. Awful.",
    "who wrote, with a date": "On 3 March 2025 your driver wrote:\nnot at home. I was. Awful.",
    "who wrote to whom": "On Monday 3 March 2025 your support wrote me:\nwait. I do. Awful.",
    "contact form": "You have a new message!\n\nFrom: Ann Lee\nEmail: ann@example.org\nTo: Support"
    "\nSubject: Broken kettle\n\nIt broke after two days. Very disappointed, never again.",
    "journey in German": "Bahnfahrt furchtbar.\nVon: Berlin\nAn: München\nBetreff: Verspätung\n"
    "Drei Stunden zu spät!",
    "journey with a date": "Awful.\nFrom: Berlin\nTo: Munich\nDate: 3.3.2025\nNever again!",
    "block without a date": "Awful.\nFrom: Ann\nDate: yesterday\nSubject: kettle\nNever again!",
    "sentence that ends like a phone's line": "The shoes are beautiful and I would love them, but "
    "my order was\nsent on Monday to a wrong address.",
    "such a sentence with a capital": "My order was not\nSent from Hamburg",
    "sent from somewhere": f"{FIRST}sent from China",
    "sent from somewhere at some time": f"{FIRST}Sent from Hamburg two weeks ago and never came",
    "written somehow": f"{FIRST}written with no care at all",
    "sent by somebody, German": f"{FIRST}Von meinem Nachbarn gesendet",
    "opinions of an author": f"{FIRST}The opinions expressed by the author are rubbish and I hate "
    "them.",
    "information in a mail": f"{FIRST}The information in this email about my refund was wrong and "
    "I lost 500 euros",
    "received in error": f"{FIRST}If you have received this email in error code 5 again, the app "
    "crashes, I am so fed up",
    "registered": f"{FIRST}I sent it registered in March, no. 12345",
    "scanned by hand": f"{FIRST}Photos I scanned by hand last week got a virus warning",
    "information in a mail, second sentence": f"{FIRST}Hello. The information in this email of 3 "
    "May cost me my job. Bye.",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_complaints_that_look_like_what_is_cut_stay(text: str) -> None:
    """None of them is taken for what a program wrote."""
    assert plain_text(text, "mail") == Plain(text)


def test_an_answer_below_a_quote_without_marks_is_not_lost() -> None:
    """Where nothing stands above a header without an address, the header alone is cut."""
    header = "On 3/3/2025 10:15, Ann Lee wrote:"
    found = plain_text(f"{header}\n\nIs it good?\n\nNo, it broke.", "mail")

    assert found == Plain("Is it good?\n\nNo, it broke.", quoted_chars=len(header))


ENDS = {
    "mutt": (
        "----- Forwarded message from Ann Lee <ann@example.org> -----",
        "----- End forwarded message -----",
    ),
    "Emacs": (
        "-------------------- Start of forwarded message --------------------",
        "-------------------- End of forwarded message --------------------",
    ),
    "a web mailer": ("-----Original Message-----", "-----End of Original Message-----"),
    "German": ("-----Ursprüngliche Nachricht-----", "-----Ende der Originalnachricht-----"),
}


@pytest.mark.parametrize(("begin", "end"), ENDS.values(), ids=ENDS)
def test_words_below_the_end_of_a_mail_stay(begin: str, end: str) -> None:
    """Where a line says that the mail ends which another one began."""
    mail = f"{begin}\nDate: 3 Mar 2025\n\nIs it good?\n{{}}\n{end}"
    for above in ("", "See below.\n\n"):
        for within in ("", f"\n{begin}\nAn older one.\n{end}\nof a week ago"):
            found = plain_text(f"{above}{mail.format(within)}\n\nNo, it broke.", "mail")
            assert found.text == f"{above}No, it broke."


def test_an_end_without_its_beginning_ends_nothing() -> None:
    """In a reply without marks it is the end of a mail within that."""
    header = "On 3/3/2025 10:15, Ann Lee <ann@example.org> wrote:"
    end = "----- End forwarded message -----"
    found = plain_text(f"It broke.\n\n{header}\nIs it?\n{end}\nLovely.", "mail")

    assert found.text == "It broke."


CUT = {
    "opinions of a sender": "The views or opinions presented in this e-mail are those of the "
    "author.",
    "registered office": "Registered office: 1 Some Street, London. Company no. 123.",
    "scanned for viruses": "This mail was scanned for viruses.",
    "phone's line right below a name": "Thanks\nAnn\nSent from my iPhone",
    "phone's line below regards": "Kind regards\nSent from my iPhone",
    "notice below a sentence of the writer": "I am Ann.\nThis e-mail is confidential.",
}


@pytest.mark.parametrize("text", CUT.values(), ids=CUT)
def test_what_programs_write_is_still_cut(text: str) -> None:
    """Though the rules ask for more."""
    found = plain_text(f"The kettle broke.\n\n{text}", "mail")

    assert found.text.removesuffix("\n\nI am Ann.") == "The kettle broke."
