"""The fields of the contract that hold codes, with the values that the contract documents.

Of these fields alone values may be counted (``charges.drift``): what they hold says nothing of who a patient is. A value
that is not here and was never seen holds its charge until a person has looked. Fields that hold codes of published tables
(procedures, diagnoses, modifiers, places of service) are left to the rules.
"""

from collections.abc import Mapping

_YES_NO = frozenset({"0", "1"})
_Y_N = frozenset({"Y", "N"})

CODES: Mapping[str, frozenset[str]] = {
    "DeleteFlag": _YES_NO,
    "VoidFlag": _YES_NO,
    "SelfPay": _YES_NO,
    "encounter.STATUS": frozenset({"CHK"}),
    "encounter.encLock": _YES_NO,
    "patient.sex": frozenset({"male", "female", "unknown", "Male", "Female", "Unknown", "M", "F", "U"}),
    "insurances[].SeqNo": frozenset("123"),
    "insurances[].ClaimFilingInd": frozenset(),
    "insurances[].InsuranceTypeCode": frozenset(),
    "insurances[].relation": frozenset({"1", "2", "3", "4", "18", "01", "19", "G8"}),
    "insurances[].deleteFlag": _YES_NO,
    "diagnoses[].deleteFlag": _YES_NO,
    "cpt[].UnitType": frozenset({"UN", "MJ"}),
    "cpt[].NDCUnit": frozenset({"F2", "GR", "ME", "ML", "UN"}),
    "cpt[].EMG": _YES_NO,
    "cpt[].EPSDT": _YES_NO,
    "cpt[].FamilyPlan": _YES_NO,
    "cpt[].BillToPt": _YES_NO,
    "cpt[].deleteFlag": _YES_NO,
    "claimInfo.autoAccident": _YES_NO,
    "claimInfo.otherAccident": _YES_NO,
    "claimInfo.employmentRelated": _YES_NO,
    "claimInfo.assignment": frozenset("ABC"),
    "claimInfo.signatureOnFile": _Y_N,
    "claimInfo.benefitsAssigned": _Y_N | {"W"},
    "claimInfo.releaseOfInformation": frozenset("YI"),
}
