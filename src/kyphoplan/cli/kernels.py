"""Compile or load the kernels of the physics, so that the wait is seen and named."""

from kyphoplan.cli.console import Progress, say


def load_kernels(progress: Progress, threads: int) -> None:
    """Compile the kernels the first time, load them from the disk later."""
    with progress.stage("load kernels (compiled the first time, about half a minute)"):
        from kyphoplan.simulation.solver.caching import ADVICE, KEPT  # noqa: PLC0415 - takes time
        from kyphoplan.simulation.warmup import compile_kernels  # noqa: PLC0415

        if not (KEPT or progress.quiet):
            say(f"warning: {ADVICE}")
        compile_kernels(threads)
