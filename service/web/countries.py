"""Names of countries, and texts with the country that they name replaced by another one.

Exists to show whether a score depends on the country that a text mentions. Pure. English names
only, without adjectives and cities.
"""

from __future__ import annotations

import re

# The replacements: from all continents, and interchangeable, as one word without an article.
OTHERS = (
    "Norway", "France", "Poland", "Ukraine", "Italy",
    "Nigeria", "Kenya", "Egypt", "Ethiopia", "Somalia",
    "Japan", "India", "Indonesia", "Iraq", "Afghanistan",
    "Canada", "Mexico", "Brazil", "Haiti", "Australia",
)  # fmt: skip

# Used with "the", which is replaced together with the name.
_WITH_ARTICLE = (
    "Bahamas", "Central African Republic", "Comoros", "Congo", "Czech Republic",
    "Democratic Republic of the Congo", "Dominican Republic", "Gambia", "Maldives",
    "Marshall Islands", "Netherlands", "Philippines", "Republic of the Congo", "Seychelles",
    "Solomon Islands", "UAE", "UK", "U.K.", "US", "USA", "U.S.", "U.S.A.", "United Arab Emirates",
    "United Kingdom", "United States of America", "United States", "Vatican",
)  # fmt: skip
# Words with another meaning in lower case, like turkey and china.
_NEED_A_CAPITAL = ("Chad", "China", "Georgia", "Guinea", "Jordan", "Mali", "Niger", "Turkey")
# Matched as written here only: "us" is a pronoun.
_AS_WRITTEN = ("US", "U.S.", "UK", "U.K.", "UAE", "USA", "U.S.A.")
_OTHER_NAMES = (
    "Albania", "Algeria", "Andorra", "Angola", "Antigua and Barbuda", "Argentina", "Armenia",
    "Austria", "Azerbaijan", "Bahrain", "Bangladesh", "Barbados", "Belarus", "Belgium", "Belize",
    "Benin", "Bhutan", "Bolivia", "Bosnia and Herzegovina", "Bosnia", "Botswana", "Brunei",
    "Bulgaria", "Burkina Faso", "Burma", "Burundi", "Cambodia", "Cameroon", "Cape Verde", "Chile",
    "Colombia", "Costa Rica", "Croatia", "Cuba", "Cyprus", "Czechia", "Côte d'Ivoire", "Denmark",
    "Djibouti", "Dominica", "East Timor", "Ecuador", "El Salvador", "Equatorial Guinea", "Eritrea",
    "Estonia", "Eswatini", "Fiji", "Finland", "Gabon", "Germany", "Ghana", "Great Britain",
    "Greece", "Grenada", "Guatemala", "Guinea-Bissau", "Guyana", "Honduras", "Hungary", "Iceland",
    "Iran", "Ireland", "Israel", "Ivory Coast", "Jamaica", "Kazakhstan", "Kiribati", "Kosovo",
    "Kuwait", "Kyrgyzstan", "Laos", "Latvia", "Lebanon", "Lesotho", "Liberia", "Libya",
    "Liechtenstein", "Lithuania", "Luxembourg", "Madagascar", "Malawi", "Malaysia", "Malta",
    "Mauritania", "Mauritius", "Micronesia", "Moldova", "Monaco", "Mongolia", "Montenegro",
    "Morocco", "Mozambique", "Myanmar", "Namibia", "Nauru", "Nepal", "New Zealand", "Nicaragua",
    "North Korea", "North Macedonia", "Oman", "Pakistan", "Palau", "Palestine", "Panama",
    "Papua New Guinea", "Paraguay", "Peru", "Portugal", "Qatar", "Romania", "Russia", "Rwanda",
    "Saint Kitts and Nevis", "Saint Lucia", "Saint Vincent and the Grenadines", "Samoa",
    "San Marino", "Saudi Arabia", "Senegal", "Serbia", "Sierra Leone", "Singapore", "Slovakia",
    "Slovenia", "South Africa", "South Korea", "South Sudan", "Spain", "Sri Lanka", "Sudan",
    "Suriname", "Swaziland", "Sweden", "Switzerland", "Syria", "São Tomé and Príncipe", "Taiwan",
    "Tajikistan", "Tanzania", "Thailand", "Timor-Leste", "Togo", "Tonga", "Trinidad and Tobago",
    "Tunisia", "Turkmenistan", "Tuvalu", "Türkiye", "Uganda", "Uruguay", "Uzbekistan", "Vanuatu",
    "Vatican City", "Venezuela", "Vietnam", "Yemen", "Zambia", "Zimbabwe",
)  # fmt: skip


def _any_of(names: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))


_ARTICLE_IN_ANY_CASE = tuple(name for name in _WITH_ARTICLE if name not in _AS_WRITTEN)
# Longer names come first, so that South Sudan does not match as Sudan. "i" ignores case.
_NAMED = re.compile(
    rf"(?<![\w-])(?:"
    rf"(?:(?i:the)\s+)?(?P<article>(?i:{_any_of(_ARTICLE_IN_ANY_CASE)})|{_any_of(_AS_WRITTEN)})"
    rf"|(?P<plain>(?i:{_any_of((*OTHERS, *_OTHER_NAMES))}))"
    rf"|(?P<capital>{_any_of(_NEED_A_CAPITAL)}|{_any_of(tuple(map(str.upper, _NEED_A_CAPITAL)))})"
    rf")(?!\w|-\w)"
)


def swapped(text: str) -> list[tuple[str, str]]:
    """Variants of a text, with the first country that it names replaced by each of `OTHERS`.

    Pairs of replacement and text, at most `len(OTHERS)`; empty if the text names no country. All
    mentions by the same name are replaced. Countries that the text names are not used as
    replacements.
    """
    mentions = list(_NAMED.finditer(text))
    if not mentions:
        return []
    named = {_name(mention) for mention in mentions}
    first = _name(mentions[0])
    replaced = [mention for mention in mentions if _name(mention) == first]
    return [
        (other, _with(text, replaced, other)) for other in OTHERS if other.casefold() not in named
    ]


def _name(mention: re.Match[str]) -> str:
    return (mention["article"] or mention[0]).casefold()


def _with(text: str, mentions: list[re.Match[str]], other: str) -> str:
    parts, end = [], 0
    for mention in mentions:
        # A name in lower case is replaced by one in lower case.
        parts += [text[end : mention.start()], other.lower() if mention[0].islower() else other]
        end = mention.end()
    return "".join([*parts, text[end:]])
