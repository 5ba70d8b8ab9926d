"""What is left of mails: the writer's own words, wherever quotes, headers and signatures are."""

from __future__ import annotations

import base64

import pytest

from service.text.markup import Plain, plain_text

OWN = "The parcel never came and nobody answers."
OTHER = "I love your service, it is wonderful!"
GMAIL = "On Mon, 3 Mar 2025 at 10:15, Ann Lee <ann@example.org> wrote:"
OUTLOOK = "From: Ann Lee <ann@example.org>\nSent: 3 March 2025 10:15\nTo: Shop\nSubject: RE: it"
NOTICE = (
    "This e-mail and any attachments are confidential and intended solely for the addressee. "
    "If you have received this e-mail in error, please delete it."
)

# Each header of a reply, as its program writes it in one language.
HEADERS = {
    "English, Gmail": GMAIL,
    "English, Gmail, wrapped": GMAIL.replace(" <ann", "\n<ann").replace(" wrote", "\nwrote"),
    "English, Apple": "On 3 Mar 2025, at 10:15, Ann Lee <ann@example.org> wrote:",
    "English, Apple, no address": "On Mar 3, 2025, at 10:15 AM, Ann Lee wrote:",
    "English, Thunderbird": "On 03/03/2025 10:15, Ann Lee wrote:",
    "English, who comes first": "Ann Lee <ann@example.org> wrote on Mon, 3 Mar 2025 at 10:15:",
    "English, Outlook": OUTLOOK,
    "English, Outlook with a rule": f"{'_' * 32}\n{OUTLOOK}",
    "English, Outlook in bold": "*From:* Ann Lee\n*Sent:* Monday, 3 March 2025\n*Subject:* it",
    "English, old Outlook": "-----Original Message-----\n" + OUTLOOK,
    "English, Outlook in one line": OUTLOOK.replace("\n", " "),
    "English, help desk": "##- Please type your reply above this line -##",
    "German, Gmail": "Am Mo., 3. März 2025 um 10:15 Uhr schrieb Ann Lee <ann@example.org>:",
    "German, Apple": "Am 03.03.2025 um 10:15 schrieb Ann Lee <ann@example.org>:",
    "German, Outlook": "Von: Ann Lee\nGesendet: 3. März 2025 10:15\nAn: Laden\nBetreff: AW: x",
    "German, old Outlook": "-----Ursprüngliche Nachricht-----\nVon: Ann Lee",
    "French, Gmail": "Le lun. 3 mars 2025 à 10:15, Ann Lee <ann@example.org> a écrit :",
    "French, Outlook": "De : Ann Lee\nEnvoyé : lundi 3 mars 2025 10:15\nÀ : Magasin\nObjet : RE: x",
    "French, old Outlook": "-----Message d'origine-----\nDe : Ann Lee",
    "Spanish, Gmail": "El lun, 3 mar 2025 a las 10:15, Ann Lee (<ann@example.org>) escribió:",
    "Spanish, Outlook": "De: Ann Lee\nEnviado: 3 de marzo de 2025\nPara: Tienda\nAsunto: RE: x",
    "Portuguese, Gmail": "Em seg., 3 de mar. de 2025 às 10:15, Ann Lee <ann@example.org> escreveu:",
    "Portuguese, Outlook": "De: Ann\nEnviada em: 3 de março de 2025\nPara: Loja\nAssunto: RES: x",
    "Italian, Gmail": "Il giorno 3 mar 2025 alle ore 10:15 Ann Lee <ann@example.org> ha scritto:",
    "Italian, Outlook": "Da: Ann Lee\nInviato: lunedì 3 marzo 2025\nA: Negozio\nOggetto: R: x",
    "Dutch, Gmail": "Op ma 3 mrt 2025 om 10:15 schreef Ann Lee <ann@example.org>:",
    "Dutch, Outlook": "Van: Ann Lee\nVerzonden: 3 maart 2025\nAan: Winkel\nOnderwerp: RE: x",
    "Japanese, Gmail": "2025年3月3日(月) 10:15 Ann Lee <ann@example.org>:",
    "Japanese, Outlook": "差出人: Ann Lee\n送信日時: 2025年3月3日 10:15\n宛先: Shop\n件名: RE: x",
    "Chinese, Gmail": "Ann Lee <ann@example.org> 于2025年3月3日周一 10:15写道\uff1a",
    "Swedish": "Den mån 3 mars 2025 kl 10:15 skrev Ann Lee <ann@example.org>:",
    "Polish": "pon., 3 mar 2025 o 10:15 Ann Lee <ann@example.org> napisał(a):",
    "Gmail, forwarded": "---------- Forwarded message ---------\nFrom: Ann <ann@example.org>\n"
    "Date: Mon, 3 Mar 2025 at 10:15\nSubject: it\nTo: <shop@example.com>",
    "Apple, forwarded": "Begin forwarded message:\n\nFrom: Ann <ann@example.org>\nSubject: it",
    "German, forwarded": "-------- Weitergeleitete Nachricht --------\nBetreff: x\nVon: Ann Lee",
}  # fmt: skip


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("mark", ["", "> "])
def test_what_a_reply_repeats_below_is_quoted(header: str, mark: str) -> None:
    """With its header, in the common languages, whether its lines are marked or not."""
    found = plain_text(f"{OWN}\n\n{header}\n\n{mark}{OTHER}", "mail")

    assert found.text == OWN
    assert found.quoted_chars > len(OTHER)


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_mail_that_only_repeats_leaves_nothing(header: str) -> None:
    """Whoever prepares texts says so, and what helps."""
    assert plain_text(f"{header}\n> {OTHER}", "mail").text == ""


