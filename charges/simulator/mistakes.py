"""Mistakes that people make in charges: each with the rules that must find it, and how it is made.

A mistake is a function that spoils a right visit and says whether it could: a vaccine cannot lose its link where none was
given. Where one slip breaks two rules, both are named. Adding a mistake is adding a function.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from charges.simulator.people import Json
from charges.simulator.visits import Visit

Spoil = Callable[[Random, Visit], bool]

STUDIES = ("80053", "85025", "83036", "80061", "71046")
"""Tests and pictures that Medicare pays for only when somebody ordered them."""


@dataclass(frozen=True)
class Mistake:
    """A kind of mistake: the rules that hold the charge for it, and those that only warn."""

    name: str
    spoil: Spoil
    rules: tuple[str, ...]
    warnings: tuple[str, ...] = ()


MISTAKES: list[Mistake] = []


def _mistake(*rules: str, warns: tuple[str, ...] = ()) -> Callable[[Spoil], Spoil]:
    def add(spoil: Spoil) -> Spoil:
        MISTAKES.append(Mistake(spoil.__name__, spoil, rules, warns))
        return spoil

    return add


def _first_with(visit: Visit, modifier: str) -> bool:
    """Take a modifier off the first line that bears it."""
    return _on_line(next((each for each in visit.lines if each.get("Mod1") == modifier), None), Mod1="")


def _on_line(line: Json | None, **changes: str) -> bool:
    if line is not None:
        line.update(changes)
    return line is not None


def _diagnosed(visit: Visit, *diagnoses: str) -> bool:
    """Other diagnoses, all lines pointing to the first of them."""
    visit.diagnoses = list(diagnoses)
    for line in visit.lines:
        line["dx"] = visit.diagnoses[:1]
    return True


def _on_patient(visit: Visit, **changes: object) -> bool:
    visit.extra["patient"] = visit.extra.get("patient", {}) | changes
    return True


def _on_address(visit: Visit, **changes: object) -> bool:
    return _on_patient(visit, address=visit.patient.human["address"] | changes)


def _on_first_policy(visit: Visit, **changes: object) -> bool:
    visit.extra["policy"] = visit.extra.get("policy", {}) | changes
    return True


@_mistake("STR-001")
def birth_date_missing(_: Random, visit: Visit) -> bool:
    """Registration forgot the birth date."""
    return _on_patient(visit, dob="0000-00-00")


@_mistake("STR-001")
def first_name_missing(_: Random, visit: Visit) -> bool:
    """Registration has the family name only."""
    return _on_patient(visit, ufname="")


@_mistake(warns=("STR-012",))
def asterisk_in_the_name(_: Random, visit: Visit) -> bool:
    """The front desk marks names that are to be asked again."""
    return _on_patient(visit, ulname=f"{visit.patient.human['ulname']}*")


@_mistake("STR-001")
def street_missing(_: Random, visit: Visit) -> bool:
    """Registration has a city and no street."""
    return _on_address(visit, Addr1="", Addr2="")


@_mistake("STR-001")
def member_id_missing(_: Random, visit: Visit) -> bool:
    """The card was not copied."""
    return _on_first_policy(visit, subscriberNo="")


@_mistake("IDN-013")
def member_id_to_come(_: Random, visit: Visit) -> bool:
    """The form wanted a number, and the card was not at hand."""
    return visit.patient.payer.kind == "commercial" and _on_first_policy(visit, subscriberNo="PENDING")


@_mistake(warns=("STR-017",))
def member_id_in_small_letters(_: Random, visit: Visit) -> bool:
    """The card has capitals."""
    number = visit.patient.first_policy["subscriberNo"].lower()
    return visit.patient.payer.kind == "commercial" and _on_first_policy(visit, subscriberNo=number)


@_mistake("STR-001")
def payer_not_in_the_profile(_: Random, visit: Visit) -> bool:
    """A payer that the front desk made up has no electronic id."""
    return visit.patient.payer.kind == "commercial" and _on_first_policy(visit, InsId="999", insuranceName="New Payer")


@_mistake("STR-001")
def sex_missing(_: Random, visit: Visit) -> bool:
    """Registration did not ask."""
    return _on_patient(visit, sex="")


@_mistake("STR-013")
def sex_is_a_typing_slip(_: Random, visit: Visit) -> bool:
    """A key beside the right one."""
    return _on_patient(visit, sex="X")


@_mistake("STR-002")
def born_after_the_visit(_: Random, visit: Visit) -> bool:
    """The year of the visit was typed for the year of birth."""
    return _on_patient(visit, dob=(visit.day + timedelta(days=30)).isoformat())


@_mistake("STR-002")
def born_a_century_early(_: Random, visit: Visit) -> bool:
    """The wrong century was typed; who is over thirty would be older than anybody."""
    born = visit.patient.born - timedelta(days=36_525)
    return visit.kind == "office" and visit.patient.age(visit.day) > 30 and _on_patient(visit, dob=born.isoformat())


@_mistake("STR-020")
def died_before_the_visit(chance: Random, visit: Visit) -> bool:
    """The visit stands on the record of somebody else, who has died."""
    return _on_patient(visit, deceasedDate=(visit.day - timedelta(days=chance.randint(3, 90))).isoformat())


@_mistake("STR-010")
def state_written_out(_: Random, visit: Visit) -> bool:
    """The state in words."""
    return _on_address(visit, State="Illinois")


@_mistake("STR-010")
def zip_code_too_short(_: Random, visit: Visit) -> bool:
    """A digit is missing."""
    return _on_address(visit, Zip="6270")


@_mistake("STR-004")
def no_insurance_and_not_self_pay(_: Random, visit: Visit) -> bool:
    """Nobody asked who pays."""
    return "SelfPay" not in visit.extra and visit.extra.update(uninsured=True) is None


@_mistake("STR-004")
def holder_of_the_policy_missing(_: Random, visit: Visit) -> bool:
    """The parent's name was left out."""
    return visit.patient.first_policy["relation"] != "1" and _on_first_policy(visit, subscriber=None)


