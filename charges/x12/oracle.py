"""pyx12's opinion of an X12 file: every error with its segment, loop and claim.

pyx12's own entry point parses its maps from XML at each call and tells its errors as a tree. Here its reader, walker and
validators are driven segment by segment over maps that are kept, and each error is told with the claim it stands in. The
verdict is the one that pyx12 gives with the same maps: no error, valid. One thing is stricter: where a segment has no place
between the envelopes (between ISA and GS, say) pyx12 notes the error and loses it on the way to its verdict; here it counts.

Errors say codes and places, never the value at fault, which may be a patient's.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import TextIO, cast
from xml.etree import ElementTree

import pyx12.x12n_document
from pyx12.error_item import EleError, SegError
from pyx12.errors import EngineError, X12Error
from pyx12.map_if import element_if, loop_if, map_if, segment_if
from pyx12.map_if._base import x12_node
from pyx12.map_index import map_index
from pyx12.map_walker import walk_tree
from pyx12.params import ParamsBase
from pyx12.segment import Segment
from pyx12.x12file import X12Reader

BROKEN = (EngineError, X12Error, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What pyx12 may raise over a file: it is refused then, as it is by pyx12's own entry point."""

CONTROL = {"00401": "x12.control.00401.xml", "00501": "x12.control.00501.xml"}

SAME_GUIDE = {
    # The addenda after the ones that pyx12 has maps of, and the guides before them, differ in nothing that maps say.
    "005010X222": "005010X222A1",
    "005010X222A2": "005010X222A1",
    "005010X223": "005010X223A2",
    "005010X223A1": "005010X223A2",
    "005010X223A3": "005010X223A2",
}
"""Versions (GS08, ST03) that are judged by the map of another."""

CORRECTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    # Attachments that the provider keeps and sends at request only are AD; the guide's own examples of wheelchairs and
    # oxygen use it, and the map forgot it in both places.
    "837.5010.X222.A1.xml": {
        "PWK02": ("AD",),
        "GS08": ("005010X222", "005010X222A2"),
        "ST03": ("005010X222", "005010X222A2"),
    },
    "837Q3.I.5010.X223.A1.xml": {
        "PWK02": ("AD",),
        "GS08": ("005010X223", "005010X223A1", "005010X223A3"),
        "ST03": ("005010X223", "005010X223A1", "005010X223A3"),
    },
}
"""Codes that a guide has and pyx12's map of it lacks, by map file and element."""

LENIENT: dict[str, frozenset[str]] = {
    # Guide X223 gives an example with five digits in the billing provider's ZIP, so the pattern of nine cannot be its rule.
    "837Q3.I.5010.X223.A1.xml": frozenset(("N403",)),
}
"""Elements whose pattern in pyx12's map says more than the guide, by map file."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One error.

    ``position`` counts the segments of the file from 1, ``transaction`` is ST02, ``at_transaction`` the segment's count
    within the transaction set, ``line`` the service line's within the claim, 0 outside of any. ``element`` and its number
    in X12's dictionary, ``data_element``, are empty for the segment as a whole.

    ``code`` is the one that a 999 says: IK304 for segments, IK403 for elements, IK502, AK905 or TA105 above them;
    ``level`` says which of them: "element", "segment", "transaction", "group" or "interchange".
    """

    level: str
    code: str
    sentence: str
    position: int
    at_transaction: int = 0
    transaction: str = ""
    claim: str = ""
    line: int = 0
    loop: str = ""
    segment: str = ""
    element: str = ""
    data_element: str = ""


@dataclass(slots=True)
class Opinion:
    """All faults; those of a claim by its number (CLM01), those of a level above claims with each claim under it."""

    faults: list[Fault] = field(default_factory=list)
    by_claim: dict[str, list[Fault]] = field(default_factory=dict)
    of_file: list[Fault] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        """Whether pyx12 found nothing."""
        return not self.faults

    def add(self, other: "Opinion") -> None:
        """Take up what was found in another part of the file."""
        self.faults += other.faults
        self.of_file += other.of_file
        for number, found in other.by_claim.items():
            self.by_claim.setdefault(number, []).extend(found)


@lru_cache(maxsize=1)
def _parameters() -> ParamsBase:
    return ParamsBase()


@lru_cache(maxsize=1)
def _index() -> map_index:
    return map_index(None)


