"""A scrutinised file for people to read: its segments, each with what was found wrong about it underneath."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from charges.scrutiny.judging import Said, Scrutiny
from charges.x12.scanner import scan

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1b1b; }
h1 { font-size: 1.3rem; } .clean { color: #14602a; } .held, .unreadable { color: #9b1c1c; }
ol.file { font: 13px/1.6 ui-monospace, monospace; list-style: none; padding: 0; overflow-wrap: anywhere; }
ol.file > li::before { content: attr(data-position); display: inline-block; width: 4rem; color: #666; }
li.claim { margin-top: .8rem; font-weight: 600; } .at-fault { background: #fdecea; }
ul.findings { font: 14px/1.5 system-ui, sans-serif; margin: .1rem 0 .6rem 4rem; padding-left: 1rem; }
.stop, .hold { color: #9b1c1c; } .warn { color: #7a4b00; } .info { color: #2a4d8f; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .15rem .8rem .15rem 0; vertical-align: top; }
"""


def marked(file: Path, scrutiny: Scrutiny) -> Iterator[tuple[int, str, Sequence[Said]]]:
    """Every segment or row of a file with its position, and the findings that stand under it."""
    under = by_position(scrutiny)
    if scrutiny.parts is not None:
        for position, text in scrutiny.parts():
            yield position, text, under.get(position, ())
        return
    with file.open("rb") as content:
        for position, (e, delimiters) in enumerate(scan(content), 1):
            yield position, delimiters.element.join(e).rstrip(delimiters.element), under.get(position, ())


def by_position(scrutiny: Scrutiny) -> Mapping[int, Sequence[Said]]:
    """The findings by the position of their segment, 0 for those of the file as a whole."""
    found: dict[int, list[Said]] = {}
    for each in scrutiny.findings:
        found.setdefault(each.position, []).append(each)
    return found


def page(file: Path, scrutiny: Scrutiny) -> Iterator[str]:
    """The file as one page of HTML that needs nothing else, piece by piece. It holds what the file holds."""
    title = escape(f"{file.name}: {scrutiny.counted}, {scrutiny.verdict}")
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
    yield f'<h1 class="{scrutiny.verdict}">{title}</h1>'
    if scrutiny.verdict == "unreadable":
        yield f"<p>{escape(scrutiny.sentence)}</p>"
        return
    yield from _index(scrutiny)
    yield '<ol class="file">'
    for position, segment, findings in marked(file, scrutiny):
        kinds = ["claim"] if segment.startswith("CLM") else []
        kinds += ["at-fault"] if findings else []
        yield f'<li id="s{position}" data-position="{position}" class="{" ".join(kinds)}"><span>{escape(segment)}</span>'
        if findings:
            yield f'<ul class="findings">{"".join(map(_finding, findings))}</ul>'
        yield "</li>"
    yield "</ol></html>"


def _index(scrutiny: Scrutiny) -> Iterator[str]:
    if not scrutiny.findings:
        yield "<p>Nothing was found.</p>"
        return
    yield "<table><tr><th>claim<th>place<th>rule<th>weight<th>what is wrong"
    for each in scrutiny.findings:
        place = escape(" ".join(part for part in (each.loop, each.element or each.segment) if part))
        link = f'<a href="#s{each.position}">{place or "here"}</a>' if each.position else place
        claim = escape(each.claim) or "the file"
        yield f"<tr><td>{claim}<td>{link}<td>{escape(each.rule)}<td>{each.severity}<td>{escape(each.message)}"
    yield "</table>"


def _finding(said: Said) -> str:
    element = f"{escape(said.element)}: " if said.element else ""
    return f'<li class="{said.severity}"><strong>{escape(said.rule)}</strong> {element}{escape(said.message)}</li>'
