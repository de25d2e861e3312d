"""What hangs on a service line: 2430 what other payers decided about it, 2440 supporting forms, both ways."""

from collections.abc import Iterable

from charges.model import Form, LineAdjudication
from charges.x12.particulars import read_adjustments, write_adjustments
from charges.x12.procedure import procedure_of, read_procedure
from charges.x12.reading import Fields, Table, add, put_amount, put_day, put_text, reads
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import Text, amount, amount_or_blank, code, day, segment, to_day

# Written


def loop_2430_adjudications(out: list[str], adjudications: Iterable[LineAdjudication], text: Text) -> None:
    """SVD, CAS, DTP, AMT; one loop for each payer that decided."""
    for each in adjudications:
        procedure = procedure_of(each.code_qualifier, each.code, each.modifiers, each.description, text)
        out.append(
            segment(
                "SVD",
                text(each.payer_id, 80),
                amount_or_blank(each.paid),
                procedure if each.code else "",
                text(each.revenue_code, 48),
                amount_or_blank(each.paid_units),
                code(each.bundled_line),
            )
        )
        write_adjustments(out, each.adjustments)
        if each.paid_on is not None:
            out.append(f"DTP*573*D8*{day(each.paid_on)}")
        if each.patient_responsibility is not None:
            out.append(f"AMT*EAF*{amount(each.patient_responsibility)}")


def loop_2440_forms(out: list[str], forms: Iterable[Form], text: Text) -> None:
    """LQ and FRM."""
    for form in forms:
        out.append(f"LQ*{code(form.qualifier)}*{text(form.code, 30)}")
        for each in form.answers:
            answered = "" if each.answered_on is None else day(each.answered_on)
            answer = (code(each.yes_no), text(each.text, 50), answered, amount_or_blank(each.percent))
            out.append(segment("FRM", text(each.question, 20), *answer))


# Read


@reads(1, 2, 3, 5, 6)
def _decision(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    put_text(fields, payer_id=e[1], bundled_line=e[6])
    procedure = not e[3] or read_procedure(fields, e[3], delimiters)
    wrong = [name for name, place in (("paid", 2), ("paid_units", 5)) if not put_amount(fields, name, e[place])]
    return procedure and not wrong


@reads(1, 2, 3, 4, 5, 6)
def _institutional_decision(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    put_text(fields, revenue_code=e[4])
    return _decision.read(fields, e, delimiters)


@reads(1, 2, 3)
def _decided_on(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return e[1] == "573" and put_day(fields, "paid_on", e[2], e[3])


@reads(1, 2)
def _owed(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return e[1] == "EAF" and bool(e[2]) and put_amount(fields, "patient_responsibility", e[2])


@reads(1, 2)
def _form(fields: Fields, e: Segment, _: Delimiters) -> bool:
    fields.update(qualifier=e[1], code=e[2])
    return True


@reads(1, 2, 3, 4, 5)
def _answer(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found: Fields = {"question": e[1]}
    put_text(found, yes_no=e[2], text=e[3])
    if e[4]:
        found["answered_on"] = to_day(e[4])
    is_read = put_amount(found, "percent", e[5]) and ("answered_on" not in found or found["answered_on"] is not None)
    return is_read and add(fields, "answers", found)


LOOP_2430: Table = {"SVD": _decision, "CAS": read_adjustments, "DTP": _decided_on, "AMT": _owed}
INSTITUTIONAL_2430: Table = LOOP_2430 | {"SVD": _institutional_decision}
LOOP_2440: Table = {"LQ": _form, "FRM": _answer}
