"""The implementation guide as a fast acceptor, compiled from pyx12's own maps.

It says "valid" only of what pyx12 would accept, and leaves everything else to pyx12. What it is made of:

* **Where** a segment may stand: a machine whose states are pyx12's own (a node of its map, and how often what was counted),
  and whose edges are found by pyx12's own walker the first time they are needed. Afterwards an edge is one look-up.
* **What** a segment may say: one regular expression for each node, made of the types, lengths, codes and syntax notes that
  pyx12 reads from its map. Where the two could differ the expression is the stricter one.
* **Counts** (HL, LX, SE, GE, IEA) and control numbers, counted here.

So a rule of the guide is written nowhere in this module; it knows how pyx12 tells them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from typing import BinaryIO

from pyx12.map_if import MAXINT, loop_if, map_if, segment_if
from pyx12.map_walker import walk_tree
from pyx12.nodeCounter import NodeCounter
from pyx12.segment import Segment

from charges.x12 import oracle
from charges.x12.patterns import ISA_LENGTH, Marks, Patterns

CHUNK = 1 << 16
MOST_STATES = 20_000
"""Files of any kind need some hundreds; beyond this the machine forgets and starts anew."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A transaction set that is not accepted: its segments by position in the file, and the envelope around it."""

    first: int
    last: int
    interchange: str
    group: str


