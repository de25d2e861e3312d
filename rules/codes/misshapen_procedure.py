"""A procedure code or modifier cannot exist.

CPT codes are five digits, or four digits and a letter; HCPCS codes are a letter from A to V and four digits;
modifiers are two capitals or digits. Anything else is a slip that no list needs to be asked about.

>>> from rules.examples import charge, facts, line, show
>>> show(misshapen_procedure(facts(charge(line("9921")))))
lines[0].code
  Line 1: 9921 cannot be a procedure code.
  Enter the five-character code of the service.

>>> show(misshapen_procedure(facts(charge(line("99213"), line("G2211"), line("0001F")))))
Nothing to say.

Authority: the code sets of 45 CFR 162.1002, in the layout of CMS's HCPCS file. Prevents CARC 16, 181 and 182.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from charges.model import Change, Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary_line import unusual_line

PROCEDURE = re.compile(r"[0-9]{4}[0-9AFMTU]|[A-V][0-9]{4}")
MODIFIER = re.compile(r"[0-9A-Z]{2}")


@rule("COD-013", Severity.HOLD, line_where=unusual_line, line_by_line=True, professional_only=True)
def misshapen_procedure(facts: Facts) -> Iterator[Problem]:
    """Every procedure code and modifier has the shape of one."""
    for index, line in facts.billed:
        if _is_code(line.code) and all(map(_is_modifier, line.modifiers)):
            continue
        name = f"Line {index + 1}:"
        # Other qualifiers name other code sets, such as home infusion or worker's compensation jurisdictions.
        if line.code_qualifier == "HC" and not PROCEDURE.fullmatch(line.code):
            said = f"{line.code} cannot be a procedure code" if line.code.strip() else "the procedure code is missing"
            yield Problem(
                f"lines[{index}].code",
                f"{name} {said}.",
                {"code": line.code},
                "Enter the five-character code of the service.",
                _meant(f"lines[{index}].code", line.code, PROCEDURE),
            )
        for place, modifier in enumerate(line.modifiers):
            if not MODIFIER.fullmatch(modifier):
                yield Problem(
                    f"lines[{index}].modifiers",
                    f"{name} {modifier or '(blank)'} on {line.code} cannot be a modifier.",
                    {"modifier": modifier},
                    "Enter two capitals or digits, or remove it.",
                    _meant(f"lines[{index}].modifiers[{place}]", modifier, MODIFIER),
                )


@lru_cache(maxsize=16_384)  # a practice bills the same few codes
def _is_code(written: str) -> bool:
    return PROCEDURE.fullmatch(written) is not None


@lru_cache(maxsize=4096)
def _is_modifier(written: str) -> bool:
    return MODIFIER.fullmatch(written) is not None


def _meant(at: str, written: str, shape: re.Pattern[str]) -> tuple[Change, ...]:
    """The code in capitals and without blanks, where that has the shape of one."""
    meant = "".join(written.split()).upper()
    return (Change(at=at, op="set", value=meant),) if shape.fullmatch(meant) else ()
