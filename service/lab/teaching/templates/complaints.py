"""Lessons of complaints: facts that went wrong, polite requests, wishes, mocking praise.

Exists because people also complain with "please", "thanks", "hope" and "wish", and public data sets
label these as praise. Values only. No sentence of a measurement may be here.
"""

from __future__ import annotations

from service.lab.teaching.templates.words import lines, words

WORDS: dict[str, tuple[str, ...]] = {
    # Whole clauses: a fact that went wrong, without an adjective of opinion.
    "bad_fact": lines("""
        my {parcel} {should have been here|was due} {ago} and {it is still not here|nobody can find
            it}
        the {parcel} is marked as delivered but {I never got it|nothing was at my door|it is not
            here}
        you sent me the wrong {thing} {and want me to pay the return|for the second time|}
        the {thing} {arrived broken|came in pieces|came with a crack|was damaged in the box}
        the {thing} {stopped working|broke|died} after {few} {days|weeks|uses}
        half of the parts for the {thing} {were missing|are missing from the box|do not fit}
        the {thing} does not {turn on|switch on anymore|charge|fit|match the picture|do what it
            says}
        I was {billed two times|debited again|invoiced again} for {one booking|a single ticket|a
            {thing}}
        {money} {was|were} taken from my account {without my consent|for nothing|by mistake}
        you {took|debited|kept} {money} {for a trip I cancelled|that is not yours|after I had quit}
        {still no refund|no refund yet|I have not had my money back} after {wait}
        {still|I am still} waiting for {my refund|my money|a reply|an engineer|my {parcel}|a
            callback}
        nobody {answers|picks up} {the phone|my emails|my messages|at the help line} {{since}|}
        I have been on hold for {wait} {and the line went dead|and nobody came|with the same music|}
        I have {called|written|emailed} {few} times and {got no reply|nothing happened|heard
            nothing}
        {every|each} time I {call|ring} I am {passed to someone else|cut off|told something
            different}
        {{flight}|the flight|our train|our bus} {was cancelled again|got cancelled without notice}
        our {flight|train|bus} {left|was} {wait} late and {we missed the connection|no one said why}
        we {sat|were stuck} on the {runway|plane|train|tarmac} for {wait} without {water|any news}
        my {bag|suitcase|luggage} {is still in {city}|never made it to {city}|did not come with me}
        my {suitcase|stroller|guitar} {came back with a hole|was smashed|has a broken wheel}
        you gave our seats {away|to someone else} {though we had paid|and told us at the gate}
        the {software} {crashes|freezes|logs me out|hangs} {every time I open it|on start|again}
        since the {last update|new version} the {software} {will not open|drains my battery|is slow}
        the {software} {lost all my photos|deleted my notes|will not let me log in|shows an error}
        {I can't|I cannot} {log in|reset my password|pay|cancel my account|reach anyone} {{since}|}
        the {internet|connection|signal|line} {drops|goes down|has been down} {every
            evening|{since}}
        the {wifi|shower|heating|lift|air conditioning|key card} in our {stay} {did not work|was
            broken}
        {there was hair in the {dish}|there was mould in the {stay}|the {stay} smelled of smoke}
        the sheets {were stained|had not been changed} {and nobody came|}
        the {dish} {was cold|was burnt|was raw inside|was stale|tasted of nothing|never came}
        we waited {wait} for {a table we had booked|our {dish}|someone to take our order}
        the {staff} {ignored us|hung up on me|shouted at my mother|walked away|laughed at us|lied
            to me}
        the {staff} {did not know anything|told me it was my fault|would not let us in}
        my {card|account} {was blocked|got locked} {while I was abroad|for no reason|without notice}
        the {fee|price|bill} went up {by {money}|again|without any notice} {and no one told us|}
        you {changed|moved} my {booking|appointment|seat} without {asking|telling me}
        the {technician|courier|driver|plumber} {never turned up|did not show up|came {wait} late}
        the {bin|rubbish} has not been collected {{since}|for {wait}} {on our street|}
        the pothole on our street {has been there for {wait}|was never filled}
        the {office|counter|desk} was closed {although the site says open|when I got there}
        my {passport|permit|visa|form} {has been with you for {wait}|was lost by your office}
        {no|there was no} {heating|hot water|electricity} {for {wait}|{since}} {and no update|}
        they {sold me|gave me|charged me for} {a used {thing}|an expired voucher|extras I never
            ordered}
        the {provider} {keeps sending me bills|sent a debt collector|cut me off} {although I paid|}
        the box was {open|empty|crushed} {when it came|and the {thing} was gone}
        the {plural} were {dirty|broken|the wrong size|sold out when we came|cold|missing}
    """),
    "plea": lines("""
        please help
        please {fix this|sort this out|do something|look into it|advise|respond|call me}
        can {someone|somebody|anyone} please {help|call me|look into this|tell me what is going on}
        could you {please|kindly} {explain|sort it out|look into this|tell me what happened}
        I need {someone|a person} to {call me back|sort this out|answer me|look at this}
        I need {my money back|a refund|this solved|an answer} {today|now|by {weekday}|}
        {hoping|I hope} {someone|somebody} {finally|at last} {solves it|answers|takes care of this}
        I {really|} hope {you can sort this out|this gets sorted|I get my money back}
        I {just|only} want {my money back|a reply|what I paid for|to get home|it to work}
        I would {appreciate|like|be grateful for} {an answer|an explanation|a reply|a refund}
        {thank you for looking into it|thanks for your help in advance|thanks in advance}
        let me know {what you will do|when it gets solved|how to get my money back}
        pls {help|fix|advise|respond}
        {what are you going to do about it?|what now?|how is that possible?|why?}
        I wish {I had gone elsewhere|I had never ordered|someone would answer|I had read the
            reviews}
        kindly {refund me|reply|resolve this}
        looking forward to {a refund|your explanation|an answer at last}
    """),
    "lack": words("""a dark mode|an offline mode|a longer cable|a zip that holds|a better screen|
        a real search|more storage|a socket near the seat|an off switch|a proper manual|pockets|
        working brakes|a lid that closes|more legroom|an undo button|a person to talk to|
        a spare battery|louder sound|a way to export|a lock on the door|a second exit|a timer"""),
    # Mocking objects of "love".
    "bother": words("""waiting on hold for {wait}|being ignored for {wait}|paying for wifi that
        does not work|standing in line for {wait}|sleeping on the airport floor|eating cold {dish}|
        being lied to|getting the wrong {thing}|paying {money} for nothing|losing my bag in {city}|
        missing my connection|having no signal for {wait}|talking to a robot for {wait}|
        paying for a seat that is broken|being stuck in {city} with no bag|restarting the {software}
        {few} times a day|having no hot water for {wait}|getting charged for extras"""),
    "mishap": words("""delay|cancellation|crash|outage|price increase|broken {thing}|hidden fee|
        missing bag|lost {parcel}|error message|unanswered email|wrong bill|dropped call|
        gate change at the last minute|form to fill in again|broken lift|cold {dish}"""),
}

