"""Cases: charges told as differences from the clean one, by which a rule is tried.

The built-in rules have theirs in ``tests/rules/cases``, a rule written as data carries its own. How a case is written is
told in docs/adding-a-rule.md.

>>> facts_of({"charge": {"lines": ["20610", {"code": "99213", "modifiers": ["25"]}]}}).charge.lines[1].modifiers
('25',)
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError

from charges.model import Charge, Coverage, Diagnosis, HistoryLine, PayerPolicy, Record
from rules.engine import Facts, Rule
from rules.examples import COVERAGE, SERVICE_DATE, TABLES, TODAY, charge, line, tables

R = TypeVar("R", bound=Record)

KEYS = frozenset({"charge", "at", "today", "history", "policy", "tables"})
"""What a case may say; ``at`` lists the places that must be found, ``tables`` the rows of code tables."""

EARLIER = {"charge_key": "6990", "service_date": SERVICE_DATE, "rendering_npi": "1245319599"}
"""What each line of ``history`` is merged over."""


def facts_of(given: Mapping[str, Any], coverage: Coverage = COVERAGE) -> Facts:
    """The facts of a case; raises ValueError with a sentence when it is not one.

    ``coverage`` takes the place of the clean charge's own policy.
    """
    unknown = set(given) - KEYS
    if unknown:
        raise ValueError(f"a case knows {', '.join(sorted(KEYS))} and not {', '.join(sorted(map(str, unknown)))}")
    try:
        return Facts(
            charge=charge_of(given.get("charge", {}), coverage),
            today=given.get("today", TODAY),
            history=tuple(_record(HistoryLine, EARLIER | each) for each in given.get("history", ())),
            policy=_record(PayerPolicy, given.get("policy", {})),
            tables=tables(given["tables"]) if "tables" in given else TABLES(),
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"the case's {place} cannot be: {first['msg']}") from None
    except (AttributeError, TypeError):
        raise ValueError("the case is not made as one: charge is a mapping, lists hold mappings or codes") from None


def charge_of(changes: Mapping[str, Any], coverage: Coverage = COVERAGE) -> Charge:
    """The clean charge with changes: records are merged, lists replaced, their items merged over a clean item."""
    content = _clean(coverage).copy()
    for key, value in changes.items():
        if key in _ITEMS:
            # A bare code is the shortest line or diagnosis.
            items = [each if isinstance(each, dict) else {"code": each} for each in value]
            base = _plain(coverage) if key == "coverages" else _ITEMS[key]
            content[key] = [_merged(base, each) for each in items]
        else:
            content[key] = _merged(content.get(key), value)
    return _record(Charge, content)


def places(rule: Rule, given: Facts) -> list[str]:
    """Where a rule finds something in a case, if it is in force for its dates of service."""
    days = [each.service_date for each in given.charge.lines]
    found = rule(given) if any(map(rule.applies, days or [None])) else []
    return sorted(problem.at for problem in found)


def _plain(record: Record) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(record.model_dump_json())
    return content


_ITEMS = {
    "lines": _plain(line()),
    "coverages": _plain(COVERAGE),
    "diagnoses": _plain(Diagnosis(code="I10")),
}
"""What each item of a list of the charge is merged over."""


@cache
def _clean(coverage: Coverage) -> dict[str, Any]:
    return _plain(charge(coverages=(coverage,)))


def _merged(base: Any, changes: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    if not isinstance(changes, dict):
        return changes
    start = base if isinstance(base, dict) else {}
    return start | {key: _merged(start.get(key), value) for key, value in changes.items()}


def _record(model: type[R], content: Mapping[str, Any]) -> R:
    return model.model_validate_json(json.dumps(content, default=str))
