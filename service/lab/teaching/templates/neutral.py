"""Lessons without an opinion: facts, questions, schedules, headlines, requests, greetings.

Exists so that such texts are neutral, even with "please", "hope" or "thanks" in them. Values only.
No sentence of a measurement may be here.
"""

from __future__ import annotations

from service.lab.teaching.templates.words import lines, words

WORDS: dict[str, tuple[str, ...]] = {
    # Whole sentences that can be added to any other without a change of its opinion.
    "plain": lines("""
        I ordered {it|the {thing}|this|a {thing}} {on {weekday}|{ago}|in {month}}.
        This is about order {order_number}.
        My {order|booking|customer|reference} number is {order_number}.
        I {live|work|stay|am} in {city}.
        We {flew|travelled|drove} from {city} to {city} {on {weekday}|in {month}|{ago}}.
        We were {two|three|four|five|six} people.
        I {booked|paid} {online|by card|by phone|{ago}|at the counter}.
        {name} was with me.
        {It was|It is} {weekday} {morning|afternoon|evening}.
        It is the {blue|black|white|green|red|small|large} {one|model|version}.
        I am {writing from|on my way to} {city}.
        I have the {receipt|invoice|ticket|number} {here|in front of me}.
        {My colleague|My neighbour|My cousin|A friend,} {name} has one too.
        I use it {at work|at home|on my phone|on {weekday}s}.
        The {{stay}|office|shop} is near the {station|river|airport|market}.
        We stayed {from {weekday} to {weekday}|for {few} nights|until {weekday}}.
        I am {using|on} version {few}.{digit}.
        It was {few} pm when we {arrived|left|called}.
        The {staff} was called {name}.
        It cost {money}.
        I {called|wrote|was there} {ago}.
        See {address}.
    """),
    "meeting": words("""meeting|lesson|interview|rehearsal|lecture|seminar|match|market|ceremony|
        briefing|workshop|choir practice|appointment|council session|exam|parade|hearing"""),
    "venue": words("""hall {few}|the library|the town hall|building C|the second floor|gate {few}|
        the main office|the school gym|the north car park|conference room B|the harbour|studio
            {few}|
        the community centre|platform {few}|online"""),
    "asked": lines("""
        {the opening hours|your opening hours|the address of the shop in {city}|the price of the
            {thing}}
        {how much luggage I may bring|how to change my address|where to send the form|how to pay by
            card}
        {whether you ship to {city}|if breakfast is included|if there is parking|when the shop
            opens}
        {what size I need|which plan includes roaming|how long the delivery takes|what the password
            is for}
        {how to update my {email|address|card}|where the bus to {city} stops|when tickets go on
            sale}
        {which gate {flight} leaves from|what the deposit is|if the {thing} comes in
            {blue|black|green}}
        {how to reset my password|how to invite a colleague|where I find my invoice|the fax number}
    """),
    "headline_subject": words("""council|central bank|parliament|museum|university|police|airport|
        ministry|court|city of {city}|port of {city}|football club|train operator|union|hospital|
        research team|city library|weather service|company|fire service"""),
    "desire": lines("""
        I want to {go there|visit {city}|see {city}|try the {eatery}|watch the {work}} {next
            year|one day|in {month}}
        I {hope|am hoping} to {be in {city} by {weekday}|finish it {by|on} {weekday}|see you on
            {weekday}}
        I need {a new {thing}|to buy a {thing}|to renew my passport|a lift to {city}|to leave at
            {hour}}
        I {would like|'d like|want} to {book a table for {few}|order a {thing}|change my seat|speak
            to {name}}
        I {plan|intend|am going} to {buy a {thing}|move to {city}|read the {work}|cook {dish}} {in
            {month}|on {weekday}|}
        I wish to {change my address|update my {email|details}|register for the {meeting}|receive a
            copy}
        we {hope|expect|aim} to {open in {month}|publish it on {weekday}|have the results by
            {weekday}}
        {please|pls} {send me|forward|print} the {form|invoice|report|minutes|list|ticket} {by
            {weekday}|}
        please {find the {report|invoice|file} attached|confirm the date|sign here|mind the step}
        please {see|read|check} {address}
        {thinking of|thinking about|considering} {buying a {thing}|moving to {city}|a trip to
            {city}}
        {looking for|I am looking for|searching for} {a flat in {city}|a used {thing}|a {dish}
            recipe}
        {can't|cannot} decide between the {thing} and the {thing}
        I {might|may|could} {take the bus|call {name} later|go by train|order a {dish}}
        let's {meet at {hour}|order {dish}|take the train to {city}|ask {name}}
        {does anyone have|anyone have|has anyone got} a {spare ticket|used {thing}|link to the
            {work}}?
    """),
    "stance": lines("""
        {I agree|agreed|I agree with {name}|fair point|makes sense|that makes sense|sounds right}
        {I think so too|same here|exactly|that is correct|right|true|you are right|I see|got
            it|noted}
        {you should|you had better|you may want to|try to} {rest|drink water|ask a doctor|call
            {name}|get some sleep}
        {take|do take} care {on the road|of the cat|of your knee|when you drive}
        {I hope|hope} {you get there by {hour}|the rain stops by {weekday}|{name} gets the letter}
        {I understand|I see your point|that is one way to see it|it depends|maybe|perhaps|not sure}
        {I disagree|I don't think so|that is not what I said|I have no opinion on it|no idea}
        {I guess|I suppose|I think|I believe} {it is on {weekday}|that was {name}|they moved to
            {city}|it depends}
        {curious|I wonder|I was wondering} {what {name} thinks|how they made it|who wrote it|where
            it is}
        {interesting question|good question}, {let me check|I do not know|ask {name}}
        {surprised|I did not know} that {name} {lives in {city}|plays the guitar|is {few} years
            older}
        {never mind|forget it|no worries|sure|fine by me|as you like|up to you}
    """),
}

