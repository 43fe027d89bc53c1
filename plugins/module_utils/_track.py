# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far one instance is, over time: kept from look to look and from slice to slice.

Internal to rhpds.litemaas: no stable interface for other collections.

All times are seconds since the waiting began, so that the next slice, another process, can go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v

# How long something may look the same before it is worth requests of its own to find out why.
_EXPLAIN_TROUBLE = 3.0
_EXPLAIN_WAITING = 20.0


@dataclass
class Track:
    """One instance. ``state()`` is what the next slice needs; ``verdict`` is of the last look."""

    since: float = 0.0  # since when component and phase are what they are
    stage: str = ""  # component and phase of the telling verdict
    hopeless: float | None = None  # since when it is permanently in trouble
    given_up: bool = False
    asked: float | None = None  # since when its gateway is asked
    asked_last: float = -1.0
    answered: bool = False
    via: str = ""
    via_reason: str = ""
    models: int = 0
    ready_at: float | None = None
    parts: list[str] = field(default_factory=list)  # its components at the last look

    def see(self, verdict: v.Verdict, now: float) -> None:
        """Take in what a look at the objects showed, before anything explains it."""
        stage = f"{verdict.component}/{verdict.phase}"
        if stage != self.stage:
            self.stage, self.since = stage, now
            self.hopeless, self.given_up = None, False
        if not verdict.ready:
            self.ready_at = None
        elif self.ready_at is None:
            self.ready_at = now

    def judge(self, verdict: v.Verdict, now: float, *, explained: bool) -> None:
        """Decide whether waiting still makes sense. *explained*: the verdict knows all there is.

        Without its events a refusal may look like plain waiting: that alone is no recovery.
        """
        if verdict.patience is not None:
            self.hopeless = now if self.hopeless is None else self.hopeless
            self.given_up = now - self.hopeless >= verdict.patience
        elif explained:
            self.hopeless, self.given_up = None, False

    def settled(self, verdict: v.Verdict) -> bool:
        return verdict.ready or self.given_up

    def worth_explaining(self, verdict: v.Verdict, now: float) -> bool:
        limit = _EXPLAIN_WAITING if verdict.severity is v.Severity.WAITING else _EXPLAIN_TROUBLE
        return not verdict.ready and now - self.since >= limit

    def forget_answer(self) -> None:
        """The gateway's pods changed: what it answered before says nothing now."""
        self.asked, self.asked_last, self.answered = None, -1.0, False

    def state(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def resumed(cls, state: Mapping[str, Any]) -> Track:
        return cls(**state)


class Standing(NamedTuple):
    """One instance at the last look."""

    instance: Mapping[str, Any]
    verdicts: list[v.Verdict]
    verdict: v.Verdict  # the telling one, with its explanation
    track: Track
