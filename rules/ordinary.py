"""Whether a charge is ordinary in all that is no matter of its codes, as nearly every charge is.

Some rules ask for names, addresses, policies, signatures and counts. One look at all of it at once spares a charge in which
nothing is missing or unusual the asking of each. It may be too strict: of what is unusual the rules themselves judge.
"""

import re
from datetime import date
from functools import lru_cache
from operator import itemgetter

from charges.identifiers import CLIA
from charges.model import SELF, Coverage, References, undotted
from rules.engine import Facts
from rules.lines import glance

_NAME = r"[A-Za-z][A-Za-z' .-]*"
_STREET = r"[0-9A-Za-z][0-9A-Za-z' .,#/-]*"
_STATE, _ZIP = "[A-Z]{2}", "[0-9]{5}(?:-?[0-9]{4})?"
PATIENT = re.compile(rf"{_NAME}\|{_NAME}\|[FMU]\|{_STREET}\|{_NAME}\|{_STATE}\|{_ZIP}\|(?:US)?")
"""Last and first name, sex, street, city, state, ZIP code and country."""
POLICY = re.compile(r"(?!(.)\1*\|)[0-9A-Z]*[0-9][0-9A-Z]*\|[0-9A-Z-]*")
"""Member id, which is more than one character repeated, and group."""
PAYER = re.compile(rf"[0-9A-Z]+\|[0-9A-Za-z][0-9A-Za-z' .,&/-]*\|(?:{_STATE})?\|(?:{_ZIP})?")
"""Its id and name, state and ZIP code."""
SIGNED = re.compile(r"[YN]\|[ABC]\|[YNW]\|[YI]")
"""Signature of the provider, assignment, assignment of benefits, release of information."""
SITE = re.compile(rf"{_STREET}\|{_NAME}\|{_STATE}\|[0-9]{{5}}-?[0-9]{{4}}\|(?:US)?")
"""Where services are billed from: street, city, state, ZIP code of nine digits and country."""
DIAGNOSIS = re.compile(r"(?:[A-TV-Z][0-9][0-9AB]|U0[79]|QA0)(?:\.?[0-9A-Z]{1,4})?", re.IGNORECASE | re.ASCII)
"""A code that can exist in ICD-10-CM."""
OLDEST = 120
MOST_LINES, MOST_DIAGNOSES = 50, 12
"""What a claim has room for."""
CHANGE = date(2015, 10, 1)
"""From this day on diagnoses are of the tenth revision."""


_of_person = itemgetter("last_name", "first_name", "sex")
_of_address = itemgetter("line1", "city", "state", "postal_code", "country")
_of_payer, _of_its_place = itemgetter("payer_id", "name"), itemgetter("state", "postal_code")
_of_charge = itemgetter("provider_signature", "assignment", "benefits_assigned", "release_of_information")


def unusual(facts: Facts) -> bool:
    """Whether something of it is missing or not ordinary."""
    charge, visit = facts.charge, facts.charge.encounter
    return not (
        visit.checked_out is not False
        and visit.locked is not False
        and charge.facility is None
        and _is_ordinary_patient(facts)
        and charge.coverages
        and all(map(_is_ordinary_policy, charge.coverages))
        and _is_signed(_of_charge(charge.__dict__))
        and charge.billing_provider
        and _is_ordinary_site(_of_address(charge.billing_provider.address.__dict__))
        and _are_ordinary_numbers(charge.references)
        and _are_ordinary_lines(facts)
    )


def _is_ordinary_patient(facts: Facts) -> bool:
    patient, served = facts.charge.patient, facts.service_date or facts.today
    born = patient.birth_date
    return (
        born is not None
        and patient.death_date is None
        and born <= served
        and served.year - born.year <= OLDEST
        and PATIENT.fullmatch("|".join(_of_person(patient.__dict__) + _of_address(patient.address.__dict__)))
        is not None
    )


def _is_ordinary_policy(coverage: Coverage) -> bool:
    payer = coverage.payer
    return (
        coverage.relationship == SELF
        and "subscriber" not in coverage.model_fields_set
        and POLICY.fullmatch(f"{coverage.member_id}|{coverage.group_number}") is not None
        and _is_ordinary_payer(_of_payer(payer.__dict__) + _of_its_place(payer.address.__dict__))
    )


def _are_ordinary_numbers(given: References) -> bool:
    return not (given.prior_authorization or given.referral_number or given.payer_claim_number) and (
        given.clia == "" or CLIA.fullmatch(given.clia) is not None
    )


def _are_ordinary_lines(facts: Facts) -> bool:
    served, diagnoses, lines = facts.service_date, facts.charge.diagnoses, facts.billed
    codes = {_written(each.code) for each in diagnoses if not each.icd9}
    return (
        bool(lines and served and served >= CHANGE)
        and len(diagnoses) <= MOST_DIAGNOSES
        and len(lines) <= MOST_LINES
        and len(codes) == len(diagnoses)
        and "" not in codes
        and facts.once(glance).are_plain
    )


@lru_cache(maxsize=4096)
def _written(diagnosis: str) -> str:
    """A diagnosis as tables hold it; nothing of what cannot be one."""
    return undotted(diagnosis) if DIAGNOSIS.fullmatch(diagnosis) else ""


@lru_cache(maxsize=1024)
def _is_ordinary_payer(written: tuple[str, ...]) -> bool:
    return PAYER.fullmatch("|".join(written)) is not None


@lru_cache(maxsize=1024)
def _is_signed(written: tuple[str, ...]) -> bool:
    return SIGNED.fullmatch("|".join(written)) is not None


@lru_cache(maxsize=1024)
def _is_ordinary_site(written: tuple[str, ...]) -> bool:
    return SITE.fullmatch("|".join(written)) is not None and "BOX" not in written[0].upper()
