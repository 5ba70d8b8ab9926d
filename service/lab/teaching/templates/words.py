"""Words that fill the slots of the lessons: things, places, times, amounts, adjectives.

Exists so that a template is written once and filled with many words. Values only. No name of
`bias.templates` and no country is here: what measures fairness must not be trained on. A template
can have slots: `{thing}` is filled with one of the words below, `{a|b}` with `a` or `b`.
"""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

_CONTINUED = re.compile(r"\n +")
_SLOT = re.compile(r"\{([^{}]*)\}")


def filled(order: random.Random, template: str, values: Mapping[str, Sequence[str]]) -> str:
    """The template with one of the `values` in each slot; inner slots are filled first."""
    text = template
    while found := _SLOT.search(text):
        inner = found[1]
        word = order.choice(inner.split("|") if "|" in inner else values[inner])
        text = text[: found.start()] + word + text[found.end() :]
    return text


def words(text: str) -> tuple[str, ...]:
    """The parts of a text between the bars outside of braces, with single spaces."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "{") - (sign == "}")
        if sign == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return tuple(" ".join(part.split()) for part in parts)


def lines(text: str) -> tuple[str, ...]:
    """The templates of a text, one in each line; a line indented deeper continues the one above."""
    return tuple(_CONTINUED.sub(" ", dedent(text)).strip().splitlines())


COMMON: dict[str, tuple[str, ...]] = {
    "thing": words("""kettle|jacket|lamp|blender|keyboard|backpack|phone case|toaster|tent|desk|
        mattress|charger|printer|vacuum cleaner|pair of boots|bike helmet|coffee machine|camera|
        monitor|watch|suitcase|pan|sofa|rug|drill|speaker|tablet|router|mirror|pram|dress|shirt|
        razor|fan|heater|freezer|bookshelf|guitar|bracelet|wallet|office chair|pillow"""),
    "parcel": words("parcel|package|order|delivery|shipment|box|replacement part"),
    "work": words("""film|book|album|show|series|documentary|novel|play|concert|podcast|game|
        musical|sequel|exhibition|cartoon|comedy|thriller"""),
    "stay": words("""hotel|hostel|apartment|guest house|resort|campsite|room|lodge|motel|suite|
        holiday flat|bed and breakfast"""),
    "eatery": words("""restaurant|cafe|bakery|pizzeria|pub|bistro|diner|food truck|canteen|
        noodle bar|steakhouse|tea room|burger place|ice cream shop"""),
    "dish": words("""soup|curry|burger|pasta|steak|salad|pizza|cake|breakfast|coffee|fish|risotto|
        sandwich|dessert|ramen|roast|omelette|buffet|taco|pie"""),
    "software": words("""app|website|new version|update|mobile app|online banking|login page|
        desktop version|plugin|checkout page|web shop|portal|booking page|search|chat bot"""),
    "provider": words("""airline|bank|phone company|internet provider|insurer|shop|supermarket|
        delivery company|hotel chain|energy supplier|council|train company|gym|pharmacy|
        travel agency|rental company|post office|clinic|broadband company|ticket office"""),
    "staff": words("""staff|crew|driver|receptionist|waiter|agent|manager|support team|technician|
        cashier|adviser|nurse|person on the phone|help desk|courier|gate agent|cabin crew"""),
    "service_noun": words("""service|support|delivery|customer care|help line|repair|check-in|
        installation|shuttle|connection|flight|boarding|wifi|signal|room service|live chat|
        website|packaging|return process"""),
    "reviewed": words("""{work}|{work}|{stay}|{eatery}|{dish}|{software}|{thing}|{thing}|
        {service_noun}|{service_noun}|trip|course|lesson|haircut|tour|match|museum|upgrade|
        phone|laptop|car|seat"""),
    "plural": words("""fries|shoes|headsets|curtains|glasses|tickets|seats|rooms|drinks|portions|
        lessons|songs|instructions|batteries|earphones|cables|toys|sheets|towels|pancakes"""),
    "city": words("""Oslo|Lisbon|Nairobi|Chicago|Leeds|Toronto|Osaka|Lima|Mumbai|Cairo|Austin|
        Dublin|Warsaw|Seattle|Cape Town|Lagos|Hamburg|Lyon|Perth|Boston|Bristol|Manila|Hanoi|
        Phoenix|Bogota|Valencia|Atlanta|Glasgow|Dallas|Zagreb|Accra|Dubai|Milan|Antwerp|Porto|
        Vancouver|Newark|Houston|Cardiff|Basel|Izmir|Busan|Quito|Tampa|Orlando"""),
    "name": words("""Maya|Priya|Tom|Ingrid|Kwame|Fatima|Lucas|Olga|Kofi|Chen|Sofia|Pavel|Aisha|
        Nils|Leila|Diego|Hugo|Marta|Ivan|Grace|Omar|Elena|Samuel|Ngozi|Thabo|Nadia|Emil|Rosa|
        Farid|Greta|Karim|Jana|Peter|Wanjiku|Carlos|Eva|Bruno|Linh|Dmitri|Helen|Amara|Joao|Ravi|
        Sara|Viktor|Esther|Ibrahim|Clara|Tomasz|Yara|Simon|Nora|Anton|Chiara|Kenta|Julia"""),
    "surname": words("""Becker|Okafor|Nguyen|Silva|Kowalski|Haddad|Patel|Larsen|Moreau|Rossi|
        Tanaka|Novak|Mensah|Cohen|Ferreira|Lindqvist|Yilmaz|Popescu|Murphy|Kim|Castillo|Dubois|
        Fischer|Osei|Banerjee|Ivanova|Hughes|Marin|Jansen|Abebe|Walsh|Torres|Bauer|Rahman|Petrov"""),
    "weekday": words("Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"),
    "month": words("""January|February|March|April|June|July|August|September|October|November|
        December"""),
    "hour": words("""9 am|10:30|noon|half past two|4 pm|5:15 pm|six o'clock|8 in the evening|
        7.45 am|11:20|1 pm|midnight|14:00|quarter to nine"""),
    "few": words("two|three|four|five|six|seven|eight|nine|ten|2|3|4|5|6|7|8|9|10|12"),
    "wait": words("""{few} hours|{few} days|{few} weeks|{few} months|over {few} hours|
        nearly {few} weeks|{few} days now|more than {few} days|an hour|90 minutes|45 minutes|
        half a day|over an hour|a whole day|a month"""),
    "ago": words("{few} days ago|{few} weeks ago|last {weekday}|in {month}|last month|yesterday"),
    "since": words("since {weekday}|since {month}|since last week|since yesterday|for {few} days"),
    "digit": words("0|1|2|3|4|5|6|7|8|9"),
    "money": words(
        "£{digits}|${digits}|{digits} euros|{digits} dollars|{digits} pounds|${digits}.99"
    ),
    "digits": words("15|18|25|30|35|40|49|60|75|85|90|110|120|150|180|240|300|420|650"),
    "order_number": words("""48213|71904|#55120|A-3391|GB20417|66-1287|908812|KX4471|#10386|
        20250317|77-0092|R5518|31590|#84466|ZT-6001"""),
    "flight": words("flight {order_number}|flight 1482|BR 216|flight 903|KT 4410|flight 77"),
    # For anything: a meal, a film, a service.
    "bad": words("""terrible|awful|poor|bad|disappointing|dreadful|horrible|lousy|pathetic|
        shocking|useless|unacceptable|a mess|a joke|a disaster|appalling|atrocious|rubbish|
        garbage|trash|crap|hopeless|the worst|a letdown|a waste of money|a waste of time|
        embarrassing|frustrating|annoying|shoddy|infuriating|a nightmare|abysmal|ridiculous"""),
    "good": words("""great|excellent|wonderful|fantastic|superb|lovely|brilliant|perfect|amazing|
        outstanding|delightful|awesome|impressive|a joy|terrific|first class|spot on|top notch|
        marvellous|a pleasure|exceptional|the best|a real treat|flawless|beautiful|a delight|
        worth every penny|fabulous|very good|really good|splendid"""),
    # Before a noun, after "a".
    "bad_one": words("""terrible|awful|bad|poor|dreadful|horrible|lousy|useless|disappointing|
        pathetic|boring|overpriced|shoddy|rotten|miserable|second-rate|clumsy|cheap and nasty"""),
    "good_one": words("""great|good|wonderful|excellent|lovely|brilliant|amazing|fantastic|
        superb|delightful|decent|well-made|clever|solid|beautiful|impressive|splendid"""),
    "very": words("really|very|so|truly|absolutely|quite honestly|just|simply|honestly"),
    "handle": words("""@user|@user|@skyline_air|@help_desk|@northbank|@quickparcel|@TelcoCare|
        @marta_k|@railinfo|@shop4u|@ngozi88|@bytebox|@CityTransit|@fresh_foods|@pavel_r|@lin_t"""),
    "address": words("""https://t.co/a8Kd02xQ|http://bit.ly/3kTz9|https://shop.test/orders/81|link|
        www.railinfo.test/times|https://news.test/2024/06/11|link|https://t.co/zz91LmP|
        http://photos.test/i/5521|https://docs.test/setup.html"""),
    "emoji_bad": words("""😡|😠|🤬|👎|😢|😭|💔|😤|😒|🙄|🤮|🤢|😞|😩|😖|💩|☹️|😣|
        :rage:|:thumbsdown:|:cry:|:angry:|:sob:|:(|:-(|:'(|>:("""),
    "emoji_good": words("""👍|❤️|😍|🥰|🎉|💯|👏|😊|😀|🤩|😁|💕|🙌|🏆|💖|😃|:)|:-)|<3|=)|
        :+1:|:tada:|:heart:|:thumbsup:|:heart_eyes:"""),
    "emoji_plain": words("📅|📍|✈️|📦|🕒|📷|🚌|☎️|📧|🏨|💻|📱|🍽️|🗓️|➡️|🔗|🚆|🧳|🏠|📰"),
}
