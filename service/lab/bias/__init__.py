"""The report on who a text speaks of: countries, names, pronouns, groups."""
