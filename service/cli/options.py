"""A flag for every setting, made from the settings themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from service.settings import each_setting, load_settings, variable

if TYPE_CHECKING:
    from collections.abc import Callable


# Written by hand often, and no other group has them.
SHORT = {("model", "engine"), ("model", "precision"), ("model", "threads")}


def with_settings(*groups: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command a flag for every setting of the groups, and hand it a `Settings`."""

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
                help_text = f"{field.description}  [{variable(group, name)}]"
                command = click.option(flag, *short, f"{group}_{name}", help=help_text)(command)
        return command

    return decorate
