"""How a claim file is wrapped for its way: compressed, encrypted, and the ending of its name that says so.

Compression gives the same bytes of the same file each time. Encryption does not and must not, so whoever sends keeps
what was once packed and sends that again.
"""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from charges.clearinghouses import Parcel
from charges.errors import Refused

_NO_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The first moment a ZIP can name; the file's own moment would make other bytes each time."""


def gzipped(name: str, content: bytes) -> Parcel:
    """Compressed with gzip, without a time or name in it."""
    return Parcel(f"{name}.gz", gzip.compress(content, mtime=0))


def zipped(name: str, content: bytes) -> Parcel:
    """The only member of a ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo(name, _NO_MOMENT)
        member.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(member, content)
    return Parcel(f"{name}.zip", buffer.getvalue())


COMPRESSED: dict[str, Callable[[str, bytes], Parcel]] = {"none": Parcel, "gzip": gzipped, "zip": zipped}


def encrypted(parcel: Parcel, certificate: Path) -> Parcel:
    """Encrypted with OpenPGP for the holder of a certificate (public key); raises Refused when it cannot be."""
    try:
        import pysequoia  # noqa: PLC0415 - an extra
    except ImportError:
        raise Refused("Encryption needs an extra part. Install it with: pip install 'chargerouter[pgp]'") from None
    try:
        recipient = pysequoia.Cert.from_file(str(certificate))
        content = pysequoia.encrypt(recipients=[recipient], bytes=parcel.content, armor=False)
    except Exception as error:  # noqa: BLE001 - the library names no error of its own
        raise Refused(
            f"Nothing can be encrypted with {certificate} ({type(error).__name__}). It should be the receiver's public "
            "key (OpenPGP), not expired."
        ) from None
    return Parcel(f"{parcel.name}.pgp", content)
