"""A CLIA number is mistyped.

Laboratories are certified under the Clinical Laboratory Improvement Amendments, and a claim for a test names the
certificate: two digits, the letter D, seven digits.

>>> from charges.model import References
>>> from rules.examples import charge, facts, show
>>> show(misshapen_clia(facts(charge(references=References(clia="05D123456")))))
references.clia
  The CLIA number is not two digits, D and seven digits: 05D123456.
  Copy the number from the certificate.

>>> show(misshapen_clia(facts(charge(references=References(clia="05D1234567")))))
Nothing to say.

Authority: 42 CFR 493; ASC X12N 005010X222A1, loops 2300 and 2400, REF*X4. Prevents CARC 16 with RARC MA120.
"""

from collections.abc import Iterator

from charges.identifiers import CLIA
from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.ordinary import unusual


@rule("IDN-007", Severity.HOLD, where=unusual)
def misshapen_clia(facts: Facts) -> Iterator[Problem]:
    """Every CLIA number has its shape."""
    for at, name, clia in _numbers(facts):
        if clia and not CLIA.fullmatch(clia):
            yield Problem(
                at,
                f"{name} CLIA number is not two digits, D and seven digits: {clia}.",
                {"clia": clia},
                "Copy the number from the certificate.",
            )


def _numbers(facts: Facts) -> Iterator[tuple[str, str, str]]:
    charge = facts.charge
    yield "references.clia", "The", charge.references.clia
    if charge.facility:
        yield "facility.clia", "The service facility's", charge.facility.clia
    for index, line in facts.billed:
        if line.clia:
            yield f"lines[{index}].clia", f"Line {index + 1}: the", line.clia
        if line.facility:
            yield f"lines[{index}].facility.clia", f"Line {index + 1}: the service facility's", line.facility.clia
