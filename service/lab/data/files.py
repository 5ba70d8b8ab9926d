"""Reads text files and writes pages; an error is one line that says what to do.

Exists so that every command reads lines in the same way and refuses a file in the same words. Knows
no labels: what the cells of a row mean is in `glue`, `domains` and `labelled`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def read_text(path: Path, remedy: str = "give a text file") -> str:
    """The content of a file; `remedy` completes the error message of a missing one.

    Raises:
        InputError: there is no such file, or it is not UTF-8.
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
    r"""The lines of a file; only `\n` and `\r\n` end a line.

    Raises:
        InputError: there is no such file, or it is not UTF-8.
    """
    return [line.rstrip("\r") for line in read_text(path).split("\n")]


def labelled_rows(path: Path, text_column: str) -> Iterator[tuple[int, str, str]]:
    r"""Line number, text and label of each row of a TSV with the header `text_column\tlabel`.

    The text is what stands before the last tab, without white space around it. There is no quoting:
    a `"` is text. Empty lines are skipped.

    Raises:
        InputError: the file cannot be read, has another header, or a row without a tab.
    """
    lines = read_lines(path)
    form = f"{text_column}<TAB>label"
    if lines[0] != f"{text_column}\tlabel":
        raise InputError(f"{path}: the first line must be {form}")
    for number, line in enumerate(lines[1:], start=2):
        text, tab, label = line.rpartition("\t")
        if line and not tab:
            raise InputError(f"{path}:{number}: has no tab; give a file of {form}")
        if line:
            yield number, text.strip(), label


def write_pages(folder: Path, pages: Mapping[str, str]) -> list[Path]:
    """Write each page to the file of its name in a folder, and return the paths.

    The folder is created if it does not exist.

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
