"""Headers of replies and closing formulas in further languages."""

# ruff: noqa: RUF001
# Letters of these languages look like Latin ones.

from __future__ import annotations

import pytest

from service.text.markup import Plain, plain_text

OWN = "The parcel never came and nobody answers."
OTHER = "I love your service, it is wonderful!"
ANN = "Ann Lee <ann@example.org>"

HEADERS = {
    "Russian, Gmail": f"пн, 3 мар. 2025 г. в 10:15, {ANN}:",
    "Ukrainian, Gmail": f"пн, 3 бер. 2025 р. о 10:15 {ANN} пише:",
    "Romanian, Gmail": f"lun., 3 mar. 2025 la 10:15, {ANN} a scris:",
    "Hebrew, Gmail": "\u202bבתאריך יום ב׳, 3 במרץ 2025 ב-10:15 מאת \u202aAnn Lee\u202c\u200f "
    "<\u202aann@example.org\u202c\u200f>:\u202c",
    "Arabic, Gmail": f"في الاثنين، 3 مارس 2025 في 10:15 ص {ANN} كتب:",
    "Finnish, Outlook": "Lähettäjä: Ann Lee\nLähetetty: 3. maaliskuuta 2025 10:15\n"
    "Vastaanottaja: Kauppa\nAihe: VS: x",
    "Czech, Outlook": "Od: Ann Lee\nOdesláno: 3. března 2025 10:15\nKomu: Obchod\nPředmět: RE: x",
    "Hungarian, Outlook": "Feladó: Ann Lee\nElküldve: 2025. március 3. 10:15\nCímzett: Bolt\n"
    "Tárgy: RE: x",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("mark", ["", "> "])
def test_what_a_reply_repeats_below_is_quoted(header: str, mark: str) -> None:
    """With its header, whether its lines are marked or not."""
    assert plain_text(f"{OWN}\n\n{header}\n\n{mark}{OTHER}", "mail").text == OWN


CLOSINGS = (
    "Z poważaniem", "Pozdrowienia", "S pozdravem", "Üdvözlettel", "Ystävällisin terveisin",
    "Cu stimă", "Με εκτίμηση", "З повагою", "İyi çalışmalar",
)  # fmt: skip


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_closing_formula_and_a_name_are_a_signature(closing: str) -> None:
    """As in the other languages."""
    assert plain_text(f"{OWN}\n\n{closing},\nAnn Lee", "mail").text == OWN


def test_a_name_in_small_letters_is_a_signature_below_regards() -> None:
    """People type so on phones; below thanks, the words may be an opinion."""
    assert plain_text(f"{OWN}\n\nkind regards\nbob smith", "mail").text == OWN
    opinion = f"{OWN}\n\nthanks\nbloody liars"
    assert plain_text(opinion, "mail") == Plain(opinion)


def test_a_sentence_with_a_time_and_an_address_stays() -> None:
    """It does not end with the address and a colon."""
    text = "In March 2025 at 10:15 I wrote to <ann@example.org> and asked you for the reason:\nno."

    assert plain_text(text, "mail") == Plain(text)
