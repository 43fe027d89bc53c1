# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One slice of a wait: what the readiness action plug-in hands to its module, and gets back.

Internal to rhpds.litemaas: no stable interface for other collections.

A module cannot print while it runs. So the action plug-in calls it for some seconds, prints how
far things are, and calls it again with what it knew. Text and not a dictionary: a nested option of
a thousand instances costs seconds of validation in every slice.
"""

from __future__ import annotations

import json
from typing import NamedTuple


class Slice(NamedTuple):
    """Times in seconds since the waiting began."""

    until: float  # when to return, settled or not
    elapsed: float = 0.0  # how much of the wait is over
    state: str = ""  # of the slice before

    def dump(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def parse(cls, text: str | None, deadline: float) -> Slice:
        """Read the module's option; without one, the whole wait is one slice."""
        return cls(**json.loads(text)) if text else cls(until=deadline)
