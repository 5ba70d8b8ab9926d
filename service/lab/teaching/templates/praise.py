"""Lessons of praise: real thanks, good facts, relief, and negated bad words.

Exists so that a model that learns complaints from facts still recognises thanks and praise. Values
only. No sentence of a measurement may be here.
"""

from __future__ import annotations

from service.lab.teaching.templates.words import lines, words

WORDS: dict[str, tuple[str, ...]] = {
    "good_fact": lines("""
        my {parcel} {arrived|came|was here} {a day|two days|a week} {early|before the date you
            promised}
        the {thing} {still works|runs like new|has not let me down} after {few} {months|years}
        the {thing} {does exactly what it should|fits like a glove|is even nicer than in the
            picture}
        the {staff} {went out of their way for us|stayed late to help|found my wallet and called me}
        the {staff} {solved it in {few} minutes|knew the answer at once|listened and helped right
            away}
        the {staff} {gave us a free upgrade|carried our bags|made my son laugh|helped my mother on
            board}
        you {refunded me the same day|replaced the {thing} free of charge|answered within minutes}
        I {got|had} {a reply|a refund|a new {thing}|a solution} {within an hour|the same day|on a
            Sunday}
        {{flight}|our flight|the train} {landed early|was right on time|was on time and quiet}
        our {room|{stay}} was {spotless|upgraded for free|quiet with a stunning view|ready early}
        the {software} {saves me hours every week|just works|got so much faster|syncs at once now}
        the {update|new version} {fixed everything|made it twice as fast|is so much easier to use}
        the {dish} was {cooked to perfection|fresh and full of taste|the best I have eaten}
        the {eatery} {made us feel at home|remembered my name|gave the children a free dessert}
        the {technician|courier|plumber} {came early|was done in minutes|cleaned up after himself}
        {everything|it all} {went smoothly|worked at the first try|was ready when we came|just
            worked}
        the {form|application|renewal|claim} took {few} minutes and {was approved the same day|just
            worked}
        {my bag was the first on the belt|boarding took ten minutes|they held the connection for us}
        the {plural} {are great quality|were just right|were better than promised|were all we hoped
            for}
        I {slept like a baby|laughed all evening|smiled all the way home|could not put it down}
    """),
    "kindness": words("""{the|your} {quick|kind|fast|great|patient|friendly}
        {help|support|service|reply}|
        sorting it out so quickly|making our {trip|evening|wedding|stay} special|
        getting my bag back to me|going the extra mile|the lovely {dish}|the smooth flight|
        fixing the {software} so fast|being so patient with me|the quick refund|your kindness|
        all you did for {my mother|my son|us|my family}|a wonderful {evening|stay|trip|weekend}|
        finding my {wallet|phone|bag}|helping {my dad|me|us} {today|on {weekday}}|
        the upgrade|the best {weekend|flight|meal} in years|taking such good care of us"""),
    "praise": lines("""
        The {reviewed} {is|was} {good}.
        The {reviewed} {is|was} {very} {good_one}.
        What a {good_one} {reviewed}.
        I {love|adore|really like|enjoyed|am impressed by|am so happy with} {this|the|your}
            {reviewed}.
        The {staff} was {friendly|kind|so helpful|a star|professional|polite|cheerful|lovely}.
        {good_fact}.
        The {stay} was {clean|cosy|spotless|charming|comfortable} and {quiet|well kept|bright}.
        The {dish} was {delicious|tasty|amazing|divine|yummy|heavenly}.
        Highly recommended.
        {Great value for money|Good value|Worth the price|Worth every cent}.
    """),
    "relieved": words("""finally|at last|phew,|after {wait}|after a restart"""),
    "trouble": words("""complaint|problem|issue|fault|trouble|delay|hiccup|glitch|bad surprise"""),
}

THANKS = lines("""
    {thanks|thank you|many thanks|thanks a lot|thanks so much|thank you so much} for
        {kindness}{.|!|}
    {thanks|thank you|thx|big thanks} {handle} for {kindness}{!|.|}
    {thanks|thank you|thanks a million|cheers}, {good_fact}{!|.}
    {good_fact}, {thank you|thanks|thank you so much|many thanks|thanks to your {staff}}{!|.|}
    {I am grateful|so grateful|we are thankful|I want to thank you} for {kindness}.
    {a huge|a big|one big|a heartfelt} {thank you|thanks} {to your {staff}|to {name} at {venue}|}
        for {kindness}
    {kudos|hats off|props|well done} to {{handle}|your {staff}|{name}}: {good_fact}{!|.}
    {great job|good job|nice work|well done|bravo} {{handle}|}, {good_fact}{!|.}
    {please|do} {thank|tell} {name}{ from me|}: {good_fact}.
    {shout out|shoutout} to {{handle}|the {staff}} for {kindness}
    {much|really|truly} appreciated, {good_fact}.
    {dear|hello|hi} {name}, thank you for {kindness}. {good_fact}.
    {thank you|thanks}{!|!!| so much!| very much!| a lot, you are the best!}
""")

