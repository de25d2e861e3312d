"""The composite of a procedure: SV101 and SVD03, SV202 of an institutional line; both ways."""

from charges.x12.reading import Fields, components, put_text
from charges.x12.scanner import Delimiters
from charges.x12.segments import Text, code


def procedure_of(qualifier: str, procedure: str, modifiers: tuple[str, ...], description: str, text: Text) -> str:
    """The composite of a procedure: qualifier, code, up to four modifiers, description."""
    said = f"{code(qualifier)}:{text(procedure, 48)}"
    if modifiers or description:
        four = (*map(code, modifiers[:4]), "", "", "", "")
        said += f":{four[0]}:{four[1]}:{four[2]}:{four[3]}:{text(description, 80)}".rstrip(":")
    return said


def read_procedure(fields: Fields, element: str, delimiters: Delimiters) -> bool:
    """The composite of a procedure, into qualifier, code, modifiers and description."""
    parts = components(element, delimiters, 7)
    if parts is None:
        return False
    put_text(fields, code_qualifier=parts[0], code=parts[1], description=parts[6])
    modifiers = [each for each in parts[2:6] if each]
    if modifiers:
        fields["modifiers"] = modifiers
    return bool(parts[1])
