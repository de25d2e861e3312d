"""What a file of payer rules says, before it is compiled."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from charges import yamlfile
from charges.model import Severity
from charges.yamlfile import Place
from rules.payer import spreadsheet
from rules.payer.conditions import Compiler

LARGEST_FILE, MOST_RULES, MOST_CASES = 5_000_000, 5_000, 50
MOST_CODES = 10_000

_ONE = re.compile(r"[0-9A-Z]{5}")
_BEGINNING = re.compile(r"([0-9A-Z]{1,4})\*")
_RANGE = re.compile(r"([A-Z]?)([0-9]{4,5})([A-Z]?)-([A-Z]?)([0-9]{4,5})([A-Z]?)")


class Stage(StrEnum):
    """How far a rule has come."""

    DRAFT = "draft"
    """Being written: it judges nothing."""
    SHADOW = "shadow"
    """Judges, and what it finds is only noted."""
    WARN = "warn"
    """Warns at most."""
    HOLD = "hold"
    """Holds, where it says so."""
    RETIRED = "retired"
    """Judges no more; kept for whoever asks later."""


CEILING: Mapping[Stage, Severity] = {
    Stage.SHADOW: Severity.INFO,
    Stage.WARN: Severity.WARN,
    Stage.HOLD: Severity.HOLD,
}
"""The stages in which a rule judges, and the most that a finding of it weighs then."""

STEPS: Mapping[Stage, frozenset[Stage]] = {
    Stage.DRAFT: frozenset({Stage.SHADOW, Stage.RETIRED}),
    Stage.SHADOW: frozenset({Stage.DRAFT, Stage.WARN, Stage.RETIRED}),
    Stage.WARN: frozenset({Stage.SHADOW, Stage.HOLD, Stage.RETIRED}),
    Stage.HOLD: frozenset({Stage.SHADOW, Stage.WARN, Stage.RETIRED}),
    Stage.RETIRED: frozenset({Stage.DRAFT}),
}
"""From which stage a rule may come to which; nobody skips the stages in which a rule proves itself."""


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=500)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_list), Field(max_length=2000)]


class Part(BaseModel):
    """Base of what a file says: frozen, and closed so that a misspelt name is a fault and not silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Step(Part):
    """A rule came to a stage: when, who decided it, and why."""

    stage: Stage
    date: date
    by: Text
    reason: str = ""


class Then(Part):
    """What is said when the condition holds. ``message`` may name facts in braces.

    ``at`` names the fact that the finding points at. ``suggest`` is one change of one fact. ``require`` makes what is
    missing a part of the condition.
    """

    severity: Literal[Severity.INFO, Severity.WARN, Severity.HOLD] = Severity.HOLD
    message: Text
    fix: str = ""
    at: Text | None = None
    suggest: Mapping[Text, Mapping[Literal["add", "remove", "set"], Text]] | None = None
    require: Literal["authorization", "referral", "attachment"] | None = None

    @model_validator(mode="after")
    def _reads_as_sentences(self) -> Self:
        for sentence in (self.message, self.fix):
            if sentence and not sentence.endswith("."):
                raise ValueError("message and fix are sentences and end with a full stop")
        if self.suggest is not None and [len(self.suggest), *map(len, self.suggest.values())] != [1, 1]:
            raise ValueError("suggest names one fact with one of add, remove and set")
        return self


class Cases(Part):
    """Charges on which the rule fires, and on which it passes, as told in docs/adding-a-rule.md; ``at`` may be left out."""

    fires: Annotated[Mapping[Text, Mapping[str, Any] | None], Field(min_length=1, max_length=MOST_CASES)]
    passes: Annotated[Mapping[Text, Mapping[str, Any] | None], Field(min_length=1, max_length=MOST_CASES)]


class Definition(Part):
    """One rule. It is about charges whose first payer is one of ``payers`` (ids) or ``payer_classes`` (SBR09).

    Without either it is about every payer; without ``codes``, about every line. ``since`` and ``until`` are dates of
    service, both included.
    """

    id: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}-[A-Z0-9]{1,10}$")]
    title: Text
    reason: Text
    life: Annotated[tuple[Step, ...], Field(min_length=1, max_length=50)]
    payers: Texts = ()
    payer_classes: Texts = ()
    codes: Texts = ()
    since: date | None = None
    until: date | None = None
    when: Any = None
    then: Then
    cases: Cases

    @model_validator(mode="after")
    def _lives_in_order(self) -> Self:
        if self.life[0].stage is not Stage.DRAFT:
            raise ValueError("life begins with draft")
        for earlier, later in zip(self.life, self.life[1:], strict=False):
            if later.stage not in STEPS[earlier.stage]:
                raise ValueError(f"life cannot go from {earlier.stage} to {later.stage}")
            if later.date < earlier.date:
                raise ValueError(f"life: {later.stage} of {later.date} stands after {earlier.stage} of {earlier.date}")
        if self.since and self.until and self.until < self.since:
            raise ValueError("until lies before since")
        return self

    @property
    def stage(self) -> Stage:
        """Where the rule is now."""
        return self.life[-1].stage


