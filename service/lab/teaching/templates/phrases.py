"""Lessons of short cues: answers to questions, ratings, emoji, slang, clauses after "but".

Exists because a yes, a number of stars or a face decides what the words next to it mean. Values
only. No sentence of a measurement may be here.
"""

from __future__ import annotations

from service.lab.teaching.templates.words import lines, words

WORDS: dict[str, tuple[str, ...]] = {
    "asked_good": lines("""
        {would I|will I|would we} {fly with them|order here|stay here|come here|buy it|eat here}
            again?
        {do|would} I recommend {it|them|the {reviewed}|this {provider}}?
        {was|is} {it|the {reviewed}|the price|the trip} worth {it|the money|the wait|{money}}?
        {am I|are we} {happy|satisfied|pleased} with {it|the {reviewed}|my new {thing}}?
        {did|do} {I|we} {like|enjoy|love} {it|the {reviewed}|the {dish}}?
        {is|was} the {reviewed} any good?
        {does|did} it {work|help|deliver|do the job}?
        {did|do} I get {what I paid for|my money's worth}?
        was the {staff} {friendly|helpful|kind}?
        {can|could} you {trust|rely on} {them|this {provider}|the {reviewed}}?
    """),
    "asked_bad": lines("""
        {is|was} {it|the {reviewed}|this {work}} {boring|a waste of time|too expensive|as bad as
            they say}?
        {do|did} I {regret|hate|dislike} {it|buying it|the {reviewed}|a minute of it}?
        {any|were there any} {complaints|problems|bad surprises}?
        {was the {staff}|were they} {rude|slow|unfriendly}?
        {did|does} it {break|disappoint|crash|let me down}?
        {am|was} I {disappointed|annoyed|bored}?
    """),
    "yes": words("""yes|yes, absolutely|yes!|definitely|of course|absolutely|without a doubt|
        oh yes|for sure|hell yes|totally|yep|very much so|indeed|yes, every bit"""),
    "no": words("""no|no!|not really|never|not at all|definitely not|hardly|no way|nope|
        absolutely not|sadly no|I am afraid not|of course not|not in the least|not one bit"""),
    "one_star": words("""1 star|one star|1 of 5 stars|1 out of 5|0 stars|zero stars|two stars|2
        stars|
        1/5|2/5|0/10|1/10|3/10|4/10|1.5/5|★☆☆☆☆|★★☆☆☆|★|⭐|1*|30/100|20%|rated 1 out of 10|
        rated 1 out of 5|rated 2 out of 5|rated 3 out of 10|rated 4 out of 10|rated 0 out of 10|
        rated 10 out of 100|rated 35 out of 100|rated 1 out of 6|rated 1.5 out of 5"""),
    "three_stars": words("""3 stars|three stars|3/5|5/10|6/10|rated 3 out of 5|rated 5 out of 10|
        rated 6 out of 10|50/100|rated 55 out of 100|★★★☆☆|3 of 5|rated 3 out of 6|2.5/5|
        rated 2.5 out of 5"""),
    "five_stars": words("""5 stars|five stars|5/5|4/5|4 stars|four stars|8/10|9/10|10/10|
        5 out of 5|★★★★★|★★★★☆|⭐⭐⭐⭐⭐|⭐⭐⭐⭐|rated 5 out of 5|
        rated 4 out of 5|rated 8 out of 10|
        rated 9 out of 10|rated 10 out of 10|95/100|4.5/5|rated 4.5 out of 5|rated 90 out of 100|
        rated 6 out of 6|rated 9.5 out of 10"""),
    "so_very": words("""amazingly|incredibly|insanely|wonderfully|fantastically|unbelievably|
        remarkably|impressively|beautifully|perfectly|exceptionally|brilliantly|extremely|super"""),
    "nasty": words("""rude|useless|slow|boring|dirty|noisy|ugly|stupid|lazy|bad|expensive|dull|
        bland|unfriendly|greedy|careless|clumsy|stale|flimsy|incompetent|shady|arrogant|buggy"""),
    "oddly": words("awfully|terribly|insanely|ridiculously|crazy|wickedly|scarily|damn|stupidly"),
    "nice": words("nice|good|kind|clever|tasty|helpful|beautiful|funny|fast|comfortable|cute|easy"),
    "swear": words("fucking|bloody|freaking|damn|goddamn|effing|f***ing|frigging"),
    "tune": words("song|track|beat|album|bass line|riff|solo|video|trick|goal|move|jacket|bike"),
    "praise_slang": words("""sick|a banger|fire|lit|dope|killer|wicked|insane|the bomb|a blast|
        the shit|badass|goated|off the hook|out of this world|mad good|slaps|to die
            for|epic|rad"""),
    "sick_one": words(
        """passenger|child|dog|cat|horse|colleague|teacher|patient|guest|neighbour|worker|cow"""
    ),
    "bad_slang": words("""sucks|blows|stinks|is trash|is garbage|is a ripoff|is a scam|
        is lame|is a dumpster fire|is a train wreck|is cringe|is mid at best|is bullshit|is hot
            garbage|
        is a pain in the neck|is a joke|is crap|is a total flop|is a dud|is creepy as hell"""),
}

