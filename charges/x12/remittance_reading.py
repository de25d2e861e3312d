"""An 835 read: header, payer and payee (1000), claims (2100), their lines (2110), the provider's account (PLB).

Lenient to what payers write differently, strict about money: a segment or element that is not known is passed over, an
amount that is none is refused, for what is not read would be missing in a sum.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from charges.errors import Unreadable
from charges.model import Adjudication, Adjustment
from charges.x12.answers import Addressee
from charges.x12.other_subscribers import INSTITUTIONAL_2320
from charges.x12.particulars import read_adjustments
from charges.x12.reading import Fields
from charges.x12.remittance import ClaimPayment, LinePayment, Party, ProviderAdjustment, Remittance
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import to_amount, to_day

MOST = Decimal(10) ** 12
"""An amount as large as this is an error of somebody's program."""

_CLAIM_DATES = {"232": "statement_from", "233": "statement_to", "050": "received_on"}
_PARTIES = {"QC": "patient", "IL": "subscriber", "74": "corrected_patient", "TT": "next_payer"}
_AMOUNTS_OF_PLB = range(3, 15, 2)


class Payments:
    """One transaction set being read; ``finish`` gives its remittance."""

    def __init__(self, to: Addressee, transaction: str, version: str) -> None:
        self.to, self.transaction, self.version = to, transaction[:9], version
        self.header: Fields = {}
        self.parties: dict[str, Fields] = {}
        self.party: Fields = {}
        self.claim: Fields | None = None
        self.line: Fields | None = None
        self.lines: list[LinePayment] = []
        self.claims: list[ClaimPayment] = []
        self.account: list[ProviderAdjustment] = []

    def take(self, name: str, e: Segment, delimiters: Delimiters) -> None:
        """Read one segment; raises Unreadable for money that cannot be read."""
        if name == "CLP":
            self._close_claim()
            self.claim = _opened(e, len(self.claims) + 1)
        elif name == "PLB":
            self._close_claim()
            self.account += _account(e, delimiters)
        elif self.claim is None:
            self._take_header(name, e)
        elif name == "SVC":
            self._close_line()
            self.line = _line(e, delimiters, self._place(len(self.lines) + 1))
        elif name == "LX":
            self._close_claim()
        elif name == "CAS":
            self._adjust(e, delimiters)
        elif self.line is not None:
            _of_line(self.line, name, e)
        else:
            _of_claim(self.claim, name, e, delimiters)

    def finish(self) -> Iterator[Remittance]:
        """The remittance; raises Unreadable where it names no payment."""
        self._close_claim()
        if "paid" not in self.header:
            raise Unreadable("The remittance (835) does not say what is paid (BPR is missing).")
        if not self.header.get("trace"):
            raise Unreadable("The remittance (835) does not name its payment (TRN02 is missing).")
        payee = self.parties.get("PE", {})
        yield Remittance(
            to=self.to,
            transaction=self.transaction,
            version=self.version,
            payer=_party(self.parties.get("PR", {})),
            payee=_party(payee),
            payee_tax_number=payee.get("tax_number", ""),
            claims=tuple(self.claims),
            provider_adjustments=tuple(self.account),
            **self.header,
        )

    def _take_header(self, name: str, e: Segment) -> None:
        if name == "BPR":
            self.header |= {
                "handling": e[1],
                "paid": _money(e[2], "BPR02", "the payment"),
                "is_debit": e[3] == "D",
                "method": e[4],
                "paid_on": to_day(e[16]),
            }
        elif name == "TRN":
            self.header |= {"trace": _shown(e[2], 50), "payer_number": _shown(e[3], 30)}
        elif name == "DTM" and e[1] == "405":
            self.header["produced_on"] = to_day(e[2])
        elif name == "N1":
            self.party = {"name": e[2], "qualifier": e[3], "identifier": e[4]}
            self.parties[e[1]] = self.party
        elif name == "REF" and e[1] == "TJ":
            self.party["tax_number"] = e[2]

    def _place(self, line: int = 0) -> str:
        claim = f"claim {len(self.claims) + 1}"
        return f"{claim}, line {line}" if line else claim

    def _adjust(self, e: Segment, delimiters: Delimiters) -> None:
        assert self.claim is not None
        here = self.claim if self.line is None else self.line
        if not read_adjustments.read(here, e, delimiters):
            place = self._place(0 if self.line is None else len(self.lines) + 1)
            raise Unreadable(f"The remittance (835) has an adjustment (CAS) of {place} that cannot be read.")

    def _close_line(self) -> None:
        line, self.line = self.line, None
        if line is not None:
            self.lines.append(LinePayment(**_adjusted(line)))

    def _close_claim(self) -> None:
        self._close_line()
        claim, self.claim = self.claim, None
        lines, self.lines = self.lines, []
        if claim is not None:
            remarks = Adjudication.model_validate(claim.pop("adjudication", {}), strict=False)
            claim |= {"inpatient": remarks.inpatient, "outpatient": remarks.outpatient}
            self.claims.append(ClaimPayment(**_adjusted(claim), lines=tuple(lines)))


