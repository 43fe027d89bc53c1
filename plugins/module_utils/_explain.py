# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the API server refused an object, in a sentence that says what to do.

Internal to rhpds.litemaas: no stable interface for other collections.

A changed volume size comes back as "updates to statefulset spec for fields other than … are
forbidden": which field it was, and what both sides hold, is worked out here. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _compare,
    _quantity,
    _retry,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

Object = Mapping[str, Any]
# What may be changed in the spec of a StatefulSet; the server's message lists the same.
_STATEFULSET_MUTABLE = (
    *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"),
    *("persistentVolumeClaimRetentionPolicy", "minReadySeconds"),
)
_IMMUTABLE = re.compile(r"immutable|may not change|cannot change|updates to .* are forbidden")
_STORAGE = "spec.resources.requests.storage"
_VOLUME = re.compile(r"volumeClaimTemplates(\[[^]]*\]\.spec|$)")
_SHOWN = 120  # characters of a value


def explain(error: ApiError, wanted: Object, live: Object | None) -> str:
    """Return the message for an object that was not accepted. ``live``: as it was before."""
    rules = (_immutable, _secret, _invalid, _quota, _forbidden, _conflict)
    return next(filter(None, (rule(error, wanted, live) for rule in rules)), str(error))


def is_malformed(error: ApiError) -> bool:
    """Whether the object does not fit the schema of its kind: apply calls that status 500."""
    return error.status in (400, 500) and error.message.startswith(_retry.MISTAKE)


def _immutable(error: ApiError, wanted: Object, live: Object | None) -> str:
    if error.status != 422 or not live:
        return ""
    texts = [error.message, *(cause.get("message") or "" for cause in _causes(error))]
    fixed = _fixed_fields(error, wanted, live) if any(map(_IMMUTABLE.search, texts)) else []
    if not fixed:
        return ""
    if wanted["kind"] == "Secret":
        shown = "what differs is " + ", ".join(d.path for d in fixed[:3])
    else:
        shown = "; ".join(f"{d.path} is {_cut(d.live)}, wanted {_cut(d.wanted)}" for d in fixed[:3])
    shown += f"; and {len(fixed) - 3} more" if len(fixed) > 3 else ""
    noun = "this field" if len(fixed) == 1 else "these fields"
    return (
        f"cannot be changed: {shown}. Kubernetes never changes {noun} of an existing object. "
        f"{_remedy(wanted, fixed)}"
    )


def _secret(error: ApiError, wanted: Object, live: Object | None) -> str:
    """The server's words may quote the values they are about: none of them is passed on."""
    if wanted["kind"] != "Secret" or error.status not in (400, 422, 500):
        return ""
    fields = sorted({cause.get("field", "") for cause in _causes(error)} - {""})
    where = f" because of {', '.join(fields)}" if fields else ""
    return (
        f"refused by the API server ({error.status}{where}). Its reason is not shown, as it could "
        "quote the Secret: check the type, the names of the keys, and that the values are base64."
    )


def _invalid(error: ApiError, wanted: Object, live: Object | None) -> str:
    if error.status == 422:
        said = "; ".join(f"{c.get('field')}: {c.get('message')}" for c in _causes(error))
        return f"not valid: {_cut(said or error.message, 1000)}."
    if is_malformed(error):
        return f"not valid: {_cut(error.message.rpartition('): ')[2].lstrip('.'), 1000)}."
    return ""


def _quota(error: ApiError, wanted: Object, live: Object | None) -> str:
    quota = error.message.partition("exceeded quota: ")[2]
    if error.status != 403 or not quota:
        return ""
    return (
        f"exceeds the quota of its namespace: {quota}. Raise the ResourceQuota, ask for less, or "
        "use another namespace."
    )


def _forbidden(error: ApiError, wanted: Object, live: Object | None) -> str:
    """What is refused with 403 and is no lack of permissions."""
    if error.status == 403 and "being terminated" in error.message:
        return "its namespace is being deleted: wait until it is gone and run again."
    if error.status == 403 and "must support resize" in error.message:
        return (
            "cannot grow: its StorageClass does not allow volume expansion "
            "(allowVolumeExpansion). Set the size back, or move the data to a larger volume."
        )
    return ""


def _conflict(error: ApiError, wanted: Object, live: Object | None) -> str:
    if error.status != 409:
        return ""
    return f"changed by somebody else at the same time: run again. ({_cut(error.message, 300)})"


def _fixed_fields(error: ApiError, wanted: Object, live: Object) -> list[_compare.Difference]:
    """The differences that the server's causes are about."""
    # spec.clusterIPs[0] is about spec.clusterIP, and only the latter was sent.
    fields = [re.sub(r"s?\[.*", "", cause.get("field") or "") for cause in _causes(error)]
    mutable = _STATEFULSET_MUTABLE if wanted["kind"] == "StatefulSet" else ()
    return [
        difference
        for difference in _compare.differences(wanted, live)
        if any(difference.path.startswith(field) for field in fields)
        and not difference.path.startswith(tuple(f"spec.{name}" for name in mutable))
    ]


def _remedy(wanted: Object, fixed: list[_compare.Difference]) -> str:
    """What to do about immutable fields that differ."""
    kind, name = wanted["kind"], wanted["metadata"]["name"]
    namespace = wanted["metadata"].get("namespace", "")
    where = f" -n {namespace}" if namespace else ""
    sizes = [d for d in fixed if d.path.endswith(_STORAGE)]
    orphan = (
        f"delete the StatefulSet but not its pods (oc delete statefulset {name}{where} "
        "--cascade=orphan), and run again: it is made anew and takes the running pods over."
    )
    if kind == "StatefulSet" and len(sizes) == len(fixed) and all(map(_grows, sizes)):
        claim = re.sub(r".*volumeClaimTemplates\[(.*?)\].*", r"\1", sizes[0].path)
        return (
            "To grow the volumes, where their StorageClass has allowVolumeExpansion: set "
            f"spec.resources.requests.storage of each PersistentVolumeClaim {claim}-{name}-N in "
            f"{namespace} to {sizes[0].wanted}, {orphan}"
        )
    if kind == "PersistentVolumeClaim" and all(map(_grows, fixed)):
        return "A claim grows only once it is bound: wait until a pod uses it and run again."
    if kind == "PersistentVolumeClaim" or any(_VOLUME.search(d.path) for d in fixed):
        return (
            "A volume cannot shrink or move to another class: set the value back; or dump the "
            "data, remove this instance, deploy it anew and restore the dump."
        )
    if kind == "StatefulSet" and not any("selector" in d.path for d in fixed):
        return orphan[0].upper() + orphan[1:]
    marked = "It is marked immutable. " if kind in ("ConfigMap", "Secret") else ""
    return f"{marked}Delete it (oc delete {kind.lower()} {name}{where}) and run again."


def _grows(difference: _compare.Difference) -> bool:
    try:
        return _quantity.parse(str(difference.wanted)) > _quantity.parse(str(difference.live))
    except ValueError:
        return False


def _causes(error: ApiError) -> list[dict[str, Any]]:
    return error.details.get("causes") or []


def _cut(value: Any, length: int = _SHOWN) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= length else f"{text[:length]}…"
