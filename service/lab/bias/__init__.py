"""The report on bias: how scores depend on countries, names, pronouns and groups in a text."""
