import dataclasses
import time

import pytest

from keras_usmae.fields import FieldError, build, field, integer, interval, table, tables, text
from keras_usmae.user_files import errors_named, read_json, read_toml


@dataclasses.dataclass(frozen=True)
class Part:
    name: str = field(text)
    width: tuple[float, float] = field(interval("m", above=0), (1.0, 1.0))


@dataclasses.dataclass(frozen=True)
class Whole:
    size: int = field(integer(1))
    main: Part | None = field(table(Part), None)
    part: tuple[Part, ...] = field(tables(Part), ())


FILE = """\
size = 3

[main]
name = "a"

[[part]]
name = "b"
width = [
    1,
    2,
]

[[part]]
name = "c"
"""


def read(path):
    with errors_named(path):
        return build(Whole, read_toml(path, "file"))


def test_a_file_becomes_a_frozen_dataclass(tmp_path):
    (tmp_path / "a.toml").write_text(FILE)
    assert read(tmp_path / "a.toml") == Whole(3, Part("a"), (Part("b", (1.0, 2.0)), Part("c")))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("size = 3", "size = 0", "line 1: 'size' must be an integer of 1 or more, but is 0"),
        ("size = 3", "", "line 1: 'size' is missing"),
        ("size = 3", "siz = 3", "line 1: 'siz' is unknown. Did you mean 'size'? Known keys here: size, main, part."),
        ('name = "a"', 'name = ""', "line 4: 'main.name' must be a text that is not empty, but is ''"),
        ('name = "a"', "", "line 3: 'main.name' is missing"),
        ("    2,", "    2,\n3,", "line 8: 'part[0].width' must be a number or a range"),
        ("    2,", "    0.5,", "line 8: 'part[0].width' must have low <= high, but is [1, 0.5] m"),
        ('name = "c"', "name = 1", "line 14: 'part[1].name' must be"),
        ('name = "c"', 'nam = "c"', "line 14: 'part[1].nam' is unknown. Did you mean 'name'?"),
    ],
)
def test_errors_name_file_line_key_and_value(tmp_path, old, new, message):
    path = tmp_path / "a.toml"
    path.write_text(FILE.replace(old, new))
    with pytest.raises(ValueError) as error:
        read(path)
    assert str(error.value).startswith(f"{str(path)!r}, {message}")


def test_a_long_file_is_answered_at_once(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("size = 0\n" + "".join(f'[[part]]\nname = "{i}"\n' for i in range(8000)))
    started = time.monotonic()
    with pytest.raises(ValueError, match=r"a.toml': 'size' must be an integer"):
        read(path)
    assert time.monotonic() - started < 5


def test_the_last_line_that_is_searched_is_found(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("size = 1\n" + "# of no meaning\n" * 497 + "[main]\nname = 5\n")
    with pytest.raises(ValueError, match=r"a.toml', line 500: 'main.name' must be a text"):
        read(path)


def test_what_is_wrong_in_python_names_no_file():
    with pytest.raises(FieldError, match=r"^'size' must be an integer of 1 or more, but is True"):
        build(Whole, {"size": True})
    with pytest.raises(ValueError, match=r"^'the settings': 'size' is missing"), errors_named("the settings"):
        build(Whole, {})


def test_json_must_hold_an_object(tmp_path):
    path = tmp_path / "a.json"
    for content, message in ((b"{", "is not JSON.*Restore it"), (b"[]", "holds a list"), (b"\xff", "is not text")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"a\.json {message}|a\.json must hold.*{message}"):
            read_json(path, "Restore it.")
