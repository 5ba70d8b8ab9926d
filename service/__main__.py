"""`python -m service`, the same as the command."""

from service.cli import main

main(prog_name="sentiment-stream")