@dataclass(slots=True)
class Survey:
    """What of a file is not accepted. ``envelope`` is false where the file as a whole must go to pyx12."""

    envelope: bool = True
    doubtful: list[Doubtful] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether the file is valid beyond doubt."""
        return self.envelope and not self.doubtful


def survey(file: BinaryIO) -> Survey:
    """Go through a file; what is not accepted is told by position. Memory does not grow with the file."""
    marks = _marks(file)
    return _Surveyor(file, marks).run() if marks else Survey(envelope=False)


def alone(file: BinaryIO, part: Doubtful) -> Iterator[str]:
    """One transaction set of a file as an interchange of its own."""
    marks = _marks(file)
    assert marks is not None
    element, end = marks.element, marks.segment
    yield part.interchange + end
    yield part.group + end
    for segment in islice(segments_of(file, marks), part.first - 1, part.last):
        yield segment + end
    yield f"GE{element}1{element}{part.group.split(element)[6]}{end}"
    yield f"IEA{element}1{element}{part.interchange.split(element)[13]}{end}"


def _marks(file: BinaryIO) -> Marks | None:
    start = file.tell()
    head = file.read(ISA_LENGTH).decode("latin-1")
    file.seek(start)
    return Marks.of(head)


def segments_of(file: BinaryIO, marks: Marks) -> Iterator[str]:
    """The segments of a file as they stand, without terminators and line breaks before them."""
    pattern = re.compile(rf"[\r\n]*([^{re.escape(marks.segment)}]*){re.escape(marks.segment)}")
    return chain.from_iterable(_pieces(file, marks.segment, pattern))


def _pieces(file: BinaryIO, end: str, pattern: "re.Pattern[str]") -> Iterator[list[str]]:
    rest = ""
    while more := file.read(CHUNK):
        rest += more.decode("latin-1")
        cut = rest.rfind(end) + 1
        if cut:
            yield pattern.findall(rest, 0, cut)
            rest = rest[cut:]
    if rest.strip():
        yield [rest]


class _Surveyor:
    """One pass over a file: the envelope, and each transaction set through the machine of its guide."""

    def __init__(self, file: BinaryIO, marks: Marks) -> None:
        self.file, self.marks = file, marks
        self.found = Survey()
        self.guide: Guide | None = None

    def run(self) -> Survey:
        """The survey of the whole file."""
        tokens = enumerate(segments_of(self.file, self.marks), 1)
        interchanges: set[str] = set()
        try:
            for _, isa in tokens:
                self._interchange(tokens, isa, interchanges)
        except _OutOfOrderError:
            self.found.envelope = False
        return self.found

    def _interchange(self, tokens: Iterator[tuple[int, str]], isa: str, interchanges: set[str]) -> None:
        elements = isa.split(self.marks.element)
        _demand(elements[0] == "ISA" and len(elements) == 17 and Marks.of(isa + self.marks.segment) == self.marks)
        _demand(elements[13] not in interchanges and envelope(self.marks).accepts("ISA", isa))
        interchanges.add(elements[13])
        groups: set[str] = set()
        for _, segment in tokens:
            if segment.startswith("IEA"):
                said = segment.split(self.marks.element)
                _demand(bool(groups) and said[1:] == [str(len(groups)), elements[13]])
                _demand(envelope(self.marks).accepts("IEA", segment))
                return
            self._group(tokens, isa, segment, groups)
        raise _OutOfOrderError

    def _group(self, tokens: Iterator[tuple[int, str]], isa: str, gs: str, groups: set[str]) -> None:
        elements = gs.split(self.marks.element)
        _demand(elements[0] == "GS" and len(elements) == 9 and elements[6] not in groups)
        name = oracle.map_name("00501", elements[1], elements[8])
        _demand(name is not None)
        guide = compiled(name or "", self.marks)
        _demand(guide.is_clear and guide.accepts("GS", gs))
        groups.add(elements[6])
        transactions: set[str] = set()
        for position, segment in tokens:
            if segment.startswith("GE"):
                said = segment.split(self.marks.element)
                _demand(bool(transactions) and said[1:] == [str(len(transactions)), elements[6]])
                _demand(guide.accepts("GE", segment))
                return
            said = segment.split(self.marks.element)
            _demand(said[0] == "ST" and len(said) > 2 and said[2] not in transactions)
            transactions.add(said[2])
            is_accepted, last = guide.transaction(tokens, position, segment, said[2])
            if not is_accepted:
                self.found.doubtful.append(Doubtful(position, last, isa, gs))
        raise _OutOfOrderError


class _OutOfOrderError(Exception):
    """The envelope is not beyond doubt."""


def _demand(holds: bool) -> None:  # noqa: FBT001 - a condition is what this is about
    if not holds:
        raise _OutOfOrderError


class State(dict[str, "Edge"]):
    """A place in the guide, with what was counted so far; holds the edges that were taken already, by key."""

    __slots__ = ("counts", "node")

    def __init__(self, node: segment_if, counts: NodeCounter) -> None:
        super().__init__()
        self.node, self.counts = node, counts


Edge = tuple[State, Callable[[str], object], int]
"""Where a segment leads, what it must look like, and what it is to those who count: a claim, a service line, the end."""

_PLAIN, _CLAIM, _LINE, _END = range(4)


class Guide:
    """One map as a machine, for files with one kind of delimiters."""

    def __init__(self, guide: map_if, marks: Marks) -> None:
        self.map, self.marks = guide, marks
        self.counted = {"SE": _END} | ({"CLM": _CLAIM, "LX": _LINE} if guide.id == "837" else {})
        self.nodes = list(_segments(guide))
        self.limits = _limits(guide)
        self.looks = Patterns(guide, marks)
        self.patterns: dict[int, Callable[[str], object]] = {}
        self.states: dict[tuple[int, tuple[tuple[str, int], ...]], State] = {}
        qualified, composed, self.is_clear = _qualified(self.nodes)
        element, component = re.escape(marks.element), re.escape(marks.component)
        names, composites = "|".join(sorted(qualified)) or "(?!)", "|".join(sorted(composed)) or "(?!)"
        self.key = re.compile(
            rf"(?:{names}){element}[^{element}]*|(?:{composites}){element}[^{element}{component}]*|[^{element}]*"
        ).match
        self.start = self._opened()

    def _opened(self) -> State:
        """The state of pyx12 at GS."""
        walker = walk_tree()
        walker.forceWalkCounterToLoopStart("/ISA_LOOP", "/ISA_LOOP/ISA")
        walker.forceWalkCounterToLoopStart("/ISA_LOOP/GS_LOOP", "/ISA_LOOP/GS_LOOP/GS")
        node = self.map.getnodebypath("/ISA_LOOP/GS_LOOP/GS")
        assert isinstance(node, segment_if)
        return State(node, walker.counter)

    def accepts(self, name: str, segment: str) -> bool:
        """Whether a segment of the envelope looks as it must. There are few, so pyx12 itself is asked."""
        node = next((each for each in self.nodes if each.id == name), None)
        marks = self.marks
        said = Segment(segment, marks.segment, marks.element, marks.component)
        return node is not None and segment[-1:] != marks.element and node.is_valid_errors(said)[0]

    def transaction(self, tokens: Iterator[tuple[int, str]], begun: int, st: str, number: str) -> tuple[bool, int]:
        """Take the segments after ST, which stands at ``begun``, up to SE.

        Returns whether all are accepted, and the position of the last.
        """
        edge = self._edge(self.start, st, f"ST{self.marks.element}837")
        if edge is None or not edge[1](st):
            return False, _rest(tokens, st, begun)
        state, key_of = edge[0], self.key
        levels = lines = 0
        segment, position = st, begun
        above: list[int] = []
        for position, segment in tokens:
            key = key_of(segment)[0]  # type: ignore[index]  # its last alternative matches anything
            edge = state.get(key)
            if edge is None:
                if key == "HL":
                    levels += 1
                    edge = self._level(state, segment, levels, above)
                else:
                    edge = self._edge(state, segment, key)
                if edge is None:
                    break
            state, matches, counted = edge
            if not matches(segment):
                break
            if counted == _PLAIN:
                continue
            if counted == _LINE:
                lines += 1
                if segment[3:] != str(lines):
                    break
            elif counted == _CLAIM:
                lines = 0
            else:
                said = segment.split(self.marks.element)
                return said[1:] == [str(position - begun + 1), number], position
        return False, _rest(tokens, segment, position)

    def _level(self, state: State, segment: str, levels: int, above: list[int]) -> Edge | None:
        """An HL: its number and its parent are counted, its kind says where it leads."""
        elements = segment.split(self.marks.element)
        if len(elements) < 4 or elements[1] != str(levels):
            return None
        if elements[2]:
            parent = int(elements[2]) if elements[2].isdecimal() else 0
            if parent not in above:
                return None
            del above[above.index(parent) + 1 :]
        above.append(levels)
        key = f"HL {elements[3]}"
        return state.get(key) or self._edge(state, segment, key)

    def _edge(self, state: State, segment: str, key: str) -> Edge | None:
        """Find an edge by pyx12's own walker, and keep it; nothing where it sees an error."""
        walker = walk_tree()
        walker.counter = NodeCounter(state.counts.getState())  # type: ignore[arg-type]
        marks = self.marks
        said = Segment(segment, marks.segment, marks.element, marks.component)
        try:
            node, _, _, errors = walker.walk_errors(state.node, said, 0, 0, None)
        except oracle.BROKEN:
            return None
        # The map may begin a transaction set anew; one within another lacks its SE, which pyx12's reader sees.
        if node is None or errors or (node.id == "ST" and state is not self.start):
            return None
        edge = state[key] = (self._state(node, walker.counter), self._pattern(node), self.counted.get(node.id, _PLAIN))
        return edge

    def _state(self, node: segment_if, counter: NodeCounter) -> State:
        """The state of a node and its counts; what may stand any number of times is not counted beyond one."""
        for path, count in counter.getState().items():
            counter.setCount(path, min(count, self.limits.get(path.format(), count)))
        name = (id(node), tuple(sorted((path.format(), count) for path, count in counter.getState().items())))
        if len(self.states) > MOST_STATES:
            self.states.clear()
            self.start = self._opened()
        return self.states.setdefault(name, State(node, counter))

    def _pattern(self, node: segment_if) -> Callable[[str], object]:
        found = self.patterns.get(id(node))
        if found is None:
            found = self.patterns[id(node)] = re.compile(self.looks.segment(node)).fullmatch
        return found


