"""Which rules are asked of a charge: those that may have something to say of it, found without asking each.

A rule says what it is about: codes, modifiers, places, fields that are given, or what several rules share to find out. Some
are asked still less. A practice uses the same few providers and the same few thousand lists of diagnoses and lines of one
content; so whether a rule that looks at nothing else objects to one of them is found once in a run.

>>> from rules.engine import load
>>> from rules.examples import charge, facts, line
>>> catalogue = Catalogue(load())
>>> {"GLB-002"} & {each.id for each in catalogue.of(facts(charge(line("99213"))))}
set()
>>> {"GLB-002"} & {each.id for each in catalogue.of(facts(charge(line("99213"), line("20610"))))}
{'GLB-002'}
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from charges.model import Charge, ServiceLine, undotted
from rules.engine import Facts, Finder, LineFinder, Rule, place_of

LINE = (
    *("code", "code_qualifier", "modifiers", "charge", "units", "unit", "place_of_service"),
    *("service_date", "service_date_to"),
)
"""The fields of a line that a rule which judges line by line may look at."""
AROUND = (
    *("practice", "encounter.place_of_service", "encounter.start_date", "encounter.end_date"),
    *("coverages[0].payer.claim_filing_code", "policy.timely_filing_days", "policy.telehealth_modifiers"),
)
"""What it may look at beside them, and the tables and today."""

PROVIDER = ("npi", "organization_name", "taxonomy", "tax_id", "tax_id_kind", "phone", "fax")
"""The fields of the billing and the rendering provider that a rule about providers only may look at."""

_provider_of = itemgetter(*PROVIDER)
_DIAGNOSES, _PROVIDERS = "diagnoses", "providers"


def _around(facts: Facts) -> tuple[Hashable, ...]:
    charge = facts.charge
    visit = charge.encounter
    payer = charge.coverages[0].payer.claim_filing_code if charge.coverages else None
    known = (charge.practice, visit.place_of_service, visit.start_date, visit.end_date, payer)
    policy = facts.policy
    return (*known, policy.timely_filing_days, policy.telehealth_modifiers, facts.tables, facts.today)


class _Plan(NamedTuple):
    """Whom to ask of charges that are alike: some surely, others where what they share finds something."""

    surely: list[Rule]
    conditional: list[tuple[Finder, list[Rule]]]


_NONE = frozenset[int]()


class Catalogue:
    """The rules of a run by what they are about, and what it learnt of diagnoses, providers and lines so far."""

    KEPT = 20_000
    """The lists of diagnoses, the providers and the lines of which it is remembered whom to ask."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self._always: list[Rule] = []
        self._of_all_diagnoses: set[int] = set()
        self._of_diagnoses: list[tuple[int, re.Pattern[str]]] = []
        self._by_diagnosis: dict[str, set[int]] = {}
        self._of_providers: list[tuple[int, Rule]] = []
        self._of_every_line: set[int] = set()
        self._by_modifier: dict[str, set[int]] = {}
        self._by_place: dict[str, set[int]] = {}
        self._coded: list[tuple[int, frozenset[str]]] = []
        self._by_code: dict[str, set[int]] = {}
        self._by_field: dict[str, dict[str, set[int]]] = {}
        self._by_field_of_line: dict[str, set[int]] = {}
        self._by_finder: dict[Finder, list[Rule]] = {}
        self._by_finder_of_line: dict[LineFinder, list[int]] = {}
        self._several = frozenset(number for number, each in enumerate(self.rules) if each.several)
        self._about: dict[Hashable, tuple[list[int], list[int]]] = {}
        self._known: dict[Hashable, dict[Hashable, frozenset[int]]] = {}
        self._plans: dict[Hashable, _Plan] = {}
        self._kept = 0
        for number, each in enumerate(self.rules):
            self._put(number, each)
        self._line_of = itemgetter(*LINE, *sorted(self._by_field_of_line))

    def _put(self, number: int, rule: Rule) -> None:
        """Where it is asked least."""
        for path in rule.fields:
            part, _, name = path.rpartition(".")
            by_field = self._by_field_of_line if part == "lines" else self._by_field.setdefault(part, {})
            by_field.setdefault(name, set()).add(number)
        if rule.codes is not None:
            self._coded.append((number, rule.codes))
        elif rule.modifiers is not None or rule.places is not None:
            index, keys = (
                (self._by_place, rule.places) if rule.modifiers is None else (self._by_modifier, rule.modifiers)
            )
            for key in keys or ():
                index.setdefault(key, set()).add(number)
        elif rule.line_where:
            self._by_finder_of_line.setdefault(rule.line_where, []).append(number)
        elif rule.line_by_line:
            self._of_every_line.add(number)
        elif rule.diagnoses:
            self._of_diagnoses.append((number, rule.diagnoses))
        elif rule.diagnoses_only:
            self._of_all_diagnoses.add(number)
        elif rule.providers_only:
            self._of_providers.append((number, rule))
        elif rule.where:
            self._by_finder.setdefault(rule.where, []).append(rule)
        elif not rule.fields:
            self._always.append(rule)

    def of(self, facts: Facts) -> list[Rule]:
        """The rules that may have something to say of these facts, each once."""
        charge, by_lines = facts.charge, self._by_lines(facts)
        by_rest = self._by_diagnoses(charge), self._by_providers(charge), self._by_what_is_given(charge)
        alike = by_lines, by_rest, bool(facts.history)
        plan = self._plans.get(alike)
        if plan is None:
            plan = self._plans[alike] = self._planned(by_lines, by_rest, compares_history=bool(facts.history))
            self._kept += 1
        found, known = plan.surely.copy(), facts.found
        for finder, about in plan.conditional:
            try:  # ``Facts.once`` written out, for every charge is asked most of these
                if known[finder] if finder in known else known.setdefault(finder, finder(facts)):
                    found += about
            except Exception:  # noqa: BLE001 - it fails again where a rule asks it
                found += about
        if self._kept > self.KEPT:
            self._known.clear()
            self._plans.clear()
            self._kept = 0
        if facts.charge.institutional is not None:
            return [each for each in found if not each.professional_only]
        return found

    def _planned(
        self, by_lines: Sequence[frozenset[int]], by_rest: Sequence[frozenset[int]], *, compares_history: bool
    ) -> _Plan:
        numbers = set[int]().union(*by_lines)
        if not compares_history:
            numbers -= {each for each in self._several if sum(each in about for about in by_lines) < 2}
        surely, conditional = self._always.copy(), {where: rules.copy() for where, rules in self._by_finder.items()}
        for number in sorted(numbers.union(*by_rest)):
            rule = self.rules[number]
            (conditional.setdefault(rule.where, []) if rule.where else surely).append(rule)
        return _Plan(surely, list(conditional.items()))

    def _by_what_is_given(self, charge: Charge) -> frozenset[int]:
        """By field: one that was given may say what it says by default, one that was not says nothing."""
        numbers = _NONE
        for part, by_field in self._by_field.items():
            record = getattr(charge, part) if part else charge
            if record is not None and not record.model_fields_set.isdisjoint(by_field):
                numbers = numbers.union(*[by_field[name] for name in record.model_fields_set & by_field.keys()])
        return numbers

    def _by_diagnoses(self, charge: Charge) -> frozenset[int]:
        about = self._of_all_diagnoses.union(*[self._of_diagnosis(each.code) for each in charge.diagnoses])
        if not about:
            return _NONE
        known = self._known_of(_DIAGNOSES)
        key = tuple([(each.code, each.icd9) for each in charge.diagnoses])
        found = known.get(key)
        if found is None:
            alone, rules = Facts(charge, date.min), self.rules
            objecting = [each for each in about if not rules[each].diagnoses_only or _objects(rules[each], alone)]
            found = known[key] = frozenset(objecting)
            self._kept += 1
        return found

    def _of_diagnosis(self, code: str) -> set[int]:
        found = self._by_diagnosis.get(code)
        if found is None:
            if len(self._by_diagnosis) > self.KEPT:
                self._by_diagnosis.clear()
            bare = undotted(code)
            found = {number for number, beginning in self._of_diagnoses if beginning.match(bare)}
            self._by_diagnosis[code] = found
        return found

    def _by_providers(self, charge: Charge) -> frozenset[int]:
        known = self._known_of(_PROVIDERS)
        billing, rendering = charge.billing_provider, charge.rendering_provider
        key = billing and _provider_of(billing.__dict__), rendering and _provider_of(rendering.__dict__)
        found = known.get(key)
        if found is None:
            bare = Charge(billing_provider=billing, rendering_provider=rendering, lines=(ServiceLine(),))
            alone = Facts(bare, date.min)
            found = known[key] = frozenset(number for number, rule in self._of_providers if _objects(rule, alone))
            self._kept += 1
        return found

    def _by_lines(self, facts: Facts) -> tuple[frozenset[int], ...]:
        known, line_of, by_lines = self._known_of(_around(facts)), self._line_of, []
        for _, line in facts.billed:
            key = line_of(line.__dict__)
            found = known.get(key)
            if found is None:
                found = known[key] = frozenset(self._about_line(line, facts))
                self._kept += 1
            by_lines.append(found)
        return tuple(by_lines)

    def _about_line(self, line: ServiceLine, facts: Facts) -> Iterator[int]:
        for name in line.model_fields_set & self._by_field_of_line.keys():
            yield from self._by_field_of_line[name]
        found = [finder for finder in self._by_finder_of_line if _finds_in_line(finder, facts, line)]
        sure, in_doubt = self._about_content(line, place_of(facts.charge, line))
        yield from sure
        alone: Facts | None = None
        for number in chain(in_doubt, *[self._by_finder_of_line[finder] for finder in found]):
            rule = self.rules[number]
            where = rule.line_where
            if where is None or where in found or _finds_in_line(where, facts, line):
                if rule.line_by_line:
                    alone = alone or _alone(facts, line)
                    if not _objects(rule, alone):
                        continue
                yield number

    def _about_content(self, line: ServiceLine, place: str) -> tuple[list[int], list[int]]:
        """The rules about a line's code, modifiers and place: those that are asked, and those first asked of it alone."""
        key = line.code, line.modifiers, place
        found = self._about.get(key)
        if found is None:
            if len(self._about) > self.KEPT:
                self._about.clear()
            found = self._about[key] = ([], [])
            for number in self._of_every_line.union(
                self._of_code(line.code),
                self._by_place.get(place, ()),
                *[self._by_modifier.get(each, ()) for each in line.modifiers],
            ):
                rule = self.rules[number]
                if rule.is_about(line, place):
                    found[bool(rule.line_where or rule.line_by_line)].append(number)
        return found

    def _of_code(self, code: str) -> set[int]:
        """Found when a code first comes: some rules are about thousands of codes, and a practice bills a few hundred."""
        found = self._by_code.get(code)
        if found is None:
            if len(self._by_code) > self.KEPT:
                self._by_code.clear()
            found = self._by_code[code] = {number for number, codes in self._coded if code in codes}
        return found

    def _known_of(self, part: Hashable) -> dict[Hashable, frozenset[int]]:
        known = self._known.get(part)
        return self._known.setdefault(part, {}) if known is None else known


def _alone(facts: Facts, line: ServiceLine) -> Facts:
    """The facts as though nothing else were billed."""
    alone = replace(facts)
    alone.__dict__["billed"] = [(0, line)]
    return alone


def _finds_in_line(finder: LineFinder, facts: Facts, line: ServiceLine) -> bool:
    try:
        return bool(finder(facts, line))
    except Exception:  # noqa: BLE001 - as above
        return True


def _objects(rule: Rule, facts: Facts) -> bool:
    """Whether a rule has something to say; one that fails has, too, for it fails again where it is judged."""
    try:
        for _ in rule.check(facts):
            return True
    except Exception:  # noqa: BLE001 - it is told there
        return True
    return False
