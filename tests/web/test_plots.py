"""Plots say what they are, are true to their numbers, and repeat nothing of what they are given as markup."""

import re
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from charges.web.plots import Bar, Column, Stack, bars, columns, stacks

EVIL = '<script>alert("x")</script>'
DRAWN = (
    bars(EVIL, EVIL, [Bar(EVIL, 3, EVIL, 1)]),
    columns(EVIL, EVIL, (EVIL, EVIL), [Column(EVIL, (1, None)), Column(EVIL, (0, 2))], wanted=1, unit=EVIL),
    stacks(EVIL, EVIL, [Stack(EVIL, ((1.0, "x"), (0.0, EVIL)))]),
)


@pytest.mark.parametrize("drawn", DRAWN)
def test_what_is_named_is_no_markup(drawn: Markup) -> None:
    assert "<script" not in drawn
    picture = ElementTree.fromstring(drawn)
    assert picture.get("aria-label") == f"{EVIL}: {EVIL}"
    assert {each.tag for each in picture.iter()} <= {"svg", "rect", "line", "text"}


@pytest.mark.parametrize("drawn", DRAWN)
def test_nothing_needs_a_style_that_the_page_forbids(drawn: Markup) -> None:
    assert " style=" not in drawn
    assert 'role="img"' in drawn


def _widths(drawn: Markup, kind: str) -> list[float]:
    return [float(found) for found in re.findall(rf'class="{kind}"[^>]* width="([\d.]+)"', drawn)]


def test_bars_are_as_long_as_their_values() -> None:
    drawn = bars("Rules", "most", [Bar("A", 40, "40", 20), Bar("B", 10, "10", 0), Bar("C", 0, "0")])
    longest, quarter, nothing = _widths(drawn, "series-1")
    assert quarter == pytest.approx(longest / 4, abs=0.1)
    assert nothing == 0
    assert _widths(drawn, "before")[0] == pytest.approx(longest / 2, abs=0.1)


def test_the_parts_of_a_stack_fill_it() -> None:
    drawn = stacks("Levels", "shares", [Stack("Vale", ((0.25, "99213"), (0.5, "99214"), (0.25, "99215")))])
    first, second, third = (_widths(drawn, f"part part-{number}")[0] for number in (1, 2, 3))
    assert second == pytest.approx(2 * first, abs=0.2)
    assert third == pytest.approx(first, abs=0.2)
    assert "99214" in drawn


def test_a_plot_of_nothing_is_none_the_less_a_picture() -> None:
    for drawn in (bars("a", "b", []), columns("a", "b", ("c",), []), stacks("a", "b", [])):
        assert ElementTree.fromstring(drawn).get("role") == "img"
