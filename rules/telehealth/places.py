"""What makes a line telehealth."""

from rules.codes.groups import numbers

TELEHEALTH_PLACES = frozenset({"02", "10"})
"""Places of service of telehealth: the patient elsewhere, the patient at home."""

TELEHEALTH_MODIFIERS = frozenset({"93", "95", "GT", "FQ"})
"""Modifiers that say a service was given by video or telephone."""

REMOTE_BY_DEFINITION = (
    numbers(98000, 98016)
    | numbers(98966, 98972)
    | numbers(99421, 99423)
    | numbers(99441, 99443)
    | {"G0406", "G0407", "G0408", "G0425", "G0426", "G0427", "G2010", "G2012", "G2250", "G2251", "G2252", "Q3014"}
)
"""Codes that are given by video, telephone or portal and by no other way, so that no modifier need say it."""
