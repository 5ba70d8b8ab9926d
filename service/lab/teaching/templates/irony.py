"""Lessons of tone: ironic praise, intensifiers that look like opinions, slang.

Exists because "perfectly useless" and "wickedly funny" mean what their second word says, and
"superb, the lift is stuck" is no praise. Values only. No sentence of a measurement may be here.
"""

from __future__ import annotations

from service.lab.teaching.templates.words import lines, words

WORDS: dict[str, tuple[str, ...]] = {
    # Bad facts in few words, with their own subject.
    "woe": lines("""
        {bad_fact}
        {report_fact}
        the {thing} {fell apart|is dead|is in pieces} after {few} {days|hours|uses}
        {few} hours {on hold|in the queue|at the gate|in the rain}
        {the lift is stuck|the heating is off|the tap leaks|the roof drips} {again|once more}
        the {software} {ate my data|logged me out|crashed} {again|for the {third|fifth} time}
        {yet another|one more} {mishap}
        {my|our} {flight|train|bus} left without {me|us}
        {no|zero} {water|light|signal|heating|reply} {{since}|for {wait}}
        {a fly|a nail|plastic|a hair} in {my|the} {dish}
    """),
    "woe_doing": words("""{bother}|waiting {wait} for nothing|finding a hair in my {dish}|
        paying twice for one {thing}|walking up {few} floors with my luggage|
        hearing drills at 6 am|being told to call back tomorrow|sharing the bed with ants|
        filling in the same form {few} times|watching my bag fly to {city} without me|
        getting a {thing} without a plug|calling {few} numbers and reaching no one|
        sitting in the dark for {wait}|losing all my photos in your update"""),
    "cheer": words("""wonderful|brilliant|superb|nice one|congrats|bravo|lovely|just perfect|
        how lovely|what a treat|what a joy|splendid|marvellous|fabulous|top notch|well played|
        congratulations|hooray|amazing|fantastic|great stuff|terrific|oh joy|just lovely|
        how wonderful|excellent|magnificent|outstanding|awesome|oh brilliant|just great|wow, great|
        first class|good job|chapeau|hats off|well done everybody|impressive|simply wonderful"""),
    # Intensifiers that look like praise, and ones that look like blame.
    "bright_very": words("""spectacularly|perfectly|superbly|remarkably|stunningly|beautifully|
        wonderfully|brilliantly|gloriously|impressively|magnificently|marvellously|fantastically|
        amazingly|exceptionally|splendidly|supremely|majestically|breathtakingly|astonishingly|
        royally|epically|incredibly|truly|outstandingly|delightfully|phenomenally|blissfully"""),
    "dark_very": words("""terribly|wickedly|insanely|crazy|awfully|ridiculously|stupidly|madly|
        dangerously|scarily|frighteningly|horribly|sickeningly|absurdly|painfully|brutally|
        outrageously|damn|freakishly|killer|savagely|disgustingly|unfairly|dreadfully|criminally|
        shockingly|devilishly|ludicrously|bloody|deadly"""),
    "liked": words("""good|nice|funny|fast|clever|kind|tasty|cute|helpful|beautiful|smooth|sweet|
        comfortable|talented|smart|handy|charming|delicious|polite|well made|easy to use|cosy|
        reliable|gorgeous|entertaining|efficient|fresh|generous|catchy|stylish|addictive|cool"""),
    "disliked": words("""rude|useless|bad|slow|incompetent|dull|ugly|dirty|boring|stupid|lazy|
        awful|unhelpful|overpriced|buggy|noisy|bland|careless|arrogant|clumsy|flimsy|shoddy|
        disorganised|greedy|unfriendly|inept|pointless|tasteless|unreliable|mean|smelly|inedible"""),
    "hype": words("""a banger|fire|goated|the bomb|sick|dope|lit|on point|top tier|a vibe|legit|
        a whole vibe|an absolute unit|elite|peak|straight fire|pure gold|a gem|bussin|a winner|
        next level|unreal good|the real deal|mint|a masterpiece|chef's kiss|on fleek|
        the bee's knees|the cat's pyjamas|the dog's bollocks|a belter|a cracker|class|ace|a steal|
        A1|gold|a knockout|a home run|so good it hurts|W|a W|a big W|lush|wicked good|a beast"""),
    "diss": words("""trash|mid|cringe|a scam|a flop|a ripoff|an L|a huge L|garbage fire|a joke|
        a garbage fire|wack|pants|a shambles|a con|bogus|a fail|an epic fail|a bust|weak sauce|
        a hot mess|dog water|a trainwreck|a lemon|naff|a stinker|a dog's dinner|janky|dodgy|
        a cash grab|a car crash|for the bin|ass|straight trash|pure garbage|a snoozefest|toast|
        a clown show|sketchy|a money pit|bottom tier|sus|a disaster zone|bunk|tragic|a dud"""),
    "rocks": words("""slaps|slaps hard|rocks|rules|bangs|kills it|hits different|hits the spot|
        never misses|is where it's at|delivers|understood the assignment|takes the cake|wins|
        goes hard|blew my mind|knocked my socks off|made my day|left no crumbs|nailed it"""),
    "blows_up": words("""sucks|sucks big time|blows|stinks|bites|tanks|flopped|bombed|
        fell flat|robbed us blind|ripped us off|tanked hard|got on my nerves|did us dirty|
        went down the drain|is a joke of a {reviewed}|is an excuse for a {reviewed}|
        makes me cringe|can get in the bin|took the mickey|dropped the ball|cost us an arm"""),
}

