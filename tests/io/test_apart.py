"""Reading happens in a process that may die, and nothing that it says is lost."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import kyphoplan.io as kio
from kyphoplan.errors import CaseError
from kyphoplan.io import apart, decoding, nursery
from kyphoplan.io.volumes import unchanged

from .odd_inputs import good_nifti
from .odd_series import series, tags

DIES = {
    "SIGSEGV": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "SIGFPE": "import os, signal; os.kill(os.getpid(), signal.SIGFPE)",
    "too slow": "while True: pass",
    "asleep": "import time; time.sleep(60)",
    "too large": "x = bytearray(4_000_000_000)",
    "unforeseen": "raise ZeroDivisionError('odd')",
}
CODES = {
    "SIGSEGV": "reader_died",
    "SIGFPE": "reader_died",
    "too slow": "too_slow",
    "asleep": "too_slow",
    "too large": "too_large",
    "unforeseen": "undecodable",
}


@pytest.fixture
def dying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """A nursery whose children run something else before they read."""

    def start(code: str) -> None:
        hook = tmp_path / "hook"
        hook.mkdir(exist_ok=True)
        (hook / "sitecustomize.py").write_text(
            "import sys\n"
            "if 'kyphoplan.io.nursery' in ' '.join(sys.orig_argv):\n"
            "    import kyphoplan.io.decoding as decoding\n"
            "    def decode(*_, **__):\n"
            f"        {code}\n"
            "    decoding.decode = decode\n"
        )
        apart.close()
        monkeypatch.setattr(sys, "path", [str(hook), *sys.path])
        monkeypatch.setattr(apart, "SECONDS", 1)

    yield start
    apart.close()


@pytest.mark.parametrize("how", DIES)
def test_a_reader_that_dies_is_the_files_fault_and_the_next_file_is_read(
    how: str, dying: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = good_nifti(tmp_path / "ct.nii")
    dying(DIES[how])  # type: ignore[operator]
    begin = time.monotonic()
    with pytest.raises(CaseError) as refused:
        kio.read_volume(path)
    assert refused.value.code == CODES[how]
    assert str(refused.value).startswith(f"{path}: ")
    assert time.monotonic() - begin < 8.0
    monkeypatch.undo()
    apart.close()
    assert kio.read_volume(path).shape == (9, 8, 7)


def test_a_nursery_that_is_killed_is_replaced(tmp_path: Path) -> None:
    path = good_nifti(tmp_path / "ct.nii")
    kio.read_volume(path)
    os.kill(apart._running[0].process.pid, signal.SIGKILL)
    apart._running[0].process.wait()
    assert kio.read_volume(path).shape == (9, 8, 7)


def test_no_child_outlives_a_program_that_is_killed(tmp_path: Path) -> None:
    path = good_nifti(tmp_path / "ct.nii")
    code = (
        "import sys, time, kyphoplan.io as kio\n"
        "from kyphoplan.io import apart\n"
        f"kio.read_volume({str(path)!r})\n"
        "print(apart._running[0].process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        child = int(run.stdout.readline())
        run.kill()
    deadline = time.monotonic() + 2.0
    while _is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_alive(child)


def _is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def test_several_threads_may_read_at_once(tmp_path: Path) -> None:
    path = good_nifti(tmp_path / "ct.nii")
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(kio.read_volume(path).shape))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(9, 8, 7)] * 4


def test_an_input_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "growing.nii"
    path.write_bytes(b"half")
    with pytest.raises(CaseError, match="changed while it was read"), unchanged(path):
        path.write_bytes(b"half and half")
    with unchanged(path):
        path.read_bytes()


def test_nothing_that_a_library_says_is_swallowed(tmp_path: Path, dying: object) -> None:
    """By warning, by log, and by a library in C on standard error."""
    dying(  # type: ignore[operator]
        "import logging, os, warnings, numpy; warnings.warn('spoken'); "
        "logging.getLogger('pydicom').warning('logged'); os.write(2, b'written'); "
        "from kyphoplan.io.decoded import Decoded; "
        "return Decoded(voxels=numpy.zeros((2, 2, 2), 'i2'), affine=numpy.eye(4))"
    )
    _, notices = kio.read_volume_with_notices(good_nifti(tmp_path / "ct.nii"))
    assert "written" in " ".join(n.text for n in notices)
    with decoding.listening() as said:
        import logging  # noqa: PLC0415
        import warnings  # noqa: PLC0415

        warnings.warn("spoken", stacklevel=1)
        logging.getLogger("nibabel.x").warning("logged")
        logging.getLogger("pydicom").error("twice")
    assert [text.split(": ")[-1] for text in said] == ["logged", "twice", "spoken"]


def test_a_warning_of_pydicom_reaches_the_notices(tmp_path: Path) -> None:
    import pydicom  # noqa: PLC0415

    made = series(tmp_path)
    for file in made.glob("*.dcm"):
        header = pydicom.dcmread(file)
        with pydicom.config.disable_value_validation():
            tags(SeriesInstanceUID="1.2.x")(header)
            header.save_as(file)
    _, notices = kio.read_volume_with_notices(made)
    assert {n.code for n in notices} == {"reader_warning"}
    assert any("UI" in n.text for n in notices)


def test_the_limits_are_those_that_are_documented(root: Path) -> None:
    page = (root / "docs" / "reference" / "input.md").read_text(encoding="utf-8")
    assert f"with {apart.MEMORY_BYTES / 1e9} GB and {apart.SECONDS} s" in page
    assert nursery.LONGEST_REQUEST > 0