@lru_cache(maxsize=32)
def compiled(name: str, marks: Marks) -> Guide:
    """The machine of a map, made once in a process."""
    return Guide(oracle.load_map(name), marks)


def envelope(marks: Marks) -> Guide:
    """The map of ISA and IEA."""
    return compiled(oracle.CONTROL["00501"], marks)


def _rest(tokens: Iterable[tuple[int, str]], segment: str, position: int) -> int:
    """Go on to the end of a transaction set that is not accepted; its position."""
    for last, name in chain([(position, segment)], tokens):
        position = last
        if name.startswith("SE"):
            break
    return position


def _segments(node: map_if | loop_if) -> Iterator[segment_if]:
    for ordinal in sorted(node.pos_map):
        for child in node.pos_map[ordinal]:
            if isinstance(child, segment_if):
                yield child
            elif isinstance(child, loop_if):
                yield from _segments(child)


def _limits(guide: map_if) -> dict[str, int]:
    """How often what stands at a path may stand, 1 for any number of times."""
    found: dict[str, int] = {}

    def put(node: map_if | loop_if) -> None:
        for child in (each for children in node.pos_map.values() for each in children):
            assert isinstance(child, segment_if | loop_if)
            most, path = child.get_max_repeat(), child.x12path.format()
            found[path] = max(found.get(path, 1), 1 if most == MAXINT else most)
            if isinstance(child, loop_if):
                put(child)

    put(guide)
    return found


def _qualified(nodes: Iterable[segment_if]) -> tuple[set[str], set[str], bool]:
    """The names of segments whose place depends on their first element, on its first component; whether that is all.

    HL goes by its third element, which ``Guide`` looks at itself.
    """
    fields: dict[str, set[tuple[int, int | None] | None]] = {}
    for node in nodes:
        name = node.id or ""
        found = node._resolve_unique_key_field(name, with_qual=False)  # noqa: SLF001 - what its own is_match asks
        fields.setdefault(name, set()).add(found and found[1:])
    qualified = {name for name, places in fields.items() if (1, None) in places}
    composed = {name for name, places in fields.items() if (1, 1) in places}
    known: set[tuple[int, int | None] | None] = {None, (1, None), (1, 1)}
    is_clear = all(places <= known or name == "HL" for name, places in fields.items())
    return qualified - composed, composed, is_clear and not qualified & composed
