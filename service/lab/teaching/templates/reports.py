"""Lessons of reports: facts about trouble, facts without trouble, thanks before or after trouble.

Exists because a report of a problem needs no word of opinion, and one that only names a date is no
complaint. Values only. No sentence of a measurement may be here.
"""

from __future__ import annotations

from service.lab.teaching.templates.words import lines, words

WORDS: dict[str, tuple[str, ...]] = {
    "report_fact": lines("""
        the {technician|plumber|courier} said he would come on {weekday}, then {weekday}, then not
            at all
        {few} screws {were|are} missing and {the manual has pages torn out|one leg is too short}
        there was {a piece of glass|a screw|a plaster|a dead fly|a stone|a fingernail} in my {dish}
        water {drips|runs|comes} through the {ceiling|roof|window} {when it rains|{since}}
        the {washing machine|dishwasher|boiler|tap} {leaks|floods the kitchen} {since the repair|}
        my {bill|invoice} says {money} {although we agreed on|instead of} {money}
        you promised {weekday}, it is {weekday} {and nothing has come|of the week after}
        I called {few} times {{ago}|since {weekday}} and {it rang out|no one picked up}
        my account {has been locked|is frozen} {{since}|for {wait}} and {I cannot pay my rent|my
            salary is in it}
        all {my|our} {photos|contacts|messages|files} {are gone|were wiped} after {the update|your
            migration}
        our {room|table|seat} {had been given to|was booked for} {another family|other people too}
        {the music|drilling|hammering} went on until {few} in the morning {every night|}
        {ants|cockroaches|mice|fleas|beetles} {were in the bath|ran across the floor|came out of
            the drain}
        the {stay|corridor|bathroom} {smells|smelled} of {sewage|urine|mould|wet dog|gas}
        I cut {my hand|my finger|my foot} on {the edge of the {thing}|a broken tile|the lid}
        {my son|my daughter|{name}} {fell|slipped} on {the wet stairs|a loose step} and {broke an
            arm|needed stitches}
        we {boarded|left} {few} hours {after the time on the ticket|behind schedule}
        the {thing} {gave me an electric shock|caught fire|smokes when switched on|burnt the carpet}
        my {parcel} {went to the wrong street|was left in the rain|was thrown over the fence}
        {few} of the {digits} {plural} in the box were {broken|cracked|missing}
        the {dish} {still had ice in the middle|gave {few} of us food poisoning}
        {the pills|the tablets} were {past their date|not the ones on the prescription}
        my {appointment|operation|interview} was {cancelled|moved} {an hour before|a third time}
        the {driver|taxi} {went past the stop|drove off with my suitcase|took a detour and charged
            for it}
        {someone|a stranger} {logged in to|withdrew {money} from} my account {and you did nothing|}
        the {warranty|voucher|ticket} {was refused|was not accepted} {at the counter|by the {staff}}
        the {paint|colour|zip|sole|handle} came off {on day {few}|after one wash|the first time}
        the {provider} {sold my number|gave my address to strangers|charged me after I had
            cancelled}
        {hot water|the lift|the heating} {stopped|failed} on {weekday} and {no one has come|is
            still off}
        the refund of {money} {never arrived|was sent to someone else|is {wait} overdue}
        {I was|we were} {sent from desk to desk|left standing outside} for {wait}
        the {staff} {lost my form|spilled coffee on my laptop|forgot our order twice|left at noon}
        the {plug|key|remote|charger} {was not in the box|is for another model|does not fit}
        the {screen|display|button|brake} {went black|jammed|failed} {on the motorway|on day {few}|
            while in use}
        {page|pages} {few} to {digits} of the book {are blank|are missing|are upside down}
        the {stay} in the photos {has a balcony|has a pool}, the one we got {has none|looks at a
            wall}
        the meter {was never read|shows half of what you billed}
        {the nurse|the doctor} {did not turn up|gave {name} the wrong dose}
        {my dog|our cat} {came back from the groomer with a cut|got ill from this food}
    """),
    # The same things when nothing went wrong.
    "calm_fact": lines("""
        the {technician|plumber|courier} {comes|will come} {on {weekday}|at {hour}|between {few} and
            {few}}
        the {parcel} {arrives|is due|is planned} {on {weekday}|in {month}|at {hour}}
        the account was opened {in {month}|{ago}} {in {city}|at the branch|online|}
        the box {holds|contains} {few} screws, {few} bolts and a manual
        the {washing machine|dishwasher|boiler} {is in the kitchen|runs at {hour}|uses 230 volts}
        my {bill|invoice} {is from {month}|says {money}|comes by post|has {few} pages}
        I called {ago} and spoke to {name}
        my account {has the number {order_number}|is a joint one|is with the branch in {city}}
        {my|our} {photos|contacts|files} are {in a folder|on the server|on a stick|in the cloud}
        our {room|table|seat} is {number {few}|booked for {weekday}|by the window|on floor {few}}
        {the music|the show|the lesson} {starts at {hour}|goes on until {hour}|is on {weekday}}
        {ants|beetles|mice|moths} {live in {few} of the {few} regions|are the topic of lesson {few}}
        the {bathroom|corridor|lift} is {on the left|next to the stairs|on floor {few}}
        {name} {walked up the stairs|sat on the bench|went to {city}} {on {weekday}|}
        we {board|leave} at {hour} {from gate {few}|}
        the {thing} {weighs {few} kilos|has {few} buttons|is {few} cm wide|comes in {few} colours}
        my {parcel} {was sent {ago}|has {few} labels|goes to {city}|is with the neighbour}
        there are {few} {plural} in the box
        the {dish} {is on the menu on {weekday}|takes {few} minutes|contains milk|serves {few}}
        {the pills|the tablets} are taken {few} times a day
        my {appointment|interview|check-up} is {on {weekday}|at {hour}|in {city}}
        the {driver|taxi|bus} {waits at {venue}|comes at {hour}|goes to {city}}
        {name} logged in {on {weekday}|at {hour}|from {city}}
        the {warranty|voucher|ticket} {runs until {month}|is for {few} people|is in the envelope}
        the {paint|fabric|handle} is {blue|grey|green|made of steel|number {few} on the list}
        the {provider} {has {few} branches|was founded in {city}|moved to {city}|sent form {few}}
        {the heating|the lift|the boiler} {is serviced in {month}|was put in {ago}|is electric}
        the refund of {money} {was booked on {weekday}|is shown on page {few}}
        {I was|we were} at {venue} from {few} to {few}
        the {staff} {works on {weekday}|starts at {hour}|is from {city}|wears a badge}
        the {plug|key|charger} is {in the box|on the table|of type C|black}
        {page|pages} {few} to {digits} of the book {are about {city}|are the index|have pictures}
        the {stay} has {few} floors and {a garden|a car park|{few} beds}
        the meter {is read in {month}|shows {digits}|is in the cellar}
        {the nurse|the doctor} {is in from {hour}|asked for the form|is called {name} {surname}}
        {my dog|our cat} {is {few} years old|eats twice a day|sleeps in the hall}
    """),
    "polite_start": words("""I {do|really do|truly} appreciate {the quick answer|your time|the
        effort|the call back|the apology|the voucher}|
        thanks for {the quick answer|the call|your message|coming by|the apology|writing back}|
        thank you for {the fast reply|your patience|the link|the explanation|your kind words}|
        I am grateful for {the call|your note|the offer}|
        it was kind of {name} to {call|write|listen|apologise}|
        many thanks for {the reply|getting in touch|the discount}|
        {name} was {polite|kind|lovely|patient} on the phone|
        nice of you to {call|write|ask|offer a voucher}|
        I value {your honesty|the apology|the gesture}|
        full marks for {the quick reply|politeness}|
        I thank {name} for {the time|trying}"""),
    "polite_turn": words(""", sadly|, however|, but|. However,|. Sadly,|. Unfortunately,|. Still,|
        , only|, yet|. But|. That said,|, alas,|. Nevertheless,|, it is just that"""),
    "unsolved": words("""it solves nothing|nothing has changed|the problem is still there|
        {bad_fact}|{report_fact}|{bad_fact}|{report_fact}|that is not what I asked|
        the link does not work|it is still broken|I am still without a {thing}|
        nobody did what was agreed|the answer is wrong|I still have no refund|
        that does not give me my money back|it came {wait} too late|I have heard nothing since|
        the {thing} is as broken as before|it happened again on {weekday}|a voucher is no refund|
        I will not stay with you|the {software} crashes as before|no one has called since"""),
    "solved": words("""{name} solved it in {few} minutes|you replaced it the next day|
        it all works now|the refund came the same evening|{name} drove out and fixed it|
        the {staff} sorted it at once|you found it and brought it to my door|
        a new one was here within a day|{name} stayed on the line until it worked|
        you took care of it and paid for everything|it was put right within the hour|
        the {staff} apologised and gave us a better {thing}|one call and it was done"""),
    "thankful": words("""thank you so much|thanks a lot, {name}|I am so grateful|many thanks|
        thank you {name}, you are a star|great service, thank you|I could not be happier|
        big thanks to {name}|thanks to the whole team|I am really impressed, thanks|
        what a kind team|I am very grateful to {name}|well done and thank you|bless you all"""),
}

