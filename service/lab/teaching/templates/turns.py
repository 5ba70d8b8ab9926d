"""Lessons of contrast: negation, before and now, answers to questions, clauses after "but".

Exists because the words around a word of opinion can reverse it. Values only. No sentence of a
measurement may be here.
"""

from __future__ import annotations

from service.lab.teaching.templates.words import lines, words

WORDS: dict[str, tuple[str, ...]] = {
    "expect": words("""thought|expected|was told|was sure|believed|figured|assumed|had hoped|
        had the feeling|imagined"""),
    "better": words("""great|brilliant|excellent|wonderful|easy|fun|amazing|helpful|worth it|
        fantastic|exciting|good value|pleasant|special|a bargain|good|top quality"""),
    "worse": words("""terrible|boring|a disaster|horrible|useless|dull|dreadful|a scam|painful|
        cheap and nasty|rubbish|a mess|a nightmare|annoying|bad|awful|a letdown"""),
    "by_the_way": words("""by any stretch|in my opinion|to be honest|I must say|as far as I can see|
        even on a generous day|in any way|considering that {plain_reason}|given that {plain_reason}|
        all things considered|if you ask me|sadly|I fear"""),
    "plain_reason": words("""we flew from {city} to {city}|I have used it since {month}|
        it is a {weekday}|I am from {city}|we were {few} people|it is made in {city}|
        {name} told me about it|I was in {city}|I paid {money}|I read the manual"""),
    "dread": words("""thought|expected|was told|was sure|believed|feared|assumed|figured|
        was afraid|had the feeling|worried|imagined"""),
    "once": words("used to be|was once|had always been"),
    "good_end": words("""the {staff} saved the day|the {dish} made up for it|I love it|
        it was worth it|the result is {good}|I would do it again|the {thing} itself is {good}|
        the {work} is {good}|we had a wonderful time|it works perfectly now|I am very happy|
        they made it right and I am delighted|the {stay} was {good}|I am more than satisfied"""),
    "bad_end": words("""the {staff} ruined it|the {staff} ruined the whole stay|I will not return|
        I hate it|it was not worth it|the ending is {bad}|it broke after {few} days|
        I want my money back|the {dish} made us sick|we left disappointed|the {stay} was filthy|
        it never worked|I regret buying it|{bad_fact}|the {service_noun} is {bad}|never again"""),
    "bad_turn": lines("""
        {But|However,|Then|And then|In the end,|On the last night,} {we found cockroaches|I got
            food poisoning}, never again.
        {But|However,|And yet|Still,|Unfortunately} {bad_fact}. {I will not return|Never
            again|Avoid|I want a refund}.
        {Then|But then|However,} they {charged me {money} more|lied about the price}. {Stay away|I
            regret it all}.
        {But|Still,|And yet} {it broke on day {few}|the {staff} threw us out}. {The worst|A
            disgrace|Never again}.
        {But|Yet} mice {ran over the bed|were in the kitchen}. {Disgusting|I would not go there if
            it were free}.
    """),
    "good_turn": lines("""
        {But|However,|Then|In the end,} {name} {called and fixed it all|sorted everything}, and I
            am {so happy|thrilled} now.
        {But|Still,|And yet} they {made it right|refunded every cent|replaced it at once}.
            {Brilliant|Great service|Thank you so much}!
        {But|However,} {today it was all solved|they went out of their way to help}, and {I love
            it|I could not be happier}.
        {Then|But then} the {staff} {gave us a free upgrade|drove to our door}. {I am
            delighted|What a service|Wonderful people}!
    """),
    "grumble": lines("""
        {bad_fact}.
        The {reviewed} was {bad}.
        The {staff} was {rude|unhelpful|careless|slow}.
        I {hated|could not stand|was angry about} the {reviewed}.
        {bad_fact}. {plea}.
    """),
    "mixed_praise": lines("""
        {praise} {praise}
        {praise} {plain}
        {praise} {praise} {praise}
    """),
    "mixed_grumble": lines("""
        {grumble} {grumble}
        {grumble} {plain}
        {grumble} {grumble} {grumble}
    """),
}

