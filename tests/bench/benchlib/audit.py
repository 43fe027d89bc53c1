# SPDX-License-Identifier: MIT
"""The API server's audit log: what it was asked for, by whom, and when it answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

WRITES = ("create", "update", "patch", "delete", "deletecollection")
# They ask a question by a POST and store nothing.
REVIEWS = ("/apis/authorization.k8s.io/", "/apis/authentication.k8s.io/")


@dataclass(frozen=True)
class Request:
    """One finished request."""

    verb: str
    uri: str
    status: int
    answered: float  # seconds since 1970

    @property
    def writes(self) -> bool:
        """Whether it stores anything: neither a dry run nor an access review does."""
        return (
            self.verb in WRITES
            and "dryRun=All" not in self.uri
            and not self.uri.startswith(REVIEWS)
        )


class Audit:
    """The log from a mark on, although the API server begins a new file when one is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.mark()

    def mark(self) -> None:
        """Forget everything so far."""
        found = self._path.stat()
        self._file, self._offset = found.st_ino, found.st_size

    def requests(self, user_agent: str) -> list[Request]:
        """A client's requests since the mark, known by how its User-Agent begins."""
        wanted = f'"userAgent":"{user_agent}'
        return [_request(json.loads(line)) for line in self._lines() if wanted in line]

    def _lines(self) -> Iterator[str]:
        # audit-2026-11-24T15-00-00.000.log was audit.log before; the names sort by age.
        older = sorted(self._path.parent.glob(f"{self._path.stem}-*{self._path.suffix}"))
        files = [*older, self._path]
        marked = [place for place, file in enumerate(files) if file.stat().st_ino == self._file]
        for place, file in enumerate(files):
            if marked and place < marked[0]:
                continue
            with open(file, encoding="utf-8") as stream:
                if marked and place == marked[0]:
                    stream.seek(self._offset)
                yield from (line for line in stream if line.endswith("\n"))


def _request(entry: dict) -> Request:
    answered = datetime.fromisoformat(entry["stageTimestamp"].replace("Z", "+00:00"))
    status = entry.get("responseStatus", {}).get("code", 0)
    return Request(entry["verb"], entry["requestURI"], status, answered.timestamp())
