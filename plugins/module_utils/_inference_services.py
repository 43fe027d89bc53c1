# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that KServe serves on the cluster, as OpenShift AI deploys them: where, and with which token.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _key_store, _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_endpoint import (
    Endpoint,
    Unsuitable,
)

API, KIND = "serving.kserve.io/v1beta1", "InferenceService"
# What OpenShift AI sets when "Require token authentication" is ticked.
_AUTH = "security.opendatahub.io/enable-auth"
_STOP = "serving.kserve.io/stop"
_MODE = "serving.kserve.io/deploymentMode"
_TOKEN_TYPE = "kubernetes.io/service-account-token"
_TOKEN_OF = "kubernetes.io/service-account.name"


def listed(client: Client, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The InferenceServices that are asked for. Raises LitemaasError where none can be listed.

    *options*: ``namespaces`` (empty: all), ``names`` (empty: all), ``selector``.
    """
    places = list(options.get("namespaces") or ()) or [None]
    selector = options.get("selector") or ""
    try:
        found = [
            obj
            for place in places
            for obj in client.list(
                _resources.collection_path(API, KIND, place), label_selector=selector
            )
        ]
    except ApiError as error:
        if error.status == 404:
            raise LitemaasError(
                f"The cluster has no kind {KIND} ({API}): install OpenShift AI or KServe, or give "
                "the addresses of model servers as endpoints."
            ) from error
        if error.status == 403 and places == [None]:
            raise LitemaasError(
                f"{error} To look without permission to list the cluster, name the namespaces."
            ) from error
        raise
    where = f"in {', '.join(options['namespaces'])}" if places != [None] else "on the cluster"
    asked = list(options.get("names") or ())
    there = [obj["metadata"]["name"] for obj in found]
    missing = [name for name in asked if name not in there]
    if missing:
        raise LitemaasError(
            f"There is no {KIND} {', '.join(missing)} {where}; there is "
            f"{', '.join(sorted(there)) or 'none'}. Correct the names."
        )
    return [obj for obj in found if not asked or obj["metadata"]["name"] in asked]


def endpoint(client: Client, obj: Mapping[str, Any], options: Mapping[str, Any]) -> Endpoint:
    """How to ask an InferenceService. Raises LitemaasError saying what it lacks.

    *options*: also ``address`` (external or internal), ``api_key_secret`` and ``ca``.
    """
    metadata = obj["metadata"]
    place = f"{metadata['namespace']}/{metadata['name']}"
    check(obj)
    found = url(obj, internal=options.get("address") == "internal")
    source = dict(options.get("api_key_secret") or {})
    if source:
        source["namespace"] = source.get("namespace") or metadata["namespace"]
    elif wants_token(obj):
        source = _token(client, obj)
    key = ""
    if source:
        key = _key_store.read(client, source["namespace"], source["name"], source["key"])
    return Endpoint(place, found, key, source, options.get("ca") or "")


def check(obj: Mapping[str, Any]) -> None:
    """Raise LitemaasError where a service does not run, or can be none of a language model."""
    annotations = obj["metadata"].get("annotations") or {}
    if annotations.get(_STOP) == "true":
        raise Unsuitable("it is stopped: start it first.")
    if annotations.get(_MODE) == "ModelMesh":
        raise Unsuitable("it is deployed by ModelMesh, which serves no language models.")
    conditions = (obj.get("status") or {}).get("conditions") or ()
    ready: Mapping[str, Any] = next(
        (each for each in conditions if each.get("type") == "Ready"), {}
    )
    if ready.get("status") == "True":
        return
    said = [ready.get("reason"), ready.get("message")]
    why = ": ".join(text for text in said if text) or "its status says nothing yet"
    raise LitemaasError(f"it is not ready ({why}): wait for it, or look at its predictor's pod.")


def url(obj: Mapping[str, Any], *, internal: bool) -> str:
    """Its address. KServe tells two of them, and of a model without a Route only the internal one."""
    status = obj.get("status") or {}
    predictor = (status.get("components") or {}).get("predictor") or {}
    outside, inside = status.get("url"), (status.get("address") or {}).get("url")
    order = (inside, outside) if internal else (outside, inside)
    found = next((text for text in (*order, predictor.get("url")) if text), "")
    if not found:
        raise LitemaasError(
            "its status has no url: see that it is exposed, or give the address of its Service as "
            "an endpoint."
        )
    return str(found)


def wants_token(obj: Mapping[str, Any]) -> bool:
    """Whether OpenShift AI protects it by tokens of service accounts."""
    return (obj["metadata"].get("annotations") or {}).get(_AUTH) == "true"


def account(obj: Mapping[str, Any]) -> str:
    """The service account whose token opens it. OpenShift AI makes one for each model."""
    predictor = (obj.get("spec") or {}).get("predictor") or {}
    return str(predictor.get("serviceAccountName") or f"{obj['metadata']['name']}-sa")


def tokens(secrets: Iterable[Mapping[str, Any]], name: str) -> Iterator[str]:
    """The names of Secrets that hold a token of a service account, sorted."""
    for secret in sorted(secrets, key=lambda each: each["metadata"]["name"]):
        annotations = secret["metadata"].get("annotations") or {}
        if annotations.get(_TOKEN_OF) == name and (secret.get("data") or {}).get("token"):
            yield secret["metadata"]["name"]


def _token(client: Client, obj: Mapping[str, Any]) -> dict[str, str]:
    namespace, name = obj["metadata"]["namespace"], account(obj)
    path = _resources.collection_path("v1", "Secret", namespace)
    secrets = client.list(path, field_selector=f"type={_TOKEN_TYPE}")
    found = next(tokens(secrets, name), "")
    if not found:
        raise LitemaasError(
            f"it wants a token, and the namespace {namespace} has no Secret of type {_TOKEN_TYPE} "
            f"for the service account {name}: make one, or name another as api_key_secret."
        )
    return {"name": found, "key": "token", "namespace": namespace}
