"""What the codes of a remittance mean, in our own words: for billers, and only the codes that billers meet most.

The numbers are facts of the standard; a code that is not told here is shown as its number. Claim status (CLP02), groups
and reasons of adjustments (CAS; CARC, code source 139), remarks (RARC, code source 411), the provider's account (PLB).
"""

from collections.abc import Mapping

from charges.model import Adjustment

STATUS: Mapping[str, str] = {
    "1": "processed as the first payer",
    "2": "processed as the second payer",
    "3": "processed as the third payer",
    "4": "denied",
    "19": "processed as the first payer and forwarded",
    "20": "processed as the second payer and forwarded",
    "21": "processed as the third payer and forwarded",
    "22": "an earlier payment taken back",
    "23": "not this payer's claim, forwarded",
    "25": "priced in advance, nothing is paid",
}

GROUP: Mapping[str, str] = {
    "CO": "by contract, not to be billed to the patient",
    "PR": "owed by the patient",
    "OA": "for another reason",
    "PI": "by the payer's own decision, not by contract",
    "CR": "correction of an earlier decision",
}

REASON: Mapping[str, str] = {
    "1": "deductible",
    "2": "coinsurance",
    "3": "copayment",
    "4": "the modifier does not fit the procedure, or one is missing",
    "5": "the place of service does not fit the procedure",
    "6": "the procedure does not fit the patient's age",
    "7": "the procedure does not fit the patient's sex",
    "8": "the procedure does not fit the provider's specialty",
    "9": "the diagnosis does not fit the patient's age",
    "11": "the diagnosis does not support the procedure",
    "15": "the authorization number is missing, wrong or not for this service or provider",
    "16": "data are missing or wrong; the remarks say which",
    "18": "exact duplicate of a claim or service",
    "19": "a work injury, workers' compensation pays",
    "20": "an injury that a liability insurer pays",
    "22": "another payer may have to pay first",
    "23": "what payers before this one paid or adjusted",
    "24": "paid for by capitation",
    "26": "before the coverage began",
    "27": "after the coverage ended",
    "29": "filed too late",
    "31": "the patient is not known as insured",
    "45": "above the fee schedule or contract",
    "49": "routine or preventive service, not covered",
    "50": "not medically necessary in the payer's view",
    "55": "experimental in the payer's view",
    "58": "given at a place where it is not paid",
    "59": "reduced because of other procedures of the same session",
    "94": "paid more than was charged",
    "96": "not covered; the remarks say why",
    "97": "included in the payment of another service",
    "107": "the service that this one belongs to was not billed",
    "109": "another payer or contractor covers it",
    "119": "the maximum of the benefit is reached",
    "125": "the claim has an error; the remarks say which",
    "129": "what the payer before this one decided is wrong or missing",
    "131": "discount agreed for this claim",
    "140": "name and number of the patient do not fit each other",
    "146": "the diagnosis is not valid on the date of service",
    "151": "the documents do not support this number or frequency of services",
    "167": "the diagnosis is not covered",
    "170": "not paid to this kind of provider",
    "181": "the procedure code is not valid on the date of service",
    "182": "the modifier is not valid on the date of service",
    "183": "the referring provider may not refer this service",
    "185": "the rendering provider may not give this service",
    "197": "authorization or notice was needed before the service",
    "198": "more than was authorized",
    "204": "not covered by the patient's plan",
    "206": "NPI of the provider is missing",
    "208": "NPI of the provider is not on file with the payer",
    "222": "more units than the contract allows",
    "226": "what the payer asked of the provider did not come, or not in time or not whole",
    "227": "what the payer asked of the patient did not come, or not in time or not whole",
    "234": "never paid on its own",
    "236": "not paid together with another code of the same day (NCCI)",
    "242": "the provider is not in the network",
    "252": "a document is needed before the payer decides",
    "253": "reduced by federal budget law (sequestration)",
    "256": "not paid under the managed care contract",
    "B7": "the provider was not certified for this service on its date",
    "B15": "another service must be decided first",
    "B16": "the patient is not new to this provider",
    "B20": "another provider gave the service in part or whole",
    "A1": "denied; the remarks say why",
}

