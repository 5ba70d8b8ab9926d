"""The environment that the settings are read from: without any, or with those of a test.

Exists so that the tests of settings do not depend on the machine that they run on. The fixture is
in force in each module that imports it.
"""

from __future__ import annotations

import os

import pytest

from service.errors import SettingsError
from service.settings import load_settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset all settings of the machine that the tests run on."""
    for name in list(os.environ):
        if name.upper().startswith("SENTIMENT_"):
            monkeypatch.delenv(name)


def settings_error(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """The one line with which the settings are refused where these variables are set."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.isprintable(), "one line, without control characters"
    return message
