"""A result is there as a whole, or not at all."""

import errno
import json
import os

import pytest

import kyphoplan.io as kio
from kyphoplan.errors import OutputError
from kyphoplan.io import output


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


def test_json_keeps_its_order_and_its_letters(tmp_path):
    path = kio.write_json(tmp_path / "a.json", {"b": 1, "a": "Höhe"})
    assert path.read_text(encoding="utf-8") == '{\n  "b": 1,\n  "a": "Höhe"\n}\n'


def test_json_with_no_number_is_refused_and_the_old_file_stays(tmp_path):
    path = kio.write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        kio.write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}
    assert files(tmp_path) == ["a.json"]


def test_a_result_appears_only_when_it_is_complete(tmp_path):
    target = tmp_path / "deep" / "result"
    with kio.result_folder(target) as working:
        (working / "a.txt").write_text("a")
        assert not target.exists()
    assert files(target) == [output.MARK, "a.txt"]
    assert files(tmp_path) == [
        "deep",
        "deep/result",
        f"deep/result/{output.MARK}",
        "deep/result/a.txt",
    ]


def half_a_result(target, interruption):
    with kio.result_folder(target, overwrite=True) as working:
        (working / "new.txt").write_text("new")
        raise interruption


def half_a_file(path, interruption):
    with output.replacing(path) as temporary:
        temporary.write_text("half")
        raise interruption


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError, SystemExit])
def test_an_interruption_leaves_nothing_new_and_nothing_lost(tmp_path, interruption):
    target = tmp_path / "result"
    with kio.result_folder(target) as working:
        (working / "old.txt").write_text("old")
    before = files(tmp_path)
    with pytest.raises(interruption):
        half_a_result(target, interruption)
    assert files(tmp_path) == before
    with pytest.raises(interruption):
        half_a_file(target / "old.txt", interruption)
    assert files(tmp_path) == before
    assert (target / "old.txt").read_text() == "old"


def test_an_existing_result_is_replaced_only_when_asked(tmp_path):
    target = tmp_path / "result"
    for _ in range(2):
        with kio.result_folder(target, overwrite=True) as working:
            (working / "a.txt").write_text("a")
    with pytest.raises(OutputError, match="holds a result: give another folder, or --overwrite"):
        kio.result_folder(target).__enter__()
    assert files(tmp_path) == ["result", f"result/{output.MARK}", "result/a.txt"]


def test_an_empty_folder_may_be_filled_but_other_peoples_files_are_never_removed(tmp_path):
    target = tmp_path / "result"
    target.mkdir()
    with kio.result_folder(target) as working:
        (working / "a.txt").write_text("a")
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "me.jpg").touch()
    with pytest.raises(OutputError, match="no result of ours"):
        kio.result_folder(photos, overwrite=True).__enter__()
    with pytest.raises(OutputError, match="is a file"):
        kio.result_folder(photos / "me.jpg", overwrite=True).__enter__()
    assert files(photos) == ["me.jpg"]


def test_a_place_that_cannot_be_written_is_refused_before_any_computing(tmp_path):
    (tmp_path / "file").touch()
    computed = []
    with pytest.raises(OutputError, match="cannot be written"):  # noqa: SIM117
        with kio.result_folder(tmp_path / "file" / "result") as working:
            computed.append(working)
    with pytest.raises(OutputError, match="cannot be written"):  # noqa: SIM117
        with kio.result_folder("/proc/none/result") as working:
            computed.append(working)
    assert computed == []
    with pytest.raises(OutputError, match="cannot be written"):
        kio.write_json(tmp_path / "absent" / "a.json", {})


@pytest.mark.parametrize("deep", ["plan.json", "meshes/L1_LPS.stl"])
def test_a_full_disk_is_told_of_the_folder_that_was_asked_for(tmp_path, monkeypatch, deep):
    monkeypatch.chdir(tmp_path)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fill():
        with kio.result_folder("out") as working:
            (working / deep).parent.mkdir(exist_ok=True)
            monkeypatch.setattr(output.os, "fsync", full)
            with output.replacing(working / deep) as temporary:
                temporary.write_text("half")

    with pytest.raises(
        OutputError, match=f"^out/{deep}: cannot be written .No space left"
    ) as told:
        fill()
    assert str(tmp_path) not in str(told.value)
    assert files(tmp_path) == []


def test_an_error_of_the_system_names_the_folder_that_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def fill():
        with kio.result_folder("out"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "elsewhere")

    with pytest.raises(OutputError, match=r"^out: cannot be written .No space left"):
        fill()


def test_one_run_at_a_time_writes_a_result_and_the_other_is_told_who(tmp_path):
    target = tmp_path / "result"
    with kio.result_folder(target) as working:
        (working / "a").write_text("first")
        with pytest.raises(OutputError, match=rf"another run .process {os.getpid()} on"):
            kio.result_folder(target).__enter__()
    assert (target / "a").read_text() == "first"
    assert files(tmp_path) == ["result", f"result/{output.MARK}", "result/a"]


def test_a_dead_runs_lock_and_leftovers_are_no_obstacle(tmp_path):
    (tmp_path / ".result.kyphoplan-lock").write_text('{"process": 1, "machine": "gone"}')
    half = tmp_path / f".result.0a1b2c3d{output.WORKING}"
    half.mkdir()
    (half / "half").write_text("x" * 100)
    mine = tmp_path / ".result.of-mine"
    mine.mkdir()
    with kio.result_folder(tmp_path / "result") as working:
        (working / "a").touch()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".result.of-mine", "result"]


def test_a_result_that_was_being_replaced_is_given_back(tmp_path):
    """Where names cannot be swapped in one step, a run may die between two."""
    with kio.result_folder(tmp_path / "result") as working:
        (working / "a").write_text("old")
    (tmp_path / "result").rename(tmp_path / f".result.0a1b2c3d{output.OLDER}")
    with pytest.raises(OutputError, match="holds a result"):
        kio.result_folder(tmp_path / "result").__enter__()
    assert (tmp_path / "result" / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_names_are_swapped_in_two_steps_where_one_is_not_possible(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "exchange", lambda *_: False)
    for word in ("old", "new"):
        with kio.result_folder(tmp_path / "result", overwrite=True) as working:
            (working / "a").write_text(word)
    assert (tmp_path / "result" / "a").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_too_little_space_is_told_before_any_computing(tmp_path):
    with pytest.raises(OutputError, match=r"disk full: need 1000000000000 MB, have \d+: make"):
        kio.result_folder(tmp_path / "r", need_bytes=10**18).__enter__()
    assert files(tmp_path) == []


@pytest.mark.parametrize("name", ["a\nb", "tab\there", "\x1b[2J"])
def test_a_name_with_control_characters_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match="control characters"):
        kio.result_folder(tmp_path / name).__enter__()


@pytest.mark.parametrize("name", ["Ä ö", "with space", "=1+1", "a'b", "x" * 200])
def test_odd_but_plain_names_are_fine(tmp_path, name):
    with kio.result_folder(tmp_path / name) as working:
        (working / "a").touch()
    assert (tmp_path / name / "a").exists()


def test_a_symbolic_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="symbolic link"):
        kio.result_folder(tmp_path / "link", overwrite=True).__enter__()
    assert files(tmp_path / "elsewhere") == []
