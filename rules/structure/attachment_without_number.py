"""Paperwork is promised, and nothing says how the payer shall find it.

When a report goes by mail, fax or another file, the claim carries the number under which it is sent. Without the number
the payer cannot put the two together and denies the claim for want of records.

>>> from charges.model import Attachment
>>> from rules.examples import charge, facts, show
>>> show(attachment_without_number(facts(charge(attachments=(Attachment(kind="OZ", transmission="FX"),)))))
attachments[0].control_number
  The attachment OZ is sent by FX, and its control number is missing.
  Enter the number that is written on the paperwork.

>>> found = Attachment(kind="OZ", transmission="FX", control_number="55001")
>>> show(attachment_without_number(facts(charge(attachments=(found,)))))
Nothing to say.

Authority: ASC X12N 005010X222A1, loops 2300 and 2400, PWK02 and PWK06. Prevents CARC 16 and 252.
"""

from collections.abc import Iterator

from charges.model import Attachment, Severity
from rules.engine import Facts, Problem, rule

SENT = frozenset({"BM", "EL", "EM", "FT", "FX"})
"""How paperwork travels apart from the claim: by mail, file or fax; AA means that it waits at the provider's."""


@rule("STR-023", Severity.HOLD, fields=("attachments", "lines.attachments"))
def attachment_without_number(facts: Facts) -> Iterator[Problem]:
    """Paperwork that is sent apart has a control number."""
    for at, each in _attachments(facts):
        if each.transmission in SENT and not each.control_number.strip():
            yield Problem(
                f"{at}.control_number",
                f"The attachment {each.kind} is sent by {each.transmission}, and its control number is missing.",
                {"kind": each.kind, "transmission": each.transmission},
                "Enter the number that is written on the paperwork.",
            )


def _attachments(facts: Facts) -> Iterator[tuple[str, Attachment]]:
    for place, each in enumerate(facts.charge.attachments):
        yield f"attachments[{place}]", each
    for index, line in facts.billed:
        for place, each in enumerate(line.attachments):
            yield f"lines[{index}].attachments[{place}]", each