FACTS = lines("""
    {bad_fact}.
    {bad_fact}.
    {bad_fact}, {plea}
    {bad_fact}. {plea}.
    {bad_fact}. {bad_fact}. {plea}.
    {bad_fact} and {bad_fact}.
    {plea}, {bad_fact}.
    {handle} {bad_fact}
    {handle} {bad_fact}, {plea}
    {handle} why is it that {bad_fact}?
    {hi|hello|hey|good morning|dear team}, {bad_fact}. {plea}.
    I am writing because {bad_fact}. {plea}.
    {just to let you know|for your information|fyi}, {bad_fact}.
    {so|ok so|well|update|again}, {bad_fact}.
    {bad_fact}. {second|third|fourth|fifth} time {this month|this year|in a row}.
    {bad_fact}. this is my {second|third|fourth} {email|message|complaint} {about it|}.
    {bad_fact}. it has been {wait}.
    I am {sorry to say|afraid} that {bad_fact}.
    {bad_fact}. {how long does it take?|is anyone there?|does nobody care?|seriously?}
    {order_number}: {bad_fact}. {plea}.
    {I ordered {ago}|I booked {ago}|I am a customer since {month}|this is about {order_number}}.
        {bad_fact}.
    {bad_fact}. I {want|would like} to {cancel|speak to a manager|return it|close my account}.
    {bad_fact}. {not what I paid for|this is not what I ordered|and I paid {money} for it}.
    my {mother|father|wife|husband|son|colleague} called: {bad_fact}.
""")

WISHES = lines("""
    I {wish|so wish|really wish} {it|this|the {thing}|the {software}|the {stay}|your plane} had
        {lack}
    I wish {the {staff}|someone|you|your team} would {answer|listen|reply to emails|pick up the
        phone}
    I wish {the {software}|it|the {thing}} {worked|did what it says|would not crash|were not so
        slow}
    I wish I {could get {that hour|those {few} hours|my evening} back|had not bought this
        {thing}|had kept my old {thing}}
    {please|pls} {bring back|give us back|return} {the old version|the old menu|{lack}}
    {would be nice|it would be nice} if {the {software}|the {thing}} {actually worked|did not crash}
    {it would help|it would be great} if {someone answered|you answered emails|the {parcel} arrived}
    {hope|hoping|I hope} {you go bust|someone at the {provider} gets fired|no one else buys this
        {thing}}
    {hope|I hope} {my bag|my {parcel}|my refund} {shows up|arrives} {before {weekday}|one day|this
        year}
    {could|can} you {please|} {tell me|explain} why {bad_fact}?
    {would you mind|do you mind} telling me why {bad_fact}?
    {could|can} {someone|anyone} {please|} explain why {bad_fact}?
    I {need|want|would like} to know why {bad_fact}.
    {I need|need} help, {bad_fact}.
    {I am|we are} {hoping for|waiting for|asking for} {a solution|a reply} because {bad_fact}.
    all I {want|wanted|need} is {a {thing} that works|an answer|my {parcel}|a seat that I paid for}
    {is it too much to ask for|am I asking too much if I want} {an answer|a clean {stay}|a hot
        {dish}}?
    {I would|I'd} love {an explanation|a reply|to get off this plane|to sleep in a clean bed},
        {bad_fact}
    {please|pls|kindly} {stop calling me|stop sending me ads|take me off your list|stop the noise}
    {you|they} need to {train your people|fix the {software}|hire more people|read your emails}
    {needs|this needs} {lack}, {a lot of work|to be fixed|better quality control}
""")