def map_name(icvn: str, functional_id: str, version: str) -> str | None:
    """The map file of a guide: ISA12, GS01, GS08."""
    return _index().get_filename(icvn, SAME_GUIDE.get(version, version), functional_id)


@lru_cache(maxsize=16)
def load_map(name: str) -> map_if:
    """A map with our corrections, read once in a process."""
    # Read as pyx12 reads it, by the parser in C: a file of the installed package needs no defence against its author.
    with files("pyx12").joinpath("map", name).open("rb") as file:
        loaded = map_if(ElementTree.parse(file).getroot(), _parameters())  # noqa: S314
    codes, lenient = CORRECTIONS.get(name, {}), LENIENT.get(name, frozenset())
    for element in _elements(loaded) if codes or lenient else ():
        if element.valid_codes and (more := codes.get(element.id or "")):
            element.valid_codes = [*element.valid_codes, *more]
            element._valid_codes_set = frozenset(element.valid_codes)  # noqa: SLF001 - the list alone is not asked
        if element.id in lenient:
            element.rec = None
    return loaded


@lru_cache(maxsize=16)
def _names(name: str) -> frozenset[str]:
    """The names of the segments of a guide."""

    def of(node: map_if | loop_if) -> Iterator[str]:
        for child in (each for children in node.pos_map.values() for each in children):
            if isinstance(child, loop_if):
                yield from of(child)
            else:
                yield child.id or ""

    return frozenset(of(load_map(name))) if name else frozenset()


def _elements(node: map_if | loop_if) -> Iterator[element_if]:
    for child in (each for children in node.pos_map.values() for each in children):
        if isinstance(child, segment_if):
            yield from (each for each in child.children if isinstance(each, element_if))
        elif isinstance(child, loop_if):
            yield from _elements(child)


def pyx12_alone(content: bytes) -> bool:
    """pyx12's verdict through its own entry point, with its own maps, as anybody gets it."""
    try:
        return bool(
            pyx12.x12n_document.x12n_document(_parameters(), io.StringIO(content.decode("latin-1")), None, None)
        )
    except BROKEN:
        return False


def ask(pieces: Iterable[str], shift: int = 0) -> Opinion:
    """pyx12's opinion of a file given in pieces of any size: memory grows with the faults alone.

    ``shift`` is added to the positions, for a part of a file that is judged by itself.
    """
    opinion = Opinion()
    try:
        reader = X12Reader(cast("TextIO", _Pieces(pieces)))
    except BROKEN:
        found = Fault("interchange", "024", "The file does not begin with a whole ISA segment of a known version.", 1)
        opinion.faults.append(found)
        opinion.of_file.append(found)
        return opinion
    _Walk(reader, opinion, shift).run()
    return opinion


class _Pieces:
    """As much of a file as pyx12 asks of one."""

    closed = False

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces, self._rest = iter(pieces), ""

    def read(self, size: int) -> str:
        """The next characters, fewer than ``size`` at the end alone."""
        while len(self._rest) < size and (more := next(self._pieces, "")):
            self._rest += more
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