NOT_GOOD = lines("""
    I {expect} I would {like|enjoy|love} {it|the {reviewed}}, but I {did not|didn't|don't|do not}
    {it|the {reviewed}} {was|is} not as {good|nice|fun|easy|quick} as I {hoped|thought|was
        told|expected}
    I {can't|cannot|would not|wouldn't} say, {by_the_way}, that the {reviewed} {is|was} {better}
    I {can't|cannot} say {that|} {I liked it|I enjoyed the {reviewed}|it was {better}|the
        {reviewed} is {better}}
    I don't think, {by_the_way}, that this is a {good_one} {reviewed}
    {people|my friends|the critics|some} {say|think} {it|the {reviewed}} is {better}, {I think|I
        find} it is {worse}
    {heard|I had heard|was told} {it|the {reviewed}} was {better}{. it was not|; it isn't|, sadly
        it was not}
    {it is|it's} not that the {reviewed} is {bad|cheap}, {it never works|it is {worse}}
    the {reviewed} {is|was} not {good|great|worth it|worth the money|what I hoped
        for|helpful|special|fun}
    {not|it's not|this is not} {worth it|worth the price|good enough|acceptable|funny|okay|great}
    {not|no}{,| -} {by_the_way}{,| -} a {good_one} {reviewed}
    the {reviewed} {is|was} not, {by_the_way}, {better}
    I {do not|don't|can't|cannot|wouldn't|would not} {think|say|believe} {this|that|it} is a
        {good_one} {reviewed}
    I {do not|don't|did not|didn't} {like|enjoy|love|recommend|trust} {this|the|that|your}
        {reviewed}
    {nobody|no one|none of us} {liked|enjoyed|could recommend|was happy with} the {reviewed}
    {never again|never ever again|not again}{, the {reviewed} is {bad}|, {bad_fact}|.|!}
    {hardly|barely|far from|anything but|nowhere near} {better}{, the {reviewed}|, I am afraid|.}
    there is nothing {good|great|nice|special|clever|funny} about {this|the} {reviewed}
    {neither|it was neither} {better} nor {better}
    I {expect} it {would be|was going to be} {better}, {but no|it turned out {worse}|sadly not}
    I {expect} the {reviewed} {would be|was going to be} {better}, {but it was not|but it wasn't|it
        isn't}
    {we were|I was} told {it|the {reviewed}} was {better}{, it is not|. it isn't|, well, it was not}
    {supposed|it is supposed} to be {better}, {but it isn't|it is not|and it is anything but}
    the {reviewed} {could have been|might have been|should have been} {better}, but it {was
        not|wasn't|isn't}
    I {wanted|tried|so wanted} to like the {reviewed}, {but I could not|and I can't|I don't}
    the {reviewed} {lacks|fails to|does not} {offer anything|have any charm|deliver what they
        promise}
    {does not|doesn't|won't|will not} {work|help|fit|last|do the job} {as promised|at all|anymore}
    the {staff} was not {friendly|helpful|polite|interested} {at all|in the least|}
    {not|nothing} like the {picture|description|advert}, {not|hardly} {better}
    {no one|nobody} should {pay for this|have to wait {wait}|eat this {dish}|stay in this {stay}}
    {not once|never} {was the {staff}|were they} {helpful|friendly|on time}
    {I'd|I would} {not|never} {buy|book|order|use} {it|this {reviewed}} again
    {isn't|is not} this {reviewed} {terrible|awful|dreadful|a shame}?
""")

NOT_BAD = lines("""
    I {dread} I would {hate|dislike|regret} {it|the {reviewed}}, but I {did not|didn't|don't|do
        not}{ at all|}
    {it|the {reviewed}} {was|is} not as {bad|hard|slow|boring} as I {feared|thought|was
        told|expected}{, I like it|}
    {people|my friends|the critics|some} {say|think} {it|the {reviewed}} is {worse}, {I think|I
        find} it is {better}
    {heard|I had heard|was told} {it|the {reviewed}} was {worse}{. it was not|; it isn't|, but it
        was not}
    I {dread} {it|this|the {reviewed}} {would be|was going to be} {worse}, {but it wasn't|but it
        was not|it isn't at all}
    {we were|I was} told {it|the {reviewed}} was {worse}{, it is not|. it isn't, I love it|, but
        not at all}
    {supposed|it is supposed} to be {worse}, {but it isn't|but I had a great time|and it is
        {better}}
    {people|they|friends} said the {reviewed} is {worse}, {they were wrong|I loved it|but it is
        {better}}
    I {do not|don't} {see|understand} why {people call it|it is called} {worse}, {I like it a
        lot|it is
        {better}}
    {I was|we were} {ready|prepared} for {something {worse}|the worst}, {and it was {better}|but it
        was lovely}
    {who said|who says} {it|the {reviewed}} is {worse}? {I love it|It is {better}|not for me, it is
        {better}}
    {not|never} {boring|dull|slow|ugly}{, not for a second|, always a joy|: a {good_one} {reviewed}}
    the {reviewed} {is|was} not {only|just} {better}, it is also {better}
    I {could not|couldn't|can't|cannot} {be happier with the|wish for a better} {reviewed}
    {never|I have never} {seen|had|read|eaten|heard} {anything so {better}|a more {good_one}
        {reviewed}}
""")