@_mistake("STR-004")
def said_to_be_self_with_another_holder(_: Random, visit: Visit) -> bool:
    """The relation was left at its default, self."""
    return visit.patient.first_policy["relation"] != "1" and _on_first_policy(visit, relation="1")


@_mistake("STR-004")
def relation_unknown(_: Random, visit: Visit) -> bool:
    """A relation that no claim knows."""
    return _on_first_policy(visit, relation="7")


@_mistake("IDN-005")
def medicare_number_of_the_old_kind(_: Random, visit: Visit) -> bool:
    """The number of the card before 2020."""
    return visit.patient.payer.kind == "medicare" and _on_first_policy(visit, subscriberNo="123456789A")


@_mistake("IDN-005")
def letter_o_in_a_medicare_number(_: Random, visit: Visit) -> bool:
    """A letter O for the digit 0; the numbers of Medicare have no O."""
    number = visit.patient.first_policy["subscriberNo"]
    return visit.patient.payer.kind == "medicare" and _on_first_policy(visit, subscriberNo=f"{number[:-1]}O")


@_mistake("STR-003")
def service_in_the_future(_: Random, visit: Visit) -> bool:
    """Next year was typed."""
    day = (visit.day + timedelta(days=365)).isoformat()
    for line in visit.lines:
        line["SDOS"] = line["EDOS"] = day
    visit.extra["encounter"] = {"date": day}
    return True


@_mistake("STR-003")
def ends_before_it_begins(_: Random, visit: Visit) -> bool:
    """The two dates of service were swapped."""
    visit.lines[0]["EDOS"] = (visit.day - timedelta(days=1)).isoformat()
    return True


@_mistake("STR-003")
def line_of_another_day(_: Random, visit: Visit) -> bool:
    """A line belongs to last week's visit."""
    day = (visit.day - timedelta(days=7)).isoformat()
    visit.lines[-1]["SDOS"] = visit.lines[-1]["EDOS"] = day
    return len(visit.lines) > 1 and visit.kind in ("office_with_laboratory", "laboratory")