SIGNATURES = {
    "standard separator": "-- \nAnn Lee\nLove life, live long!",
    "separator without its space": "--\nAnn Lee\nHead of Buying",
    "regards, name, title": "Kind regards,\nAnn Lee\nHead of Customer Service | Example Ltd",
    "regards in one line": "Best regards, Ann Lee",
    "thanks and a name": "Thanks,\nann",
    "thanks alone": "Many thanks!",
    "name and numbers, no formula": "Ann Lee\nBuyer\nTel: +44 20 7946 0958",
    "phone": "Sent from my iPhone",
    "program": "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "program in German": "Von meinem iPhone gesendet",
    "program in French": "Envoyé de mon iPhone",
    "program in Spanish": "Enviado desde mi iPhone",
    "program in Italian": "Inviato da iPhone",
    "program in Portuguese": "Enviado do meu iPhone",
    "program in Dutch": "Verstuurd vanaf mijn iPhone",
    "program in Japanese": "iPhoneから送信",
    "German": "Mit freundlichen Grüßen\nAnn Lee\nEinkauf",
    "French": "Cordialement,\nAnn Lee",
    "Spanish": "Saludos cordiales,\nAnn Lee",
    "Portuguese": "Atenciosamente,\nAnn Lee",
    "Italian": "Cordiali saluti\nAnn Lee",
    "Dutch": "Met vriendelijke groet,\nAnn Lee",
    "Japanese": "よろしくお願いいたします。\n李",
    "notice": NOTICE,
    "regards and notice": f"Regards,\nAnn\n\n{NOTICE}",
    "notice in German": "Diese E-Mail enthält vertrauliche Informationen. Falls Sie sie irrtümlich "
    "erhalten haben, löschen Sie sie bitte.",
    "notice in French": "Ce message est confidentiel et destiné à son seul destinataire.",
    "paper": "Please consider the environment before printing this e-mail.",
    "phone below a name": "Thanks\nAnn\n\nSent from my Galaxy",
}  # fmt: skip


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
@pytest.mark.parametrize("below", ["", f"\n\n{GMAIL}\n> {OTHER}"], ids=["last", "above a quote"])
def test_a_signature_is_cut_and_counted(signature: str, below: str) -> None:
    """At the end of the writer's own words, in the common languages."""
    found = plain_text(f"{OWN}\n\n{signature}{below}", "mail")

    assert found.text == OWN
    lines = [line.strip() for line in signature.split("\n")]
    assert found.signature_chars == sum(map(len, lines))