TROUBLE = lines("""
    {report_fact}, {so|which is why} {we slept in the car|I missed work|I had to borrow a {thing}}.
    {weekday}: {calm_fact}. {weekday}: {report_fact}.
    {weekday}: {report_fact}. {weekday}: {bad_fact}.
    first {report_fact}, then {bad_fact}.
    when {I|we} {came home|got there|opened it}, {report_fact}.
    {three things|two things|what happened}: {report_fact}; {report_fact}.
    according to {name}, {report_fact}, {and|while} {bad_fact}.
    this is {the second week|month {few}|day {few}} in which {bad_fact}.
    I {enclose|attach} {photos|a video|the receipt}: {report_fact}.
    {number|case|ticket} {order_number}: {report_fact}. {no reply so far|still open|closed by you}.
    {name} {was told|heard} at {venue} that nothing can be done: {report_fact}.
    the {staff} wrote it down and {nothing came of it|the file was lost}: {report_fact}.
    {report_fact}
    {report_fact}.
    {report_fact}.
    {report_fact}. {report_fact}.
    {report_fact} and {bad_fact}.
    {plain} {report_fact}.
    {report_fact}. {plain}
    {on {weekday}|{ago}|this morning|at {hour}} {report_fact}
    {handle} {report_fact}
    {order_number}: {report_fact}
    {calm_fact}. {report_fact}.
    {name} {says|writes|reports} that {report_fact}
    {hello|dear team|good morning}, {report_fact}.
""")
CALM = lines("""
    {weekday}: {calm_fact}. {weekday}: {calm_fact}.
    {three things|two things|what is planned}: {calm_fact}; {calm_fact}.
    according to {name}, {calm_fact}, {and|while} {calm_fact}.
    I {enclose|attach} {photos|a video|the receipt}: {calm_fact}.
    {number|case|ticket} {order_number}: {calm_fact}.
    {name} {was told|heard} at {venue} that {calm_fact}.
    the {staff} wrote it down: {calm_fact}.
    first {calm_fact}, then {calm_fact}.
    {calm_fact}
    {calm_fact}.
    {calm_fact}.
    {calm_fact}. {calm_fact}.
    {calm_fact} and {calm_fact}.
    {plain} {calm_fact}.
    {calm_fact}. {plain}
    {this time|as planned|for the record|by the way}, {calm_fact}
    {handle} {calm_fact}
    {order_number}: {calm_fact}
    {name} {says|writes|reports} that {calm_fact}
    {hello|dear team|good morning}, {calm_fact}.
""")

