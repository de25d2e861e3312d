"""Add-on codes, which are paid only beside another procedure of the same day and provider."""

from typing import NamedTuple

from charges.model import ServiceLine
from rules.engine import Facts, rendering_npi
from rules.ncci.pairs import sessions
from rules.reference import AddOn


class Addition(NamedTuple):
    """An add-on line with its place in the charge, what is known of its code, and the codes of that day beside it."""

    place: int
    line: ServiceLine
    known: AddOn
    beside: frozenset[str]


def is_addition(facts: Facts, line: ServiceLine) -> bool:
    """Whether a line has an add-on code on its day; raises TableMissing."""
    return line.service_date is not None and facts.tables.add_on(line.code, line.service_date) is not None


def additions(facts: Facts) -> list[Addition]:
    """The add-on lines of a charge; raises TableMissing. What the provider's earlier charges of the day bill counts."""
    found = []
    for lines in facts.once(sessions):
        day = lines[0][1].service_date
        if day is None:
            continue
        for index, line in lines:
            known = facts.tables.add_on(line.code, day)
            if not known:
                continue
            npi = rendering_npi(facts.charge, line)
            beside = {each.code for place, each in lines if place != index}
            beside |= {each.code for each in facts.history if each.service_date == day and each.rendering_npi == npi}
            found.append(Addition(index, line, known, frozenset(beside - {line.code})))
    return found
