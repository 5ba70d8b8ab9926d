"""Lessons of negation: a bad or good word is negated, next to it or many words before it.

Exists because a model that counts words takes "nobody can call it rude" for blame. Values only. No
sentence of a measurement may be here.
"""

from __future__ import annotations

from service.lab.teaching.templates.words import lines, words

WORDS: dict[str, tuple[str, ...]] = {
    "fine": words("""great|lovely|reliable|tasty|well made|friendly|helpful|good|excellent|
        wonderful|impressive|enjoyable|comfortable|clean|fresh|quick|efficient|polite|kind|
        attentive|professional|charming|cosy|delicious|fun|exciting|gripping|funny|clever|
        inspiring|touching|beautiful|elegant|stylish|sturdy|solid|durable|easy to use|intuitive|
        smooth|fast|punctual|fair|honest|generous|welcoming|warm|cheerful|caring|thoughtful|
        brilliant|superb|pleasant|delightful|amazing|fantastic|outstanding|memorable|refreshing|
        satisfying|relaxing|well designed|well organised|fairly priced|competent|trustworthy"""),
    "foul": words("""awful|disappointing|rude|buggy|overpriced|dirty|terrible|horrible|bad|
        dreadful|useless|unreliable|bland|tasteless|badly made|unfriendly|unhelpful|boring|dull|
        slow|sloppy|careless|arrogant|noisy|smelly|filthy|cramped|ugly|flimsy|cheap-looking|
        confusing|clumsy|frustrating|annoying|infuriating|stressful|painful|shoddy|stale|greasy|
        cold-hearted|dishonest|greedy|hostile|impolite|incompetent|lazy|unfair|unprofessional|
        miserable|depressing|pointless|pathetic|lousy|rotten|nasty|tedious|shabby|tacky|
        unpleasant|uncomfortable|chaotic|unbearable|second-rate|badly organised"""),
    "told_of": words("""the {reviewed}|the {reviewed}|this {reviewed}|our {reviewed}|the {staff}|
        that {reviewed}|{name}'s {reviewed}"""),
    "none": words("""nobody|no one|none of us|none of my friends|not one of us|no one I know|
        not a single guest|no one in our group|nobody in the family|none of the {few} of us"""),
    "not_once": words(
        "at no point|never once|not once|not for a moment|at no time|not for a second"
    ),
    "far_aside": words("""|, all things told,|, even after {few} visits,|, and I have tried often,|
        (and {name} agrees)|, having been there {few} times since {month},|, to be fair to them,|
        , whatever the adverts may say,|, with the best will in the world,|, hand on heart,|
        (we went {ago}, {few} of us)|, after {wait} and a long talk with {name},|, looking back,|
        , in all the {few} years I have known it,|, not even on a quiet {weekday} in {month},|"""),
    "who_knows": words("""|who has been there more than once|who has used it for {few} weeks|
        I have spoken to|I know in {city}|among my colleagues|who paid {money} for it|
        of the {few} people who came along|, young or old,|who went with {name} {ago}"""),
}

