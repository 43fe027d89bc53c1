# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one object's or one instance's readiness, and how verdicts combine.

Internal to rhpds.litemaas: no stable interface for other collections.

A verdict is a value: made from plain API objects by the ``_verdict_*`` files, without I/O and
without a clock, so that every case is a row in a table test. How long something has been so is
kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, NamedTuple

# The phases, as the readiness module documents them.
FAILED = "failed"  # its credentials or objects could not be written: nothing to wait for
ABSENT = "absent"  # the object does not exist
REFUSED = "refused"  # the API server refuses its pods or claims: quota, SCC, Pod Security
PENDING = "pending"  # not scheduled, or its volume is not bound
IMAGE = "image"  # its image cannot be pulled
STARTING = "starting"  # containers are being made, or a startup probe has not passed yet
CRASHING = "crashing"  # a container ends and is started again
UNREADY = "unready"  # it runs, and its readiness probe fails
ROLLING = "rolling out"  # the last change is not seen or not fully rolled out
EXPOSING = "exposing"  # its Route is not admitted
TERMINATING = "terminating"  # it is being deleted
UNKNOWN = "unknown"  # what is needed for a verdict may not be read
VERIFYING = "verifying"  # everything runs; the gateway itself has not answered as it should
READY = "ready"


class Severity(IntEnum):
    """How far something is from ready; the highest of an instance's verdicts is its own."""

    READY = 0
    WAITING = 1  # as it should be at this stage
    TROUBLE = 2  # something is wrong that can still come right: waits until the timeout
    PERMANENT = 3  # nothing but a change by someone helps: waits for `patience` only


class LogSource(NamedTuple):
    """The container whose log may say more."""

    pod: str
    container: str
    previous: bool  # the run before this one: the one that crashed


@dataclass(frozen=True)
class Verdict:
    """Whether one thing is ready, and if not, why, in words that say what to do."""

    component: str  # postgres, litellm, route …: what progress lines count
    severity: Severity
    phase: str
    reason: str = ""  # empty when ready
    patience: float | None = None  # PERMANENT: seconds this may stay so before it is given up
    log: LogSource | None = None

    @property
    def ready(self) -> bool:
        return self.severity is Severity.READY

    def with_reason(self, reason: str) -> Verdict:
        return replace(self, reason=reason)


def ready(component: str) -> Verdict:
    return Verdict(component, Severity.READY, READY)


def waiting(component: str, phase: str, reason: str, log: LogSource | None = None) -> Verdict:
    return Verdict(component, Severity.WAITING, phase, reason, log=log)


def trouble(component: str, phase: str, reason: str, log: LogSource | None = None) -> Verdict:
    return Verdict(component, Severity.TROUBLE, phase, reason, log=log)


def permanent(component: str, phase: str, reason: str, patience: float) -> Verdict:
    return Verdict(component, Severity.PERMANENT, phase, reason, patience=patience)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The most telling of some verdicts: the most severe, and of equals the first.

    Callers put causes before consequences: a claim before the pod that waits for it, the
    database before the gateway that cannot connect to it.
    """
    return max(verdicts, key=lambda verdict: verdict.severity)


def condition(obj: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of type *kind* in an object's status, or an empty mapping."""
    for entry in obj.get("status", {}).get("conditions") or ():
        if entry.get("type") == kind:
            return entry
    return {}


def owned_by(obj: Mapping[str, Any], uid: str) -> bool:
    """Whether the controller with *uid* made this object."""
    owners = obj["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == uid and owner.get("controller") for owner in owners)


def brief(text: str, limit: int = 300) -> str:
    """One line of at most *limit* characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
