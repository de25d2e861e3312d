"""Replies as a vendor writes them: TA1, 999, 277CA and 835 around the few segments that a test is about."""

from collections.abc import Sequence

from charges.x12.scanner import Delimiters

USUAL = Delimiters(element="*", component=":", repetition="^", segment="~")


def interchange(
    *segments: str, to: str = "LAKE01", usage: str = "T", number: int = 77, cut: Delimiters = USUAL
) -> bytes:
    """An interchange from the vendor; segments are given with the usual delimiters."""
    isa = f"ISA*00*          *00*          *ZZ*PRAIRIE        *ZZ*{to:<15}*261124*0915*^*00501*{number:09d}*0*{usage}*:"
    text = "~".join((isa, *segments, f"IEA*1*{number:09d}")) + "~"
    spelt = str.maketrans("*:^~", cut.element + cut.component + cut.repetition + cut.segment)
    return text.translate(spelt).encode()


def ta1(control_number: int, verdict: str = "A", note: str = "000", **envelope: object) -> bytes:
    """A TA1 that stands alone in its interchange."""
    return interchange(f"TA1*{control_number:09d}*261123*1200*{verdict}*{note}", **envelope)  # type: ignore[arg-type]


def group(*transactions: Sequence[str], code: str, version: str, to: str = "LAKE01") -> list[str]:
    """GS to GE around transaction sets, each ST to SE."""
    out = [f"GS*{code}*PRAIRIE*{to}*20261124*0915*5*X*{version}"]
    for place, segments in enumerate(transactions, 1):
        name = segments[0].partition("*")[0] if code == "FA" else ""
        kind = {"FA": "997" if name == "997" else "999", "HN": "277", "HP": "835"}.get(code, "837")
        out += [f"ST*{kind}*{place:04d}*{version}", *segments, f"SE*{len(segments) + 2}*{place:04d}"]
    return [*out, f"GE*{len(transactions)}*5"]


def a999(control_number: int, *segments: str, **envelope: object) -> bytes:
    """A 999 about one of our groups: AK1 and the segments given."""
    first = f"AK1*HC*{control_number}*005010X222A1"
    return interchange(*group([first, *segments], code="FA", version="005010X231A1"), **envelope)  # type: ignore[arg-type]


def accepted(control_number: int, **envelope: object) -> bytes:
    """A 999 that accepts a file of one transaction set."""
    return a999(control_number, "AK2*837*0001*005010X222A1", "IK5*A", "AK9*A*1*1*1", **envelope)


def refused(control_number: int, *errors: str, **envelope: object) -> bytes:
    """A 999 that refuses a file of one transaction set; the errors are IK3, IK4 and CTX segments."""
    return a999(control_number, "AK2*837*0001*005010X222A1", *errors, "IK5*R*5", "AK9*R*1*1*0", **envelope)


PAYER = ("BHT*0085*08*88*20261124*0915*TH", "HL*1**20*1", "NM1*PR*2*PRAIRIE MUTUAL HEALTH*****PI*PRM01", "TRN*1*88")


def receiver(trace: str, *segments: str) -> list[str]:
    """The receiver's level of a 277CA; its trace is BHT03 of the claim file's transaction set."""
    return ["HL*2*1*21*1", "NM1*41*2*LAKESIDE FAMILY MEDICINE*****46*LAKE01", f"TRN*2*{trace}", *segments]


def provider(npi: str, *segments: str) -> list[str]:
    """A billing provider's level."""
    return ["HL*3*2*19*1", f"NM1*85*2*LAKESIDE FAMILY MEDICINE*****XX*{npi}", "TRN*1*0", *segments]


def claim(number: str, *segments: str) -> list[str]:
    """A patient's level with one claim."""
    return ["HL*4*3*PT", "NM1*QC*1*LARKSPUR*ODETTE****MI*PMH8812345", f"TRN*2*{number}", *segments]


def a277ca(*segments: str, **envelope: object) -> bytes:
    """A 277CA of a payer: levels as given."""
    return interchange(*group([*PAYER, *segments], code="HN", version="005010X214"), **envelope)  # type: ignore[arg-type]


def about_claims(*claims: Sequence[str], **envelope: object) -> bytes:
    """A 277CA that says something of claims one by one."""
    segments = [segment for each in claims for segment in each]
    return a277ca(*receiver("0", "STC*A1:19:PR*20261124*WQ*150"), *provider("1993999998"), *segments, **envelope)


def yes(number: str, payer_claim_number: str = "PRM0001") -> list[str]:
    """A claim accepted into adjudication."""
    return claim(number, "STC*A2:20:PR*20261124*WQ*150", f"REF*1K*{payer_claim_number}", "DTP*472*D8*20261116")


def no(number: str) -> list[str]:
    """A claim refused because of the billing provider's NPI."""
    return claim(number, "STC*A7:562:85*20261124*U*150********NOT ENROLLED WITH US", "DTP*472*D8*20261116")


def a835(*segments: str, paid: str, trace: str = "EFT1001", **envelope: object) -> bytes:
    """A remittance of one payment: claims and the provider's account as given."""
    content = group(payment(*segments, paid=paid, trace=trace), code="HP", version="005010X221A1")
    return interchange(*content, **envelope)  # type: ignore[arg-type]


def payment(*segments: str, paid: str, trace: str = "EFT1001") -> list[str]:
    """The transaction set of a payment, without its envelope."""
    return [
        f"BPR*I*{paid}*C*ACH*CCP*01*071000013*DA*700100*1370000001**01*071000288*DA*500200*20261201",
        f"TRN*1*{trace}*1370000001",
        "DTM*405*20261130",
        "N1*PR*PRAIRIE MUTUAL HEALTH",
        "N3*1 PRAIRIE WAY",
        "N4*SPRINGFIELD*IL*62701",
        "PER*BL*PROVIDER SERVICES*TE*2175550199",
        "N1*PE*LAKESIDE FAMILY MEDICINE*XX*1993999998",
        "REF*TJ*364711208",
        "LX*1",
        *segments,
    ]


def decided(number: str, amounts: str, *segments: str, status: str = "1", payer_number: str = "PRM26A7") -> list[str]:
    """A claim as decided; ``amounts`` are charged, paid and owed by the patient, as in ``150*80*20``."""
    return [
        f"CLP*{number}*{status}*{amounts}*12*{payer_number}*11*1",
        "NM1*QC*1*LARKSPUR*ODETTE****MI*PMH8812345",
        *segments,
    ]


def paid(number: str) -> list[str]:
    """A claim of 150.00 paid with 80.00: 20.00 is the patient's, 50.00 written off."""
    return decided(number, "150*80*20", "SVC*HC:99213*150*80**1", "DTM*472*20261116", "CAS*CO*45*50", "CAS*PR*3*20")


def denied(number: str, reason: str = "50") -> list[str]:
    """A claim of 150.00 whose only line is denied, by a payer that does not write status 4."""
    return decided(number, "150*0*0", "SVC*HC:99213*150*0**1", f"CAS*CO*{reason}*150", "LQ*HE*N115")


def taken_back(number: str) -> list[str]:
    """The reversal of ``paid``."""
    line = ("SVC*HC:99213*-150*-80**1", "DTM*472*20261116", "CAS*CO*45*-50", "CAS*PR*3*-20")
    return decided(number, "-150*-80*-20", *line, status="22")
