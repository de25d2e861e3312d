"""ICD-10-CM: the order file (which codes are billable) and the tabular list in XML (what its instructions say).

The order file is fixed in width: 7-13 the code without its dot, 15 whether it is billable (1) or a header (0), 17-76 a
short title. The tabular list names categories, not every code: 7th characters are told once and have to be put together;
so validity comes from the order file, and from the XML only where there is no other source.
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, iterparse

from charges.errors import Unreadable
from rules.reference.drafts import Dates, Draft, draft, fiscal_year, found
from rules.reference.files import Document, fault
from rules.reference.icd import references, undotted

_CODE = re.compile(r"[A-Z][0-9A-Z]{2,6}")
_NOTES = ("excludes1", "excludes2", "codeFirst", "useAdditionalCode", "codeAlso")


def load_order(document: Document, told: Dates) -> Iterator[Draft]:
    """``icd10cm_order_2027.txt``: table ``icd``."""
    if found("addenda", document.name):
        raise Unreadable(f"{document.name} lists changes alone. Load the whole order file, icd10cm_order_YYYY.txt.")
    made = draft("icd", document, told, edition_dates(document.label))
    previous = 0
    for number, line in document.lines():
        if not line.strip():
            continue
        order, code, flag = line[:5], line[6:13].strip(), line[14:15]
        if not (order.isdecimal() and _CODE.fullmatch(code) and flag in ("0", "1") and line[15:16] == " "):
            raise fault(document, number, "is no line of an ICD-10-CM order file (order number, code, 0 or 1, titles).")
        if int(order) != previous + 1 and previous != 0:
            raise fault(document, number, f"order number {order} follows {previous:05}; lines are missing or moved.")
        previous = int(order)
        made.add(code, billable=flag == "1", title=line[16:76].strip())
    _not_empty(document, made)
    yield made


def load_tabular(document: Document, told: Dates, *, codes: bool = False) -> Iterator[Draft]:
    """``icd10cm_tabular_2027.xml``: table ``icd_notes``; with ``codes`` also ``icd``, put together from the list."""
    dates = edition_dates(document.label)
    notes = draft("icd_notes", document, told, dates)
    listed = draft("icd", document, told, dates)
    for chapter in _chapters(document):
        name = f"CH{_text(chapter, 'name')}"
        _add_notes(notes, name, chapter)
        for section in chapter.iter("section"):
            block = str(section.get("id")).replace("-", "")
            _add_notes(notes, block, section)
            for category in section.findall("diag"):
                code = undotted(_text(category, "name"))
                notes.add(code, kind="within", references=f"{block} {name}", text="")
                for each in category.iter("diag"):
                    _add_notes(notes, undotted(_text(each, "name")), each)
                _add_codes(listed, category, (), frozenset())
    _not_empty(document, notes)
    yield notes
    if codes:
        yield listed


def edition_dates(name: str) -> Dates:
    """The fiscal year, or its half from April, that a file's name tells."""
    year = found(r"(20[0-9]{2})", name)
    return fiscal_year(int(year[1]), april=bool(found("apr", name))) if year else Dates()


def _chapters(document: Document) -> Iterator[Element]:
    try:
        with document.opened() as file:
            for _, element in iterparse(file):  # noqa: S314 - expat bounds what entities unfold to
                if element.tag == "chapter":
                    yield element
                    element.clear()
    except ParseError as error:
        raise fault(document, error.position[0], "is not XML here; the file is cut short or another.") from None


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _add_notes(made: Draft, code: str, element: Element) -> None:
    for kind in _NOTES:
        for group in element.findall(kind):
            for note in group.findall("note"):
                text = " ".join("".join(note.itertext()).split())
                made.add(code, kind=kind.lower(), references=references(text), text=text)
    extensions = [str(each.get("char")) for each in element.iterfind("sevenChrDef/extension")]
    if extensions:
        made.add(code, kind="seventh", references=" ".join(extensions), text="")


def _add_codes(made: Draft, element: Element, seventh: tuple[str, ...], barred: frozenset[str]) -> None:
    """A code and those below it; a code that takes a 7th character is a header, its extensions are billable."""
    own = tuple(str(each.get("char")) for each in element.iterfind("sevenChrDef/extension"))
    seventh = own or seventh
    if any(
        "7th characters D and S do not apply" in "".join(each.itertext()) for each in element.iterfind("notes/note")
    ):
        barred = frozenset(f"{sixth}{last}" for sixth in "78" for last in "DS")
    code, title = undotted(_text(element, "name")), _text(element, "desc")[:60]
    below = element.findall("diag")
    complete = not below and not seventh
    made.add(code, billable=complete, title=title)
    for each in below:
        _add_codes(made, each, seventh, barred)
    if not below:
        for character in seventh:
            extended = f"{code:X<6}{character}"
            if extended[5:] not in barred:
                made.add(extended, billable=True, title=title)


def _not_empty(document: Document, made: Draft) -> None:
    if not len(made.builder):
        raise Unreadable(f"{document.name} holds no ICD-10-CM code; it is another file.")
