"""Every text that the API's own description takes is tried with all texts that want to become code."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.test import Client

from aftersale.api.tokens import make_token
from aftersale.api.urls import api
from tests.conftest import Database
from tests.people.hostile import XSS

Spec = dict[str, Any]
TOGETHER = 8


def bodies(schema: Spec, text: str) -> Iterator[object]:
    """Values of this shape with the text wherever one may stand, as a value and as a name."""
    for one in schema.get("oneOf") or schema.get("anyOf") or []:
        yield from bodies(one, text)
    kind = schema.get("type")
    if kind == "array":
        yield from ([value] for value in bodies(schema["items"], text))
    elif kind == "object":
        named = {name: next(bodies(each, text)) for name, each in schema.get("properties", {}).items()}
        yield {**named, **({text: text, "ask": text} if schema.get("additionalProperties") else {})}
    elif kind in ("string", "integer", "null", None) and "oneOf" not in schema and "anyOf" not in schema:
        yield text


def posts() -> Iterator[tuple[str, Spec]]:
    for path, methods in api.get_openapi_schema()["paths"].items():
        if "post" in methods:
            yield path, _resolved(methods["post"])


def _resolved(spec: Any) -> Any:
    """With what it refers to in its place."""
    if isinstance(spec, list):
        return [_resolved(one) for one in spec]
    if not isinstance(spec, dict):
        return spec
    name = str(spec.get("$ref", "")).rpartition("/")[2]
    return (
        _resolved(api.get_openapi_schema()["components"]["schemas"][name])
        if name
        else {key: _resolved(value) for key, value in spec.items()}
    )


def requests(path: str, spec: Spec, text: str, known: str) -> Iterator[tuple[str, object]]:
    """Addresses and bodies: the text in the path, in what is asked, and in the body of what is known."""
    schema = spec["requestBody"]["content"]["application/json"]["schema"]
    given = [one["name"] for one in spec.get("parameters", []) if one["in"] == "path"]
    plain = path
    for name in given:
        plain = plain.replace(f"{{{name}}}", known)
        yield path.replace(f"{{{name}}}", quote(text, safe="")), {}
    for one in spec.get("parameters", []):
        if one["in"] == "query":
            yield f"{plain}?{one['name']}={quote(text, safe='')}", next(bodies(schema, text))
    for body in bodies(schema, text):
        yield plain, body


def test_no_text_of_a_request_becomes_code_or_an_error_of_ours(shops: Database) -> None:
    token = make_token("主管阿兰", "texts", acts=True)
    assert isinstance(token, str)
    client = Client(
        raise_request_exception=False,
        headers={"host": "127.0.0.1", "authorization": f"Bearer {token}"},
    )
    known = client.get("/api/ask").json()[0]["question"]
    wrong, sent = [], 0
    for path, spec in posts():
        for start in range(0, len(XSS), TOGETHER):
            text = " ".join(XSS[start : start + TOGETHER])
            for address, body in requests(path, spec, text, known):
                answer = client.post(address, json.dumps(body), content_type="application/json")
                sent += 1
                if answer.status_code == 404 and not answer["Content-Type"].startswith("application/json"):
                    continue  # a slash in the text: no such address
                said = (
                    answer.status_code,
                    answer["Content-Type"].split(";")[0],
                    answer.headers.get("X-Content-Type-Options"),
                )
                json.loads(answer.content)
                if said[0] >= 500 or said[1:] != ("application/json", "nosniff"):
                    wrong.append(f"{address[:80]} {said}")
    assert (wrong[:5], sent > 4 * len(XSS) // TOGETHER) == ([], True)
