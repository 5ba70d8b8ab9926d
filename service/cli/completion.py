"""Scripts for completion in a shell: `sentiment-stream completion`.

Exists so that click's own scripts are printed without the environment variable that it asks for.
"""
# ruff: noqa: D301 - click leaves a paragraph as it is where it finds the character, not the escape

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
PROGRAM = "sentiment-stream"
# The script sets this variable when it asks for completions; click expects this name.
VARIABLE = "_SENTIMENT_STREAM_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, flags and values.

    The first line is for the current shell, the others are for all new shells:

    \b
    source <(sentiment-stream completion bash)
    sentiment-stream completion bash > ~/.local/share/bash-completion/completions/sentiment-stream
    sentiment-stream completion zsh > ~/.zfunc/_sentiment-stream    # a folder of your fpath
    sentiment-stream completion fish > ~/.config/fish/completions/sentiment-stream.fish
    """
    made = _SHELLS[shell](ctx.find_root().command, {}, PROGRAM, VARIABLE)
    # Not `source()`, which starts a bash to ask for its version.
    click.echo(made.source_template % made.source_vars())
