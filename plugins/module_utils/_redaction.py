# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes secrets out of text that others wrote: logs, events, error messages of a gateway.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "***"
_SHORTEST = 4  # characters; a shorter value would make holes everywhere and protects nothing

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Up to the last @ of the word: a password that was not encoded may hold one itself.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):\S*@", re.IGNORECASE), rf"\1:{HIDDEN}@"),
    (re.compile(r"\bsk-[A-Za-z0-9._*-]{3,}"), f"sk-{HIDDEN}"),
    (re.compile(r"\b(Bearer|Basic) +[A-Za-z0-9+/=._~-]{12,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"((?:password|passwd|pwd|secret|token|(?:api|master|salt|secret)[ _-]?key)"
            r"[\"')]?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&)}]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


class Redactor:
    """Replaces known values, in every spelling they may have, and what looks like a secret."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                spellings |= {
                    secret,
                    quote(secret, safe=""),
                    quote(secret),
                    quote_plus(secret),
                    json.dumps(secret)[1:-1],
                    repr(secret)[1:-1],
                }
        # The longest first: a value may be part of another one.
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for spelling in self._spellings:
            text = text.replace(spelling, HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text
