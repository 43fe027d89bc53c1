# SPDX-License-Identifier: MIT
"""A text of manifests, read strictly, and what is said about one that is wrong."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _manifest, _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

CANARY = "canary-7f3a"
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: n}\n"


def load(text: str) -> list[dict[str, Any]]:
    return _manifest.load(text, _resources.lookup)


@pytest.fixture(params=["libyaml", "pure"])
def yaml_flavour(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With libyaml, and where PyYAML was built without."""
    if request.param == "pure":
        monkeypatch.delattr(yaml, "CSafeLoader")
    _manifest._loader.cache_clear()
    return request.param


@pytest.fixture(autouse=True)
def forget_loader() -> Any:
    yield
    _manifest._loader.cache_clear()


@pytest.mark.usefixtures("yaml_flavour")
def test_documents_lists_and_comments() -> None:
    text = f"""# first
---
# nothing here
---
{HEAD}data: {{x: y}}
---
apiVersion: v1
kind: List
items:
- {{apiVersion: v1, kind: Namespace, metadata: {{name: n}}}}
- {{apiVersion: v1, kind: Namespace, metadata: {{name: m}}}}
---
"""
    assert [_manifest.label(obj) for obj in load(text)] == [
        "ConfigMap n/a",
        "Namespace n",
        "Namespace m",
    ]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        # what says nothing is not sent
        ("data: {x: y, z: }", {"data": {"x": "y"}}),
        ("data:", {}),
        ("x: [{a: , b: 1}, ]", {"x": [{"b": 1}]}),
        # what the server writes is not sent
        ("status: {a: b}", {}),
        # a date stays text, as Kubernetes reads it; keys are text
        ("data: {x: 2026-01-31}", {"data": {"x": "2026-01-31"}}),
        ("data: {8080: x}", {"data": {"8080": "x"}}),
        ("x: 0o17", {"x": "0o17"}),
        ("base: &b {x: y}\ndata: {<<: *b, x: z}", {"base": {"x": "y"}, "data": {"x": "z"}}),
    ],
)
@pytest.mark.usefixtures("yaml_flavour")
def test_normal_form(given: str, sent: dict[str, Any]) -> None:
    (obj,) = load(HEAD + given)
    identity = {"apiVersion", "kind", "metadata"}
    assert {key: value for key, value in obj.items() if key not in identity} == sent


def test_what_was_read_from_a_cluster_may_be_sent_back() -> None:
    metadata = (
        "metadata: {name: a, namespace: n, uid: u, resourceVersion: '7', generation: 2, "
        "creationTimestamp: '2026-01-01T00:00:00Z', managedFields: [{manager: m}], labels: {a: b}}"
    )
    (obj,) = load(f"apiVersion: v1\nkind: ConfigMap\n{metadata}\n")
    assert obj["metadata"] == {"name": "a", "namespace": "n", "labels": {"a": "b"}}


def test_secrets_are_sent_as_data_alone() -> None:
    wrapped = base64.b64encode(b"x" * 60).decode()
    text = f"""{SECRET}stringData: {{b: plain, c: ""}}
data:
  a: YQ==
  b: YQ==
  long: |
    {wrapped[:40]}
    {wrapped[40:]}
"""
    (obj,) = load(text)
    assert "stringData" not in obj
    assert obj["data"] == {"a": "YQ==", "b": "cGxhaW4=", "c": "", "long": wrapped}
    assert "data" not in load(SECRET)[0]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["no object in the text"]),
        ("---\n# nothing\n---\n", ["no object in the text"]),
        ("just text", ["document 1 (line 1): not a manifest but text"]),
        ("- a\n", ["document 1 (line 1): not a manifest but a list"]),
        ("a: b", ["document 1 (line 1): no text in apiVersion, kind, metadata.name"]),
        ("kind: Pod\nmetadata: text", ["no text in apiVersion, metadata.name"]),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: 7}", ["no text in metadata.name"]),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-, namespace: n}",
            ["no text in metadata.name; generateName would make a new object on every run"],
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: 7}",
            ["metadata.namespace is no text: quote it"],
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}",
            ["document 1 (line 1), Pod a: no metadata.namespace, which this kind needs"],
        ),
        (
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}",
            ["Namespace b/a: this kind has no namespace: remove metadata.namespace"],
        ),
        (
            "apiVersion: v1\nkind: Pot\nmetadata: {name: a, namespace: b}",
            ["Pot b/a: The kind Pot of v1 is not known here"],
        ),
        (
            f"{HEAD}---\n{HEAD}",
            ["document 2 (line 5): ConfigMap n/a stands in document 1 (line 1) already"],
        ),
        (f"{HEAD}x: !!binary aGk=", ["holds a value that JSON does not know"]),
        (f"{HEAD}x: .nan", ["holds a value that JSON does not know"]),
        (f"{HEAD}x: !!set {{a, b}}", ["holds a value that JSON does not know"]),
        (
            f"{SECRET}data: {{a: {CANARY}!, b: 5, c: YQ==, d: [{CANARY}]}}",
            ["data.a is not base64", "data.b is not base64", "data.d is not base64"],
        ),
        (f"{SECRET}stringData: {{a: 5}}", ["stringData.a is a number and must be text: quote it"]),
        (f"{SECRET}stringData: [{CANARY}]", ["data and stringData must be mappings"]),
    ],
)
@pytest.mark.usefixtures("yaml_flavour")
def test_problems_are_all_said_and_quote_nothing(text: str, problems: list[str]) -> None:
    with pytest.raises(LitemaasError) as caught:
        load(text)
    said = str(caught.value)
    head = "1 problem;" if len(problems) == 1 else f"{len(problems)} problems;"
    assert said.startswith(f"The manifests have {head} nothing was sent.\n- ")
    assert said.count("\n- ") == len(problems)
    for problem in problems:
        assert problem in said
    assert CANARY not in said


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"a: b\nc: [{CANARY}", "line"),
        (f"a: *{CANARY}", "line 1, column 4"),
        (f"a: !{CANARY} x", "line 1, column 4"),
        (f"a: '{CANARY}", "line 1"),
        (f"a: %{CANARY}", "line 1, column 4"),
        (f"{HEAD}---\ndata: {{{CANARY}: x, {CANARY}: y}}", "line 5"),
        (f"{HEAD}yes: {CANARY}", "line 1"),
        (f"{HEAD}? [a]\n: {CANARY}", "line"),
        (f"{HEAD}x: {CANARY}\x07", "line"),
        (f"{HEAD}x: " + "[" * 2_000 + CANARY, "line"),
    ],
)
@pytest.mark.usefixtures("yaml_flavour")
def test_what_is_no_yaml_is_located_and_not_quoted(text: str, place: str) -> None:
    with pytest.raises(LitemaasError, match="no valid YAML") as caught:
        load(text)
    assert place in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_same_object_in_another_version_is_the_same() -> None:
    first = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: n}\n"
    second = first.replace("apps/v1", "apps/v1beta1")
    with pytest.raises(LitemaasError, match="stands in document 1"):
        _manifest.load(f"{first}---\n{second}", lambda *_kind: _resources.Resource("x", True))
