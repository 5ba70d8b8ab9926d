"""The bundled model in Hugging Face layout: weights, tokenizer, config, card. Data only."""
