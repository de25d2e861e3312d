"""What profiles are made of: the base of their parts, and the kinds of values that their settings have."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from charges.identifiers import CLIA, TAXONOMY, npi_is_valid


class Setting(BaseModel):
    """Base of profile parts: frozen, closed, so that a misspelt name is a fault and not silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def exact_digits(length: int, what: str) -> AfterValidator:
    """A number of so many digits, whatever dashes it was written with."""

    def check(text: str) -> str:
        digits = text.replace("-", "")
        if not re.fullmatch(rf"\d{{{length}}}", digits):
            raise ValueError(f"{what} needs {length} digits")
        return digits

    return AfterValidator(check)


def _npi(text: str) -> str:
    if not npi_is_valid(text):
        raise ValueError("is not a National Provider Identifier: ten digits whose last one is the check digit")
    return text


def as_text(value: object) -> object:
    """An identifier is text, though YAML reads 60054 as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _money(value: object) -> object:
    """An amount as written, never through a binary fraction."""
    if isinstance(value, float | int | str) and not isinstance(value, bool):
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            return value
        if amount.is_finite() and amount >= 0 and amount == amount.quantize(Decimal("0.01")):
            return amount.quantize(Decimal("0.01"))
    raise ValueError("is not an amount in dollars and cents")


Text = Annotated[str, BeforeValidator(as_text), Field(min_length=1)]
Npi = Annotated[str, BeforeValidator(as_text), AfterValidator(_npi)]
Ein = Annotated[str, BeforeValidator(as_text), exact_digits(9, "an EIN")]
Taxonomy = Annotated[str, Field(pattern=TAXONOMY.pattern)]
Clia = Annotated[str, Field(pattern=CLIA.pattern)]
Zip = Annotated[str, BeforeValidator(as_text), Field(pattern=r"^\d{5}(-?\d{4})?$")]
Zip9 = Annotated[str, BeforeValidator(as_text), Field(pattern=r"^\d{5}-?\d{4}$")]
Money = Annotated[Decimal, BeforeValidator(_money)]
Share = Annotated[Decimal, Field(ge=0, le=1)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")]
Phone = Annotated[str, BeforeValidator(as_text), exact_digits(10, "a telephone number")]