THANKED_BUT = lines("""
    {I know|I can see} you {did your best|tried}, and thank you for that{polite_turn} {unsolved}.
    {thanks|thank you} {again|once more|}, {name}{polite_turn} {unsolved}.
    {first of all,|to begin with,} {polite_start}. {report_fact}, {and|so} {plea}.
    {I was glad|it was good} that {name} {called|wrote|came}{polite_turn} {unsolved}.
    your {reply|call|note} was {kind|quick|polite|friendly}{polite_turn} {unsolved}.
    a {kind|quick|polite|friendly} {reply|call|note}, {thanks|thank you}{polite_turn} {unsolved}.
    {I would love to|I wish I could} thank you and leave it there{polite_turn} {unsolved}.
    {polite_start}{polite_turn} {unsolved}.
    {polite_start}{polite_turn} {unsolved}
    {polite_start}{polite_turn} {unsolved}. {plea}.
    {polite_start}{polite_turn} {unsolved} and {unsolved}.
    {polite_start} and {polite_start}{polite_turn} {unsolved}.
    {plain} {polite_start}{polite_turn} {unsolved}.
    {dear team|hi {name}|hello|good morning}, {polite_start}{polite_turn} {unsolved}.
    {handle} {polite_start}{polite_turn} {unsolved}
    {as much as|although|though} {I value your apology|{name} was kind|I am grateful}, {unsolved}.
    {polite_start}. {plain} {unsolved}.
    {polite_start}. {unsolved}{, though|, however|, all the same|}.
    {with all due thanks|grateful as I am|with thanks for the effort}: {unsolved}.
""")
SOLVED = lines("""
    {bad_fact}. {that was {ago}|so far the bad news}. {solved}, {thankful}.
    {I was angry|I was upset|I was close to leaving} because {bad_fact}. {solved}. {thankful}.
    {what began|it began} badly: {report_fact}. {solved}, {thankful}!
    {I take my complaint back|please close my complaint}: {solved}. {thankful}!
    {I had written|we had reported} that {report_fact}. {solved}. {thankful}.
    {no more of this|all good now}: {bad_fact}, {until|but} {solved}. {thankful}!
    {solved}, the day after I told you that {report_fact}. {thankful}!
    {it was bad|things were bad}: {bad_fact}. {today|now} {solved}. {thankful}!
    {bad_fact}{.|, but|. Then|. But} {solved}. {thankful}!
    {report_fact}{.|, but|. Then|. But} {solved}. {thankful}.
    {report_fact}. {I wrote to you|I called|I asked for help} and {solved}. {thankful}.
    {bad_fact}. {handle} {solved}, {thankful}
    {although|even though|at first} {bad_fact}, {solved}. {thankful}.
    {first|to begin with} {report_fact}, {in the end|then} {solved}, {thankful}!
    {thankful}! {report_fact}, {but|and then} {solved}.
    {report_fact}, {which was a shock|as you know}, {but|yet} {solved}. {thankful}.
    {plain} {bad_fact}. {solved}. {thankful}!
    {update|good news|happy end}: {report_fact}, {now|today|but} {solved}. {thankful}.
    {dear team|hi {name}|hello}, {bad_fact}, {but|and then} {solved}. {thankful}.
    {bad_fact}, {report_fact}, {but|and yet} {solved}. {thankful}!
""")
