# SPDX-License-Identifier: MIT
"""Values of keys and passwords are written down together, once, and never twice for the same name."""

from __future__ import annotations

import base64
from typing import Any, cast

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _key_store, _password
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._key_store import Birth, KeyStore

LABELS = {"app.kubernetes.io/managed-by": "rhpds.litemaas", "rhpds.litemaas/instance": "one"}


class Cluster:
    """One Secret. *others*: what somebody else writes before each of our first writes."""

    def __init__(self, *others: dict[str, str]) -> None:
        self.data: dict[str, str] | None = None
        self.version, self.writes, self.others = 100, 0, list(others)

    def find(self, path: str) -> dict[str, Any] | None:
        if self.data is None:
            return None
        data = {key: base64.b64encode(value.encode()).decode() for key, value in self.data.items()}
        metadata = {"name": "x", "labels": LABELS, "resourceVersion": str(self.version)}
        return {"metadata": metadata, "data": data}

    def apply(self, path: str, body: dict[str, Any], *, field_manager: str) -> tuple[int, Any]:
        self.writes += 1
        if self.others:
            self.data = {**(self.data or {}), **self.others.pop(0)}
            self.version += 1
        known = body["metadata"]["resourceVersion"]
        if known != (str(self.version) if self.data is not None else _key_store.CREATE_ONLY):
            raise ApiError("It was changed.", status=409)
        self.data = {key: base64.b64decode(v).decode() for key, v in body["data"].items()}
        self.version += 1
        return 200, {"metadata": {"resourceVersion": str(self.version)}}


def store(cluster: Cluster, kind: _password.Kind = "key") -> KeyStore:
    return KeyStore(cast(Client, cluster), "home", LABELS, kind=kind)


def test_eighty_values_are_one_write_and_the_same_again() -> None:
    cluster = Cluster()
    births = {f"user{number}": Birth() for number in range(1, 81)}
    values = store(cluster).born(births)
    assert len(set(values.values())) == 80
    assert cluster.data == values
    assert store(cluster).born(births) == values
    assert cluster.writes == 1


def test_a_given_value_and_a_new_one_replace_what_is_there() -> None:
    cluster = Cluster()
    before = store(cluster).born({"a": Birth(), "b": Birth(), "c": Birth()})
    after = store(cluster).born({"a": Birth("sk-given"), "b": Birth(anew=True), "c": Birth()})
    assert after["a"] == "sk-given"
    assert after["b"] not in ("", before["b"])
    assert after["c"] == before["c"]
    store(cluster).forget(["a", "nobody"])
    assert set(cluster.data or {}) == {"b", "c"}


def test_of_two_runs_at_once_the_later_one_takes_what_it_finds() -> None:
    cluster = Cluster({"a": "sk-theirs"})
    values = store(cluster).born({"a": Birth(), "b": Birth()})
    assert values["a"] == "sk-theirs"
    assert cluster.data == values


def test_who_never_comes_to_write_says_so() -> None:
    cluster = Cluster(*({f"x{number}": "sk-x"} for number in range(20)))
    with pytest.raises(LitemaasError, match="changed 8 times while it was being written"):
        store(cluster).born({"a": Birth()})


def test_a_password_is_one_that_litellm_takes() -> None:
    values = store(Cluster(), "login").born({f"user{n}": Birth() for n in range(50)})
    assert not any(map(_password.login_fault, values.values()))


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("Enough-for-1", ""),
        ("Short-1", "lacks 12 characters"),
        ("no-capitals-1", "lacks a capital letter"),
        ("NO-SMALL-ONES-1", "lacks a small letter"),
        ("No-digits-here", "lacks a digit"),
        ("NoSignsHere123", "lacks a sign that is neither letter nor digit"),
        ("", "lacks 12 characters, a capital letter, a small letter, a digit, a sign"),
    ],
)
def test_what_litellm_asks_of_a_password(password: str, fault: str) -> None:
    assert _password.login_fault(password).startswith(fault)
    assert bool(_password.login_fault(password)) is bool(fault)