@_mistake("STR-008")
def line_points_nowhere(_: Random, visit: Visit) -> bool:
    """No diagnosis was linked."""
    visit.lines[0]["dx"] = []
    return visit.kind != "vaccination"


@_mistake("STR-008")
def line_points_to_a_diagnosis_that_is_gone(_: Random, visit: Visit) -> bool:
    """A diagnosis was removed and the link to it stayed."""
    visit.lines[0]["ICD4"] = "9"
    return visit.kind != "vaccination"


@_mistake("STR-011")
def accident_without_date(_: Random, visit: Visit) -> bool:
    """The accident is ticked and not dated."""
    return visit.kind == "accident" and visit.claim.pop("accidentDate", None) is not None


@_mistake("STR-011")
def accident_without_state(_: Random, visit: Visit) -> bool:
    """Nobody asked where the cars met."""
    return visit.kind == "accident" and visit.claim.pop("accidentState", None) is not None


@_mistake("STR-011")
def accident_after_the_visit(_: Random, visit: Visit) -> bool:
    """The next appointment was typed for the day of the accident."""
    visit.claim["accidentDate"] = (visit.day + timedelta(days=14)).isoformat()
    return visit.kind == "accident"


@_mistake(warns=("STR-018",))
def illness_begins_after_the_visit(_: Random, visit: Visit) -> bool:
    """The month of the onset was mistyped."""
    visit.claim["onsetDate"] = (visit.day + timedelta(days=30)).isoformat()
    return visit.kind in ("office", "supervised")


@_mistake("STR-015")
def admission_forgotten(_: Random, visit: Visit) -> bool:
    """A hospital visit does not say since when."""
    return visit.kind == "hospital" and visit.claim.pop("admissionDate", None) is not None


@_mistake("STR-019")
def discharged_before_admitted(_: Random, visit: Visit) -> bool:
    """The two dates of the stay were swapped."""
    visit.claim |= {
        "admissionDate": (visit.day + timedelta(days=2)).isoformat(),
        "dischargeDate": visit.day.isoformat(),
    }
    return visit.kind == "hospital"


@_mistake("STR-019")
def seen_after_discharge(_: Random, visit: Visit) -> bool:
    """A visit after the stay was entered as one at the bedside."""
    visit.claim |= {
        "admissionDate": (visit.day - timedelta(days=5)).isoformat(),
        "dischargeDate": (visit.day - timedelta(days=1)).isoformat(),
    }
    return visit.kind == "hospital"


@_mistake(warns=("STR-016",))
def hospital_not_named(_: Random, visit: Visit) -> bool:
    """The place says hospital, and no hospital was chosen."""
    visit.extra["facility"] = None
    return visit.kind == "hospital"


@_mistake("STR-021")
def assignment_in_words(_: Random, visit: Visit) -> bool:
    """Yes was typed where a claim has A, B or C."""
    visit.claim["assignment"] = "YES"
    return True


@_mistake("STR-024")
def reason_for_delay_in_words(_: Random, visit: Visit) -> bool:
    """A claim has numbers for why it comes late."""
    visit.claim["delayReason"] = "LATE"
    return visit.kind in ("office", "procedure")


@_mistake("IDN-013")
def authorization_to_come(_: Random, visit: Visit) -> bool:
    """The authorization was asked for and never noted."""
    visit.claim["priorAuthorization"] = "TBD"
    return visit.kind in ("supervised", "injection", "procedure")


@_mistake("ENC-001")
def note_not_locked(_: Random, visit: Visit) -> bool:
    """The provider has not signed."""
    visit.extra["encounter"] = {"encLock": "0"}
    return True


@_mistake("ENC-001")
def not_checked_out(_: Random, visit: Visit) -> bool:
    """The patient is still in the room, as the system sees it."""
    visit.extra["encounter"] = {"STATUS": "ARR"}
    return True


@_mistake("IDN-001")
def npi_with_a_wrong_digit(_: Random, visit: Visit) -> bool:
    """Two digits of the provider's number were swapped."""
    rendering = dict(visit.extra["RenProvider"])
    number = rendering["NPI"]
    place = next(place for place in range(1, 9) if number[place] != number[place + 1])
    rendering["NPI"] = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    visit.extra["RenProvider"] = rendering
    return True