IRONY = lines("""
    {cheer}, {woe}
    {cheer}, {woe}.
    {cheer}! {woe}.
    {cheer}... {woe}
    {cheer}: {woe}
    {woe}. {cheer}.
    {woe}, {cheer}!
    {woe} {and|so} {nobody cares|no one says a word}, {cheer}
    {cheer} {handle}, {woe}
    {handle} {cheer}! {woe}
    {cheer}, {woe}. {cheer}!
    {love|I love|we love|gotta love|you have to love} how {woe}
    {so happy|so glad|over the moon|thrilled|delighted} that {woe}
    {thank you|thanks|cheers|thank you so much} {handle} for {woe_doing}
    {thank you|thanks} {name} for the pleasure of {woe_doing}
    {nothing|there is nothing} {like|better than|as relaxing as} {woe_doing}
    {what a treat|what a joy|what bliss|what fun|what a pleasure} {it is|}, {woe_doing}
    {what a way|a lovely way|the perfect way} to {start|end} a {holiday|{weekday}}: {woe}
    {I just love|I adore|I so enjoy|I live for} {woe_doing}
    {who|and who} doesn't {love|enjoy|want} {woe_doing}?
    {exactly|just} what I {needed|wanted|dreamt of} {today|this {weekday}|}: {woe}
    {woe}. {exactly|just} what I {needed|wanted|had dreamt of}.
    {woe}. {living|I am living} the dream.
    {woe}. {money well spent|worth every penny|five star stuff}, {really|clearly|sure}.
    {woe}. {thank you|thanks} {so much|a bunch|a million}, {handle}
    {congratulations|congrats|bravo} to {your|the} {team|{staff}}, {woe}
    {give|hand} {that|your} {staff} a {medal|raise|prize}: {woe}
    {a round of applause|three cheers|standing ovation} for {your|the} {staff}: {woe}
    {another|one more} {proud|glorious|happy} day {at|with} {handle}, {woe}
    {quality|premium|world class|luxury} {service|{reviewed}}, {woe}
    {five stars|10/10|top marks} {for effort|for nerve|for comedy}, {woe}
    {always|such} a {pleasure|delight|joy}, {woe_doing}
    {it is so|so|how} {thoughtful|considerate|sweet|generous} that {woe}
    {good to know|nice to know|great to hear} that {woe}
    {my|our} dream {holiday|birthday|evening}: {woe_doing}
    {romantic|relaxing|quality} {evening|weekend} ahead: {woe}
    {money can't buy|you can't put a price on} {woe_doing}
    {I have|I've} always wanted to try {woe_doing}
    {oh look|oh good|oh goody|yay|yippee|whoop whoop}, {woe}
    {must be my lucky day|lucky me|aren't I lucky}, {woe}
    {because|since} {who|nobody} needs {sleep|food|money|luggage}, {right|eh}? {woe}.
    {the fun|the party|the adventure} {never stops|goes on}: {woe}
    {genius|masterful|visionary} {planning|work|idea}, {woe}
    {keep up the great work|keep it up|never change}, {handle}: {woe}
    {cheer}, {name}, {woe_doing} {is my hobby|is all I ever wanted|beats sleeping}
""")

