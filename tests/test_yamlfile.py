"""Files that people write: values as written, lines of faults, and nothing that could unfold or overflow."""

from datetime import date
from importlib.resources import files

import pytest

from charges import yamlfile
from charges.errors import BadProfile
from charges.practice.profile import parse_profile

PROFILE = files("charges").joinpath("practice/examples/lakeside.yaml").read_text(encoding="utf-8")


def test_numbers_stay_as_written_and_dates_are_dates() -> None:
    values = yamlfile.read("a: 1.10\nb: 010\nc: 25\nd: 2026-11-16\ne: 99213\nf: -3\n").values
    assert values == {"a": "1.10", "b": "010", "c": 25, "d": date(2026, 11, 16), "e": 99213, "f": -3}


def test_every_value_has_the_line_of_its_name() -> None:
    document = yamlfile.read("rules:\n  - id: A\n    codes:\n      - x\n")
    assert document.line_of(("rules", 0, "codes")) == 3
    assert document.line_of(("rules", 0, "codes", 0)) == 4
    assert document.line_of(("rules", 0, "missing", "below")) == 2
    assert document.line_of(("other",)) == 1


def test_a_name_that_stands_twice_is_told() -> None:
    assert yamlfile.read("a: 1\nb: {c: 1, c: 2}\na: 2\n").repeated == (
        "line 2: c stands twice",
        "line 3: a stands twice",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1, 2\nb: 3\n", "line 2: is not YAML"),
        ("a: &x [1]\nb: *x\n", "line 1: is used again by an alias"),
        ("a: &x [*x]\n", "alias"),
        ("a: \x00", "is not YAML"),
        ("a: !!python/object:os.system {}\n", "line 1: is not YAML"),
        ("[" * 50_000, "is not YAML"),
        ("a: " + "{a: " * 5_000, "is not YAML"),
        ("- " * 20_000, "is not YAML"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(yamlfile.NotReadable, match=said):
        yamlfile.read(text)


def test_an_empty_file_has_no_value() -> None:
    assert yamlfile.read("").values is None
    assert yamlfile.read("# nothing\n").line_of(("a",)) == 1


def test_a_profile_is_refused_whole_with_every_fault_in_order_of_line() -> None:
    text = PROFILE.replace("time_zone:", "time_zones:").replace("usage: T", "usage: X")
    assert text != PROFILE
    with pytest.raises(BadProfile) as refused:
        parse_profile(text + "\nname: again\n", "lakeside.yaml")
    faults = refused.value.faults
    assert "name stands twice" in faults[0]
    assert any("time_zones is not a setting that exists" in each for each in faults)
    assert any("time_zone is missing" in each for each in faults)
