"""A simulated FHIR tenant and the connection to it, for tests of the FHIR source."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from charges.practice.connections import Fhir
from charges.simulator import build_practice, running
from charges.simulator.fhir import FHIR_CLIENT, FhirTenant, fhir_app

TODAY = date(2026, 11, 23)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def tenant_of(patients: int) -> FhirTenant:
    """A tenant that believes our key."""
    return FhirTenant(build_practice(seed=5, patients=patients, today=TODAY), PUBLIC)


@contextmanager
def serving(tenant: FhirTenant, folder: Path) -> Iterator[dict[str, Any]]:
    """The tenant over HTTP while the block runs, and what a profile has to say to reach it."""
    file = folder / "key.pem"
    file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with running(fhir_app(tenant)) as url:
        yield {
            "kind": "fhir",
            "base_url": f"{url}/fhir/r4/LAKEFM",
            "client_id": FHIR_CLIENT,
            "private_key": {"file": str(file)},
            "key_id": "one",
        }


def connection(reached: dict[str, Any], **changes: Any) -> Fhir:
    """The source's settings."""
    return Fhir.model_validate(reached | changes)
