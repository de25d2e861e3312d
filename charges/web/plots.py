"""Plots as SVG, drawn here and shown as they are: no script, no style of their own but the classes of the page's sheet.

A plot is a picture of the table that stands beside it. So it has a title and a sentence for those who do not see it, no
links, and nothing that colour alone would tell: what is compared differs in shape or in pattern too, and values stand
beside bars. All text is escaped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH = 720
ROW = 28
LABEL = 190
VALUE = 110
TALL = 220
MARGIN = 34
"""Of the time plots: left of the first and below the last column."""
MOST_LABELS = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its label, its length, and what is written at its end; ``before`` draws a thin one for comparison."""

    label: str
    value: float
    says: str
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A place on the axis of time with one value of each series; None where there is none."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """A bar of parts that add up to 1; each part has what is written in it where there is room."""

    label: str
    parts: tuple[tuple[float, str], ...]


def bars(title: str, described: str, rows: Sequence[Bar]) -> Markup:
    """Bars from left to right, one below the other."""
    largest = max([*(each.value for each in rows), *(each.before or 0 for each in rows), 1e-9])
    room = WIDTH - LABEL - VALUE
    drawn = []
    for place, each in enumerate(rows):
        top, length = place * ROW, room * each.value / largest
        drawn.append(_text(LABEL - 8, top + 18, _shortened(each.label), "end"))
        drawn.append(_rect(LABEL, top + 5, length, 16, "series-1"))
        if each.before is not None:
            drawn.append(_rect(LABEL, top + 22, room * each.before / largest, 3, "before"))
        drawn.append(_text(LABEL + max(length, 0) + 6, top + 18, each.says))
    return _svg(title, described, len(rows) * ROW, drawn)


def columns(
    title: str,
    described: str,
    series: Sequence[str],
    places: Sequence[Column],
    *,
    top: float | None = None,
    wanted: float | None = None,
    unit: str = "",
) -> Markup:
    """Series over time, the first filled and the second hollow; ``top`` is the axis' end, ``wanted`` a line across it."""
    values = [value for each in places for value in each.values if value is not None]
    highest = top or max([*values, wanted or 0, 1e-9])
    left, bottom = MARGIN + 20, TALL - MARGIN
    room = (WIDTH - left) / max(len(places), 1)
    width = min(room * 0.8 / max(len(series), 1), 40)
    drawn = [_line(left, bottom, WIDTH, bottom, "axis"), _text(left - 6, bottom, "0", "end")]
    drawn += [_text(left - 6, 24, f"{highest:g}{unit}", "end")]
    every = -(-len(places) // MOST_LABELS) or 1
    for place, each in enumerate(places):
        middle = left + room * (place + 0.5)
        for number, value in enumerate(each.values):
            if value is not None:
                tall = (bottom - 20) * min(value / highest, 1)
                x = middle + (number - len(series) / 2) * width
                drawn.append(_rect(x, bottom - tall, width - 1, tall, f"series-{number + 1}"))
        if place % every == 0:
            drawn.append(_text(middle, bottom + 16, each.label, "middle"))
    if wanted is not None:
        y = bottom - (bottom - 20) * wanted / highest
        drawn += [_line(left, y, WIDTH, y, "wanted"), _text(WIDTH, y - 4, f"{wanted:g}{unit}", "end")]
    for number, name in enumerate(series if len(series) > 1 else ()):
        drawn += [
            _rect(left + number * 160, 0, 12, 12, f"series-{number + 1}"),
            _text(left + 18 + number * 160, 11, name),
        ]
    return _svg(title, described, TALL, drawn)


def stacks(title: str, described: str, rows: Sequence[Stack]) -> Markup:
    """Bars of equal length in parts; the parts follow in their order and say what they are."""
    room = WIDTH - LABEL
    drawn = []
    for place, each in enumerate(rows):
        top, at = place * ROW, float(LABEL)
        drawn.append(_text(LABEL - 8, top + 18, _shortened(each.label), "end"))
        for number, (share, says) in enumerate(each.parts):
            width = room * share
            if width > 0:
                drawn.append(_rect(at, top + 3, width, 20, f"part part-{number % 5 + 1}"))
            if width >= 8 * len(says):
                drawn.append(_text(at + width / 2, top + 18, says, "middle", f"on-part-{number % 5 + 1}"))
            at += width
    return _svg(title, described, len(rows) * ROW, drawn)


def _svg(title: str, described: str, height: float, drawn: Iterable[Markup]) -> Markup:
    return Markup('<svg class="plot" role="img" viewBox="0 0 {} {}" aria-label="{}: {}">{}</svg>').format(
        WIDTH, round(height) or 1, title, described, Markup("").join(drawn)
    )


def _rect(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        kind, x, y, max(width, 0), max(height, 0)
    )


def _line(x: float, y: float, to_x: float, to_y: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(kind, x, y, to_x, to_y)


def _text(x: float, y: float, says: str, anchor: str = "start", kind: str = "") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(kind, x, y, anchor, says)


def _shortened(label: str) -> str:
    return label if len(label) <= 26 else f"{label[:25]}…"
