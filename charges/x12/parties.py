"""Who takes part: NM1 with N3, N4, PER, PRV, DMG and REF of persons, providers, facilities and payers, both ways."""

from functools import lru_cache

from charges.model import Address, Contact, Facility, Identifier, Person, Provider, Subscriber
from charges.x12.reading import Fields, Table, add, put, put_text, reads
from charges.x12.scanner import Delimiters, Segment
from charges.x12.segments import Text, code, day, digits, segment, to_day

# Written


def write_provider(out: list[str], role: str, provider: Provider, text: Text, *, taxonomy_as: str = "") -> None:
    """NM1, PRV where the loop has one (``taxonomy_as`` PE), REF."""
    write_provider_name(out, role, provider, text)
    if taxonomy_as and provider.taxonomy:
        out.append(f"PRV*{taxonomy_as}*PXC*{code(provider.taxonomy)}")
    if provider.identifiers:
        write_identifiers(out, provider.identifiers, text)


def write_provider_name(out: list[str], role: str, provider: Provider, text: Text) -> None:
    """NM1 with the NPI."""
    npi = digits(provider.npi)
    out.append(_nm1(role, provider, text, "XX" if npi else "", npi))


def _nm1(role: str, party: Provider | Person, text: Text, kind: str, number: str) -> str:
    organization = party.organization_name if isinstance(party, Provider | Subscriber) else ""
    if organization:
        return _organization(role, organization, kind, number, text)
    return _person(role, party.last_name, party.first_name, party.middle_name, party.suffix, kind, number, text)


@lru_cache(maxsize=8192)
def _organization(role: str, name: str, kind: str, number: str, text: Text) -> str:
    return f"NM1*{role}*2*{text(name, 60)}*****{kind}*{number}".rstrip("*")


@lru_cache(maxsize=8192)
def _person(role: str, last: str, first: str, middle: str, suffix: str, kind: str, number: str, text: Text) -> str:
    """Kept, because a practice has few providers, and its patients come again."""
    return (
        f"NM1*{role}*1*{text(last, 60)}*{text(first, 35)}*{text(middle, 25)}**{text(suffix, 10)}*{kind}*{number}"
    ).rstrip("*")


def write_person(out: list[str], role: str, person: Person, text: Text, member_id: str = "") -> None:
    """NM1 of a subscriber or patient."""
    out.append(_nm1(role, person, text, "MI" if member_id else "", text(member_id, 80)))


def write_facility(out: list[str], facility: Facility, text: Text, *, has_contact: bool = False) -> None:
    """2310C and 2420C: where the service was rendered."""
    npi = digits(facility.npi)
    out.append(f"NM1*77*2*{text(facility.name, 60)}*****{'XX' if npi else ''}*{npi}".rstrip("*"))
    write_address(out, facility.address, text)
    if facility.identifiers:
        write_identifiers(out, facility.identifiers, text)
    if has_contact and facility.phone:
        contact = Contact(name=facility.contact_name, phone=facility.phone, extension=facility.phone_extension)
        write_contact(out, contact, text)


def write_address(out: list[str], address: Address, text: Text) -> None:
    """N3 and N4."""
    a = address
    out += _address(a.line1, a.line2, a.city, a.state, a.postal_code, a.country, a.subdivision, text)


@lru_cache(maxsize=8192)
def _address(
    line1: str, line2: str, city: str, state: str, postal_code: str, country: str, subdivision: str, text: Text
) -> tuple[str, str]:
    further = f"*{text(line2, 55)}" if line2 else ""
    place = f"N4*{text(city, 30)}*{code(state)}*{digits(postal_code)}"
    if country or subdivision:
        place += f"*{code(country)}***{code(subdivision)}"
    return f"N3*{text(line1, 55)}{further}", place.rstrip("*")


def write_demographics(out: list[str], person: Person) -> None:
    """DMG: birth and sex."""
    if person.birth_date is not None:
        out.append(f"DMG*D8*{day(person.birth_date)}*{code(person.sex) or 'U'}")


def write_identifiers(out: list[str], identifiers: tuple[Identifier, ...], text: Text) -> None:
    """REF, each with the other payer that gave it (REF04) where one did."""
    for each in identifiers:
        payer = f"2U:{text(each.payer_id, 80)}" if each.payer_id else ""
        out.append(segment("REF", code(each.qualifier), text(each.value, 50), "", payer))


def write_contact(out: list[str], contact: Contact, text: Text) -> None:
    """PER with telephone, extension, fax and e-mail, as far as there are any."""
    numbers = _numbers(contact, text)
    if numbers:
        out.append(segment("PER", "IC", text(contact.name, 60), *(part for pair in numbers for part in pair)))


def _numbers(contact: Contact, text: Text) -> list[tuple[str, str]]:
    found = []
    if contact.phone:
        found.append(("TE", digits(contact.phone)))
        if contact.extension:
            found.append(("EX", text(contact.extension, 256)))
    if contact.fax:
        found.append(("FX", digits(contact.fax)))
    # The basic character set has no @: an address that cannot be spelt is left out rather than spoiled.
    if contact.email and text(contact.email, 256).upper() == contact.email.strip().upper():
        found.append(("EM", text(contact.email, 256)))
    return found[:3]


def contact_of(provider: Provider) -> Contact:
    """A provider's own contact."""
    return Contact(
        name=provider.contact_name,
        phone=provider.phone,
        extension=provider.phone_extension,
        fax=provider.fax,
        email=provider.email,
    )