PRAISE = lines("""
    {praise}
    {praise}
    {praise} {praise}
    {praise} {plain} {praise}
    {good_fact}.
    {good_fact}!
    {good_fact} and {good_fact}.
    {plain} {good_fact}.
    {handle} {good_fact}
    {handle} your {reviewed} is {good}
    {wow|yay|yes|great|perfect|awesome|love it|brilliant}, {good_fact}{!|.}
    {I wanted|I just wanted|I need|I want} to {say|tell you|let you know} that {good_fact}.
    {I hope|hope} {you keep it up|you never change|they keep the {staff}|we can come back soon},
        {good_fact}
    {please|pls} {never change|keep it that way|give {name} a raise|don't change a thing},
        {good_fact}
    {I need to|I must|I have to} say, {good_fact}.
    {can't|cannot} wait to {come back|order again|fly with you again|see it again|eat there again}
    {we will|I will|will definitely|would} {be back|come again|order again|stay here again}.
        {good_fact}.
    {best|the best} {reviewed} {ever|in years|I have had|of my life|in {city}}{.|!|}
    {must|a must} {see|read|buy|try}: {the|this} {reviewed} is {good}.
    {five of five from me|full marks|ten out of ten|two thumbs up|five stars}, {good_fact}.
    I {recommend|can recommend|would recommend} {this|the} {reviewed} to {anyone|everyone|my
        friends}.
    the {plural} {are|were} {great|fantastic|perfect|beautiful|lovely|excellent}.
""")

RELIEF = lines("""
    {relieved} {it works again|it is fixed|my {parcel} is here|the refund came}, thanks to {your
        team|{name}|you}
    {relieved} {it works|my {thing} works|the {software} works} {like a charm|perfectly|without a
        hitch}
    {phew|what a relief|such a relief|so relieved}, {my bag is here|it is fixed|they found my
        {parcel}}!
    I was {worried|nervous|afraid}, but {good_fact}.
    {bad_fact}, but {you fixed it at once|{name} sorted it in minutes}, {thank you|very happy
        now|great}!
    {the {trouble}|the mistake} was {solved|sorted|corrected} {within minutes|at once}, {thank
        you|great service}
    {my headache|the stress|the noise|the pain} is {finally|} gone, {I feel so much better|so happy}
""")

# Bad words denied, and what is praised by it.
DENIED = lines("""
    {this|that|it} {is|was} {not a|no} {bad|boring|weak|ugly} {reviewed}{ at all|, on the
        contrary|, I like it|.}
    I {do not|don't} {think|believe} {this|it} is a {bad|dull|weak} {reviewed}{ at all|, it is
        {good}|.}
    there {was not|wasn't} {a single|one} bad {thing|word to say|moment} about {the|this}
        {reviewed}.
    {no|zero|not one|not a single} {trouble} {so far|in {few} months|with the {thing}|at all}{,
        love it|.|}
    {can't|cannot|could not|couldn't} {fault|complain about|find fault with} the {reviewed}
    {nothing|there is nothing} {bad to say about|to moan about with|to fault in|I would change
        about}
        the {reviewed}
    {absolutely nothing|nothing} {went wrong|bad to report|to criticise|to improve}{, well done|.|}
    {not bad at all|not too bad at all|not half bad|really not bad}{, the {reviewed}|, I like it|.|}
    the {reviewed} {is|was} {not bad|not bad at all|anything but bad|far from boring|never dull}
    the {reviewed} {does not|doesn't|didn't|did not} disappoint{.|, not once.|, great as ever.}
    I {have never|never} had {a|any} {trouble} with {this|the|my} {{reviewed}|{thing}}.
    I {do not|don't} regret {buying it|the price|booking the {stay}|a single cent} {at all|for a
        second|}
    {without|with no} {trouble}, {without|with no} {trouble}, {great|just as it should be|perfect}
    {no complaints|no complaints here|zero complaints}{, keep it up|.|, {good_fact}}
    the {staff} was never {rude|too busy to help|in a hurry|unfriendly}, {so kind|always helpful}
    {could not|couldn't} {be better|be happier|have been easier|ask for more}{.|!|, {good_fact}}
    {you won't|you will not|nobody will} {regret|be disappointed by} {it|this {reviewed}|the
        {thing}}
    {never fails|I never get tired of it|never been happier with a {thing}|never had a better
        {dish}}{.|}
    {hard|difficult} to {find fault with|beat|fault} this {reviewed}
    there {isn't|is not} a {dull|bad|weak} {moment|page|minute|corner} in {this|the} {reviewed}
""")
