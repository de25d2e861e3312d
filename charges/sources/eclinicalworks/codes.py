"""The fields of the contract that hold codes, with the values that the contract documents.

Of these fields alone values may be counted (``charges.drift.baselines``): what they hold says nothing of who a patient is. A
value that is not here and was never seen holds its charge until a person has looked. Fields that hold codes of published
tables (procedures, diagnoses, modifiers, places of service), or whose unknown values a rule holds (sex, relation to the
subscriber, units, assignment and signatures), are left to the rules, which say more of them.
"""

from collections.abc import Mapping

_YES_NO = frozenset({"0", "1"})

CODES: Mapping[str, frozenset[str]] = {
    "DeleteFlag": _YES_NO,
    "VoidFlag": _YES_NO,
    "SelfPay": _YES_NO,
    "encounter.STATUS": frozenset({"ARR", "CHK"}),
    "encounter.encLock": _YES_NO,
    "insurances[].SeqNo": frozenset("123"),
    "insurances[].ClaimFilingInd": frozenset(),
    "insurances[].InsuranceTypeCode": frozenset(),
    "insurances[].deleteFlag": _YES_NO,
    "diagnoses[].deleteFlag": _YES_NO,
    "cpt[].EMG": _YES_NO,
    "cpt[].EPSDT": _YES_NO,
    "cpt[].FamilyPlan": _YES_NO,
    "cpt[].BillToPt": _YES_NO,
    "cpt[].deleteFlag": _YES_NO,
    "claimInfo.autoAccident": _YES_NO,
    "claimInfo.otherAccident": _YES_NO,
    "claimInfo.employmentRelated": _YES_NO,
}
