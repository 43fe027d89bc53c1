# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model server says that it serves, and which of it is wanted.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

# Parts of the names of models that make embeddings: what to try first.
_EMBEDDINGS = ("embed", "bge-", "e5-", "gte-", "minilm")


def names(answer: Any) -> list[str] | None:
    """The names in a list of models, None when it is none of the OpenAI API."""
    rows = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        return None
    return list(dict.fromkeys(str(row["id"]) for row in rows if row.get("id")))


def chosen(asked: tuple[str, ...], served: list[str], where: str) -> tuple[list[str], list[str]]:
    """(names to take, problems). An upstream id such as ``openai/granite`` is found too."""
    if not served:
        return [], [f"{where} serves no model: see whether it has loaded one."]
    found, problems = [], []
    for name in asked or served:
        match = name if name in served else name.removeprefix("openai/")
        if match in served:
            found.append(match)
            continue
        close = difflib.get_close_matches(match, served, n=1)
        hint = f"Did you mean {close[0]}?" if close else "Name one of these."
        problems.append(f"{where} does not serve {name}; it serves {', '.join(served)}. {hint}")
    return list(dict.fromkeys(found)), problems


def guesses(name: str) -> list[str]:
    """What a model of this name may do, the likeliest first. The list of models does not say."""
    embeds = any(part in name.lower() for part in _EMBEDDINGS)
    return ["embedding", "chat"] if embeds else ["chat", "embedding"]