class _Walk:
    """pyx12 driven over one file, as ``x12n_document`` does it."""

    def __init__(self, reader: X12Reader, opinion: Opinion, shift: int) -> None:
        self.reader, self.opinion = reader, opinion
        self.walker = walk_tree()
        self.control = load_map(CONTROL[reader.icvn])
        self.node = _node(self.control, "/ISA_LOOP/ISA")
        self.found = True
        self.map_name = ""
        self.icvn = ""
        self.position = shift
        self.transaction = self.claim = ""
        self.line = 0
        self.scopes: list[list[Fault]] = [opinion.of_file]

    def run(self) -> None:
        segments = iter(self.reader)
        try:
            for segment in segments:
                self.position += 1
                self._take(segment)
            self.reader.cleanup()
            self._of_reader()
        except BROKEN:
            self._say("segment", "8", "pyx12 gives up at this segment, so the rest cannot be judged.")
        self.opinion.by_claim = {number: [*own] for number, own in self.opinion.by_claim.items() if own}
        # A fault of a level above claims that has no claim under it is nobody's but the file's.
        told = {id(fault) for own in self.opinion.by_claim.values() for fault in own} | set(
            map(id, self.opinion.of_file)
        )
        self.opinion.of_file += [fault for fault in self.opinion.faults if id(fault) not in told]

    def _take(self, segment: Segment) -> None:
        name = segment.get_seg_id() or ""
        walked = self._step(name, segment)
        self._missing(walked)
        self._turn(name, segment)
        self._of_walker(walked)
        if not self.found:
            return
        if name == "GS":
            self._open_group(segment)
        self._of_reader()
        assert isinstance(self.node, segment_if)
        _, errors = self.node.is_valid_errors(segment)
        for error in errors:
            self._of_element(error, name)

    def _step(self, name: str, segment: Segment) -> list[SegError]:
        """Go to the node of the segment; the node stays where none is found."""
        self.found = True
        if name == "ISA":
            self.icvn = segment.get_value("ISA12") or ""
            self.node = _node(self.control, "/ISA_LOOP/ISA")
            self.walker.forceWalkCounterToLoopStart("/ISA_LOOP", "/ISA_LOOP/ISA")
            return []
        if name == "GS":
            self.node = _node(self.control, "/ISA_LOOP/GS_LOOP/GS")
            self.walker.forceWalkCounterToLoopStart("/ISA_LOOP/GS_LOOP", "/ISA_LOOP/GS_LOOP/GS")
            return []
        reader = self.reader
        node, _, _, errors = self.walker.walk_errors(
            self.node, segment, reader.get_seg_count(), reader.get_cur_line(), reader.get_ls_id()
        )
        self.found = node is not None
        self.node = node or self.node
        return errors

    def _open_group(self, segment: Segment) -> None:
        version, functional_id = segment.get_value("GS08") or "", segment.get_value("GS01") or ""
        name = map_name(self.icvn, functional_id, version)
        if name is None:
            self._say("group", "2", f"GS08 names no guide that is known here ({len(version)} characters).")
            raise EngineError
        if name != self.map_name:
            self.map_name = name
            guide = load_map(name)
            self.reader.check_837_lx = guide.id == "837"
        self.node = _node(load_map(name), "/ISA_LOOP/GS_LOOP/GS")

    def _turn(self, name: str, segment: Segment) -> None:
        """Which claim the segment belongs to, and which claims a fault above it is about."""
        if name == "ST":
            self.transaction = segment.get_value("ST02") or ""
            self.scopes = [self.opinion.of_file]
        elif name == "HL":
            depth = {"20": 1, "22": 2, "23": 3}.get(segment.get_value("HL03") or "", 1)
            self.scopes = [*self.scopes[:depth], []]
            self.claim, self.line = "", 0
        elif name == "LX":
            self.line += 1
        elif name == "CLM":
            self.claim, self.line = segment.get_value("CLM01") or "", 0
            own = self.opinion.by_claim.setdefault(self.claim, [])
            own += [fault for scope in self.scopes[1:] for fault in scope]
        elif name in ("SE", "GE", "IEA", "GS", "ISA"):
            self.scopes, self.claim, self.line = [self.opinion.of_file], "", 0
            if name != "SE":
                self.transaction = ""

    def _missing(self, errors: Iterable[SegError]) -> None:
        """What should have come before this segment belongs to what was before it."""
        for error in errors:
            if error.err_cde == "3" and error.map_node is not None:
                node = error.map_node
                self._say("segment", "3", f"{node.id} ({node.name}) is missing.", node=node, segment=node.id or "")

    def _of_walker(self, errors: Iterable[SegError]) -> None:
        for error in errors:
            if error.err_cde == "3" and error.map_node is not None:
                continue
            self._of_segment(error.err_cde, error.seg_data, error.map_node)

    def _of_segment(self, code: str, segment: Segment, node: x12_node | None) -> None:
        name = (segment.get_seg_id() if segment is not None else self.node.id) or ""
        said, sentence = {
            "1": ("2" if name in _names(self.map_name) else "1", "has no place in the guide here."),
            "2": ("I4", "is not used by the guide here."),
            "4": ("4", "begins a loop that stands more often than the guide allows."),
            "5": ("5", "stands more often than the guide allows."),
        }.get(code, (code, "is against the guide here."))
        self._say("segment", said, f"{name} {sentence}", node=node, segment=name)

    def _of_reader(self) -> None:
        for kind, code, *_ in self.reader.pop_errors():
            level, said, sentence, element, number = _READER.get((kind, code), _NOT_FORMED)
            if element:
                sentence = f"{element} {sentence}"
            self._say(level, said, sentence, segment=element[:-2], element=element, number=number)

    def _of_element(self, error: EleError, name: str) -> None:
        node: element_if | None = error.map_node
        code = error.err_cde
        if node is None:
            element = error.refdes or ""
            element = element if str(element).startswith(name) else f"{name}{int(element):02d}"
            code = "I10" if code == "5" else code
            said = _ELEMENT[code]
        else:
            element = reference(node)
            code = "I10" if code == "10" else code
            said = f"({node.name}) {_ELEMENT[code]}"
        number = (node.data_ele if node is not None else None) or ""
        self._say("element", code, f"{element} {said}", node=self.node, segment=name, element=element, number=number)

    def _say(
        self,
        level: str,
        code: str,
        sentence: str,
        *,
        node: x12_node | None = None,
        segment: str = "",
        element: str = "",
        number: str = "",
    ) -> None:
        where = self.node if node is None else node
        fault = Fault(
            level=level,
            code=code,
            sentence=sentence,
            position=self.position,
            at_transaction=self.reader.get_seg_count(),
            transaction=self.transaction,
            claim=self.claim,
            line=self.line,
            loop=_loop(where),
            segment=segment or where.id or "",
            element=element,
            data_element=number,
        )
        self.opinion.faults.append(fault)
        if self.claim:
            self.opinion.by_claim[self.claim].append(fault)
        else:
            self.scopes[-1].append(fault)