ANSWER_NO = lines("""
    {asked_good} {no}.
    {asked_good} {no}. {bad_fact}.
    {asked_bad} {yes}.
    {asked_bad} {yes}. {bad_fact}.
    {plain} {asked_good} {no}.
""")
ANSWER_YES = lines("""
    {asked_good} {yes}.
    {asked_good} {yes}. {good_fact}.
    {asked_bad} {no}.
    {asked_bad} {no}. {good_fact}.
    {plain} {asked_good} {yes}.
""")
ANSWER_PLAIN = lines("""
    {asked_good}
    {is|was} the {meeting} on {weekday}? {yes|no|yep|nope}{.|, at {hour}.|, on {weekday}.}
    {do you|did you|does {name}|did {name}} {live in {city}|take the bus|have a {thing}}?
        {yes|no|not yet|no, in {city}}.
    {have you|has {name}} {seen the {work}|been to {city}|called {name}}? {yes|no|not yet|yes,
        {ago}}.
""")

RATED_LOW = lines("""
    {one_star}
    {one_star}.
    {one_star}. {plain}
    {plain} {one_star}
    {plain} {one_star}.
    {one_star} {for|from me for} {the|this|your} {reviewed}
    {I give|I'd give|giving} {it|this|the {reviewed}} {one_star}
    {one_star}{, sorry|, never again|, no more|: {bad_fact}| because {bad_fact}}
    {rated|my rating|my vote}: {one_star}
    {reviewed}: {one_star}
    {I'd|I would} give {zero|minus|no} stars if I could
    {I would give|my score is} a 2/10
""")
RATED_MIDDLE = lines("""
    {three_stars}
    {three_stars}.
    {three_stars}. {plain}
    {plain} {three_stars}
    {three_stars} {for|from me for} {the|this|your} {reviewed}
    {I give|I'd give|giving} {it|this|the {reviewed}} {three_stars}
    {rated|my rating|my vote}: {three_stars}
    {reviewed}: {three_stars}
""")
RATED_HIGH = lines("""
    {five_stars}
    {five_stars}.
    {five_stars}. {plain}
    {plain} {five_stars}
    {plain} {five_stars}.
    {five_stars} {for|from me for} {the|this|your} {reviewed}
    {I give|I'd give|giving} {it|this|the {reviewed}} {five_stars}
    {five_stars}{, again|, thanks|, any time|: {good_fact}| because {good_fact}}
    {rated|my rating|my vote}: {five_stars}
    {reviewed}: {five_stars}
""")

FACE_BAD = lines("""
    {emoji_bad}
    {emoji_bad}{emoji_bad}
    {plain} {emoji_bad}
    {emoji_bad} {plain}
    {plain} {emoji_bad} {emoji_bad}
    {handle} {plain} {emoji_bad}
    the {reviewed} {emoji_bad}
    {bad_fact} {emoji_bad}
""")
FACE_GOOD = lines("""
    {emoji_good}
    {emoji_good}{emoji_good}
    {plain} {emoji_good}
    {emoji_good} {plain}
    {plain} {emoji_good} {emoji_good}
    {handle} {plain} {emoji_good}
    the {reviewed} {emoji_good}
    {good_fact} {emoji_good}
""")
FACE_PLAIN = lines("""
    {emoji_plain} {plain}
    {plain} {emoji_plain}
    {emoji_plain} {weekday} {hour} {emoji_plain} {venue}
    {emoji_plain} {city} {emoji_plain} {address}
    {emoji_plain} {asked}?
""")