REMARK: Mapping[str, str] = {
    "M15": "services billed apart are one service",
    "M20": "the HCPCS code is missing or wrong",
    "M25": "the documents do not support this level of service",
    "M51": "the procedure code is missing or wrong",
    "M52": "the first date of service is missing or wrong",
    "M53": "the units are missing or wrong",
    "M76": "the diagnosis is missing or wrong",
    "M77": "the place of service is missing or wrong",
    "M79": "the charge is missing or wrong",
    "M86": "paid before for the same or a like service within a set time",
    "M119": "the NDC is missing or wrong",
    "M127": "the medical record is missing",
    "MA01": "the decision can be appealed",
    "MA04": "what the payer before this one paid is missing or cannot be read",
    "MA07": "the claim was also sent to Medicaid",
    "MA13": "only the patient's share may be billed to the patient",
    "MA18": "the claim was also sent to the supplementary insurer",
    "MA61": "the member number is missing or wrong",
    "MA63": "the first-listed diagnosis is missing or wrong",
    "MA130": "not processable and not to be appealed; a corrected new claim is needed",
    "N4": "the other payer's explanation of benefits is missing or wrong",
    "N19": "incident to a primary procedure",
    "N30": "the patient was not eligible on the date of service",
    "N56": "the procedure code is not right for the service or its date",
    "N115": "a local coverage determination (LCD) was applied",
    "N130": "see the plan for what is covered",
    "N257": "the billing provider's number is missing or wrong",
    "N265": "the ordering provider's number is missing or wrong",
    "N286": "the referring provider's number is missing or wrong",
    "N290": "the rendering provider's number is missing or wrong",
    "N362": "more units than the payer's maximum",
    "N386": "a national coverage determination (NCD) was applied",
    "N522": "duplicate of a claim that is decided or being decided",
    "N706": "documents are missing",
}

PROVIDER_ADJUSTMENT: Mapping[str, str] = {
    "50": "late charge",
    "51": "interest as a penalty",
    "72": "refund that the provider has sent",
    "90": "early payment allowance",
    "AM": "put on a loan or garnishment",
    "AP": "advance payment",
    "B2": "rebate",
    "BD": "bad debt",
    "CS": "adjustment of the account",
    "CV": "capital passed through",
    "E3": "withholding",
    "FB": "balance carried forward to or from another payment",
    "IR": "tax withheld",
    "IS": "interim settlement",
    "J1": "not to be paid back",
    "L3": "penalty",
    "L6": "interest that the payer owes",
    "LE": "levy",
    "LS": "lump sum",
    "OB": "offset for an affiliated provider",
    "PI": "periodic interim payment",
    "PL": "final payment of a period",
    "RA": "retroactive adjustment",
    "SL": "student loan",
    "TL": "third party liability",
    "WO": "overpayment recovered",
    "WU": "recovered though not yet paid",
}
"""Taken from the payment when its amount is positive, added to it when negative."""


def reason_told(adjustment: Adjustment) -> str:
    """An adjustment in words, with its codes and amount.

    >>> from decimal import Decimal
    >>> reason_told(Adjustment(group="CO", reason="45", amount=Decimal(20)))
    '20.00 above the fee schedule or contract (CO-45)'
    >>> reason_told(Adjustment(group="OA", reason="999", amount=Decimal(20)))
    '20.00 for a reason told by its number only (OA-999)'
    """
    words = REASON.get(adjustment.reason, "for a reason told by its number only")
    return f"{adjustment.amount:.2f} {words} ({adjustment.group[:2]}-{adjustment.reason[:5]})"


def remark_told(code: str) -> str:
    """A remark in words, with its code.

    >>> remark_told("N115"), remark_told("N9999")
    ('a local coverage determination (LCD) was applied (N115)', 'remark N9999')
    """
    words = REMARK.get(code)
    return f"{words} ({code})" if words else f"remark {code[:10] or '(none)'}"
