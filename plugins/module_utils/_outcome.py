# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a run in words: a table of the instances, what became of them, and how long it took.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _table
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v

_NAMES_SHOWN = 20
_HEAD = ("Instance", "State", "Seconds", "URL", "Reason")


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    ``instances``: as the readiness module returns them. ``late``: by the name of an instance, what
    went wrong after it was ready. ``leftovers``: by namespace, why it could not be removed.
    ``phases``: seconds of each part of the run, in its order.
    """

    instances: Sequence[Mapping[str, Any]]
    late: Mapping[str, str] = field(default_factory=dict)
    leftovers: Mapping[str, str] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    predicted: bool = False  # in check mode, where nothing is ready but what was there before

    def failed(self) -> list[dict[str, str]]:
        """The instances that are not as wanted, and why; in check mode those that could not be."""
        return [
            {"name": each["name"], "namespace": each["namespace"], "reason": reason}
            for each in self.instances
            if (reason := self._reason(each)) and (not self.predicted or each["phase"] == v.FAILED)
        ]

    def table(self) -> list[str]:
        """One line an instance; those that failed come last, where the eye is."""
        bad = {each["name"]: each["reason"] for each in self.failed()}
        ordered = sorted(self.instances, key=lambda each: each["name"] in bad)
        rows = [
            (
                each["name"],
                "FAILED" if each["name"] in bad else each["phase"],
                f"{each['waited']:.1f}",
                each["url"],
                " ".join((bad.get(each["name"]) or each.get("via_reason") or "").split()),
            )
            for each in ordered
        ]
        return _table.aligned([_HEAD, *rows], right=[_HEAD.index("Seconds")])

    def counts(self) -> str:
        """How many are ready, the names of the others, and the time of each phase."""
        count, bad = len(self.instances), [each["name"] for each in self.failed()]
        if self.predicted:
            text = f"{count} instance{'s' if count > 1 else ''}: this is what a run would deploy."
            return text + (f" It would fail for {_listed(bad)}." if bad else "")
        text = f"{count - len(bad)} of {count} ready"
        text += f", {len(bad)} failed ({_listed(bad)})" if bad else ""
        if self.phases:
            each = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.phases.items())
            text += f"; {sum(self.phases.values()):.0f} s in all: {each}"
        return f"{text}."

    def failure(self) -> str:
        """Every instance that failed, and why; empty when none did."""
        bad, count = self.failed(), len(self.instances)
        if count == 1 and bad:
            lines = [f"{bad[0]['name']} is not ready: {bad[0]['reason']}"]
        elif bad:
            rest = "; the others are" if len(bad) < count else ""
            lines = [f"{len(bad)} of {count} instances are not ready{rest}."]
            lines += [
                f"- {each['name']} (namespace {each['namespace']}): {each['reason']}"
                for each in bad
            ]
        else:
            lines = []
        return "\n".join([*lines, *self.left()])

    def left(self) -> list[str]:
        """What was to be removed and is still there, and why."""
        return [f"{home} could not be removed: {reason}" for home, reason in self.leftovers.items()]

    def _reason(self, instance: Mapping[str, Any]) -> str:
        if instance["name"] in self.late:
            return self.late[instance["name"]]
        if instance["ready"]:
            return ""
        if not instance["component"]:
            return str(instance["reason"])
        return f"{instance['component']} ({instance['phase']}): {instance['reason']}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
