"""Options that commands share: a flag for every setting, made from the settings, and `--json`.

Exists so that a new setting has its flag without a line here. No command may enter.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import click
from click.shell_completion import CompletionItem

from service.settings import each_setting, load_settings, variable
from service.terminal import Table, results

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic.fields import FieldInfo
    from rich.console import Console


# Typed often, and no other group has these names.
SHORT = {("model", "engine"), ("model", "precision"), ("model", "threads")}
_METAVARS = {int: "INTEGER", float: "NUMBER", Path: "FILE"}


class _Path(click.Path):
    """A path that is not empty: Python would take that for the folder of the command."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("is empty; give a path", param, ctx)
        return super().convert(value, param, ctx)


class _NewFile(_Path):
    """A file to write; a wrong path is refused before the work, not after it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}", param, ctx)
        return path


class _NewFolder(_Path):
    """A folder to write to, made if it is not there; a wrong path is refused before the work."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        there = next(one for one in (path, *path.parents) if one.exists())
        if not there.is_dir():
            self.fail(f"{there} is a file; give a folder", param, ctx)
        if not os.access(there, os.W_OK | os.X_OK):
            self.fail(f"{there} cannot be written to; give another folder", param, ctx)
        return path


A_PATH = _Path(path_type=Path)
A_FOLDER = _Path(file_okay=False, path_type=Path)
NEW_FOLDER = _NewFolder(path_type=Path)
NEW_FILE = _NewFile(dir_okay=False, writable=True, path_type=Path)

json_flag = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on standard output, and no table."
)


def print_found(found: Mapping[str, Any], as_json: bool, show: Callable[[Console], None]) -> None:
    """Print the result of a command, as JSON or by `show`."""
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        show(results())


def print_figures(title: str, figures: Mapping[str, Any], as_json: bool) -> None:
    """Print figures that need only a row each, as JSON or as a table."""
    print_found(figures, as_json, lambda out: out.print(Table.of_figures(title, figures)))


def with_settings(*groups: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command a flag for every setting of the groups, and pass it a `Settings`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def command(**arguments: Any) -> Any:
            flags: dict[str, dict[str, Any]] = {}
            for group, name, _ in each_setting():
                value = arguments.pop(f"{group}_{name}", None)
                if value is not None:
                    flags.setdefault(group, {})[name] = value
            return function(settings=load_settings(flags), **arguments)

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        for group, name, field in reversed(list(each_setting())):
            if group in groups:
                flag = f"--{group}-{name}".replace("_", "-")
                short = [f"--{name}"] if (group, name) in SHORT else []
                words = _words(field.annotation)
                option = click.option(
                    flag,
                    *short,
                    f"{group}_{name}",
                    metavar="|".join(words) or _METAVARS.get(_kind(field.annotation), "TEXT"),
                    help=f"{field.description}{_default(field)}  [{variable(group, name)}]",
                    shell_complete=_completer(words, _kind(field.annotation)),
                )
                command = option(command)
        return command

    return decorate


def _default(field: FieldInfo) -> str:
    value = field.get_default()
    if value is None:
        return ""
    if value == "":
        return " Default: nothing."
    return f" Default: {str(value).lower() if isinstance(value, bool) else value}."


def _kind(annotation: Any) -> Any:
    """The plain type of a setting, without None and annotations."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = get_args(annotation)[0]
    return annotation


def _words(annotation: Any) -> tuple[str, ...]:
    """The values that a setting may have, if they are a list of words."""
    kind = _kind(annotation)
    if kind is bool:
        return ("true", "false")
    return get_args(kind) if get_origin(kind) is Literal else ()


def _completer(
    words: tuple[str, ...], kind: Any
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Completions for a value; only the settings decide whether a value is allowed."""

    def complete(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
        if kind is Path:
            return [CompletionItem(begun, type="file")]
        return [CompletionItem(word) for word in words if word.startswith(begun)]

    return complete
