"""One session examined, and repaired if asked to, for `pi sessions doctor`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pi.cli.columns import clean
from pi.errors import SessionError
from pi.session.doctor import Finding, examine
from pi.session.repair import repair as put_right
from pi.session.source import FileSource

__all__ = ["Patient", "treat"]

SHOWN = 20
"""Findings of one session in a report for people."""


@dataclass(frozen=True, slots=True)
class Patient:
    """findings: what was wrong at first. left: what still is. copy: of the file before a repair.
    failure: why it could not be read or repaired."""

    path: Path
    findings: tuple[Finding, ...] = ()
    left: tuple[Finding, ...] = ()
    copy: Path | None = None
    failure: str | None = None

    @property
    def is_ill(self) -> bool:
        return self.failure is not None or any(finding.is_damage for finding in self.left)

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "path": str(self.path),
            "damaged": self.is_ill,
            "findings": [_record(finding) for finding in self.findings],
        }
        if self.copy is not None:
            record["repaired"] = True
            record["copy"] = str(self.copy)
            record["left"] = [_record(finding) for finding in self.left]
        if self.failure is not None:
            record["error"] = self.failure
        return record

    def report(self) -> str:
        """Empty when there is nothing to say."""
        lines = [f"  {clean(str(finding))}" for finding in self.findings[:SHOWN]]
        if len(self.findings) > SHOWN:
            lines.append(f"  and {len(self.findings) - SHOWN:,} more")
        if self.copy is not None:
            lines.append(f"  repaired; as it was: {self.copy.name}")
            lines += [f"  left: {clean(str(one))}" for one in self.left if one.is_damage]
        if self.failure is not None:
            lines.append(f"  {clean(self.failure)}")
        return "".join(f"{line}\n" for line in (str(self.path), *lines)) if lines else ""


def treat(path: Path, *, repair: bool) -> Patient:
    """Never raises for the state of the file."""
    try:
        source = FileSource(path)
    except SessionError as error:
        return Patient(path, failure=str(error))
    try:
        # An empty file is a session that has not begun.
        findings = tuple(examine(source)) if source.size else ()
    finally:
        source.close()
    if not repair or not any(finding.is_damage for finding in findings):
        return Patient(path, findings, findings)
    try:
        done = put_right(path)
    except SessionError as error:
        return Patient(path, findings, findings, failure=str(error))
    return Patient(path, done.findings, done.left, done.copy)


def _record(finding: Finding) -> dict[str, Any]:
    record = {
        "kind": finding.kind,
        "line": finding.line or None,
        "entryId": finding.entry or None,
        "detail": finding.detail or None,
        "damage": finding.is_damage,
        "message": str(finding),
    }
    return {key: value for key, value in record.items() if value is not None}
