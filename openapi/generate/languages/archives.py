"""Archives of files that are the same bytes each time."""

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime

_TIME = datetime(1980, 1, 1, tzinfo=UTC)
"""Of each file: a ZIP can have no earlier one."""
_WHEEL = b"Wheel-Version: 1.0\nGenerator: interaction-reporting\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
RELEASE = 1
"""The last number of the version of a package. It rises when the part of it that no document changes does."""


def version_of(contract_version: str) -> str:
    """The version of a package that is made from a contract: numbers with dots, as PyPI and npm read them."""
    numbers = [str(int(number)) for number in re.findall(r"[0-9]{1,9}", contract_version)[:2]]
    return ".".join([*numbers, *["0"] * (2 - len(numbers)), str(RELEASE)])


def wheel(distribution: str, version: str, metadata: str, files: Mapping[str, str]) -> bytes:
    """A wheel (PyPA binary distribution format 1.0) of pure Python; `metadata` is that of the format 2.1."""
    folder = f"{distribution}-{version}.dist-info"
    content = {name: text.encode() for name, text in files.items()}
    content[f"{folder}/METADATA"] = metadata.encode()
    content[f"{folder}/WHEEL"] = _WHEEL
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in content.items())
    content[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, _TIME.timetuple()[:6])
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def tarball(folder: str, files: Mapping[str, str]) -> bytes:
    """A compressed tar archive with everything in one folder, as npm reads it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode, entry.mtime = len(data), 0o644, int(_TIME.timestamp())
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), 9, mtime=0)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