@dataclass(frozen=True, slots=True)
class Written:
    """A rule with the file it stands in, and the line there of each of its parts."""

    definition: Definition
    file: str
    line_of: Callable[[Place], int]


@dataclass(frozen=True, slots=True)
class Codes:
    """The procedure codes a rule is about: some by name, some by how they begin; all when it has neither."""

    names: frozenset[str]
    beginnings: tuple[str, ...]

    def __contains__(self, code: str) -> bool:
        return code in self.names or code.startswith(self.beginnings)


def codes(listed: tuple[str, ...]) -> Codes:
    """Codes as people list them: one, a range (99202-99215), or a beginning (J*); raises ValueError.

    >>> "99213" in codes(("99202-99215", "J*")), "J3301" in codes(("J*",)), "20610" in codes(("J*",))
    (True, True, False)
    """
    names: set[str] = set()
    beginnings: list[str] = []
    for each in listed:
        if _ONE.fullmatch(each):
            names.add(each)
        elif begins := _BEGINNING.fullmatch(each):
            beginnings.append(begins[1])
        elif (span := _RANGE.fullmatch(each)) and len(each) == 11 and span.group(1, 3) == span.group(4, 6):
            first, last = int(span[2]), int(span[5])
            if not first <= last < first + MOST_CODES:
                raise ValueError(f"{each} is not a range from a lower to a higher code, at most {MOST_CODES} wide")
            names.update(f"{span[1]}{number:0{len(span[2])}}{span[3]}" for number in range(first, last + 1))
        else:
            raise ValueError(f"{each} is not a code, a range such as 99202-99215, or a beginning such as J*")
        if len(names) > MOST_CODES:
            raise ValueError(f"a rule names at most {MOST_CODES} codes; use beginnings such as J*")
    return Codes(frozenset(names), tuple(beginnings))


def read(file: str, text: str) -> tuple[list[Written], list[str]]:
    """The rules of a file, and the faults of those that could not be read, each with its line."""
    if len(text) > LARGEST_FILE:
        return [], [f"line 1: the file is larger than {LARGEST_FILE:,} characters"]
    if file.lower().endswith(".csv"):
        raws, faults = spreadsheet.read(text)
        places: list[tuple[yamlfile.Document, Place]] = [(each, ()) for each in raws]
    else:
        try:
            document = yamlfile.read(text)
        except yamlfile.NotReadable as error:
            return [], [str(error)]
        values = document.values
        if not isinstance(values, dict) or set(values) != {"rules"} or not isinstance(values["rules"], list):
            return [], ["line 1: a file of payer rules has rules, a list, and nothing else"]
        faults = list(document.repeated)
        places = [(document, ("rules", index)) for index in range(len(values["rules"]))]
    if len(places) > MOST_RULES:
        return [], [f"line 1: a file holds at most {MOST_RULES:,} rules"]
    found = []
    for document, place in places:
        raw = document.values["rules"][place[1]] if place else document.values
        try:
            definition = Definition.model_validate(raw)
        except ValidationError as error:
            faults += document.faults(error, "the rule", place)
            faults += _faults_of_condition(raw, document, place)
        else:
            found.append(Written(definition, file, _lines_below(document, place)))
    return found, faults


def _faults_of_condition(raw: object, document: yamlfile.Document, above: Place) -> list[str]:
    """What is wrong with the condition of a rule that is wrong elsewhere, so that all is told at once."""
    compiler = Compiler()
    if isinstance(raw, dict) and raw.get("when") is not None:
        compiler.condition(raw["when"], (*above, "when"))
    return [f"line {document.line_of(place)}: {yamlfile.shown(place)}: {said}" for place, said in compiler.faults]


def _lines_below(document: yamlfile.Document, above: Place) -> Callable[[Place], int]:
    return lambda place: document.line_of((*above, *place))