def _money(value: str, element: str, place: str, absent: Decimal | None = None) -> Decimal:
    if not value and absent is not None:
        return absent
    found = to_amount(value)
    if found is None or abs(found) >= MOST:
        raise Unreadable(f"The remittance (835) has no amount in {element} of {place}, or one that cannot be read.")
    return found


def _shown(value: str, longest: int) -> str:
    """A value that stands in plain columns and sentences: no database keeps every character that a file may hold."""
    return "".join(filter(str.isprintable, value))[:longest]


def _opened(e: Segment, number: int) -> Fields:
    place = f"claim {number}"
    return {
        "number": e[1],
        "status": e[2][:2],
        "charged": _money(e[3], "CLP03", place),
        "paid": _money(e[4], "CLP04", place),
        "patient_responsibility": _money(e[5], "CLP05", place, Decimal(0)),
        "filing_code": e[6],
        "payer_claim_number": e[7][:50],
        "facility_type": e[8],
        "frequency": e[9],
    }


def _of_claim(claim: Fields, name: str, e: Segment, delimiters: Delimiters) -> None:
    if name == "NM1" and e[1] in _PARTIES:
        claim[_PARTIES[e[1]]] = Party(e[3], e[4], e[5], e[8], e[9])
    elif name == "DTM" and e[1] in _CLAIM_DATES:
        claim[_CLAIM_DATES[e[1]]] = to_day(e[2])
    elif name in ("MIA", "MOA"):
        INSTITUTIONAL_2320[name].read(claim, e, delimiters)


def _line(e: Segment, delimiters: Delimiters, place: str) -> Fields:
    qualifier, code, modifiers = _procedure(e[1], delimiters)
    return {
        "code_qualifier": qualifier,
        "code": code,
        "modifiers": modifiers,
        "charged": _money(e[2], "SVC02", place),
        "paid": _money(e[3], "SVC03", place, Decimal(0)),
        "revenue_code": e[4],
        "units": _money(e[5], "SVC05", place, Decimal(1)),
        "original_code": _procedure(e[6], delimiters)[1],
        "original_units": to_amount(e[7]),
    }


def _procedure(element: str, delimiters: Delimiters) -> tuple[str, str, tuple[str, ...]]:
    """Qualifier, code and modifiers. Some cut it with another separator than their ISA names; such a one stays whole."""
    qualifier, code, *rest = [*element.split(delimiters.component), ""]
    return (qualifier, code, tuple(filter(None, rest[:4]))) if code else ("", qualifier, ())


def _of_line(line: Fields, name: str, e: Segment) -> None:
    if name == "DTM":
        day = to_day(e[2])
        if e[1] in ("150", "472"):
            line["service_from"] = day
        if e[1] in ("151", "472"):
            line["service_to"] = day
    elif name == "REF" and e[1] == "6R":
        line["control_number"] = e[2]
    elif name == "AMT" and e[1] == "B6":
        line["allowed"] = to_amount(e[2])
    elif name == "LQ" and e[1] == "HE" and e[2]:
        line["remarks"] = (*line.get("remarks", ()), e[2][:30])


def _adjusted(fields: Fields) -> Fields:
    found: Sequence[Mapping[str, object]] = fields.get("adjustments", ())
    make: Callable[..., Adjustment] = Adjustment
    return fields | {"adjustments": tuple(make(**each) for each in found)}


def _party(fields: Fields) -> Party:
    return Party(
        name=fields.get("name", ""), qualifier=fields.get("qualifier", ""), identifier=fields.get("identifier", "")
    )


def _account(e: Segment, delimiters: Delimiters) -> Iterator[ProviderAdjustment]:
    for place in _AMOUNTS_OF_PLB:
        if not (e[place] or e[place + 1]):
            continue
        reason, reference, *_ = [*e[place].split(delimiters.component), ""]
        amount = _money(e[place + 1], f"PLB{place + 1:02d}", "the provider's account")
        yield ProviderAdjustment(e[1], to_day(e[2]), _shown(reason, 2), reference, amount)
