# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which models there are to register: many model servers asked at once, and entries for gateways.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _client,
    _content_model,
    _inference_services,
    _key_store,
    _litellm,
    _parallel,
    _pem,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_endpoint import (
    Answer,
    Asker,
    Endpoint,
    Unsuitable,
)

THREADS = 16
# LiteLLM sends no request to an OpenAI endpoint without one.
NO_KEY = "no-key-needed"
# What is asked, and how it is found out where that is.
Source = tuple[str, Callable[[], Endpoint]]


def run(params: Mapping[str, Any]) -> dict[str, Any]:
    """The result of the module: all servers, those that cannot be asked with their problem."""
    if not params["endpoints"] and params["inference_services"] is None:
        raise LitemaasError("There is nothing to ask: give endpoints, or inference_services.")
    cluster = _Cluster(params)
    sources: list[Source] = [
        (spec.get("name") or spec["url"], partial(_given, spec, cluster))
        for spec in params["endpoints"]
    ]
    sources += _of_cluster(params["inference_services"], cluster)
    bundle = _pem.pem(params["ca"], "ca")
    if params["inference_services"] is not None:
        bundle += "\n" + cluster.ca_bundle()
    asker = Asker(
        cluster.client,
        ca=bundle,
        timeout=float(params["timeout"]),
        retries=params["retries"],
        test=params["test"],
    )
    strict = bool((params["inference_services"] or {}).get("names"))
    found: list[tuple[Endpoint, Answer]] = []
    results, texts, notes = [], [], []

    def ask(source: Source) -> tuple[Endpoint, Answer]:
        endpoint = source[1]()
        return endpoint, asker.ask(endpoint)

    for number, (source, each) in enumerate(
        zip(sources, _parallel.each(ask, sources, THREADS), strict=True)
    ):
        result = _result(source[0], each)
        ours = number >= len(params["endpoints"])
        if isinstance(each, Unsuitable) and ours and not strict:
            notes.append(f"{source[0]} is left out: {each}")
            result["problems"] = []
        elif not isinstance(each, LitemaasError):
            found.append(each)
        results.append(result)
        texts += [f"{source[0]}: {problem}" for problem in result["problems"]]
    models, more = entries(found, values=params["return_values"])
    summary: dict[str, Any] = {
        "changed": False,
        "models": models,
        "endpoints": results,
        "problems": texts,
        "notes": [*notes, *more],
    }
    if texts:
        bad = sum(bool(result["problems"]) for result in results)
        head = f"{bad} of {len(results)} model servers have a problem:"
        failed = params["on_failure"] == "fail"
        summary |= {"failed": failed, "msg": "\n".join([head, *texts])}
    return summary


def entries(
    found: Iterable[tuple[Endpoint, Answer]], *, values: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    """(entries for ``models`` of gateway_content, notes). *values*: with keys that were given."""
    made: dict[str, list[dict[str, Any]]] = {}
    notes = []
    for endpoint, answer in found:
        for name, mode in answer.models.items():
            entry: dict[str, Any] = {
                "name": name,
                "model": f"openai/{name}",
                "api_base": answer.base,
                **_credential(endpoint, values),
            }
            if mode != "chat":
                entry["mode"] = mode
            if endpoint.parameters:
                entry["parameters"] = dict(endpoint.parameters)
            same = made.setdefault(name, [])
            if answer.base not in [other["api_base"] for other in same]:
                same.append(entry)
        if endpoint.key and not endpoint.secret and not values and answer.models:
            notes.append(
                f"{endpoint.name}: its key was given as a value and is in none of the entries; "
                "return_values puts it there, and api_key_secret does without."
            )
    for name, same in made.items():
        if len(same) < 2:
            continue
        # Ids of their own: gateways would take the second one for another spelling of the first.
        for number, entry in enumerate(same):
            entry["id"] = _content_model.id_for(name, entry["api_base"] if number else "")
        places = ", ".join(entry["api_base"] for entry in same)
        notes.append(f"{name} is served by {places}: gateways share its requests between them.")
    return [entry for same in made.values() for entry in same], notes


def _credential(endpoint: Endpoint, values: bool) -> dict[str, Any]:
    if endpoint.secret:
        return {"api_key_secret": dict(endpoint.secret)}
    if not endpoint.key:
        return {"api_key": NO_KEY}
    return {"api_key": endpoint.key} if values else {}


def _result(name: str, each: Any) -> dict[str, Any]:
    if isinstance(each, LitemaasError):
        problems = [str(each)]
        return {
            "name": name,
            "url": "",
            "via": "",
            "via_reason": "",
            "models": [],
            "problems": problems,
        }
    _endpoint, answer = each
    return {
        "name": name,
        "url": answer.base,
        "via": answer.via,
        "via_reason": answer.via_reason,
        "models": [{"name": model, "mode": mode} for model, mode in answer.models.items()],
        "problems": answer.problems,
    }


class _Cluster:
    """The cluster around, connected to on first use; model servers may have none around them."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params
        self._lock = threading.Lock()
        self._made: Client | LitemaasError | None = None

    def needed(self) -> Client:
        """Raises LitemaasError where no cluster is named."""
        with self._lock:
            if self._made is None:
                try:
                    self._made = _client.connect(self._params)
                except LitemaasError as error:
                    self._made = error
        if isinstance(self._made, LitemaasError):
            raise self._made
        return self._made

    def client(self) -> Client | None:
        try:
            return self.needed()
        except LitemaasError:
            return None

    def ca_bundle(self) -> str:
        """The CA of the cluster's router, where it can be read: Routes of models lead there."""
        try:
            return _litellm.ca_bundle(self.needed())
        except LitemaasError:
            return ""


def _given(spec: Mapping[str, Any], cluster: _Cluster) -> Endpoint:
    key, source = spec.get("api_key") or "", dict(spec.get("api_key_secret") or {})
    if key and source:
        raise LitemaasError("it has both api_key and api_key_secret: give one.")
    if source:
        if not source.get("namespace"):
            raise LitemaasError(f"its api_key_secret {source['name']} has no namespace: name it.")
        key = _key_store.read(cluster.needed(), source["namespace"], source["name"], source["key"])
    return Endpoint(
        spec.get("name") or spec["url"],
        spec["url"],
        key,
        source,
        _pem.pem(spec.get("ca"), "ca"),
        tuple(spec.get("models") or ()),
        spec.get("mode") or "",
        spec.get("parameters") or {},
    )


def _of_cluster(options: Mapping[str, Any] | None, cluster: _Cluster) -> list[Source]:
    """The InferenceServices; where they cannot be listed, one source that says so."""
    if options is None:
        return []
    options = {**options, "ca": _pem.pem(options.get("ca"), "inference_services.ca")}

    def broken(error: LitemaasError) -> Endpoint:
        raise error

    try:
        client = cluster.needed()
        objects = _inference_services.listed(client, options)
    except LitemaasError as error:
        return [("InferenceServices", partial(broken, error))]
    return [
        (
            f"{obj['metadata']['namespace']}/{obj['metadata']['name']}",
            partial(_inference_services.endpoint, client, obj, options),
        )
        for obj in objects
    ]
