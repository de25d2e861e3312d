"""Dated code tables: what the authorities publish, by release, asked by the date of service.

``store`` is the one file format, ``rows`` say what each table holds, ``library`` answers rules, ``loaders`` read the
published files, ``shipped`` is what comes with the software.
"""

from rules.reference.library import AddOn, DiagnosisEdits, Reference, TableMissing, reference
from rules.reference.rows import cite
from rules.reference.store import Release

__all__ = ["AddOn", "DiagnosisEdits", "Reference", "Release", "TableMissing", "cite", "reference"]