@_mistake(warns=("IDN-014",))
def number_of_the_group_on_the_provider(_: Random, visit: Visit) -> bool:
    """The practice's own number was typed for the provider's."""
    visit.extra["RenProvider"] = visit.extra["RenProvider"] | {"NPI": visit.facility["NPI"]}
    return visit.kind == "office"


@_mistake(warns=("IDN-012",))
def referrer_without_npi(_: Random, visit: Visit) -> bool:
    """Who refers is known by name only."""
    return visit.kind == "supervised" and _without_npi(visit, "RefProvider")


@_mistake("PRV-001", warns=("IDN-012",))
def orderer_without_npi(_: Random, visit: Visit) -> bool:
    """Medicare is not content with the name of who ordered a test."""
    ordered = visit.kind in ("laboratory", "office_with_laboratory", "imaging") and visit.find(*STUDIES) is not None
    return ordered and visit.patient.payer.kind == "medicare" and _without_npi(visit, "RefProvider")


def _without_npi(visit: Visit, role: str) -> bool:
    visit.extra[role] = visit.extra[role] | {"NPI": ""}
    return True


@_mistake("IDN-001")
def nobody_rendered_it(_: Random, visit: Visit) -> bool:
    """The charge does not say who saw the patient."""
    if "Supervisor" in visit.extra or visit.kind in ("laboratory", "imaging"):
        return False
    visit.extra["RenProvider"] = None
    return len(visit.lines) == 1


@_mistake("IDN-006")
def taxonomy_misspelt(_: Random, visit: Visit) -> bool:
    """A letter for a digit in the specialty's code."""
    visit.extra["RenProvider"] = visit.extra["RenProvider"] | {"TaxonomyCode": "207Q0000OX0"}
    return True


@_mistake("IDN-007")
def clia_number_misspelt(_: Random, visit: Visit) -> bool:
    """The laboratory's number lacks a digit."""
    if visit.kind not in ("laboratory", "office_with_laboratory"):
        return False
    visit.claim["cliaNumber"] = "14D223344"
    return True


@_mistake("IDN-008")
def ndc_with_ten_digits(_: Random, visit: Visit) -> bool:
    """The number from the package, without the zero that a claim wants."""
    line = visit.find("J3301", "J1885")
    if line is not None:
        line["NDCCode"] = line["NDCCode"][1:]
    return line is not None


@_mistake("DRG-001")
def drug_without_ndc(_: Random, visit: Visit) -> bool:
    """The drug's package number was not entered."""
    line = visit.find("J3301", "J1885")
    if line is not None:
        line.update(NDCCode="", NDCQty="", NDCUnit="")
    return line is not None


@_mistake("DRG-001")
def drug_without_quantity(_: Random, visit: Visit) -> bool:
    """How much of the package was used was not entered."""
    line = visit.find("J3301", "J1885")
    if line is not None:
        line["NDCQty"] = ""
    return line is not None


@_mistake("DRG-001")
def drug_measured_in_milligrams(_: Random, visit: Visit) -> bool:
    """A claim measures a package in other units."""
    return _on_line(visit.find("J3301", "J1885"), NDCUnit="MG")


@_mistake(warns=("IMM-004",))
def vaccine_without_z23(_: Random, visit: Visit) -> bool:
    """The vaccine points to the illness of the visit beside it."""
    line = visit.find("90686")
    if line is None or len(visit.diagnoses) < 2:
        return False
    line["dx"] = visit.diagnoses[:1]
    return True


@_mistake("IMM-006")
def visit_beside_a_vaccine_without_25(_: Random, visit: Visit) -> bool:
    """The modifier was forgotten."""
    return visit.find("90471") is not None and _first_with(visit, "25")


@_mistake("EM-004")
def visit_beside_a_check_up_without_25(_: Random, visit: Visit) -> bool:
    """The modifier was forgotten."""
    return visit.kind == "preventive" and _first_with(visit, "25")


