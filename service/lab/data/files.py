"""Text files in, and pages out, with one line of remedy where that cannot be.

Exists so that every command reads lines alike, and refuses a file in the same words. Knows no form
of data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_text(path: Path, remedy: str = "give a text file") -> str:
    """All of a file; `remedy` says what to do where there is none.

    Raises:
        InputError: no such file, or not UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: byte {error.start} is not UTF-8; convert the file to UTF-8"
        ) from None


def read_lines(path: Path) -> list[str]:
    """The lines of a file, without their carriage returns; nothing else ends one.

    Raises:
        InputError: no such file, or not UTF-8.
    """
    return [line.rstrip("\r") for line in read_text(path).split("\n")]


def write_pages(folder: Path, pages: Mapping[str, str]) -> list[Path]:
    """Write texts by name into a folder, which is made where it is missing; give their paths.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, page in pages.items():
            (folder / name).write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); give another folder"
        ) from None
    return [folder / name for name in pages]
