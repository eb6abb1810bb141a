import errno

import pytest

from keras_usmae.export.folder import check_output, replacing_folder, write_report


def test_replaces_an_earlier_export_as_a_whole(tmp_path):
    output = tmp_path / "export"
    for name in ("first", "second"):
        with replacing_folder(output) as folder:
            (folder / name).write_text(name)
            write_report(folder, {"name": name})
    assert sorted(path.name for path in output.iterdir()) == ["export.json", "second"]
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_takes_an_empty_folder(tmp_path):
    check_output(tmp_path)


@pytest.mark.parametrize(
    "make", [lambda p: p.write_text("x"), lambda p: (p.mkdir(), (p / "notes.txt").write_text("x"))]
)
def test_refuses_what_is_not_an_export(tmp_path, make):
    make(tmp_path / "export")
    with pytest.raises(FileExistsError, match=r"not an export .*Choose another --output"):
        check_output(tmp_path / "export")


def test_an_error_leaves_nothing(tmp_path):
    def fail():
        with replacing_folder(tmp_path / "export") as folder:
            (folder / "half").write_text("x")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not list(tmp_path.iterdir())


def test_what_killed_exports_left_is_removed_and_one_at_work_is_not(tmp_path):
    output = tmp_path / "export"
    (tmp_path / ".export.partial.killed").mkdir()
    (tmp_path / ".export.partial.killed" / "half").write_text("x")
    (tmp_path / ".export.partial.killed.old").mkdir()
    write_report(tmp_path / ".export.partial.killed.old", {"name": "before"})
    with replacing_folder(output) as at_work:
        assert (output / "export.json").is_file(), "killed between the two moves: the earlier export is back"
        with replacing_folder(output) as folder:
            write_report(folder, {"name": "second"})
        assert at_work.is_dir()
        write_report(at_work, {"name": "first"})
    assert [path.name for path in tmp_path.iterdir()] == ["export"]
    assert [path.name for path in output.iterdir()] == ["export.json"]
    assert "first" in (output / "export.json").read_text()


def test_a_full_disk_is_told_with_path_and_sizes(tmp_path):
    def fill():
        with replacing_folder(tmp_path / "export") as folder:
            (folder / "half").write_bytes(b"x" * 2_000_000)
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"export could not be written .*No space.*: 2\.0 MB of it were, and .* are free"):
        fill()
    assert not list(tmp_path.iterdir())
