# SPDX-License-Identifier: MIT
"""Times as HAProxy and OpenShift's route annotations write them: 600s, 10m, 1500 (milliseconds)."""

from __future__ import annotations

import re

_PATTERN = re.compile(r"([1-9][0-9]*)(us|ms|s|m|h|d)?")
_MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST = 2_147_483_647  # milliseconds that fit HAProxy's timer


def duration(text: str) -> str:
    """The time when it is one, cut to the longest that HAProxy takes; "" for anything else.

    OpenShift's router ignores an annotation that is no time: the default holds then.
    """
    match = _PATTERN.fullmatch(text)
    if not match:
        return ""
    milliseconds = int(match[1]) * _MILLISECONDS[match[2] or "ms"]
    return text if milliseconds <= LONGEST else f"{LONGEST}ms"