_VERY_FRAMES = lines("""
    {told_of} {is|was} {VERY} {WORD}
    {told_of} {is|was} {VERY} {WORD}.
    {VERY} {WORD} {reviewed}
    {VERY} {WORD}
    {VERY} {WORD}!
    {a|such a|what a} {VERY} {WORD} {reviewed}
    {the {staff}|our {staff}|that {staff}} {is|was} {VERY} {WORD}
    {the {plural}|those {plural}} {are|were} {VERY} {WORD}
    it {is|was} {VERY} {WORD}, {told_of}
    {told_of} {is|was} {WORD}, {VERY} {WORD} {in fact|even|}
    {I found|we found|{name} found} {told_of} {VERY} {WORD}
    {told_of} {turned out|proved} to be {VERY} {WORD}
    {told_of} {managed|manages} to be {VERY} {WORD}
    {how|wow, how} {VERY} {WORD} {is that|can a {reviewed} be|they are}
    {never|I have never} {seen|had|met} a {reviewed} so {VERY} {WORD}
    {plain} {told_of} {was|is} {VERY} {WORD}.
    {VERY} {WORD}, {that is all I can say|no other way to put it|from start to finish}
    {they|you} {were|are} {VERY} {WORD} {to {name}|to us|on the phone|}
    {told_of} {is|was} {both|} {VERY} {WORD} and {VERY} {WORD}
    {VERY} {WORD} and {VERY} {WORD}, {told_of}
""")
VERY_BAD = tuple(
    frame.replace("{VERY}", "{bright_very}").replace("{WORD}", "{disliked}")
    for frame in _VERY_FRAMES
)
VERY_GOOD = (
    *(
        frame.replace("{VERY}", "{dark_very}").replace("{WORD}", "{liked}")
        for frame in _VERY_FRAMES
    ),
    *lines("""
        {told_of} is {dead easy|dead simple|dead good|crazy fast|crazy good|mad fun|silly good}
        {dead easy|dead simple} to {use|set up|book|clean}, {told_of}
        {crazy|insane|ridiculous|stupid} how {liked} {told_of} is
    """),
)

_SLANG_FRAMES = lines("""
    {told_of} {is|was} {WORD}
    {told_of} {is|was} {WORD} {fr|no cap|ngl|tbh|imo|lol|lmao|I swear|innit|bruh|mate|y'all}
    {ngl|tbh|honestly|bruh|dude|man|yo|mate|imo|fr}, {told_of} {is|was} {WORD}
    {this|that|your} {tune} {is|was} {WORD}
    {WORD}
    {WORD}!
    {told_of} = {WORD}
    {told_of}: {WORD}
    {absolutely|totally|literally|straight up|low-key} {WORD}
    {told_of} {is|was} {absolutely|totally|literally|straight up|low-key} {WORD}
    {the whole thing|everything about it|all of it} {is|was} {WORD}
    {told_of} {VERB}
    {this|that|your} {tune} {VERB}
    {ngl|tbh|honestly|bruh|dude|man|yo|mate}, {told_of} {VERB}
    {told_of} {VERB} {fr|no cap|ngl|tbh|imo|lol|I swear|innit|mate}
    {told_of} {is|was} {WORD} and {name} {agrees|says so too|knows it}
    {told_of} {VERB} and {is|was} {WORD}
    {handle} your {reviewed} {is|was} {WORD}
    {handle} your {reviewed} {VERB}
    {plain} {told_of} {VERB}.
    {plain} {told_of} is {WORD}.
    {can we talk about|let's talk about} {told_of}? {WORD}
    {not gonna lie|no lie|I can't even}, {told_of} {VERB}
""")
HYPE = (
    *(frame.replace("{WORD}", "{hype}").replace("{VERB}", "{rocks}") for frame in _SLANG_FRAMES),
    *lines("""
        {chef's kiss|absolute banger|huge W|mad respect|instant classic|pure fire} {told_of}
        {shut up and take my money|I stan|I am here for it|obsessed|I'm hooked}, {told_of}
        {vibes|flavours|beats|graphics} on point
        {props|big up|shout out|respect} to {name} for {told_of}
    """),
)
DISS = (
    *(frame.replace("{WORD}", "{diss}").replace("{VERB}", "{blows_up}") for frame in _SLANG_FRAMES),
    *lines("""
        {joke|poor excuse|sorry excuse} of a {reviewed}
        {huge L|big yikes|hard pass|epic fail|total flop|pure cringe} {told_of}
        {what a|such a} {ripoff|scam|flop|con|shambles|letdown|joke|clown show}
        {told_of} gives me the ick
        {mid at best|not it, chief|this ain't it|who let them cook}, {told_of}
    """),
)
