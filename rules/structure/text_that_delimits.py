"""A name or address holds a character that separates the parts of a claim file.

The characters * ~ ^ and : part segments and elements in X12, and control characters have no place in it at all. The
writer puts a blank where one stands, so the name that the payer reads is not the one on its file.

>>> from rules.examples import PATIENT, charge, facts, show
>>> wrong = PATIENT.model_copy(update={"last_name": "Lark*spur"})
>>> show(text_that_delimits(facts(charge(patient=wrong))))
patient.last_name
  The patient's last name holds *.
  Remove the character at the source.

>>> show(text_that_delimits(facts(charge(patient=PATIENT.model_copy(update={"last_name": "Lark-Spur"})))))
Nothing to say.

Authority: ASC X12N 005010X222A1, appendix B.1.1.2, on character sets and delimiters. Prevents CARC 16 and 31.
"""

import re
from collections.abc import Iterator

from charges.model import Charge, Person, Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual

DELIMITER = re.compile(r"[*~^:\x00-\x1f\x7f]")


@rule("STR-012", Severity.WARN, where=unusual)
def text_that_delimits(facts: Facts) -> Iterator[Problem]:
    """No name or street holds a delimiter or a control character."""
    if not DELIMITER.search(_written(facts.charge)):
        return
    for at, whose, text in _texts(facts.charge):
        if found := DELIMITER.search(text):
            seen = found[0] if found[0].isprintable() else f"a control character ({ord(found[0])})"
            yield Problem(at, f"{whose} holds {seen}.", {"character": seen}, "Remove the character at the source.")


def _written(charge: Charge) -> str:
    """All that is looked at, at once."""
    patient = charge.patient
    text = patient.last_name + patient.first_name + patient.address.line1 + patient.address.city
    for each in charge.coverages:
        holder = each.subscriber
        text += each.payer.name + holder.last_name + holder.first_name + holder.address.line1 + holder.address.city
    return text


def _texts(charge: Charge) -> Iterator[tuple[str, str, str]]:
    people: list[tuple[str, str, Person]] = [("patient", "The patient's", charge.patient)]
    people += [
        (f"coverages[{index}].subscriber", f"Subscriber {index + 1}'s", coverage.subscriber)
        for index, coverage in enumerate(charge.coverages)
    ]
    for at, whose, person in people:
        yield f"{at}.last_name", f"{whose} last name", person.last_name
        yield f"{at}.first_name", f"{whose} first name", person.first_name
        yield f"{at}.address.line1", f"{whose} street", person.address.line1
        yield f"{at}.address.city", f"{whose} city", person.address.city
    for index, coverage in enumerate(charge.coverages):
        yield f"coverages[{index}].payer.name", f"The name of payer {index + 1}", coverage.payer.name
