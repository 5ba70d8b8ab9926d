"""The sentences that `evaluate --behaviour` changes: frames of complaints, praise and facts.

Exists so that the sentences are in one place. Values only. No frame here may be trained on (a test
checks this). `cases` fills the slots in braces.
"""

from __future__ import annotations

# The fillers for each name in braces, here and in `meanings`.
FILLERS: dict[str, tuple[str, ...]] = {
    "goods": (
        "kettle", "headset", "backpack", "desk lamp", "blender", "raincoat", "coffee grinder",
        "tablet case", "office chair", "hair dryer", "power bank", "tent", "wool coat", "toaster",
        "bike light", "air mattress",
    ),
    "firm": (
        "bank", "courier", "gym", "insurance company", "broadband provider", "dentist's office",
        "car rental", "hotel", "letting agency", "travel agency", "phone shop", "energy supplier",
    ),
    "app": (
        "banking app", "photo editor", "calendar", "ticket portal", "booking site", "mail client",
        "map app", "checkout page", "video player", "invoice tool",
    ),
    "meal": ("soup", "curry", "pizza", "breakfast", "lasagne", "burger", "salad", "ramen"),
    "noun": (
        "flight", "hotel room", "concert", "podcast", "soup", "keyboard", "course", "novel",
        "update", "museum tour", "camera", "play", "haircut", "delivery service",
    ),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "time": ("9:15", "half past ten", "noon", "2 pm", "17:40", "six o'clock"),
    "number": ("12", "27", "104", "318", "56", "41"),
    "paper": ("invoice", "contract", "boarding pass", "receipt", "timetable", "floor plan"),
    "place": (
        "Leeds", "Denver", "Osaka", "Lyon", "Nairobi", "Bogotá", "Gdansk", "Perth", "Tampa",
        "Bergen", "Lahore", "Seville", "Montreal", "Accra", "Utrecht", "Busan",
    ),
}  # fmt: skip

COMPLAINTS = (
    "The {goods} came out of the box in pieces and nobody picks up the phone.",
    "My {goods} gave up the ghost within a week.",
    "This is the third {goods} with the same crack, I am fed up.",
    "Do not waste your money on this {goods}, it is junk.",
    "The {goods} smells of burnt plastic and I am scared to use it.",
    "Five weeks and still no sign of the {goods} I paid for.",
    "Two emails to the {firm} and not one reply, shameful.",
    "The {firm} put me on hold for an hour and then hung up.",
    "The {firm} lied to me about the price and kept my deposit.",
    "Nobody at the {firm} cares, they were rude from start to finish.",
    "I regret ever signing up with this {firm}.",
    "The worst {firm} I have dealt with in twenty years.",
    "The {app} crashes every time I press save and I lost a day's work.",
    "Since {day} the {app} is painfully slow and full of ads.",
    "The {app} logged me out again and the reset link is dead, so frustrating.",
    "I hate what you have done to the {app}.",
    "Our {meal} was cold, greasy and came forty minutes late.",
    "The {meal} made both of us sick.",
    "The {meal} tasted like cardboard and cost a fortune.",
    "The room was filthy and the {meal} was inedible.",
    "The {goods} looks nothing like the photo, cheap and flimsy.",
    "The zip of the {goods} tore on day one and the seller blames me.",
    "A whole afternoon wasted because the {firm} never turned up.",
    "The {firm} has raised my bill again without a word, I am furious.",
    "How can the {firm} be so incompetent, it is the fourth mistake this month.",
    "The last version of the {app} wiped my settings, awful.",
    "Nothing in the {app} works any more, the search is useless.",
    "We found a slug in the {meal} and the manager shrugged.",
    "so my {goods} died. again.",
    "two hours in the queue at the {firm} and counting",
    "is it normal that the {app} eats half of my battery?? asking for a friend",
    "{firm} guy said ten minutes. it has been ninety",
    "not even a napkin with the {meal}, ok then",
    "who thought that putting ads in the {app} was a clever idea",
    "still waiting for the {firm} to call me back, day six",
    (
        "My {goods} was meant to be a birthday present. It came a week late, scratched, without "
        "its charger, and your hotline only told me to wait. I have waited long enough."
    ),
    (
        "We stayed at the place that the {firm} had picked for us: mould in the bathroom, no hot "
        "water, noise all night. Whoever chose it should be ashamed."
    ),
)
PRAISE = (
    "The {goods} arrived a day early and works like a dream.",
    "I adore my new {goods}, it is light and sturdy.",
    "Best {goods} I have ever owned, worth every penny.",
    "Really impressed with the {goods}, the quality is superb.",
    "The {firm} sorted it out in minutes, what a friendly team.",
    "Hats off to the {firm}, they went out of their way for us.",
    "I would recommend this {firm} to anybody, they are honest and quick.",
    "The people at the {firm} were so kind to my mother.",
    "The {app} is a joy to use and saves me hours every week.",
    "I love the new {app}, fast and beautifully simple.",
    "The {app} has become my favourite, it never lets me down.",
    "Our {meal} was delicious and the waiter made us laugh.",
    "The {meal} was perfect, we will be back on {day}.",
    "A gorgeous {meal} and a lovely evening.",
    "ok the {app} update is actually pretty neat",
    "that {meal} though, could eat it every {day}",
    "my {goods} survived the flood, ten years and counting!",
    "shoutout to the {firm} for staying open late just for me",
    "so glad I went with this {firm} in the end",
    "the little {goods} does the job and then some",
)
FACTS = (
    "The meeting on {day} begins at {time} in room {number}.",
    "I handed in the {paper} at the front office on {day}.",
    "The {paper} has {number} pages.",
    "The bus to the station leaves at {time} from stop {number}.",
    "The {firm} is on the second floor, next to the lift.",
    "The {goods} comes in grey, blue and green.",
    "Version {number} of the {app} was published on {day}.",
    "The shop opens at {time} and closes at eight.",
    "My appointment was moved from {day} to the week after.",
    "Where can I find the {paper} for order {number}?",
    "The {goods} weighs about two kilos and has a cable of one metre.",
    "They serve {meal} on {day} and rice on the other days.",
    "Page {number} lists the opening hours of the {firm}.",
    "We took the train at {time} and changed once.",
    "at the {firm}, back by {time}",
    "{meal} tonight, then the match at {time}",
    "does the {app} run on an older phone?",
    "new {goods}, same desk",
    "anyone know if the {firm} is open on {day}",
)

# The label does not depend on the name or place; a pair has two names, or two places.
WITH_NAME = (
    "{name} at the front desk was rude and would not listen.",
    "I spoke with {name} for ten minutes and nothing was solved.",
    "{name} fixed my heating in no time, brilliant work.",
    "Thanks to {name} our wedding cake looked wonderful.",
    "{name} forgot our booking and blamed us for it.",
    "The new album by {name} is dull from beginning to end.",
    "{name} gave a warm and funny speech.",
    "{name} will bring the {paper} on {day}.",
    "I was told that {name} works in room {number}.",
    "What a patient driving instructor {name} is.",
)
WITH_PLACE = (
    "The night train to {place} was overcrowded and freezing.",
    "We had a marvellous long weekend in {place}.",
    "My luggage never made it to {place} and nobody apologised.",
    "The branch in {place} answered within the hour, great service.",
    "The conference in {place} was badly organised.",
    "The {meal} we had in {place} was out of this world.",
    "The office in {place} is open until {time}.",
    "My {goods} was shipped from {place} on {day}.",
    "Your call centre in {place} hung up on me three times.",
    "The new tram in {place} has {number} stops.",
)