FACTS = lines("""
    the {meeting} {is|starts|begins} at {hour} {in|at} {venue}.
    the {meeting} {was moved|moved} {from {weekday} to {weekday}|to {venue}}.
    {see you|meet me|let us meet} {on {weekday}|tomorrow|tonight} at {hour}{, {venue}|}
    {weekday}, {hour}: {meeting}, {venue}.
    the {train|bus|ferry|shuttle} to {city} {leaves|departs|goes} {at {hour}|from {venue}|every
        {few} minutes}.
    {flight} to {city} {boards|departs|lands} at {hour}.
    the {thing} {weighs {few} kilos|comes in {few} colours|is made of
        {wood|steel|cotton|plastic}|costs {money}}.
    the {thing} has {few} {buttons|pockets|parts|settings|ports} and {a cable|a strap|a cover|a
        handle}.
    the {software} is available {in {few} languages|from {month}|for {few} platforms}.
    version {few}.{digit} {was released|came out|will be out} in {month}.
    the {eatery} {opens|closes} at {hour} {on {weekday}s|}.
    the {stay} has {few} floors and {few} rooms with a {balcony|desk|kitchen}.
    {name} {works|lives|studies} in {city} and {teaches maths|drives a bus|repairs bikes|sells
        flowers}.
    {name} {bought|sold|returned|borrowed} a {thing} {ago}.
    the {work} {has|runs for} {few} {chapters|hours|episodes|parts}.
    the {work} is set in {city} and {was made in {month}|tells of {few} sisters|stars {name}
        {surname}}.
    my {parcel} {was sent {ago}|left {city} {ago}|is due on {weekday}|arrives in {month}}.
    I {took|read|opened|washed|used|moved|carried} the {thing} {this morning|{ago}|on {weekday}}.
    I {had|ate|made|ordered} {dish} {for lunch|for dinner|on {weekday}|in {city}}.
    the {office|shop|pool|branch in {city}} is {open|closed} {on {weekday}s|until {hour}|in
        {month}}.
    the {blue|red|black|smaller} {thing} is {few} centimetres {longer|wider|higher} than the
        {white|old} one.
    the {dish} {is served with|comes with} {rice|bread|potatoes|beans|a drink}.
    {plain}
    {plain} {plain}
    {plain} {plain} {plain}
    {handle} {plain}
    {handle} {address}
    {address}
    {handle}
    {emoji_plain} {plain}
""")

QUESTIONS = lines("""
    {handle} {what is the status of|is|which gate is} {flight} {on {weekday}|today|}?
    {handle} {can|could} you {dm|follow|message} me {please|}?
    {handle} {I sent|just sent|I have sent} {you|} a {dm|message|form} {with my
        {order_number}|{ago}|}
    {handle} {which|what} {terminal|platform|counter|number} {is it|do I call} {in {city}|}?
    {any|are there} {seats left|tickets left|rooms free|news on the date} {for {weekday}|in
        {city}|}?
    {how|where} do I {add|change|enter|find} {my {order_number} number|a second passenger|a seat}?
    {does|will} the {work} {come out|be shown|be sold} in {city} {in {month}|}?
    {would|could} you {please|kindly} send {me|us} {the form|a copy|the receipt} {by {weekday}|}?
    do you {fly|ship|deliver|run trains} to {city} {on {weekday}s|in {month}|}?
    {could|can|would} you {please|} tell me {asked}?
    {please|kindly} let me know {asked}.
    {hi|hello|hey|good morning}, I {would like|want|need} to know {asked}.
    {handle} {can|could} you tell me {asked}?
    {what time|when} does the {{eatery}|train to {city}|shop|{meeting}} {open|start|close}?
    {is|was} {name} {in|from|at} {{city}|the office} {on {weekday}|today|}?
    {where|when} {is|was} the {meeting}?
    how {many|much} {of them do I need|does it cost|time do we have|do you charge for a {thing}}?
    {is there|do you have} {a bus to {city}|wifi on board|a table for {few} at {hour}|parking}?
    {which|what} {size|colour|model|version} {is it|do you have|should I order}?
    who {wrote|directed|recorded|is in} the {work}?
    does the {thing} {come with a {charger|cover|manual}|fit a {thing}|work in {city}}?
    {can I|may I|am I allowed to} {bring a {thing}|pay in cash|change the date|check in at {hour}}?
    {plain} {could|can} you {please|} tell me {asked}? {thanks|thank you|thanks in advance|}
    {please|} can you {confirm|check} {my booking|the date|the address} {for {weekday}|}? thanks
    I have a question about {asked}. {thank you|thanks|}
    has {name} {called|arrived|paid|answered}?
    {is {weekday} at {hour} ok|would {weekday} at {hour} work} {for you|}?
""")