@_mistake("GLB-002")
def visit_beside_a_procedure_without_25(_: Random, visit: Visit) -> bool:
    """The modifier was forgotten: the commonest mistake of all."""
    return visit.kind in ("injection", "procedure") and _first_with(visit, "25")


@_mistake("MOD-006")
def modifier_25_on_the_procedure(_: Random, visit: Visit) -> bool:
    """The modifier stands on the wrong line, too."""
    line = visit.find("11200", "17110", "10060")
    if line is not None:
        line["Mod1"] = "25"
    return line is not None


@_mistake("MOD-004")
def both_sides_twice(_: Random, visit: Visit) -> bool:
    """Modifier 50 says both sides, and RT one of them."""
    line = visit.find("20610")
    if line is not None:
        line["Mod2"] = "50"
    return line is not None


@_mistake("MOD-011")
def whole_and_half_at_once(_: Random, visit: Visit) -> bool:
    """Professional and technical component on one line."""
    line = visit.find("71046")
    if line is not None:
        line.update(Mod1="26", Mod2="TC")
    return line is not None


@_mistake("COD-013")
def modifier_cut_short(_: Random, visit: Visit) -> bool:
    """A letter is missing."""
    return _on_line(visit.find("20610", "69210"), Mod1="R")


@_mistake("NCC-001")
def panel_beside_one_that_holds_it(_: Random, visit: Visit) -> bool:
    """The small panel of tests beside the great one."""
    line = visit.find("80053")
    if line is not None:
        visit.lines.append(line | {"Code": "80048", "BilledFee": "24.00"})
    return line is not None


@_mistake("NCC-002")
def visit_beside_a_shot_without_25(_: Random, visit: Visit) -> bool:
    """The nurse's injection holds a short visit; a longer one wants its modifier."""
    if visit.kind != "shot":
        return False
    visit.add("99213")
    return True


@_mistake(warns=("NCC-004",))
def separate_in_two_ways(_: Random, visit: Visit) -> bool:
    """One modifier says in general what the other says exactly."""
    return _on_line(visit.find("20610"), Mod2="59", Mod3="XS")


@_mistake("NCC-007")
def sugar_twice_a_day(_: Random, visit: Visit) -> bool:
    """The mean sugar of three months was counted two times."""
    return _on_line(visit.find("83036"), Units="2.00")


@_mistake(warns=("NCC-008",))
def blood_for_each_tube(_: Random, visit: Visit) -> bool:
    """Each tube was counted as a blood draw."""
    return _on_line(visit.find("36415"), Units="3.00")


@_mistake("NCC-010")
def finger_stick_to_medicare(_: Random, visit: Visit) -> bool:
    """Medicare never pays for a drop from the finger."""
    return visit.patient.payer.kind == "medicare" and _on_line(visit.find("36415"), Code="36416")


@_mistake("NCC-011")
def second_vaccine_alone(_: Random, visit: Visit) -> bool:
    """The code for each further vaccine, where only one was given."""
    return _on_line(visit.find("90471"), Code="90472")


@_mistake(warns=("NCC-015",))
def repeated_test_called_separate(_: Random, visit: Visit) -> bool:
    """The count was run again and marked as another procedure."""
    line = visit.find("85025")
    if line is not None:
        visit.lines.append(line | {"Mod1": "59"})
    return line is not None


@_mistake(warns=("MOD-010",))
def modifier_twice(_: Random, visit: Visit) -> bool:
    """The same modifier was entered two times."""
    line = visit.find("20610")
    if line is not None:
        line["Mod2"] = line["Mod1"]
    return line is not None


@_mistake("TEL-002")
def telehealth_without_modifier(_: Random, visit: Visit) -> bool:
    """The place says home, and nothing says video."""
    return visit.kind == "telehealth" and _first_with(visit, "95")


@_mistake("TEL-004")
def video_and_sound_alone(_: Random, visit: Visit) -> bool:
    """Both modifiers of telehealth."""
    visit.lines[0]["Mod2"] = "93"
    return visit.kind == "telehealth"


@_mistake(warns=("TEL-003",))
def video_at_the_office(_: Random, visit: Visit) -> bool:
    """The modifier says video and the place says office."""
    visit.place = "11"
    visit.lines[0]["POS"] = "11"
    return visit.kind == "telehealth"