SLANG_BAD = lines("""
    {this|the|your} {reviewed} {bad_slang}
    {this|the|your} {reviewed} is {so_very} {nasty}
    {such|what} {so_very} {nasty} {plural}
    the {staff} {is|was} {so_very} {nasty}
    {so_very} {nasty} {reviewed}{.|, avoid|}
    {this|the} {reviewed} is {swear} {terrible|awful|useless|ridiculous|horrible|slow}
    {wtf|what the hell|omg|ffs|smh}, {bad_fact}
    {the driver|that waiter|this guy at the desk} was {creepy|a creep|so creepy|weird and creepy}
    {I am|I'm} {sick|sick and tired|so tired} of {this {reviewed}|your {mishap}s|waiting for an
        answer}
    {this|that} {dish} made me sick
""")
SLANG_GOOD = lines("""
    {this|that|the} {tune} {is|was} {praise_slang}
    {this|that|the} {new|} {tune} {is|was} {so|} {sick|dope|lit|wicked|fire|badass|insane}
    {sick|killer|wicked|dope|insane|mad|crazy good|banging|epic} {tune}{!|, love it|}
    {oddly} {nice} {reviewed}
    {the|this|your} {reviewed} is {oddly} {nice}
    {the|this|your} {reviewed} is {so_very} {nice}
    {this|the} {reviewed} is {swear}
        {brilliant|amazing|great|beautiful|awesome|delicious|incredible}
    {holy shit|damn|wow|omg|holy crap|hell yeah}, {good_fact}
    {holy shit|damn|omg|hell yeah}, {this|the} {reviewed} is {good}
    {nailed it|killed it|crushed it|smashed it}{, what a {tune}|, {name}!|}
    {love|loving} {the hell out of|the crap out of} this {reviewed}
""")
SLANG_PLAIN = lines("""
    {the|a} sick {sick_one} {was taken home|stayed in {city}|was seen by a doctor|rests until
        {weekday}}
    {name} {is|was|called in} sick {on {weekday}|today|since {ago}|}
    the {killer whale|bomb squad|fire brigade|fire drill} {was in {city}|came at {hour}|is on
        {weekday}}
    {killer whales|wild horses|fires} {are|were} the topic of the {meeting} in {city}
    the {shelter|patient|insurance|sick pay} form {has {few} pages|is at {venue}}
    {the crime novel|the report} is about {a killer in {city}|a fire in {city}|a bomb of 1944}
""")

BUT_BAD = lines("""
    the {reviewed} {is|was} {good}, but {bad_end}
    {praise} {but|however,|yet} {bad_end}.
    {good_fact}, but {bad_end}.
    {although|though|even though|while} {good_fact}, {bad_end}.
    {nice|great|lovely|good} {reviewed}, {shame about|pity about|too bad about|ruined by} the
        {reviewed}
    {nice try|good idea|good intentions}, but {bad_end}
    {I wanted to love it|I had high hopes|it looked promising|it started well}, but {bad_end}
    {the {staff} was polite|they apologised|they said sorry|they promised a lot}, but {bad_end}
""")
BUT_GOOD = lines("""
    the {reviewed} {is|was} {bad}, but {good_end}
    {bad_fact}, but {good_end}.
    {although|though|even though|while} {bad_fact}, {good_end}.
    {slow|late|expensive|long|noisy} {delivery|start|trip|queue}, but {good_end}
    {not cheap|a bit pricey|a bit small|hard to find|it took a while|a rough start}, but {good_end}
    {I had my doubts|I was sceptical|I did not expect much|my hopes were low}, but {good_end}
""")
LONG_BAD = lines("""
    {mixed_praise} {mixed_praise} {bad_turn}
    {mixed_praise} {mixed_praise} {mixed_praise} {bad_turn}
    {mixed_praise} {mixed_praise} {mixed_praise} {mixed_praise} {mixed_praise} {bad_turn}
    {mixed_grumble} {mixed_grumble} {plain}
""")
LONG_GOOD = lines("""
    {mixed_grumble} {mixed_grumble} {good_turn}
    {mixed_grumble} {mixed_grumble} {good_turn}
    {mixed_grumble} {mixed_grumble} {mixed_grumble} {mixed_grumble} {good_turn}
    {mixed_praise} {mixed_praise} {mixed_praise} {plain}
""")
LONG_PLAIN = lines("""
    {plain} {plain} {plain} {plain} {could|can} you tell me {asked}?
    {plain} {desire}. {plain} {please|pls} let me know {asked}.
    {plain} {plain} {plain} {plain} {plain} {plain}
    dear {name}, {plain} {plain} {desire}. {plain}
""")