NEWS = lines("""
    {headline_subject} {to|will} {open|close|move|rename|rebuild} {office|bridge|station|archive}
        in {city}
    {headline_subject} {says|reports|announces|publishes} {figures|numbers|plans|dates} for {month}
    {headline_subject} {elects|names|appoints} {name} {surname} as {chair|director|head|speaker}
    {headline_subject} {votes|decides|meets} on {budget|new rules|{city} tram line} on {weekday}
    {city}: {headline_subject} {holds {meeting}|opens {meeting}|starts survey} on {weekday}
    {name} {surname} {speaks|plays|reads|performs} in {city} on {weekday} {address}
    {number of|share of} {visitors|passengers|students} {in {city}|} {unchanged|at {digits}
        percent} in {month}
    {rain|snow|clouds|wind} {expected|forecast} in {city} {on {weekday}|until {weekday}}
    {city} {few} - {few} {city}, {half time|full time|after {digits} minutes}
    new on the blog: {how a {thing} is made|notes on {city}|the history of {dish}} {address}
    {photo|video|podcast|interview|live}: {name} {surname} {in {city}|on the {work}} {address}
    {just posted|posted|shared} a {photo|video|link} {@ {city}|from {city}} {address}
    now playing: {work} {few} by {name} {surname}
""")

SHORT = lines("""
    {ok|okay|k|yes|no|yep|nope|yeah|sure|maybe}{|.}
    {hm|hmm|right|done|noted|same|later|what|who|where|when}{|.}
    {ok|okay|yes|no|sure|right}, {see you {weekday}|at {hour}|tomorrow|later|on {weekday} then|in a
        minute}
    {hi|hello|hey|good morning|good evening|good afternoon|hi there|hey all}{| {name}|,|.| {handle}}
    {bye|see you|see you soon|see you later|goodbye|talk soon|later}{| {name}|.}
    {test|testing|test message|asdf|{order_number}|n/a|none|-|...|?|..}
    {regards|best regards|kind regards|best|sincerely}, {name} {surname}
    {on my way|at home|at work|in {city}|back at {hour}|on the train|brb|just landed in {city}}
    {{weekday}|{month}|{city}|{hour}|{name} {surname}}
    {emoji_plain}
    {emoji_plain} {city}
    {it is|it's} {hour}
    {few}
    {today|tomorrow|yesterday|tonight} at {hour}
    {the {thing}|a {thing}|{dish}|the {work}|{few} {plural}}
""")

DENIALS = lines("""
    the {meeting} is not {on {weekday}|at {hour}|in {venue}} {but on {weekday}|}.
    {name} {does not|doesn't} {live in {city}|work on {weekday}s|have a {thing}|drink coffee|play
        golf}.
    the {train|bus|ferry} does not {stop|run} {in {city}|on {weekday}s|at {hour}}.
    I {did not|didn't|have not|haven't} {order a {thing}|call {name}|read the {work}|see the
        {work}} {yet|}.
    {this|that|it} is not {a {thing}|my {thing}|the {work}|{name}|{city}|an advert|a question} {,
        it is a {thing}|}.
    the {office|{eatery}|shop|branch} is not open {on {weekday}s|before {hour}|in {month}}.
    {it|the {thing}} is not {blue|red|made of wood|for sale|from {city}|a gift|included}.
    {I do not|I don't} {know|remember|have the number|need a {thing}|eat meat|live in {city}|own a
        {thing}}.
    {not|no, not} {yet|today|on {weekday}|in {city}|before {hour}|{name}}{.|}
    no {{flight}|train|bus|ferry} {to {city}|} {on {weekday}s|before {hour}|is needed}.
    {there is|there was} no {meeting|{meeting}} on {weekday}.
    {nobody|no one} {from {city}|of the {surname} family} {is on the list|plays on {weekday}|was at
        the {meeting}}.
    {I never|we never} {lived in {city}|took the bus to {city}|had a {thing}|met {name}}.
""")

WANTS = lines("""
    {desire}
    {desire}.
    {desire}. {plain}
    {plain} {desire}.
    {stance}
    {stance}.
    {stance}, {desire}
    {handle} {desire}
    {handle} {stance}
""")
