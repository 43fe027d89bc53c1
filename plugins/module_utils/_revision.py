# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gateway's pods are made of, as a text by which a later run knows whether it replaces them.

Internal to rhpds.litemaas: no stable interface for other collections.

It stands on the pods as an annotation. The plan compares it with what is wanted, to look for room
for what a run would start; that the pods are replaced is the API server's doing, by their template.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# How many pods there are is no part of a pod.
_OUTSIDE = ("replicas", "autoscaled", "revision")
# Of these the migration consists; a test compares it with the Job.
_MIGRATION = ("image", "env", "ca_bundle", "resources")


def revision(
    litellm: Mapping[str, Any],
    *,
    helper: str,
    redis: bool,
    ca_bundle: str,
    pgbouncer: bool = False,
    pull_secret: str = "",
    external: bool = False,
) -> str:
    """``<hash of the migration>-<hash of the pods>`` of an instance's part *litellm*.

    *helper* is the image that waits for the database, *ca_bundle* the certificates themselves,
    *pull_secret* the name of the Secret that images are pulled with.
    """
    # What few have counts only where it is: the pods of others are not replaced for its absence.
    outside = ["external"] if external else []
    migration = [{key: litellm[key] for key in _MIGRATION}, helper, *outside]
    pods = [{k: v for k, v in litellm.items() if k not in _OUTSIDE}, helper, redis, ca_bundle]
    pods += [*(["pgbouncer"] if pgbouncer else []), *outside]
    if pull_secret:
        migration, pods = [*migration, pull_secret], [*pods, pull_secret]
    return f"{_hash(migration)}-{_hash(pods)}"


def same_migration(one: str, other: str) -> bool:
    """Whether two revisions need no other migration."""
    return one.partition("-")[0] == other.partition("-")[0]


def _hash(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]
