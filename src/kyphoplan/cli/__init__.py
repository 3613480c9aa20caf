"""The command line: parse, call, print."""

import os

# Our matrices are small: more threads doubled the time of a scan. To be set before numpy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from kyphoplan.cli.app import app, main

__all__ = ["app", "main"]
