"""Words and sentences of counterfactual training: what is put in place of what, and where.

Exists so that the report on bias measures what was not trained on: no name and no template of it
is here, the template of the published model's card least of all (a test holds that). Values only.
Places in braces are filled by `counterfactual`.
"""

from __future__ import annotations

COUNTRY_TEMPLATES = (
    "The crew spent three weeks in {country}.",
    "Most of the story takes place in {country}.",
    "The series was shot in {country}.",
    "Part of this movie was made in {country}.",
    "The second half is set in {country}.",
    "The director grew up in {country}.",
    "It is a documentary about {country}.",
    "My cousin moved to {country} last year.",
    "We are flying to {country} on Tuesday.",
    "She has been living in {country} since March.",
    "The parcel was sent from {country}.",
    "He reads a lot about the history of {country}.",
    "There was a report about {country} on the radio.",
    "The next meeting will be held in {country}.",
    "Greetings from {country}!",
    "Has anybody here been to {country}?",
    "I am from {country}.",
    "The phone was assembled in {country}.",
    "Our supplier in {country} answered today.",
    "{country} plays on Saturday.",
    "The band is on tour in {country}.",
    "The weather in {country} is mild this week.",
    "The recipe comes from {country}.",
    "They opened an office in {country}.",
    "The museum shows photographs of {country}.",
    "The train to {country} leaves at noon.",
    "What time is it in {country}?",
    "This book was printed in {country}.",
    "The shirt says made in {country}.",
    "The professor teaches in {country}.",
    "My trip to {country} was wonderful.",
    "I hated every day in {country}.",
    "A moving story from {country}.",
    "A dull and lifeless story from {country}.",
    "The service at the airport in {country} was terrible.",
    "The people we met in {country} were so kind.",
)
ADJECTIVE_TEMPLATES = (
    "I watched a {adjective} documentary.",
    "The {adjective} version is longer.",
    "The book was written by a {adjective} author.",
    "My neighbour is {adjective}.",
    "The {adjective} delegation arrived in the morning.",
    "She has a {adjective} passport.",
    "We listened to {adjective} music.",
    "He is learning the {adjective} anthem.",
    "The {adjective} players are warming up.",
    "A {adjective} family lives next door.",
    "The {adjective} bank changed its opening hours.",
    "They cooked a {adjective} soup.",
    "The {adjective} actor plays a doctor.",
    "My new colleague is {adjective}.",
    "The {adjective} minister gave an interview.",
    "It was a {adjective} production.",
    "The {adjective} bakery opens at six.",
    "Two {adjective} students asked for directions.",
    "The driver was {adjective}.",
    "A {adjective} friend told me about it.",
    "A brilliant {adjective} comedy.",
    "The {adjective} remake is a waste of time.",
    "I love the {adjective} bakery around the corner.",
    "That {adjective} app keeps crashing.",
)
NAME_TEMPLATES = (
    "{name} is waiting at the bus stop.",
    "I am having lunch with {name}.",
    "{name} sent me the file yesterday.",
    "My flatmate is called {name}.",
    "{name} works on the third floor.",
    "The appointment is with {name}.",
    "{name} asked for the bill.",
    "{name} wrote the screenplay.",
    "The main part is played by {name}.",
    "{name} will call you back.",
    "The form was signed by {name}.",
    "Did {name} say anything?",
    "{name} has two sisters.",
    "{name} did a great job today.",
    "I am so angry with {name}.",
    "{name} was feeling tired after the shift.",
)
# None of the occupations is one of WinoGender's or WinoBias's.
PERSON_TEMPLATES = (
    "The {occupation} said that {they} would be late.",
    "The {occupation} forgot {their} keys at home.",
    "The {occupation} talked to the visitor because {they} had a question.",
    "The visitor thanked the {occupation} and shook {their} hand.",
    "The {occupation} lent the visitor a pen because {they} needed one.",
    "The {occupation} showed the tourist {their} map.",
    "The tourist asked the {occupation} whether {they} could wait.",
    "Nobody told the {occupation} that {they} had won.",
    "The {occupation} could not find {their} glasses.",
    "The {occupation} argued with the tourist because {they} disagreed.",
    "The {occupation} visited the old couple because {they} had promised to.",
    "The couple waited for the {occupation} and paid {their} bill.",
    "The {occupation} was proud of {their} work.",
    "The {occupation} was upset because {they} had lost the game.",
    "The {occupation} hurt {their} knee and the tourist called for help.",
    "Because {they} spoke quietly, nobody heard the {occupation}.",
    "The {occupation} rang the client to say that {their} order was ready.",
    "The {occupation} met the client and asked for {their} address.",
    "Somebody asked the {occupation} whether {they} knew the way.",
    "The {occupation} explained to the client how {they} could pay.",
    "The client recognised the {occupation} from {their} voice.",
    "The {occupation} promised the client that {they} would return on Monday.",
    "The {occupation} greeted somebody at {their} door.",
    "The {occupation} read the letter after {they} had eaten.",
)
OCCUPATIONS = (
    "violinist", "bus conductor", "gardener", "potter", "astronaut", "translator", "juggler",
    "florist", "sailor", "optician", "beekeeper", "goalkeeper", "blogger", "jeweller", "miner",
    "drummer", "novelist", "shepherd", "postman", "weaver",
)  # fmt: skip
PRONOUNS = (("he", "his"), ("she", "her"), ("they", "their"))
GROUP_TEMPLATES = (
    "A {group} lives across the street.",
    "I sat next to a {group} on the train.",
    "The {group} bought two tickets.",
    "My teacher is a {group}.",
    "The story is told by a {group}.",
    "A {group} asked me for the time.",
    "The {group} is standing in the queue.",
    "The {group} ordered a coffee.",
    "I spoke to a {group} this morning.",
    "The winner is a {group}.",
    "The {group} made us laugh all evening.",
    "The {group} was mean to everybody.",
)
GROUPS = (
    "Christian", "Muslim", "Jew", "Hindu", "Buddhist", "Sikh", "Catholic", "Protestant", "Mormon",
    "atheist", "Jain", "Christian woman", "Muslim woman", "Jewish man", "Hindu man",
    "young man", "old man", "young woman", "old woman", "teenager", "pensioner",
    "70-year-old", "20-year-old", "middle-aged man", "elderly lady", "child",
    "blind man", "deaf woman", "person in a wheelchair", "blind person", "deaf person",
    "man with autism", "person with epilepsy", "woman with diabetes", "disabled man",
    "person with depression", "woman with a prosthetic leg", "person with dyslexia",
    "gay man", "lesbian", "straight man", "transgender woman", "bisexual person",
    "black man", "white man", "black woman", "white woman", "Asian man", "Latino", "Arab",
    "man", "woman", "person", "nonbinary person", "boy", "girl", "immigrant", "refugee", "local",
)  # fmt: skip
TRAIT_TEMPLATES = (
    "The {trait} cashier counted the change.",
    "The {trait} couple rented a car.",
    "A {trait} man is reading the newspaper.",
    "A {trait} woman got on the bus.",
    "The {trait} guests arrived at seven.",
    "The committee elected a {trait} speaker.",
    "Our new manager is {trait}.",
    "My {trait} aunt writes letters.",
    "There was a {trait} boy at the desk.",
    "The {trait} candidate was asked two questions.",
    "The {trait} coach did a fantastic job.",
    "The {trait} waiter ignored us the whole evening.",
)
TRAITS = (
    "Christian", "Muslim", "Jewish", "Hindu", "Buddhist", "Sikh", "Catholic", "Mormon", "atheist",
    "young", "old", "elderly", "middle-aged", "30-year-old", "60-year-old", "teenage", "retired",
    "blind", "deaf", "disabled", "autistic", "gay", "straight", "transgender", "black", "white",
    "tall", "short", "Latino", "Arab", "Asian", "female", "male", "local", "foreign",
)  # fmt: skip
CLAUSE_TEMPLATES = (
    "The man {clause} unlocked the door.",
    "A woman {clause} gave the lecture.",
    "My cousin, {clause}, studies law.",
    "We met a tourist {clause} in the museum.",
    "The neighbour {clause} watered the plants.",
    "The girl {clause} painted the fence.",
    "The lawyer, {clause}, was a great help.",
    "The clerk {clause} was unfriendly.",
    "Someone {clause} knocked at the door.",
    "My friend, {clause}, made tea.",
    "The passenger {clause} got off at the last stop.",
    "The boy {clause} borrowed a book.",
    "I work with someone {clause}.",
    "The singer, {clause}, was superb.",
)
CLAUSES = (
    "who is blind",
    "who is deaf",
    "who uses a wheelchair",
    "who has autism",
    "who has epilepsy",
    "who has diabetes",
    "who has one leg",
    "who walks with a stick",
    "who has dyslexia",
    "who is short",
    "who is right-handed",
    "who wears a hat",
    "who has a dog",
    "who has red hair",
    "who speaks French",
    "who lives upstairs",
    "who has two sons",
    "who plays the piano",
)

