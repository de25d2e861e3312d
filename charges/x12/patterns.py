"""What a segment of a guide looks like: one regular expression for each node of pyx12's map.

It is made of the types, lengths, usages, codes and syntax notes that pyx12's validators go by, and accepts nothing that
they refuse. Where an expression could only say the same at some cost (numbers of the greatest lengths, blanks at the end)
it accepts less; pyx12 is asked then.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pyx12.map_if import composite_if, element_if, map_if, segment_if
from pyx12.segment import Element

ISA_LENGTH = 106
_EXTENDED = "A-Z0-9!\"&'()*+,\\-./:;?= a-z%~@\\[\\]_{}\\\\|<>^`#$"
"""What pyx12 lets stand in text (AN, ID) of version 005010."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The delimiters of a file: of elements, of components, of segments."""

    element: str
    component: str
    segment: str

    @classmethod
    def of(cls, head: str) -> "Marks | None":
        """Read from an ISA segment; nothing where it is none, or where they are too odd to be sure of."""
        if len(head) < ISA_LENGTH or not head.startswith("ISA") or head[84:89] != "00501":
            return None
        marks = head[3] + head[104] + head[105]
        if len(set(marks)) != 3 or any(each.isalnum() or each.isspace() or not each.isascii() for each in marks):
            return None
        return cls(*marks)


_DATE = (
    "(?:(?:1[89]|[2-9][0-9])[0-9]{2}"
    "(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:1[89]|[2-9][0-9])[0-9]{2}(?:(?:0[13-9]|1[0-2])(?:29|30)|(?:0[13578]|1[02])31)"
    "|(?:(?:1[89]|[2-9][0-9])(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[3579][26])00)0229)"
)
"""A day of CCYYMMDD since 1800, which is what pyx12 takes for one."""

_SHORT_DATE = "(?:[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8]))"
_TIME = "(?:(?:[01][0-9]|2[0-3])[0-5][0-9])"
_NEVER = "(?!)"
_TYPES = {"D8": _DATE, "DT": f"{_DATE}{_TIME}?", "RD8": f"{_DATE}-{_DATE}", "TM": _TIME, "D6": _SHORT_DATE}