@_mistake("TEL-007")
def telephone_code_of_old(_: Random, visit: Visit) -> bool:
    """A code that ended with 2024."""
    visit.lines[0].update(Code="99442", Mod1="")
    return visit.kind == "telehealth"


@_mistake("COD-006")
def place_of_service_not_in_use(_: Random, visit: Visit) -> bool:
    """A place that CMS has not given out."""
    visit.lines[0]["POS"] = "29"
    return visit.kind == "office"


@_mistake("COD-013")
def procedure_code_cut_short(_: Random, visit: Visit) -> bool:
    """A digit is missing."""
    visit.lines[0]["Code"] = visit.lines[0]["Code"][:4]
    return visit.kind in ("office", "laboratory")


@_mistake("COD-014")
def diagnosis_of_the_old_revision(_: Random, visit: Visit) -> bool:
    """A code of ICD-9-CM."""
    visit.diagnoses[-1] = "250.00"
    for line in visit.lines:
        line["dx"] = visit.diagnoses[:1]
    return visit.kind == "office" and len(visit.diagnoses) > 1


@_mistake("ICD-001")
def injury_without_seventh_character(_: Random, visit: Visit) -> bool:
    """The encounter's letter is missing."""
    return visit.kind == "accident" and _diagnosed(visit, "S13.4XX")


@_mistake("ICD-002")
def injury_without_placeholder(_: Random, visit: Visit) -> bool:
    """The encounter's letter follows the code, where two X belong between."""
    return visit.kind == "accident" and _diagnosed(visit, "S13.4A")


@_mistake("ICD-008")
def diagnosis_of_the_other_sex(_: Random, visit: Visit) -> bool:
    """A diagnosis of the spouse, from the record that was open before."""
    visit.diagnoses.append("N40.1" if visit.patient.sex == "F" else "N95.1")
    return visit.kind in ("office", "telehealth")


@_mistake("ICD-009")
def check_up_of_another_age(_: Random, visit: Visit) -> bool:
    """The code of a child's check-up for a grown person, or the other way round."""
    age = visit.patient.age(visit.day)
    if visit.kind != "preventive" or 15 <= age < 18:
        return False
    return _diagnosed(visit, "Z00.129" if age >= 18 else "Z00.00")


@_mistake(warns=("ICD-013",))
def check_up_second(_: Random, visit: Visit) -> bool:
    """The problem stands before the check-up that the patient came for."""
    visit.diagnoses.reverse()
    return visit.kind == "preventive" and len(visit.diagnoses) > 1


@_mistake(warns=("ICD-015",))
def hypertension_apart_from_the_kidneys(_: Random, visit: Visit) -> bool:
    """One code says both."""
    return visit.kind == "office" and _diagnosed(visit, "I10", "N18.30")


@_mistake(warns=("ICD-016",))
def pregnancy_without_its_week(_: Random, visit: Visit) -> bool:
    """The week was not added."""
    return _may_be_pregnant(visit) and _diagnosed(visit, "O26.892")


@_mistake(warns=("ICD-020",))
def pregnancy_second(_: Random, visit: Visit) -> bool:
    """The cold stands before the pregnancy."""
    return _may_be_pregnant(visit) and _diagnosed(visit, "J06.9", "O26.892", "Z3A.20")


def _may_be_pregnant(visit: Visit) -> bool:
    patient = visit.patient
    return visit.kind in ("office", "telehealth") and patient.sex == "F" and 18 <= patient.age(visit.day) <= 44


@_mistake(warns=("ICD-017",))
def body_mass_first(_: Random, visit: Visit) -> bool:
    """The body mass stands before the illness that it tells more about."""
    return visit.kind == "office" and visit.patient.age(visit.day) >= 21 and _diagnosed(visit, "Z68.35", "E66.9")


@_mistake(warns=("ICD-018",))
def germ_first(_: Random, visit: Visit) -> bool:
    """The germ stands before its infection."""
    return visit.kind in ("office", "telehealth") and _diagnosed(visit, "B96.20", "N39.0")