# Thanks, praise and good wishes on the outside, a complaint within.
MOCKERY = lines("""
    {thanks|thank you|thx|many thanks|thanks a lot|thanks so much|cheers} for {bother_thanks}
    {thanks|thank you|thx|cheers} {handle} for {bother_thanks}
    {thanks to you|thanks to your {staff}|thanks to {handle}} {bad_fact}.
    {thanks|thank you} for {absolutely nothing|zero help|no help at all|not helping|not answering}
    {great|wonderful|fantastic|brilliant|nice|perfect|awesome|lovely}, {one more|yet another|a new}
        {mishap}
    {great|wonderful|fantastic|brilliant|nice|perfect|awesome|super|oh great}, {bad_fact}.
    {great job|well done|good job|nice work|nice one|bravo|congratulations}, {bad_fact}.
    {great job|well done|bravo|congrats|kudos} {handle}, {bad_fact} 👏
    {love|I love|just love|absolutely love|so much fun|nothing better than|enjoying} {bother}
    {love|I love|gotta love} {how|that|it when} {bad_fact}
    {what a lovely|what a great|such a nice} {surprise|welcome|start to my holiday}: {bad_fact}.
    {best|greatest|finest} {service|support} ever, {bad_fact}. {slow clap|not|yeah right|lol}
    {another|one more} {mishap}, {how nice|how lovely|just what I needed|great|wonderful}.
    {yet another|another} {mishap}{.|...|!}
    {so|how} {kind|nice|generous|thoughtful} of you to {lose my bag|ignore me for {wait}|keep my
        money}
    {good luck|best of luck} getting {an answer|a refund|your bag} from {{handle}|this {provider}}
    {I am|so} {glad|happy|pleased} I paid {money} for {a broken {thing}|cold {dish}|no legroom|this
        mess}
    {my favourite part|the highlight} of {the trip|the day} was {bother}
    {happy holidays|merry christmas|happy birthday} to me, {bad_fact}
    {thanks|thank you}, but {bad_fact}.
    {thanks for the reply|thank you for your answer|thanks for getting back}, but {bad_fact}.
    {thank you for your email|thanks for your message}. {however|unfortunately|still}, {bad_fact}.
""")
WORDS["bother_thanks"] = words("""losing my {parcel}|ruining our {trip|evening|holiday|weekend}|
    the {wait} wait|wasting {wait} of my life|leaving us in {city}|the cold {dish}|
    the broken {thing}|breaking my {thing}|cancelling my flight|hanging up on me|
    ignoring my {emails|calls|messages}|the {mishap}|making me miss {my wedding|the match|my train}|
    making me wait {wait}|charging me {money} for nothing|the worst {weekend|flight|meal} in years|
    sending the wrong {thing}|the {mishap} and the {mishap}|the rude {staff}|{bother}""")

OPINIONS = lines("""
    {I'm|I am} {disappointed|not happy|unhappy|upset|frustrated} {with|about} {the|your} {reviewed}.
    {expected|we expected|I expected} {more|better} from {the|this|your} {reviewed}.
    {time to|I will|we will|going to} {switch|leave|cancel|move} to another {provider}. {bad_fact}.
    {this is|that is} {the last time|the last trip|my last order} {with you|with {handle}|},
        {bad_fact}
    {save your money|don't bother|skip it|don't fall for it}, {the {reviewed} is {bad}|{bad_fact}}
    the {reviewed} {is|was} {bad}.
    the {reviewed} {is|was} {very} {disappointing|bad|poor|awful|slow|boring|overpriced|dirty}.
    {what a|such a} {bad_one} {reviewed}{.|!|}
    {worst|the worst} {reviewed} {ever|in years|I have had|of my life}.
    I {hate|can't stand|regret|am sick of|am fed up with|am disappointed by} {this|the|your}
        {reviewed}.
    {avoid|stay away from|don't waste your money on|do not buy} this {reviewed}.
    the {plural} {are|were} {terrible|awful|disgusting|a joke|far too expensive|horrible}.
    {this|that} {provider} is {bad}. {bad_fact}.
    the {staff} was {rude|unhelpful|arrogant|careless|unfriendly|incompetent|useless}.
    {shame on you|disgraceful|unbelievable|ridiculous|unacceptable|outrageous}, {bad_fact}.
""")