def _node(guide: map_if, path: str) -> x12_node:
    node = guide.getnodebypath(path)
    assert node is not None
    return node


def reference(node: element_if) -> str:
    """An element's name as people write it: ``SV101-3``."""
    name: str = node.refdes or ""
    element, _, component = name.partition("-")
    return f"{element}-{int(component)}" if component.isdecimal() else name


def _loop(node: x12_node) -> str:
    above: x12_node | None = node
    while above is not None and not above.is_loop():
        above = above.parent
    return (above.id or "") if above is not None else ""


_ELEMENT = {
    "1": "is missing.",
    "2": "is missing, or stands without the element that it goes with.",
    "3": "is one more than the guide has.",
    "4": "is too short.",
    "5": "is too long.",
    "6": "holds a character that it may not hold.",
    "7": "is not a value that the guide allows here.",
    "8": "is not a date.",
    "9": "is not a time.",
    "10": "may not stand beside the other that is there.",
    "I10": "is not used by the guide here.",
}
_READER = {
    ("isa", "001"): ("interchange", "001", "The control numbers of ISA13 and IEA02 differ.", "", ""),
    ("isa", "021"): ("interchange", "021", "IEA01 does not count the functional groups right.", "", ""),
    ("isa", "023"): ("interchange", "023", "IEA is missing.", "", ""),
    ("isa", "024"): ("interchange", "024", "The interchange ends before what is in it has ended.", "", ""),
    ("isa", "025"): ("interchange", "025", "The interchange control number was used before in this file.", "", ""),
    ("gs", "3"): ("group", "3", "GE is missing.", "", ""),
    ("gs", "4"): ("group", "4", "The control numbers of GS06 and GE02 differ.", "", ""),
    ("gs", "5"): ("group", "5", "GE01 does not count the transaction sets right.", "", ""),
    ("gs", "6"): ("group", "6", "The group control number was used before in this interchange.", "", ""),
    ("st", "2"): ("transaction", "2", "SE is missing.", "", ""),
    ("st", "3"): ("transaction", "3", "The control numbers of ST02 and SE02 differ.", "", ""),
    ("st", "4"): ("transaction", "4", "SE01 does not count the segments right.", "", ""),
    ("st", "23"): ("transaction", "23", "The transaction set's control number was used before in this group.", "", ""),
    ("seg", "1"): ("segment", "1", "The segment's name is not one.", "", ""),
    ("seg", "SEG1"): ("segment", "8", "The segment ends in an element separator.", "", ""),
    ("seg", "HL1"): ("element", "7", "does not count the hierarchical levels right.", "HL01", "628"),
    ("seg", "HL2"): ("element", "7", "names a level that is not above this one.", "HL02", "734"),
    ("seg", "LX"): ("element", "7", "does not count the claim's lines right.", "LX01", "554"),
}
"""What pyx12's reader finds: level, code, sentence, and the element with its number where it is about one."""

_NOT_FORMED = ("segment", "8", "The segment is not well formed.", "", "")
