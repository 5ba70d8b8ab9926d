"""Text to token ids, off the event loop: normaliser, language, tokenizer, windows."""