class Patterns:
    """The regular expressions of a map's segments; each is as strict as pyx12's validators or stricter."""

    def __init__(self, guide: map_if, marks: Marks) -> None:
        self.map = guide
        self.element, self.component = re.escape(marks.element), re.escape(marks.component)
        outside = marks.element + marks.component + marks.segment
        allowed = "".join(chr(each) for each in range(32, 127) if re.match(f"[{_EXTENDED}]", chr(each)))
        within = "".join(re.escape(each) for each in allowed if each not in outside)
        self.text, self.ending = f"[{within}]", f"[{within.replace(re.escape(' '), '')}]"

    def segment(self, node: segment_if) -> str:
        """The whole segment; no empty element stands at its end."""
        children = list(node.children)
        notes = "".join(self._note(node, note) for note in node.syntax)
        return f"{node.id}{notes}{self._from(node, children, 0)}(?<!{self.element})"

    def _from(self, node: segment_if, children: list[element_if | composite_if], place: int) -> str:
        """The elements from one on, which may all be left away where none must be there."""
        if place == len(children):
            return ""
        if node.id == "DTP" and place == 1 and len(children) > 2:
            return self._date_of(children)
        rest = self._from(node, children, place + 1)
        own = self._one(children[place], self._types(children, place))
        said = f"{self.element}{own}{rest}"
        return said if any(each.usage == "R" for each in children[place:]) else f"(?:{said})?"

    def _one(self, child: element_if | composite_if, types: tuple[str, ...] = ()) -> str:
        if child.usage == "N":
            return ""
        own = self._composite(child) if isinstance(child, composite_if) else self._element(child, types)
        return own if child.usage == "R" else f"(?:{own})?"

    def _types(self, children: list[element_if | composite_if], place: int) -> tuple[str, ...]:
        """The formats that a value (data element 1251) may have: those its qualifiers (1250) before it name."""
        child = children[place]
        if not isinstance(child, element_if) or child.data_ele != "1251":
            return ()
        before = (each for each in children[:place] if isinstance(each, element_if) and each.data_ele == "1250")
        return tuple(code or "" for each in before for code in each.valid_codes)

    def _date_of(self, children: list[element_if | composite_if]) -> str:
        """DTP02 and DTP03: the one says what the other looks like."""
        kind, value = children[1], children[2]
        if len(children) != 3 or not isinstance(kind, element_if) or not isinstance(value, element_if):
            return _NEVER
        if {kind.usage, value.usage} != {"R"} or not kind.valid_codes:
            return _NEVER
        pairs = (
            f"{re.escape(code or '')}{self.element}{_TYPES.get(code or '') or self._element(value, ())}"
            for code in kind.valid_codes
        )
        return f"{self.element}(?:{'|'.join(pairs)})"

    def _composite(self, node: composite_if) -> str:
        """Components, of which the first must be there; those after it may be left away from the end."""
        said = ""
        for place in range(len(node.children) - 1, -1, -1):
            child = node.children[place]
            own = self._one(child) if place else self._element(child, ())
            said = f"{self.component}{own}{said}" if place else f"{own}{said}"
            if place and not any(each.usage == "R" for each in node.children[place:]):
                said = f"(?:{said})?"
        return said if node.children and node.children[0].usage != "N" else _NEVER

    def _element(self, node: element_if, types: tuple[str, ...]) -> str:
        """What a value must look like that is there."""
        if types:
            return f"(?:{'|'.join(_TYPES[each] for each in types if each in _TYPES) or _NEVER})"
        if node.rec is not None:
            return "[0-9]{9}" if node.res == "[0-9]{9}" and node.min_len <= 9 <= node.max_len else _NEVER
        codes = self._codes(node)
        if codes is not None:
            return one_of(code for code in codes if node.is_valid_errors(Element(code))[0])
        return self._typed(node.data_type or "", node.min_len, node.max_len)

    def _codes(self, node: element_if) -> set[str] | None:
        """The codes that an element may have, ``None`` where it is not a matter of codes."""
        if not node.valid_codes and node.external_codes is None:
            return None
        found = {code for code in node.valid_codes if code}
        if node.external_codes is not None:
            listed = self.map.ext_codes.codes.get(node.external_codes)
            found |= {code for code in listed["codes"] if code} if listed else set()
        return found

    def _typed(self, kind: str, least: int, most: int) -> str:
        """The look of a data type of X12.6 with its lengths, which leave sign and point of a number out."""
        seconds = "(?:[0-5][0-9](?:[0-9]{2})?)?" if most >= 8 else "(?:[0-5][0-9])?" if most >= 6 else ""
        integer = f"-?[0-9]{{{max(least, 1)},{most}}}"
        decimal = f"-?(?:[0-9]{{1,{most - 4}}}(?:\\.[0-9]{{1,4}})?|\\.[0-9]{{1,4}})"
        text = f"{self.text}{{{max(least - 1, 0)},{most - 1}}}{self.ending}"
        return {
            "AN": text,
            "ID": text,
            "R": decimal if least <= 1 and most > 4 else integer,
            "N": integer,
            "DT": _DATE if least <= 8 <= most else _SHORT_DATE if least <= 6 <= most else _NEVER,
            "TM": f"{_TIME}{seconds}" if least <= 4 else _NEVER,
        }.get("N" if kind[:1] == "N" else kind, _NEVER)

    def _note(self, node: segment_if, note: list[object]) -> str:
        """A syntax note of X12.6 (P, R, E, C, L) as far as the usages of the elements leave it open."""
        kind, *places = note
        numbers = [int(str(each)) for each in places]
        usage = {number: node.children[number - 1].usage if number <= len(node.children) else "N" for number in numbers}

        def there(number: int) -> str:
            if usage[number] == "N":
                return _NEVER
            return "" if usage[number] == "R" else f"(?={self._at(number)})"

        def absent(number: int) -> str:
            if usage[number] == "R":
                return _NEVER
            return "" if usage[number] == "N" else f"(?!{self._at(number)})"

        first, others = numbers[0], numbers[1:]
        ways = {
            "P": ["".join(map(there, numbers)), "".join(map(absent, numbers))],
            "R": [there(number) for number in numbers],
            "E": ["".join(absent(each) for each in numbers if each != number) for number in numbers],
            "C": [absent(first), "".join(map(there, others))],
            "L": [absent(first), *map(there, others)],
        }.get(str(kind), [_NEVER])
        open_ways = [way for way in ways if _NEVER not in way]
        if "" in open_ways:
            return ""
        return f"(?:{'|'.join(open_ways)})" if open_ways else _NEVER

    def _at(self, number: int) -> str:
        return f"(?:{self.element}[^{self.element}]*){{{number - 1}}}{self.element}[^{self.element}]"


def one_of(codes: Iterable[str]) -> str:
    """A regular expression of a set of codes that looks at each character once.

    >>> one_of(["11", "12", "1A", "2"])
    '(?:1[12A]|2)'
    """
    tree: dict[str, dict] = {}  # type: ignore[type-arg]  # a tree of itself
    for code in codes:
        branch = tree
        for character in code:
            branch = branch.setdefault(character, {})
        branch[""] = {}
    return _branches(tree) if tree else _NEVER


def _branches(tree: dict[str, dict]) -> str:  # type: ignore[type-arg]
    ends = [each for each, after in tree.items() if after == {"": {}}]
    ways = [re.escape(each) + _branches(after) for each, after in sorted(tree.items()) if each and each not in ends]
    if len(ends) == 1:
        ways.append(re.escape(ends[0]))
    elif ends:
        ways.append(f"[{''.join(map(re.escape, sorted(ends)))}]")
    if len(ways) == 1 and "" not in tree:
        return ways[0]
    return f"(?:{'|'.join(ways)}){'?' if '' in tree else ''}"
