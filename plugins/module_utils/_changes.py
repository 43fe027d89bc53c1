# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each object: the change set that modules return.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _failure
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

CREATED = "created"
CONFIGURED = "configured"
UNCHANGED = "unchanged"
DELETED = "deleted"
KEPT = "kept"  # removal: left in place because it was asked for
TERMINATING = "terminating"  # removal: somebody deleted it before us
FAILED = "failed"
SKIPPED = "skipped"  # not sent, because its namespace failed
_CHANGING = frozenset((CREATED, CONFIGURED, DELETED))
_ORDER = (CREATED, CONFIGURED, UNCHANGED, DELETED, TERMINATING, KEPT, FAILED, SKIPPED)
_NAMES_SHOWN = 200


@dataclass
class Change:
    """One object and what was done with it. ``before`` and ``after``: YAML, for a diff."""

    kind: str
    namespace: str
    name: str
    action: str
    message: str = ""  # of a failure
    before: str = ""
    after: str = ""
    general: bool = False  # a failure that, where everything meets it, is about no object
    written: bool = False  # of a failure: it came after something was written, such as a deletion

    @property
    def label(self) -> str:
        """``Service litemaas/litellm``."""
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"

    def result(self) -> dict[str, str]:
        """What a module returns of it: 5,000 objects must stay small."""
        return {
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "action": self.action,
        }


def change(obj: Mapping[str, Any], action: str, message: str = "") -> Change:
    """The change of an object with kind and metadata."""
    metadata = obj["metadata"]
    return Change(obj["kind"], metadata.get("namespace") or "", metadata["name"], action, message)


def failed(obj: Mapping[str, Any], error: LitemaasError, message: str = "") -> Change:
    """The change of an object that could not be brought into the wanted state."""
    made = change(obj, FAILED, message or str(error))
    made.general = _failure.is_general(error)
    return made


@dataclass
class ChangeSet:
    """The changes of one run, in the order of the manifests."""

    changes: list[Change] = field(default_factory=list)
    stale: list[Mapping[str, Any]] | None = None
    """What is no longer wanted and was left in place; None where nobody looked."""

    @property
    def changed(self) -> bool:
        """Whether anything was (in a dry run: would be) written."""
        return any(change.written or change.action in _CHANGING for change in self.changes)

    @property
    def failures(self) -> list[Change]:
        """The objects that could not be brought into the wanted state."""
        return [change for change in self.changes if change.action == FAILED]

    def summary(self) -> dict[str, int]:
        """How many objects had each action; actions that did not occur are left out."""
        counted = Counter(change.action for change in self.changes)
        return {action: counted[action] for action in _ORDER if counted[action]}

    def diff(self) -> list[dict[str, str]]:
        """For Ansible's ``--diff``: one entry for each changed object."""
        return [
            {
                "before_header": change.label,
                "after_header": change.label,
                "before": change.before,
                "after": change.after,
            }
            for change in self.changes
            if change.action in _CHANGING and (change.before or change.after)
        ]

    def result(self) -> dict[str, Any]:
        """The keys that every module with a change set returns."""
        found: dict[str, Any] = {
            "changed": self.changed,
            "objects": [change.result() for change in self.changes],
            "summary": self.summary(),
        }
        if self.stale is not None:
            left = [change(obj, KEPT).result() for obj in self.stale]
            found["stale"] = [{k: v for k, v in each.items() if k != "action"} for each in left]
        return found

    def report(self) -> dict[str, Any]:
        """What is returned where failures of some namespaces shall not stop the others.

        Raises as ``check`` does where nothing succeeded, for reasons that are about no namespace.
        """
        tried = [change for change in self.changes if change.action != SKIPPED]
        if tried and all(change.general for change in tried):
            self.check()
        return {**self.result(), **self._failed()}

    def _failed(self) -> dict[str, Any]:
        """The failures, and by namespace the first of each and how many more there are."""
        homes: dict[str, list[Change]] = {}
        for change in self.failures:
            homes.setdefault(change.namespace or change.name, []).append(change)
        return {
            "failures": [
                {**change.result(), "message": change.message} for change in self.failures
            ],
            "failed_namespaces": [
                {"namespace": home, "reason": _several(failed)} for home, failed in homes.items()
            ],
        }

    def check(self) -> None:
        """Raise LitemaasError that names every failed object and holds what was done."""
        failed = self.failures
        if not failed:
            return
        head = f"{len(failed)} of {len(self.changes)} objects failed"
        skipped = self.summary().get(SKIPPED)
        if skipped:
            head += f", and {skipped} were not sent because their namespace failed"
        elif len(failed) < len(self.changes):
            head += "; the others were not affected"
        lines = [f"- {line}" for line in _grouped(failed)]
        raise LitemaasError(
            "\n".join([f"{head}.", *lines]),
            **self.result(),
            **self._failed(),
        )


def _several(failed: list[Change]) -> str:
    more = f" ({len(failed) - 1} more of its objects failed)" if len(failed) > 1 else ""
    return f"{failed[0].kind} {failed[0].name}: {failed[0].message}{more}"


def _grouped(failed: Iterable[Change]) -> list[str]:
    """One line for each reason. Eighty namespaces without a permission have one reason."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in failed:
        reason = change.message
        for name in (change.name, change.namespace):
            if name:
                reason = reason.replace(f'"{name}"', '""').replace(f"/{name}", "/")
        groups.setdefault((change.kind, reason), []).append(change)
    lines = []
    for group in groups.values():
        line = f"{group[0].label}: {group[0].message}"
        if len(group) > 1:
            names = [change.label.partition(" ")[2] for change in group[1:]]
            more = len(names) - _NAMES_SHOWN
            listed = ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
            line += f" The same for {listed}."
        lines.append(line)
    return lines
