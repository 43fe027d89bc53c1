# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When to send a request again, and how long to wait before.

Internal to rhpds.litemaas: no stable interface for other collections.

Every request of this collection may be sent twice with the result of once: reads, server-side
apply, deletion and access reviews. So a lost answer is always safe to ask for again.
"""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# 429: API Priority and Fairness, or a client too fast. 500: etcd and webhooks in passing trouble.
# 502 to 504: a load balancer in front of an API server that restarts.
RETRIED = frozenset({429, 500, 502, 503, 504})
# Server-side apply reports a mistake in the object as an internal error, in these words.
MISTAKE = ("failed to create typed patch object", "failed to convert new object")
FIRST_DELAY = 0.2  # seconds
LONGEST_DELAY = 10.0  # seconds


@dataclass
class Budget:
    """How often and how long one request may be tried. Times in seconds."""

    retries: int
    patience: float
    clock: Callable[[], float] = time.monotonic
    used: int = 0
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def delay(self, retry_after: float | None = None) -> float | None:
        """Return the wait before the next try, or None when the budget does not allow one.

        Exponential with jitter, so that many threads refused at once do not return at once; never
        less than the server asked for. A server that asks for more than is left gets no retry:
        asking earlier would only add to its load.
        """
        if self.used >= self.retries:
            return None
        wait = min(LONGEST_DELAY, FIRST_DELAY * 2**self.used) * random.uniform(0.5, 1.5)
        if retry_after is not None:
            wait = retry_after + random.uniform(0, FIRST_DELAY)
        if self.clock() - self.started + wait > self.patience:
            return None
        self.used += 1
        return wait


def is_passing(status: int, body: Any = None) -> bool:
    """Whether trying again may help. ``body``: the decoded Status object or anything else."""
    said = body.get("message") if isinstance(body, dict) else None
    mistake = isinstance(said, str) and said.startswith(MISTAKE)
    return status in RETRIED and not (status == 500 and mistake)


def retry_after(headers: Mapping[str, str], body: Any = None) -> float | None:
    """Return the seconds the server asks to wait: header (number or date) or Status details."""
    value = headers.get("Retry-After")
    if value:
        try:
            return max(0.0, float(value))
        except ValueError:
            when = email.utils.parsedate_tz(value)
            if when:
                return max(0.0, email.utils.mktime_tz(when) - time.time())
    details = body.get("details") if isinstance(body, dict) else None
    seconds = details.get("retryAfterSeconds") if isinstance(details, dict) else None
    return float(seconds) if isinstance(seconds, int) and seconds > 0 else None
