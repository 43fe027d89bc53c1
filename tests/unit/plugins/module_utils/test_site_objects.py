# SPDX-License-Identifier: MIT
"""Secrets that a site names: they must be where an instance looks for them, or be made by what comes with it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _instances,
    _parallel,
    _site_objects,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

SETTINGS = yaml.safe_load((Path(__file__).parent / "fixtures" / "settings.yml").read_text())
CONTENT = "ocp4_workload_litemaas_image_pull_secret_content"
DOCKER = "kubernetes.io/dockerconfigjson"


class Cluster:
    """Secrets by namespace and name, with their types; "forbidden" may not be read."""

    def __init__(self, **types: str) -> None:
        self.types = {key.replace("_", "/", 1): kind for key, kind in types.items()}
        self.asked: list[str] = []

    def each(self, function: Callable[[Any], Any], items: Any) -> Any:
        return _parallel.each(function, items, 4)

    def find(self, path: str) -> Any:
        _empty, _api, _v1, _namespaces, home, _secrets, name = path.split("/")
        self.asked.append(f"{home}/{name}")
        kind = self.types.get(f"{home}/{name}")
        if kind == "forbidden":
            raise ApiError("no", status=403)
        return None if kind is None else {"type": kind}


def settings(**changes: Any) -> Any:
    route = {**SETTINGS["route"], **changes.pop("route", {})}
    return copy.deepcopy(SETTINGS) | {"route": route, **changes}


def absent(cluster: Cluster, new: list[str], **changes: Any) -> list[str]:
    found = _site_objects.absent(cluster, settings(**changes), ["a", "b", *new], new)  # type: ignore[arg-type]
    return [str(problem) for problem in found]


def test_who_names_none_costs_no_request() -> None:
    cluster = Cluster()
    assert absent(cluster, ["c"]) == []
    assert absent(cluster, ["c"], credentials={CONTENT: {"auths": {}}}) == []
    assert cluster.asked == []


def test_they_must_be_in_every_namespace() -> None:
    cluster = Cluster(a_pull=DOCKER, b_pull="kubernetes.io/dockercfg")
    assert absent(cluster, [], image_pull_secret="pull") == []
    (missing,) = absent(cluster, [], image_pull_secret="other")
    assert "names no Secret in a, b, got 'other'" in missing and CONTENT in missing
    (kind,) = absent(cluster, [], route={"tls_secret": "pull"})
    assert (
        "names a Secret of another type in a, b, got 'pull'" in kind and "kubernetes.io/tls" in kind
    )
    assert (
        absent(Cluster(a_pull="forbidden", b_pull="forbidden"), [], image_pull_secret="pull") == []
    )


def test_a_new_namespace_cannot_have_it() -> None:
    cluster = Cluster(a_pull=DOCKER, b_pull=DOCKER)
    (problem,) = absent(cluster, ["c"], image_pull_secret="pull")
    assert "names a Secret that cannot be there: c is yet to be made, got 'pull'" in problem
    assert "c/pull" not in cluster.asked


def test_unless_the_site_has_it_made_there() -> None:
    cluster = Cluster()
    certificate = {"kind": "Certificate", "spec": {"secretName": "llm-tls"}}
    external = {"kind": "ExternalSecret", "spec": {"target": {"name": "pull"}}}
    assert absent(
        cluster, ["c"], route={"tls_secret": "llm-tls"}, image_pull_secret="pull",
        extra_manifests=[certificate, external, {"kind": "ConfigMap"}, 7],
    ) == []  # fmt: skip
    assert cluster.asked == []


def test_content_and_name_are_one_too_many() -> None:
    content = {"auths": {"quay.io": {"username": "a", "password": "b"}}}
    both = settings(image_pull_secret="pull", credentials={CONTENT: content})
    (problem,) = _site_objects.problems(both)
    assert "image_pull_secret is given beside" in str(problem)
    (problem,) = _site_objects.problems(settings(credentials={CONTENT: "c4n4ry"}))
    assert str(problem).startswith(f"{CONTENT} is no JSON. Give the text")


def test_logins_to_other_registries_are_warned_of() -> None:
    def warned(host: str, **changes: Any) -> list[str]:
        content = {"auths": {host: {"username": "a", "password": "b"}}}
        return list(_site_objects.warnings(settings(credentials={CONTENT: content}, **changes)))

    assert warned("quay.io") == warned("ghcr.io") == []
    assert warned("mirror.example.com", image_registry="mirror.example.com/team") == []
    (warning,) = warned("mirror.example.com")
    assert "has no login to ghcr.io, quay.io, from where all images come" in warning


def test_the_instance_names_the_secret_it_uses() -> None:
    def instance(**changes: Any) -> Any:
        (found,) = _instances.instances(settings(**changes), 1)
        return found["pull_secret"], found["tls_secret"], found["own_secrets"]

    assert instance() == ("", "", [])
    named = {"image_pull_secret": "pull", "route": {"tls_secret": "tls"}}
    assert instance(**named) == ("pull", "tls", [])
    given = {"credentials": {CONTENT: "x"}, "route": {"tls_certificate": "y"}}
    assert instance(**given) == (
        "litemaas-pull-secret",
        "litellm-tls",
        ["certificate", "pull-secret"],
    )


def test_another_pull_secret_replaces_the_pods_and_migrates_anew() -> None:
    def revision(**changes: Any) -> list[str]:
        (found,) = _instances.instances(settings(**changes), 1)
        return found["litellm"]["revision"].split("-")

    assert revision() == revision(route={"tls_secret": "tls", "host": "llm.example.com"})
    one, other = revision(), revision(image_pull_secret="pull")
    assert all(a != b for a, b in zip(one, other, strict=True))
