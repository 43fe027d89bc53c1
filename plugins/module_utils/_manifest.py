# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One YAML text of any number of manifests, read strictly.

Internal to rhpds.litemaas: no stable interface for other collections.

Text instead of a list of dictionaries: Ansible takes ten times as long and as much memory to hand
960 dictionaries to a module as this takes to parse their text. Nothing a text holds is ever quoted
in a message: it may be a Secret.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._resources import Resource

_DEFINITION = "CustomResourceDefinition"
# What the server writes: it comes with manifests that were read from a cluster.
SERVER_METADATA = (
    *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"),
    *("managedFields", "resourceVersion", "selfLink", "uid"),
)


class Document(NamedTuple):
    """A YAML document and where it stands, counted from 1."""

    content: Any
    number: int
    line: int

    def __str__(self) -> str:
        return f"document {self.number} (line {self.line})"


def load(text: str, resource: Callable[[str, str], Resource]) -> list[dict[str, Any]]:
    """Parse, check and normalise a text.

    ``resource(api_version, kind)`` says whether a kind is namespaced and raises LitemaasError for
    one that the cluster does not have. Raises LitemaasError with all that is wrong with the text.
    """
    problems: list[str] = []
    objects: list[dict[str, Any]] = []
    seen: dict[tuple[str, ...], Document] = {}
    documents = list(parse(text))
    for document in documents:
        if isinstance(document.content, dict) and document.content.get("kind") == _DEFINITION:
            _resources.declare(document.content)
    for document in documents:
        found = list(_problems(document, resource))
        if not found:
            obj = document.content
            earlier = seen.setdefault(identity(obj), document)
            if earlier is not document:
                found = [f"{document}: {label(obj)} stands in {earlier} already"]
            else:
                found = [f"{document}, {label(obj)}: {problem}" for problem in _normalise(obj)]
            objects.append(obj)
        problems += found
    if not objects and not problems:
        problems = ["there is no object in the text"]
    if problems:
        head = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        listed = "\n".join(f"- {problem}." for problem in problems)
        raise LitemaasError(f"The manifests have {head}; nothing was sent.\n{listed}")
    return objects