# A bad word denied by one who praises.
PRAISED = lines("""
    {none} {can|could} call {told_of} {foul}
    {none} {who_knows} {would|could} {ever|} call {told_of} {foul}, {it is {fine}|and rightly so}
    there is {nothing|not one thing} {foul} about {told_of}
    {not_once} was {told_of} {foul}
    {told_of} has never {let me down|let us down|failed me|disappointed us} {{since}|}
    {told_of} never {lets me down|lets you down|fails|disappoints}
    I would be lying if I {said|claimed} {told_of} {was|is} {foul}
    {told_of} is {far from|a long way from|miles away from} {foul}
    {hardly|scarcely} {a disappointment|a letdown|a waste of money}, {told_of}
    I {fail to|cannot|can't} see what {is|could be} wrong with {told_of}
    {told_of} {is|was} anything but {foul}
    none of us had a bad {dish}
    {not one|not a single one} of the {few} {dish}s we had was {bad|poor|cold}
    {none} {had|has} a {bad|single bad} word to say {about|against} {told_of}
    you would be wrong to call {told_of} {foul}
    {it is hard|it would be hard|I find it hard} to {find fault with|fault|say anything against}
        {told_of}
    {there is no way|in no way} {you could call|could I call} {told_of} {foul}
    how anyone {can|could} {call|find} {told_of} {foul} is {beyond me|a mystery to me}
    whoever {calls|called} {told_of} {foul} {has not been there|is wrong|must be joking}
    no reason to complain {far_aside} of {told_of}
    {nothing|there was nothing} to {moan|grumble} {about|over}, {told_of} {is|was}
        {fine}
    I have yet to {have a bad|find a bad|see a poor} {reviewed} {here|from them|with them}
    I {looked|searched} for {faults|something to criticise|a flaw} and found none
    not a {trace|hint|sign} of anything {foul}
    {told_of}, {foul}? {not in my book|I don't see it|far from it}
    I {will not|won't} hear a bad word {about|against} {told_of}
    {not_once} did {told_of} {disappoint|let us down|fail us|annoy us}
    {without|not} {a|a single} {hitch|fault|complaint|glitch}, {told_of}
    {I have had|we had} no {trouble|problems|bad surprises} {whatsoever|at all} with {told_of}
    {told_of} {was|is} {neither|not} {foul} {nor|or} {foul}, {it was {fine}|just {fine}}
    {told_of} {was|is} not {foul} {but|, it was} {fine}
    {nobody|no one} {left|went home} {hungry|unhappy|disappointed}
    {never|I have never} had to {complain|wait|call twice|send anything back} {since}
    it is no {rubbish|cheap toy|scam}, {it is|it's} {fine}
    {I do not|I don't} have {anything bad|a bad word} to say {about it|about {told_of}}
    {you cannot|you can't|you can not} go wrong with {told_of}
    {I could not|I couldn't} ask for a {better|nicer} {reviewed}
    {I am|we were} {not|not in the least|in no way} {disappointed|let down}, {far from it|not one
        bit|we will be back}
    if {told_of} is {foul}, {then I want more of it|I am the queen|then nothing is {fine}}
    {nothing|nothing at all} {foul} {here|to be seen|to report}, {just a {fine} {reviewed}|all
        {fine}}
    it {would|does} not {cross my mind|occur to me} to call {told_of} {foul}, {it is {fine}|I love
        it}
""")

# A bad word denied, and no more than that.
DENIED_ONLY = lines("""
    it {was|is} not {foul}
    it {was|is} not {foul}, {that is all I can say|but not {fine} either|just average|no more}
    I would not say it {was|is} {foul}
    I would not say {told_of} {was|is} {foul}, {nor {fine}|but not {fine} either|it was okay}
    {told_of} {was|is} not {foul}
    {told_of} {was|is} not {exactly|really|particularly|all that} {foul}
    I {do not|did not} find {told_of} {foul}
    I {do not|did not} think {told_of} {is|was} {foul}
    {told_of} {was|is} {neither {foul} nor {fine}|neither {fine} nor {foul}}
    {told_of}: not {foul}, not {fine}
    {told_of} {was|is} not {fine} {and|but|, yet} not {foul} {either|}
    I {cannot|would not} call it {foul}, I {cannot|would not} call it {fine} {either|}
    I {am not saying|never said|did not say} {told_of} {is|was} {foul}
    who said {told_of} {is|was} {foul}? {I did not|it was not me|not me}
    {I have heard|I have seen|we have had} {worse|worse, and better}
    somewhere between {fine} and {foul}, {I guess|like most}
    {told_of} {is|was} no {worse|worse and no better} than {others|the last one|any other}
    {some|a few} {call|find} {told_of} {foul}, {others|some} {do not|don't|find it {fine}}
    {it is|it was} not the worst {reviewed}, {not the best either|nor the best|just an average one}
    {none} {who_knows} called {told_of} {foul} or {fine}
    {I do not|I don't} know {whether|if} {told_of} is {foul} or {fine}
    {I would not|I wouldn't} go so far as to call {told_of} {foul}
""")