KEPT = {
    "a sentence like a header": "On Monday he wrote: great!",
    "such a sentence at the end of a line": "On Monday he wrote:\nGreat, but it was broken.",
    "with a date": "On 3 March 2025 I wrote:\nplease send it back. It never came.",
    "in German": "Am 3.3.2025 schrieb ich Ihnen:\nSchicken Sie es zurück. Nichts kam.",
    "who wrote, and an opinion": "My sister wrote:\nI love it. And so do I.",
    "list with dashes": "What I do not like:\n-- the price\n-- the colour\n-- the noise",
    "sections": "The screen is good.\n--\nBut the battery is awful, never again.",
    "dashes within a text": "It is good -- no, it is great.\nReally.",
    "emoticon like a mark": ">:( it broke again\n>_< and nobody helps",
    "journey": "From: Berlin\nTo: Munich\nDate: 3 March\nWorst train ever.",
    "from, as a word": "From: the whole team\nYou are the best!",
    "sent from, in a sentence": "It was sent from my bank by mistake and I am angry.\nFix it!",
    "thanks for something": "Thank you so much for the quick help!",
    "thanks alone": "Thanks!",
    "thanks and a name": "Many thanks,\nAnn",
    "regards to somebody": "Best regards to your whole team, you saved my day!",
    "closing, then a sentence": "Thanks,\nbut it is still broken and I want my money back.",
    "best, as an opinion": "It is\nBest phone I ever had.",
    "received in error": "I have received this parcel in error, send me mine!",
    "confidential": "Your staff shouted confidential things about me. Awful.",
    "phone number in a sentence": "I called.\n\nNobody answers +44 20 7946 0958, what a shame.",
    "underscores": "Name: ____________________\nIt is great.",
    "equals": "Pros\n=====\nIt is fast.",
    "url alone": "Look at this:\nhttps://example.com/a\nhttps://example.com/b",
    "angle brackets": "I paid <50 dollars> and 3 > 2 is all I got.",
    "html spoken of": "My <name> is not shown, it says undefined.",
    "colon at the end": "What I wrote in 2020 still holds:\nit is a bad phone.",
    "all quoted, in quotes": "“I love it” is what they want to hear.",
}  # fmt: skip


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_only_looks_like_a_quote_or_signature_stays(text: str) -> None:
    """An opinion is worth more than a clean text."""
    assert plain_text(text, "mail") == Plain(text)