NOT_AWFUL = lines("""
    {this|that|it} {is|was} not {a|such a} {terrible|horrible|dreadful|lousy|rotten|miserable}
        {reviewed}
    I {do not|don't|did not|didn't} {hate|dislike|regret|mind} {this|the|that} {reviewed}
    I {can't|cannot|would not} say {that|} {this|it|the {reviewed}} {is|was}
        {terrible|awful|horrible|dreadful}
    I {do not|don't} think {this|that|it} {is|was} a {terrible|horrible|dreadful|lousy} {reviewed}
    {nobody|none of us|no one} {hated|disliked} the {reviewed}{, nobody loved it|.|}
    the {reviewed} {is|was} not {terrible|awful|horrible|dreadful|the worst}{, just average|, not
        great|.|}
    it {wasn't|was not|isn't|is not} {terrible|awful|horrible|a disaster|that bad|the end of the
        world}{.|}
    {could|might} {be|have been} {worse|a lot worse}{.|, I guess|, I suppose|}
    {neither good nor bad|so so|so-so|meh|average|nothing special, nothing bad|middling|it is what
        it is}
    the {reviewed} {is|was} {average|neither good nor bad|so-so|as expected|okay, nothing more|ok I
        guess}
    not {great|wonderful|bad}, not {terrible|awful|good} either{.|, just a {reviewed}|, somewhere
        in between}
    {some like the {reviewed}, some do not|I have no strong feelings about the {reviewed}}
    {it is|it's} {just a|a} {reviewed}{.|, like any other|, nothing more}
    {the {reviewed} does the job|it does what it does|it works, that is all}
    I {neither like nor dislike|don't love or hate|do not mind} {it|the {reviewed}|this {reviewed}}
""")

NOW_GOOD = lines("""
    I {used to {hate|dislike|avoid|mock}|once {hated|disliked|avoided|laughed at}} {it|the
        {reviewed}|this {reviewed}},
        {but|and} now I {love|enjoy|adore} it
    {it|the {reviewed}|this {provider}} {once} {worse}, {but|and} {now|today|these days} it is
        {better}
    {last year|in {month}|{few} years ago} I {hated|disliked|gave up on} it, {now I love it|today I
        am a fan}
    {so much better|much better|way better|far better} than {before|last time|the old one|it used
        to be}
    I {was wrong|take it back|have changed my mind}, the {reviewed} is {better}
    {from {worse} to {better}|what was {worse} is {better} now}{, well done|, great change|}
    I no longer {hate|mind|dread} {it|the {reviewed}}, {it is {better}|I like it now|quite the
        opposite}
""")

NOW_BAD = lines("""
    I {used to {love|like|enjoy|recommend}|once {loved|liked|adored|praised}} {it|the
        {reviewed}|this {reviewed}},
        {but|and} now I {hate it|can't stand it|avoid it}
    {it|the {reviewed}|this {provider}} {once} {better}, {but|and} {now|today|these days|lately} it
        is {worse}
    {last year|in {month}|{few} years ago} I {loved|liked|praised} it, {now I hate it|today I
        regret it}
    {so much worse|much worse|way worse|far worse} than {before|last time|the old one|it used to be}
    I {was wrong|take it back|have changed my mind}, the {reviewed} is {worse}
    {from {better} to {worse}|what was {better} is {worse} now}{, shame|, why?|}
    I no longer {like|love|enjoy|trust|recommend} {it|the {reviewed}|this {provider}}
    {miss the days when|I miss the time when|remember when} {it|the {reviewed}|this {provider}} was
        {better}
    {going|went|gone} downhill{, it was {better} once|, the {reviewed}| {since}}
""")

NOW_PLAIN = lines("""
    the {{eatery}|office|shop|{stay}} used to be {in {city}|near the station}, now it is {in
        {city}|by the river}
    I used to {live in {city}|work on {weekday}s|read {few} pages a day|take the bus}, now I {live
        in {city}|go by train}
    it {used to cost|was} {money} {last year|in {month}}, now it {costs|is} {money}
    {name} {used to|did once} {play the guitar|drive a bus|live in {city}|teach maths}
    {before|until} {month} it was called something else, now {it has a new name|the old name is
        back}
""")
