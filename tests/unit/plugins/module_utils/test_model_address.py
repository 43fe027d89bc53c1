# SPDX-License-Identifier: MIT
"""Addresses of model servers as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _model_address
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_address import Service

INSIDE = "http://granite-predictor.genai.svc.cluster.local"


@pytest.mark.parametrize(
    ("given", "root", "first"),
    [
        ("https://m.example.com", "https://m.example.com", "/v1"),
        ("https://m.example.com/", "https://m.example.com", "/v1"),
        ("https://m.example.com:443/v1/", "https://m.example.com", "/v1"),
        ("https://M.Example.com:8443/v1", "https://m.example.com:8443", "/v1"),
        ("http://m.example.com:80", "http://m.example.com", "/v1"),
        ("m.example.com/v1", "https://m.example.com", "/v1"),
        (" m.example.com ", "https://m.example.com", "/v1"),
        ("granite-predictor.genai.svc:8080", "http://granite-predictor.genai.svc:8080", "/v1"),
        (
            "granite.genai.svc.cluster.local:8443",
            "https://granite.genai.svc.cluster.local:8443",
            "/v1",
        ),
        (f"{INSIDE}:8080/v1", f"{INSIDE}:8080", "/v1"),
        ("https://m.example.com/v1/models", "https://m.example.com", "/v1"),
        ("https://m.example.com/v1/chat/completions", "https://m.example.com", "/v1"),
        ("https://m.example.com/v1/embeddings/", "https://m.example.com", "/v1"),
        # What KServe's status says of a service that is deployed serverless.
        (f"{INSIDE}/v2/models/granite/infer", INSIDE, "/v1"),
        ("https://m.example.com/v1/models/granite:predict", "https://m.example.com", "/v1"),
        ("https://m.example.com/team//granite/v1", "https://m.example.com", "/team/granite/v1"),
        ("https://m.example.com/openai/v1", "https://m.example.com", "/openai/v1"),
        ("http://[::1]:8000", "http://[::1]:8000", "/v1"),
    ],
)
def test_one_address_has_one_form(given: str, root: str, first: str) -> None:
    address = _model_address.parse(given)
    assert (address.root, address.paths[0]) == (root, first)


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ("https://m.example.com/v1", ("/v1",)),
        ("https://m.example.com/api/v3", ("/api/v3",)),
        ("https://m.example.com", ("/v1", "/openai/v1", "")),
        ("https://m.example.com/team", ("/team/v1", "/team/openai/v1", "/team")),
    ],
)
def test_where_the_api_may_be(given: str, paths: tuple[str, ...]) -> None:
    assert _model_address.parse(given).paths == paths


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "none of a server"),
        ("ftp://m.example.com", "none of a server: it begins with https://"),
        ("https:///v1", "none of a server"),
        ("https://m.example.com:port", "cannot be read"),
        ("https://m.example.com/v1?api-version=1", "leave out what follows the path"),
        ("https://user:canary@m.example.com", "give the key as api_key"),
    ],
)
def test_what_is_no_address(given: str, said: str) -> None:
    with pytest.raises(LitemaasError, match=said) as caught:
        _model_address.parse(given)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "service"),
    [
        (f"{INSIDE}:8080", Service("granite-predictor", "genai", 8080)),
        ("http://a.b.svc", Service("a", "b", 80)),
        ("https://a.b.svc", Service("a", "b", 443)),
        ("https://a.b.example.com", None),
        ("https://a.svc.example.com", None),
    ],
)
def test_the_service_of_an_address_inside(given: str, service: Service | None) -> None:
    assert _model_address.parse(given).service == service


def service(*ports: dict[str, Any], cluster_ip: str = "10.0.0.1") -> dict[str, Any]:
    return {"spec": {"clusterIP": cluster_ip, "ports": list(ports)}}


@pytest.mark.parametrize(("asked", "port"), [(80, 80), (8080, 80), (8443, 8443), (9, None)])
def test_the_port_of_a_service(asked: int, port: int | None) -> None:
    ports = ({"port": 80, "targetPort": 8080}, {"port": 8443, "targetPort": "https"})
    assert _model_address.service_port(service(*ports), asked) == port


@pytest.mark.parametrize(
    ("given", "cluster_ip", "target", "root"),
    [
        (INSIDE, "None", 8080, f"{INSIDE}:8080"),
        (f"{INSIDE}:8080", "None", 8080, f"{INSIDE}:8080"),
        (INSIDE, "10.0.0.1", 8080, INSIDE),
        (INSIDE, "None", "http", INSIDE),
    ],
)
def test_pods_are_reached_on_their_own_port(
    given: str, cluster_ip: str, target: Any, root: str
) -> None:
    found = service({"port": 80, "targetPort": target}, cluster_ip=cluster_ip)
    assert _model_address.reached(_model_address.parse(given), found).root == root
