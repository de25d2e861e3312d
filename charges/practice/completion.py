"""What the practice has said once, filled into a charge where the source left it open.

NPIs, taxonomies, payer ids, claim filing codes, fees, the CLIA number, signature defaults: nothing that the source gave is
overwritten, and the origin of each field that was filled is ``practice profile``.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from charges.model import Address, Charge, Coverage, Facility, Payer, Provider, ServiceLine
from charges.practice.profile import Practice

PROFILE = "practice profile"
"""The origin of a field that the profile filled."""

_LABORATORY = re.compile(r"^8[0-9]{4}$")
_ROLES = ("rendering_provider", "referring_provider", "supervising_provider")
_LINE_ROLES = (*_ROLES, "ordering_provider")


def complete(practice: Practice, charge: Charge) -> Charge:
    """The charge with what the profile knows filled in where the source left it open."""
    return _Completion(practice, charge).charge()


class _Completion:
    """One charge being completed; ``origins`` grows as fields are filled."""

    def __init__(self, practice: Practice, given: Charge) -> None:
        self.practice, self.given, self.origins = practice, given, dict(given.origins)

    def charge(self) -> Charge:
        """The whole charge."""
        given, defaults = self.given, self.practice.defaults
        site = self._facility(given.facility)
        changes: dict[str, Any] = {
            "practice": self.practice.code,
            "billing_provider": given.billing_provider or self.practice.billing_provider.provider(),
            "facility": site,
            "coverages": tuple(self._coverage(f"coverages[{n}]", each) for n, each in enumerate(given.coverages)),
            "lines": tuple(self._line(f"lines[{n}]", each) for n, each in enumerate(given.lines)),
            "references": given.references.model_copy(update={"clia": self._clia(site)}),
        }
        for role in _ROLES:
            changes[role] = self._provider(role, getattr(given, role))
        for name, value in defaults:
            changes[name] = self._filled(name, getattr(given, name), value)
        return given.model_copy(update=changes | {"origins": self.origins})

    def _filled(self, path: str, given: str, known: str) -> str:
        if given or not known:
            return given
        self.origins[path] = PROFILE
        return known

    def _all_filled(self, path: str, given: Any, known: Mapping[str, str]) -> dict[str, str]:  # noqa: ANN401 - any record
        return {name: self._filled(f"{path}.{name}", getattr(given, name), value) for name, value in known.items()}

    def _provider(self, path: str, given: Provider | None) -> Provider | None:
        if given is None:
            return None
        known = next(
            (
                each
                for each in self.practice.providers
                if (given.npi and each.npi == given.npi) or (not given.npi and each.source_id == given.source_id)
            ),
            None,
        )
        if known is None:
            return given
        facts = {"npi": known.npi, "taxonomy": known.taxonomy or ""}
        if not (given.last_name or given.organization_name):
            facts |= {"last_name": known.last_name, "first_name": known.first_name}
        return given.model_copy(update=self._all_filled(path, given, facts))

    def _coverage(self, path: str, given: Coverage) -> Coverage:
        known = self.practice.payer_by_source_id(given.payer.source_id)
        if known is None:
            return given
        facts = {"name": known.name, "payer_id": known.payer_id, "claim_filing_code": known.claim_filing_code}
        changes: dict[str, Any] = dict(self._all_filled(f"{path}.payer", given.payer, facts))
        if not given.payer.address.line1:
            changes["address"] = known.address.address() if known.address else Address()
        payer: Payer = given.payer.model_copy(update=changes)
        return given.model_copy(update={"payer": payer})

    def _facility(self, given: Facility | None) -> Facility | None:
        if given is None:
            return None
        known = next((each for each in self.practice.facilities if each.source_id == given.source_id), None)
        if known is None:
            return given
        site = known.facility()
        facts = {name: getattr(site, name) for name in ("name", "npi", "clia", "place_of_service")}
        changes: dict[str, Any] = dict(self._all_filled("facility", given, facts))
        if not given.address.line1:
            changes["address"] = site.address
        return given.model_copy(update=changes)

    def _line(self, path: str, given: ServiceLine) -> ServiceLine:
        changes: dict[str, Any] = {role: self._provider(f"{path}.{role}", getattr(given, role)) for role in _LINE_ROLES}
        fee = self.practice.fee_schedule.get(given.code)
        if given.charge is None and fee is not None and given.units is not None:
            changes["charge"] = (fee * given.units).quantize(Decimal("0.01"))
            self.origins[f"{path}.charge"] = PROFILE
        if not given.place_of_service and self.given.encounter.place_of_service:
            changes["place_of_service"] = self.given.encounter.place_of_service
            self.origins[f"{path}.place_of_service"] = self.origins.get("encounter.place_of_service", "encounter")
        return given.model_copy(update=changes)

    def _clia(self, site: Facility | None) -> str:
        """The laboratory's number, where a test of the practice's own laboratory is billed."""
        own_tests = (
            each for each in self.given.billed_lines if _LABORATORY.match(each.code) and "90" not in each.modifiers
        )
        if not any(own_tests):
            return self.given.references.clia
        known = (site.clia if site else "") or self.practice.billing_provider.clia or ""
        return self._filled("references.clia", self.given.references.clia, known)
