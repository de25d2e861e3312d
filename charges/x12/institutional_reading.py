"""One institutional claim being read: the loops that are others than those of a professional one."""

from collections.abc import Mapping

from charges.x12 import institutional_claim, institutional_line, line_decisions, other_subscribers, parties
from charges.x12.claim_reading import ClaimReading
from charges.x12.reading import Fields, Table

_OF_LINE: dict[str, Table] = dict.fromkeys(("72", "ZZ", "82", "DN"), parties.PROVIDER)

_NOTHING: Table = {}


class InstitutionalReading(ClaimReading):
    """The fields of a facility's bill so far."""

    loop_2300 = institutional_claim.LOOP_2300
    loop_2320 = other_subscribers.INSTITUTIONAL_2320
    loop_2400 = institutional_line.LOOP_2400
    loop_2430 = line_decisions.INSTITUTIONAL_2430
    loop_2440 = _NOTHING
    names: Mapping[str, str] = {
        "71": "attending_provider",
        "72": "operating_provider",
        "ZZ": "other_operating_provider",
        "82": "rendering_provider",
        "77": "facility",
        "DN": "referring_provider",
    }
    of_claim = _OF_LINE | {"71": parties.PROVIDER_WITH_TAXONOMY, "77": parties.FACILITY}
    of_line = _OF_LINE
    of_other_payer: Mapping[str, Table] = {
        "IL": other_subscribers.LOOP_2330A,
        "PR": other_subscribers.LOOP_2330B,
    } | dict.fromkeys(other_subscribers.INSTITUTIONAL_ROLES, other_subscribers.LOOP_2330C)
    places: Mapping[str, str] = {}
    seller = ""

    def finish(self, coverage: Fields, patient: Fields) -> Fields:
        """As of any claim, with what a facility's bill alone says where a charge has it."""
        charge = super().finish(coverage, patient)
        institutional_claim.close_claim(charge)
        return charge
