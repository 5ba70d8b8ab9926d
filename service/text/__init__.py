"""From a text to the token ids of its windows: language, normaliser, tokenizer."""