# Read


@reads(1, 2, 3, 4, 5, 7, 8, 9)
def _provider_name(fields: Fields, e: Segment, _: Delimiters) -> bool:
    if e[2] == "2":
        put_text(fields, organization_name=e[3])
    else:
        put_text(fields, last_name=e[3], first_name=e[4], middle_name=e[5], suffix=e[7])
    if e[8] == "XX":
        put_text(fields, npi=e[9])
    return not (e[2] == "2" and (e[4] or e[5] or e[7])) and e[2] in ("1", "2") and (e[8] == "XX" or not e[9])


@reads(1, 2, 3, 8, 9)
def _facility_name(fields: Fields, e: Segment, _: Delimiters) -> bool:
    put_text(fields, name=e[3], npi=e[9] if e[8] == "XX" else "")
    return e[2] == "2" and (e[8] == "XX" or not e[9])


@reads(1, 2, 3, 4, 5, 7, 8, 9)
def _person_name(fields: Fields, e: Segment, _: Delimiters) -> bool:
    """A subscriber's or patient's; the member id stands beside the person, with the policy."""
    put_text(fields, member_id=e[9] if e[8] == "MI" else "")
    if e[2] == "2":
        put_text(fields, organization_name=e[3])
        return not (e[4] or e[5] or e[7]) and (e[8] == "MI" or not e[9])
    put_text(fields, last_name=e[3], first_name=e[4], middle_name=e[5], suffix=e[7])
    return e[2] == "1" and (e[8] == "MI" or not e[9])


@reads(1, 2, 3, 8, 9)
def _payer_name(fields: Fields, e: Segment, _: Delimiters) -> bool:
    put_text(fields, name=e[3], payer_id=e[9], payer_id_kind=e[8])
    return e[2] == "2"


@reads(1, 2)
def _street(fields: Fields, e: Segment, _: Delimiters) -> bool:
    address = fields.setdefault("address", {})
    put_text(address, line2=e[2])
    return put(address, "line1", e[1])


@reads(1, 2, 3, 4, 7)
def _city(fields: Fields, e: Segment, _: Delimiters) -> bool:
    address = fields.setdefault("address", {})
    put_text(address, state=e[2], postal_code=e[3], country=e[4], subdivision=e[7])
    return put(address, "city", e[1])


@reads(1, 2, 3)
def _demographics(fields: Fields, e: Segment, _: Delimiters) -> bool:
    put_text(fields, sex=e[3])
    born = to_day(e[2]) if e[1] == "D8" else None
    return born is not None and put(fields, "birth_date", born)


@reads(1, 2, 4)
def _identifier(fields: Fields, e: Segment, delimiters: Delimiters) -> bool:
    found = {"qualifier": e[1], "value": e[2]}
    if e[4]:
        kind, _, payer = e[4].partition(delimiters.component)
        if kind != "2U" or delimiters.component in payer:
            return False
        found["payer_id"] = payer
    return bool(e[1] and e[2]) and add(fields, "identifiers", found)


@reads(1, 2, 3)
def _taxonomy(fields: Fields, e: Segment, _: Delimiters) -> bool:
    return e[1] in ("PE", "BI", "AT") and e[2] == "PXC" and put(fields, "taxonomy", e[3])


def contact(e: Segment) -> Fields | None:
    """The fields of a PER, or ``None`` where it holds a number twice or of another kind."""
    kinds = {"TE": "phone", "EX": "extension", "FX": "fax", "EM": "email"}
    found: Fields = {"name": e[2]} if e[2] else {}
    for kind, number in ((e[3], e[4]), (e[5], e[6]), (e[7], e[8])):
        if not number and not kind:
            continue
        name = kinds.get(kind)
        said = digits(number) if name in ("phone", "fax") else number
        if not said or name is None or not put(found, name, said):
            return None
    return found


@reads(1, 2, 3, 4, 5, 6, 7, 8)
def _provider_contact(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found = contact(e)
    if not found:
        return False
    if "contact_name" in fields or "phone" in fields or "email" in fields or "fax" in fields:
        return put(fields, "second_contact", found)
    return _first_contact(fields, found)


def _first_contact(fields: Fields, found: Fields) -> bool:
    names = {"name": "contact_name", "extension": "phone_extension"}
    fields.update({names.get(name, name): value for name, value in found.items()})
    return True


@reads(1, 2, 3, 4, 5, 6)
def _facility_contact(fields: Fields, e: Segment, _: Delimiters) -> bool:
    found = contact(e)
    return bool(found) and not {"fax", "email"} & set(found or ()) and _first_contact(fields, found or {})


ADDRESS: Table = {"N3": _street, "N4": _city}
PROVIDER: Table = {"NM1": _provider_name, "REF": _identifier}
PROVIDER_WITH_TAXONOMY: Table = PROVIDER | {"PRV": _taxonomy}
PROVIDER_WITH_CONTACT: Table = PROVIDER | ADDRESS | {"PER": _provider_contact}
FACILITY: Table = ADDRESS | {"NM1": _facility_name, "REF": _identifier, "PER": _facility_contact}
PERSON: Table = ADDRESS | {"NM1": _person_name, "DMG": _demographics}
PAYER: Table = ADDRESS | {"NM1": _payer_name, "REF": _identifier}
