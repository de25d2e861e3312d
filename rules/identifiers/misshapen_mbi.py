"""A Medicare number is not one.

Since 2020 Medicare knows its members by the Medicare Beneficiary Identifier only: eleven places, each either a digit
or a letter by a fixed pattern, without the letters S, L, O, I, B and Z that look like digits. The dashes printed on
the card are not part of it and are accepted here.

>>> from rules.examples import COVERAGE, PAYER, charge, facts, show
>>> medicare = PAYER.model_copy(update={"claim_filing_code": "MB"})
>>> card = COVERAGE.model_copy(update={"payer": medicare, "member_id": "1EG4-TS5-MK73"})
>>> show(misshapen_mbi(facts(charge(coverages=(card,)))))
coverages[0].member_id
  Coverage 1: 1EG4-TS5-MK73 is not a Medicare number.
  Copy the number from the Medicare card; S, L, O, I, B and Z do not occur.

>>> card = card.model_copy(update={"member_id": "1EG4-TE5-MK73"})
>>> show(misshapen_mbi(facts(charge(coverages=(card,)))))
Nothing to say.

Authority: CMS, "Understanding the Medicare Beneficiary Identifier (MBI) Format". Prevents CARC 16 with RARC N382.
"""

import re
from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule
from rules.payers import MEDICARE_PART_B, of_medicare

_LETTER = "[AC-HJKMNP-RT-Y]"
_EITHER = "[0-9AC-HJKMNP-RT-Y]"
MBI = re.compile(f"[1-9]{_LETTER}{_EITHER}[0-9]-?{_LETTER}{_EITHER}[0-9]-?{_LETTER}{_LETTER}[0-9][0-9]")


@rule("IDN-005", Severity.HOLD, where=of_medicare)
def misshapen_mbi(facts: Facts) -> Iterator[Problem]:
    """A Medicare Part B member id has the shape of an MBI."""
    for index, coverage in enumerate(facts.charge.coverages):
        member_id = coverage.member_id
        if coverage.payer.claim_filing_code == MEDICARE_PART_B and member_id and not MBI.fullmatch(member_id):
            yield Problem(
                f"coverages[{index}].member_id",
                f"Coverage {index + 1}: {member_id} is not a Medicare number.",
                {"member_id": member_id},
                "Copy the number from the Medicare card; S, L, O, I, B and Z do not occur.",
            )