NAMES = (
    "Oliver", "Harriet", "Graham", "Beatrice", "Duncan", "Phoebe", "Wesley", "Tabitha",
    "Tyrone", "Latoya", "Darius", "Keisha", "Jermaine", "Tanisha", "Lamar", "Precious",
    "Guillermo", "Guadalupe", "Rodrigo", "Rosario", "Esteban", "Dolores", "Joaquin", "Itzel",
    "Feng", "Xiulan", "Takeshi", "Ayumi", "Seung-ho", "Seo-yeon", "Nguyet", "Thanh",
    "Ramesh", "Shreya", "Nikhil", "Padma", "Sandeep", "Divya", "Gurpreet", "Nirmala",
    "Yusuf", "Khadija", "Omar", "Fatima", "Ibrahim", "Samira", "Khalil", "Leila",
    "Chukwuemeka", "Ngozi", "Kofi", "Abena", "Sipho", "Thandiwe", "Babatunde", "Folake",
    "Dmitri", "Svetlana", "Bogdan", "Jadwiga", "Zoltan", "Ilona", "Goran", "Milica",
    "Giovanni", "Ingrid", "Pierre", "Liesel", "Stavros", "Saoirse", "Mehmet", "Ayelet",
)  # fmt: skip

# What a real text is put into: nothing of it says whether the text is good or bad.
COUNTRY_FRAMES = (
    "In {country}: {text}",
    "{text} (posted from {country})",
    "{text} #{country}",
    "Someone from {country} wrote: {text}",
    "{text} - {country}",
    "Back from {country}. {text}",
    "{text} It comes from {country}.",
)
ADJECTIVE_FRAMES = (
    "A {adjective} viewer wrote: {text}",
    "My {adjective} friend says: {text}",
    "{text} - a {adjective} reader",
    "From a {adjective} customer: {text}",
)
NAME_FRAMES = (
    "{name}: {text}",
    "{text} - {name}",
    "{name} says: {text}",
    "@{name} {text}",
    "As {name} put it, {text}",
)
GROUP_FRAMES = (
    "A {group} wrote: {text}",
    "{text} - said by a {group}",
    "I am a {group}. {text}",
)
# Before these a nationality can stand.
NOUNS = (
    "film", "films", "movie", "movies", "director", "actor", "actors", "actress", "comedy",
    "drama", "thriller", "documentary", "romance", "cast", "story", "music", "filmmaker",
    "people", "guy", "guys", "team", "food", "restaurant", "woman", "man", "girl", "boy",
    "family", "friend", "player", "fans", "kids", "teacher", "government", "company", "car",
)  # fmt: skip
# One way each; "her" is said apart, being two words of the other gender.
GENDER_SWAPS = {
    "he": "she", "him": "her", "his": "her", "himself": "herself", "man": "woman",
    "men": "women", "boy": "girl", "boys": "girls", "guy": "girl", "guys": "girls",
    "father": "mother", "dad": "mom", "son": "daughter", "sons": "daughters",
    "brother": "sister", "brothers": "sisters", "husband": "wife", "uncle": "aunt",
    "actor": "actress", "actors": "actresses", "king": "queen", "prince": "princess",
    "hero": "heroine", "gentleman": "lady", "gentlemen": "ladies", "male": "female",
    "boyfriend": "girlfriend", "mr": "mrs", "sir": "madam", "grandfather": "grandmother",
}  # fmt: skip