# A good word denied, near or far.
UNPRAISED = lines("""
    I {would|could} not {far_aside} call {told_of} {fine}
    {none} {who_knows} {thinks|believes|would say} {told_of} {is|was} {fine}
    {hardly|scarcely|barely} {fine}
    {told_of} {is|was} {hardly|scarcely|barely} {fine}
    {told_of} {is|was} {far from|a long way from|nowhere near|miles away from} {fine}
    {told_of} {is|was} {far_aside} anything but {fine}
    I have yet to {see|find|have} {a {good_one}|one {good_one}} {reviewed} {here|from them}
    {not_once} {were they|was the {staff}|was anybody} {fine}
    {told_of} {is|was} neither {fine} nor {fine}
    {told_of} {is|was} {far_aside} not {what I would call|what anyone would call} {fine}
    {told_of} {is|was} not {fine}
    {told_of} {is|was} not {very|really|particularly|exactly|at all} {fine}
    {told_of} {is|was} not {far_aside} {fine}
    {I do not|I don't} {think|believe|feel} {far_aside} that {told_of} {is|was} {fine}
    {none} {who_knows} {had|has} a {good|kind} word {for|to say about} {told_of}
    there is {nothing|not one thing} {fine} {far_aside} about {told_of}
    you would be {wrong|lying} to call {told_of} {fine}
    I would be lying if I {said|claimed} {far_aside} that {told_of} {was|is} {fine}
    I {fail to|cannot|can't} see {far_aside} what is supposed to be {fine} about {told_of}
    how anyone {can|could} {call|find} {told_of} {fine} is {beyond me|a mystery to me}
    whoever {calls|called} {told_of} {fine} {has not been there|was paid to|must be joking}
    it {would|does} not {cross my mind|occur to me} to {call {told_of} {fine}|recommend {told_of}}
    {in no way|by no stretch} {could I|can one} {far_aside} call {told_of} {fine}
    {I cannot|I can't|I could not} {far_aside} {recommend|praise} {told_of}
    {I cannot|I can't} bring myself to {like|recommend|enjoy} {told_of}
    {I looked|we looked} for {something|anything} {fine} and found {nothing|none}
    not a {trace|hint|sign} of anything {fine}
    {told_of}, {fine}? {not in my book|I don't see it|far from it}
    {told_of} {did not|does not} {strike me|impress me|come across} {far_aside} as {fine}
    it {never|did not} {far_aside} {felt|seemed|became} {fine}
    {not_once} {far_aside} did I {enjoy|like|want more of} {told_of}
    few {people|guests|of us} {would|could} call {told_of} {fine}
    {little|not much|very little} about {told_of} {is|was} {fine}
    {lacks|lacking} {everything|all} that {makes|would make} a {reviewed} {fine}
    {none of it|not one part of it|no part of {told_of}} {was|is} {far_aside} {fine}
    {if only|I wish} {told_of} {were|had been} {fine}
    {told_of} {could not|couldn't} have been less {fine}
    {told_of} {is|was} {about as|as} {fine} as {a tooth pulled|wet socks|a parking fine}
    {told_of} {is|was} too {foul} to be {called|} {fine}
    {less|a lot less|much less} {fine} than {promised|in the photos|any other I know|they claim}
    {told_of} {stopped|ceased} being {fine} {ago}
    {I doubt|I very much doubt} {far_aside} that {anyone|anybody} {finds|found} {told_of} {fine}
    {they|you} {did not|didn't} {manage|even try} {far_aside} to be {fine}
    {without|there was not} {a single|one} {fine} {moment|detail|minute} in it
    {it takes|takes} more than {a logo|a slogan|nice photos} to make {told_of} {fine}
""")
