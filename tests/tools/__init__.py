"""What tests share: brokers, fakes, tiny models, readers of topics. No tests here."""
