"""Who is named on a charge beside those who bill and render."""

from collections.abc import Iterator

from charges.model import Provider
from rules.engine import Facts

OTHERS = (
    *("referring_provider", "supervising_provider", "primary_care_provider"),
    *(
        "lines.ordering_provider",
        "lines.referring_provider",
        "lines.supervising_provider",
        "lines.primary_care_provider",
    ),
)
"""Where they are named."""


def others_named(facts: Facts) -> Iterator[tuple[str, str, Provider]]:
    """Each person with a part in the charge or a line: the place, the part in words, the provider."""
    charge = facts.charge
    for role, provider in (
        ("referring", charge.referring_provider),
        ("supervising", charge.supervising_provider),
        ("primary care", charge.primary_care_provider),
    ):
        if provider:
            yield f"{role.replace(' ', '_')}_provider", role, provider
    for index, line in facts.billed:
        if not (
            line.ordering_provider or line.referring_provider or line.supervising_provider or line.primary_care_provider
        ):
            continue
        for role, provider in (
            ("ordering", line.ordering_provider),
            ("referring", line.referring_provider),
            ("supervising", line.supervising_provider),
            ("primary care", line.primary_care_provider),
        ):
            if provider:
                yield f"lines[{index}].{role.replace(' ', '_')}_provider", role, provider
