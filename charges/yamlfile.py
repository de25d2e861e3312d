"""YAML files that people write, read so that every fault can be told with its line.

Amounts stay as written: 1.10 must not pass through a binary fraction, nor 010 become 8. Aliases are refused: a file that
a person reads says things out, and a few lines of them could unfold to gigabytes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import yaml
from pydantic import ValidationError

Place = tuple[str | int, ...]
"""The names and positions that lead to a value."""


class NotReadable(ValueError):
    """The text is not YAML that can be read; the message names the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file read: its values, the line of each, and the names that stand twice."""

    values: Any
    lines: Mapping[Place, int]
    repeated: tuple[str, ...]

    def line_of(self, place: Place) -> int:
        """The line of the place, or of the nearest thing around it that stands in the file."""
        for length in range(len(place), -1, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return 1

    def faults(self, error: ValidationError, whole: str, at: Place = ()) -> list[str]:
        """A sentence with its line for each fault of a validation of what stands at ``at``, in order of line.

        ``whole`` names the file as a whole, for a fault that has no place.
        """
        found = [
            (self.line_of((*at, *each["loc"])), _sentence((*at, *each["loc"]), each["msg"], each["type"], whole))
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        return [f"line {line}: {sentence}" for line, sentence in sorted(found)]


def read(text: str) -> Document:
    """Read one YAML document; raises NotReadable."""
    loader = _ExactLoader(text)
    try:
        tree = loader.get_single_node()
        lines = dict(_lines(tree, (), set())) if tree is not None else {}
        values = loader.construct_document(tree) if tree is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise NotReadable(f"line {line}: is not YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError):
        raise NotReadable("line 1: is not YAML: it holds characters or a depth that cannot be read") from None
    finally:
        loader.dispose()
    return Document(values, lines, tuple(f"line {line}: {key} stands twice" for key, line in _repeated(tree)))


def shown(place: Place) -> str:
    """A place as people write it.

    >>> shown(("payers", 0, "name"))
    'payers[0].name'
    """
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in place).lstrip(".")


class _ExactLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the fast one where there is one
    """YAML whose numbers stay as written."""


_ExactLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:float"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _construct_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | str:
    text = loader.construct_scalar(node)
    return int(text) if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text) else text


def _construct_timestamp(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> date | datetime:
    try:
        moment: date | datetime = loader.construct_yaml_timestamp(node)
    except ValueError:
        raise yaml.constructor.ConstructorError(None, None, f"{node.value} is no date", node.start_mark) from None
    return moment


_ExactLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_ExactLoader.add_constructor("tag:yaml.org,2002:timestamp", _construct_timestamp)


def _lines(node: yaml.Node, place: Place, seen: set[int], line: int | None = None) -> Iterator[tuple[Place, int]]:
    """The line of every value: that of its key where it has one."""
    yield place, node.start_mark.line + 1 if line is None else line
    if isinstance(node, yaml.ScalarNode):
        return
    if id(node) in seen:
        raise NotReadable(f"line {node.start_mark.line + 1}: is used again by an alias (*); write it out instead")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, (*place, str(key.value)), seen, key.start_mark.line + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*place, index), seen)


def _repeated(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key.value, str) and key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(str(key.value))
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value)


def _sentence(place: Place, message: str, kind: str, whole: str) -> str:
    where = shown(place) or whole
    if kind == "missing":
        return f"{where} is missing"
    if kind == "extra_forbidden":
        return f"{where} is not a setting that exists; check the spelling"
    if kind in ("model_type", "dict_type", "mapping_type"):
        return f"{where} is a mapping of names to values"
    return f"{where}: {message.removeprefix('Value error, ')}"
