"""The command line: parse, call, print."""

from kyphoplan.cli.app import app, main

__all__ = ["app", "main"]