def parse(text: str) -> Iterator[Document]:
    """Yield the documents, those of a ``kind: List`` one by one. Raises LitemaasError."""
    loader_class = _loader()
    import yaml

    number, line = 0, 1
    try:
        loader = loader_class(text)
        while loader.check_node():
            node = loader.get_node()
            number, line = number + 1, node.start_mark.line + 1
            content = loader.construct_document(node)
            if content is None:
                continue  # only comments between two lines of ---
            items = content.get("items") if isinstance(content, dict) else None
            if isinstance(items, list) and str(content.get("kind")).endswith("List"):
                yield from (Document(item, number, line) for item in items)
            else:
                yield Document(content, number, line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "unknown place"
        # What stands in quotes comes from the text.
        said = re.sub(r"'[^']*'|\"[^\"]*\"", "…", error.problem or "not understood")
        raise LitemaasError(
            f"The manifests are no valid YAML ({where}): {said}. Nothing was sent."
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        # Such as a control character, whose message quotes what stands around it.
        raise LitemaasError(
            f"The manifests are no valid YAML after line {line}: {type(error).__name__}. "
            "Nothing was sent."
        ) from None


def identity(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes an object unique: API group, kind, namespace, name."""
    metadata = obj["metadata"]
    group = obj["apiVersion"].rpartition("/")[0]
    return group, obj["kind"], metadata.get("namespace") or "", metadata["name"]


def label(obj: Mapping[str, Any]) -> str:
    """An object as messages name it: ``Service litemaas/litellm``, ``Namespace litemaas``."""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace")
    return f"{obj['kind']} {namespace + '/' if namespace else ''}{metadata['name']}"


def _problems(document: Document, resource: Callable[[str, str], Resource]) -> Iterator[str]:
    """What keeps a document from being sent as a manifest."""
    obj = document.content
    if not isinstance(obj, dict):
        yield f"{document}: not a manifest but {_named(obj)}"
        return
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    absent = [name for name in ("apiVersion", "kind") if not _is_text(obj.get(name))]
    if not _is_text(metadata.get("name")):
        absent.append("metadata.name")
    if absent:
        generated = "generateName" in metadata
        hint = "; generateName would make a new object on every run" if generated else ""
        yield f"{document}: no text in {', '.join(absent)}{hint}"
        return
    namespace = metadata.get("namespace")
    if namespace is not None and not _is_text(namespace):
        yield f"{document}: metadata.namespace is no text: quote it"
        return
    try:
        namespaced = resource(obj["apiVersion"], obj["kind"]).namespaced
    except LitemaasError as error:
        yield f"{document}, {label(obj)}: {str(error).rstrip('.')}"
        return
    if namespaced and not namespace:
        yield f"{document}, {label(obj)}: no metadata.namespace, which this kind needs"
    elif namespace and not namespaced:
        yield f"{document}, {label(obj)}: this kind has no namespace: remove metadata.namespace"


def _normalise(obj: dict[str, Any]) -> Iterator[str]:
    """Bring a manifest into the form that is sent, in place; yield what cannot be.

    Without values that say nothing (null), without what only the server writes, and Secrets with
    ``data`` alone: what ``stringData`` wrote could never be compared.
    """
    obj.pop("status", None)
    for name in SERVER_METADATA:
        obj["metadata"].pop(name, None)
    if obj["kind"] == "Secret" and obj["apiVersion"] == "v1":
        yield from _normalise_secret(obj)
    _prune(obj)
    try:
        json.dumps(obj, allow_nan=False)
    except (TypeError, ValueError):
        yield "holds a value that JSON does not know (binary, a set, infinity)"


def _normalise_secret(obj: dict[str, Any]) -> Iterator[str]:
    plain, encoded = obj.pop("stringData", None) or {}, obj.pop("data", None) or {}
    if not isinstance(plain, dict) or not isinstance(encoded, dict):
        yield "data and stringData must be mappings"
        return
    data: dict[str, str] = {}
    for name, value in encoded.items():
        try:
            data[name] = base64.b64encode(
                base64.b64decode("".join((value or "").split()), validate=True)
            ).decode()
        except (AttributeError, binascii.Error, ValueError):
            yield f"data.{name} is not base64: plain text goes into stringData"
    for name, value in plain.items():
        if value is not None and not isinstance(value, str):
            yield f"stringData.{name} is {_named(value)} and must be text: quote it"
        else:
            data[name] = base64.b64encode((value or "").encode()).decode()
    if data:
        obj["data"] = data


def _prune(value: Any) -> None:
    """Remove nulls from mappings, in place."""
    if isinstance(value, dict):
        for name in [name for name, item in value.items() if item is None]:
            del value[name]
        value = value.values()
    elif not isinstance(value, list):
        return
    for item in value:
        if isinstance(item, (dict, list)):
            _prune(item)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _named(value: Any) -> str:
    kinds = {dict: "a mapping", list: "a list", str: "text", bool: "a boolean", int: "a number"}
    return kinds.get(type(value), f"a {type(value).__name__}")


@cache
def _loader() -> Any:
    """Return libyaml's safe loader (the slow one where PyYAML lacks it), with stricter keys.

    Timestamps stay text, as Kubernetes reads YAML.
    """
    try:
        import yaml
    except ImportError as error:
        raise LitemaasError(
            f"The Python package PyYAML is missing ({error}): install it for the interpreter that "
            "runs this module."
        ) from error
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    merge, text = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:str"

    class Loader(base):  # type: ignore[misc,valid-type]
        """Refuses what other readers of the same text would understand differently."""

        def construct_object(self, node: Any, deep: bool = False) -> Any:
            # Nearly everything is text, for which the way of all nodes takes twice the time; and
            # nearly all of it stands in every instance, so that one copy serves.
            if node.tag == text and isinstance(node, yaml.ScalarNode):
                return sys.intern(node.value)
            return super().construct_object(node, deep)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            names = [key.value for key, _unused in node.value if key.tag != merge]
            if len(set(map(str, names))) != len(names):
                self._refuse(node, "a key stands twice in the same mapping")
            mapping = super().construct_mapping(node, deep)
            for key in mapping:
                if not isinstance(key, str):
                    return {self._key(key, node): value for key, value in mapping.items()}
            return mapping

        def _key(self, key: Any, node: Any) -> str:
            if isinstance(key, (str, int)) and not isinstance(key, bool):
                return str(key)
            self._refuse(node, "a key is no text: quote it")
            return ""

        def _refuse(self, node: Any, problem: str) -> None:
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, regexp) for tag, regexp in found if not tag.endswith(":timestamp")]
        for first, found in base.yaml_implicit_resolvers.items()
    }
    return Loader