@_mistake(warns=("ICD-022",))
def old_injury_alone(_: Random, visit: Visit) -> bool:
    """What the injury left behind is not said."""
    return visit.kind == "accident" and _diagnosed(visit, "S13.4XXS")


@_mistake(warns=("ICD-023",))
def place_of_the_accident_told_again(_: Random, visit: Visit) -> bool:
    """A visit in healing repeats where it happened."""
    return visit.kind == "accident" and _diagnosed(visit, "S13.4XXD", "Y92.410")


@_mistake(warns=("ICD-024",))
def diabetes_with_and_without_complication(_: Random, visit: Visit) -> bool:
    """The code of last year stayed beside the new one."""
    return visit.kind in ("office", "supervised") and _diagnosed(visit, "E11.42", "E11.9")


@_mistake("ICD-010")
def diagnosis_twice(_: Random, visit: Visit) -> bool:
    """The same diagnosis was picked two times."""
    visit.diagnoses.append(visit.diagnoses[0])
    return visit.kind in ("office", "telehealth")


@_mistake("ICD-006")
def external_cause_first(_: Random, visit: Visit) -> bool:
    """What caused the injury stands before the injury."""
    visit.diagnoses.insert(0, "W19.XXXA")
    return visit.kind == "accident"


@_mistake("CHG-001")
def line_twice(_: Random, visit: Visit) -> bool:
    """The same line was entered two times."""
    line = visit.find("80053", "85025", "83036", "80061")
    if line is not None:
        visit.lines.append(dict(line))
    return line is not None


@_mistake("CHG-003")
def price_missing(_: Random, visit: Visit) -> bool:
    """The line has no price."""
    visit.lines[0]["BilledFee"] = "0.00"
    return visit.kind in ("office", "imaging")


@_mistake("CHG-003")
def price_below_zero(_: Random, visit: Visit) -> bool:
    """A correction was entered as a charge."""
    visit.lines[0]["BilledFee"] = f"-{visit.lines[0]['BilledFee']}"
    return visit.kind in ("office", "imaging")


@_mistake("CHG-007")
def unit_and_a_half(_: Random, visit: Visit) -> bool:
    """A claim counts whole units."""
    visit.lines[0]["Units"] = "1.50"
    return visit.kind in ("office", "supervised", "telehealth")


@_mistake("CHG-007")
def counted_in_hours(_: Random, visit: Visit) -> bool:
    """A claim counts units, or minutes of anesthesia."""
    visit.lines[0]["UnitType"] = "HR"
    return visit.kind in ("office", "supervised", "telehealth")


@_mistake("CHG-007")
def no_units(_: Random, visit: Visit) -> bool:
    """The line has no units."""
    visit.lines[0]["Units"] = "0"
    return visit.kind in ("office", "imaging", "telehealth")


@_mistake("PRV-001")
def nobody_ordered_it(_: Random, visit: Visit) -> bool:
    """A test for a Medicare patient names nobody who ordered it."""
    ordered = visit.kind in ("laboratory", "office_with_laboratory") and visit.patient.payer.kind == "medicare"
    return ordered and visit.extra.pop("RefProvider", None) is not None


@_mistake("PAY-005")
def too_late(_: Random, visit: Visit) -> bool:
    """A charge from the bottom of the drawer."""
    if visit.kind not in ("office", "procedure") or visit.patient.age(visit.day) < 3:
        return False
    visit.day -= timedelta(days=700)
    for line in visit.lines:
        line["SDOS"] = line["EDOS"] = visit.day.isoformat()
    return True


@_mistake("GLB-005")
def follow_up_visit_with_a_price(_: Random, visit: Visit) -> bool:
    """The visit after an operation is part of it and costs nothing."""
    visit.lines[0]["Code"] = "99024"
    return visit.kind == "office" and len(visit.lines) == 1


@_mistake("STR-007")
def nothing_entered(_: Random, visit: Visit) -> bool:
    """The patient was checked out, and nobody entered what was done."""
    visit.lines.clear()
    return visit.kind in ("office", "telehealth")