ARRANGED = {
    "bottom posting": (f"{GMAIL}\n> {OTHER}\n> Yours\n\n{OWN}", OWN),
    "between the quotes": (
        f"{GMAIL}\n> Is it good?\nNo, it is bad.\n> And fast?\nNot at all.\n>\n> Bye",
        "No, it is bad.\n\nNot at all.",
    ),
    "quote in the middle": (f"Hello.\n> {OTHER}\n{OWN}", f"Hello.\n\n{OWN}"),
    "quotes in quotes": (f"{OWN}\n>> {OTHER}\n> > more\n> {OTHER}", OWN),
    "marks without a space": (f"{OWN}\n>{OTHER}\n>>more", OWN),
    "postscript": (f"{OWN}\n\nRegards,\nAnn\n\nPS: It is open.", f"{OWN}\n\nPS: It is open."),
    "reply to a reply": (f"{OWN}\n\n{GMAIL}\n{OTHER}\n\n{OUTLOOK}\n{OTHER}", OWN),
    "outer server's warning": (
        f"CAUTION: This email originated from outside of the organization.\n\n{OWN}", OWN,
    ),
    "[EXTERNAL]": (f"[EXTERNAL]\n\n{OWN}", OWN),
    "joined into one line": (f"{OWN} {GMAIL} > {OTHER} > Yours", OWN),
    "old Outlook joined": (f"{OWN} -----Original Message----- From: Ann {OTHER}", OWN),
    "blank lines": (f"{OWN}\n\n\n\n\nReally.", f"{OWN}\n\nReally."),
    "windows line ends": (f"{OWN}\r\n\r\n{GMAIL}\r\n> {OTHER}\r\n", OWN),
    "no text": ("\n \n", ""),
    "right to left": (f"الخدمة سيئة جدا\n\n{GMAIL}\n> {OTHER}", "الخدمة سيئة جدا"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ARRANGED.values(), ids=ARRANGED)
def test_the_order_of_texts_and_quotes(text: str, expected: str) -> None:
    """Own words stay wherever they are."""
    assert plain_text(text, "mail").text == expected


HTML = {
    "Gmail": f'<div dir="ltr">{OWN}</div><br><div class="gmail_quote"><div dir="ltr" '
    f'class="gmail_attr">{GMAIL.replace("<", "&lt;")}<br></div><blockquote class="gmail_quote">'
    f"{OTHER}</blockquote></div>",
    "Gmail, answers between": f'<div class="gmail_quote"><div class="gmail_attr">x wrote:</div>'
    f"<blockquote>{OTHER}</blockquote><div>{OWN}</div><blockquote>{OTHER}</blockquote></div>",
    "Outlook": f'<div class="WordSection1"><p class="MsoNormal">{OWN}</p><div style="border:none">'
    "<p><b>From:</b> Ann Lee<br><b>Sent:</b> Monday, 3 March 2025 10:15<br><b>To:</b> Shop<br>"
    f"<b>Subject:</b> RE: it</p></div><p>{OTHER}</p></div>",
    "Outlook on the web": f'<div>{OWN}</div><hr><div id="divRplyFwdMsg">'
    f"<b>From:</b> Ann Lee &lt;ann@example.org&gt;<br><b>Sent:</b> Monday, March 3, 2025<br>"
    f"<b>Subject:</b> it</div><div>{OTHER}</div>",
    "Thunderbird": f'<p>{OWN}</p><div class="moz-cite-prefix">On 03/03/2025 10:15, Ann wrote:<br>'
    f'</div><blockquote type="cite" cite="mid:1@x"><p>{OTHER}</p></blockquote>',
    "Yahoo": f'<div>{OWN}</div><div id="a" class="yahoo_quoted"><div>{OTHER}</div></div>',
    "Apple": f'{OWN}<div><br><blockquote type="cite"><div>On 3 Mar 2025, at 10:15, Ann wrote:</div>'
    f"{OTHER}</blockquote></div>",
    "signature element": f'<div>{OWN}</div><div class="gmail_signature">Ann<br>I love cats!</div>',
    "Thunderbird's signature": f'<p>{OWN}</p><pre class="moz-signature">-- \nAnn</pre>',
    "style": f"<html><head><style>p {{color: red}}</style></head><body><p>{OWN}</p></body></html>",
    "hidden": f'<div style="display:none;max-height:0">Great news!</div><p>{OWN}</p>',
    "regards": f"<p>{OWN}</p><p>Kind regards,<br>Ann Lee</p>",
    "marks in HTML": f"{OWN}<br>&gt; {OTHER}<br>",
}  # fmt: skip


@pytest.mark.parametrize("text", HTML.values(), ids=HTML)
def test_html_mails(text: str) -> None:
    """They are told apart from plain ones by their tags."""
    assert plain_text(text, "mail").text == OWN


HEAD = (
    "Received: from a by b\nFrom: Ann Lee <ann@example.org>\nTo: shop@example.com\n"
    "Subject: It is great\nDate: Mon, 3 Mar 2025 10:15:00 +0000\nMIME-Version: 1.0\n"
)


def _part(kind: str, content: str, *more: str) -> str:
    return "\n".join([f"Content-Type: {kind}", *more, "", content])


MESSAGES = {
    "plain": f"{HEAD}Content-Type: text/plain; charset=utf-8\n\n{OWN}\n",
    "few headers": f"From: ann@example.org\nSubject: x\nDate: Mon, 3 Mar 2025\n\n{OWN}",
    "folded header": f"{HEAD}X-Long: a\n b\n\tc\n\n{OWN}",
    "quoted-printable": f"{HEAD}Content-Type: text/plain\nContent-Transfer-Encoding: "
    "quoted-printable\n\nThe parcel never came and =\nnobody answers=2E\n",
    "base64": f"{HEAD}Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    + base64.b64encode(f"<p>{OWN}</p>".encode()).decode(),
    "alternative": f'{HEAD}Content-Type: multipart/alternative; boundary="b"\n\n--b\n'
    + _part("text/plain", OWN) + "\n--b\n" + _part("text/html", f"<p>{OWN}</p>") + "\n--b--\n",
    "HTML alone, attachment": f'{HEAD}Content-Type: multipart/mixed; boundary="b"\n\n--b\n'
    + _part("text/plain", OTHER, "Content-Disposition: attachment") + "\n--b\n"
    + _part("text/html", f"<p>{OWN}</p>") + "\n--b--\n",
    "unknown character set": f"{HEAD}Content-Type: text/plain; charset=x-klingon\n"
    f"Content-Transfer-Encoding: 8bit\n\n{OWN}",
    "windows line ends": f"{HEAD}\n{OWN}".replace("\n", "\r\n"),
    "with a reply": f"{HEAD}\n{OWN}\n\n{GMAIL}\n> {OTHER}",
}  # fmt: skip


@pytest.mark.parametrize("text", MESSAGES.values(), ids=MESSAGES)
def test_whole_messages(text: str) -> None:
    """Of a text that begins with the headers of a message, its first readable part is the mail."""
    assert plain_text(text, "mail").text == OWN


def test_a_message_without_a_readable_part_leaves_nothing() -> None:
    """Its headers are not scored."""
    text = f"{HEAD}Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo="

    assert plain_text(text, "mail") == Plain("")


def test_parts_within_parts_are_bounded() -> None:
    """A message with more than any program makes is read as a plain mail, not by the parser."""
    text = HEAD + "".join(
        f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(2000)
    )

    assert OWN in plain_text(f"{text}\n\n{OWN}", "mail").text
