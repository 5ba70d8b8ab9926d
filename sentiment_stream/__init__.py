"""Sentiment of texts in Python, exactly as the stream scores them.

    from sentiment_stream import Scorer

    Scorer("bundled").score(["Everything arrived in time, thank you!"])

What stands here is public and kept stable; all else, in `service`, may change at any time. Imports
alone may enter.
"""

from service.errors import ModelError, ServiceError, SettingsError
from service.records import ModelInfo, Reading, TextStats
from service.scoring.texts import Scored, Scorer

__all__ = [
    "ModelError",
    "ModelInfo",
    "Reading",
    "Scored",
    "Scorer",
    "ServiceError",
    "SettingsError",
    "TextStats",
]
