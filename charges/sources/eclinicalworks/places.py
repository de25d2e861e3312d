"""Where each field of a charge stands in a tenant's record: in the words of the contract, or by the vendor's tables."""

from collections.abc import Mapping
from functools import lru_cache

from charges.sources.eclinicalworks.fieldmap import FieldMap
from charges.sources.seen import Places

_CHARGE = {
    "encounter": "encounter",
    "encounter.record_number": "EncounterId",
    "encounter.status": "encounter.STATUS",
    "encounter.visit_type": "encounter.VisitType",
    "encounter.locked": "encounter.encLock",
    "encounter.checked_out": "encounter.STATUS",
    "encounter.start_date": "encounter.date",
    "encounter.end_date": "encounter.endDate",
    "encounter.place_of_service": "InvPOS",
    "patient": "patient",
    "patient.record_number": "PatientId",
    "patient.last_name": "patient.ulname",
    "patient.first_name": "patient.ufname",
    "patient.birth_date": "patient.dob",
    "patient.sex": "patient.sex",
    "patient.address": "patient.address",
    "coverages": "edi_inv_insurance",
    "self_pay": "SelfPay",
    "voided": "VoidFlag, DeleteFlag",
    "diagnoses": "edi_inv_diagnosis.Code by icdOrder",
    "rendering_provider": "RenProvider",
    "referring_provider": "RefProvider",
    "supervising_provider": "Supervisor",
    "facility": "facility",
    "lines": "edi_inv_cpt",
    "provider_signature": "claimInfo.signatureOnFile",
    "assignment": "claimInfo.assignment",
    "benefits_assigned": "claimInfo.benefitsAssigned",
    "release_of_information": "claimInfo.releaseOfInformation",
    "special_program": "claimInfo.specialProgram",
    "delay_reason": "claimInfo.delayReason",
    "patient_paid": "copay",
    "related_causes": "claimInfo",
    "dates": "claimInfo",
    "references": "claimInfo",
    "note": "claimInfo.note",
    "custom": "customFields",
}
_LINE = {
    "source_id": "edi_inv_cpt.Id",
    "code": "edi_inv_cpt.Code",
    "modifiers": "edi_inv_cpt.Mod1-4",
    "description": "edi_inv_cpt.Description",
    "charge": "edi_inv_cpt.BilledFee",
    "units": "edi_inv_cpt.Units",
    "unit": "edi_inv_cpt.UnitType",
    "place_of_service": "edi_inv_cpt.POS",
    "service_date": "edi_inv_cpt.SDOS",
    "service_date_to": "edi_inv_cpt.EDOS",
    "diagnoses": "edi_inv_cpt.ICD1-4",
    "drug": "edi_inv_cpt.NDCCode",
    "drug.quantity": "edi_inv_cpt.NDCQty",
    "drug.unit": "edi_inv_cpt.NDCUnit",
    "drug.prescription_number": "edi_inv_cpt.RxNo",
    "note": "edi_inv_cpt.Notes",
    "rendering_provider": "edi_inv_cpt.RendPr",
    "ordering_provider": "edi_inv_cpt.OrdPr",
    "referring_provider": "edi_inv_cpt.RefPr",
    "supervising_provider": "edi_inv_cpt.SupPr",
    "facility": "edi_inv_cpt.Facility",
    "emergency": "edi_inv_cpt.EMG",
    "epsdt": "edi_inv_cpt.EPSDT",
    "family_planning": "edi_inv_cpt.FamilyPlan",
    "prior_authorization": "edi_inv_cpt.PriorAuthNo",
    "referral_number": "edi_inv_cpt.RefNo",
    "clia": "edi_inv_cpt.CliaNo",
    "patient_share": "edi_inv_cpt.BillToPt",
}
_TABLES = {"edi_inv_cpt": "cpt[]", "edi_inv_insurance": "insurances", "edi_inv_diagnosis": "diagnoses[]"}
"""The vendor's tables by which origins are called, as lists of the contract."""


@lru_cache(maxsize=64)
def places_of(fields: FieldMap) -> Places:
    """Places by the tenant's own names, where it has any; others keep the names of the vendor's tables."""
    return Places(_here(_CHARGE, fields), _here(_LINE, fields))


def _here(places: Mapping[str, str], fields: FieldMap) -> Mapping[str, str]:
    told = {}
    for path, place in places.items():
        table, dot, column = place.partition(".")
        contract = f"{_TABLES.get(table, table)}{dot}{column}"
        here = fields.place(contract)
        told[path] = place if here == contract or " " in column else here
    return told
