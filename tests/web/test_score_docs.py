"""The OpenAPI document and its page, as the service serves them."""

from __future__ import annotations

import json
import re

from jsonschema import Draft202012Validator

from service.web.docs_page import docs_page
from service.web.openapi import openapi
from tools.score_tools import MadeUpModel, asking

SCHEMAS = openapi()["components"]["schemas"]


async def test_the_document_is_served() -> None:
    """The same as in `schemas/`."""
    async with asking(None) as client, client.session.get("/openapi.json") as response:
        assert openapi() == await response.json()


async def test_each_example_is_answered_as_the_document_says() -> None:
    """In one of the forms that it names."""
    answered = 0
    async with asking(MadeUpModel()) as client:
        for path, methods in openapi()["paths"].items():
            content = methods["post"]["requestBody"]["content"]["application/json"]["schema"]
            form = methods["post"]["responses"]["200"]["content"]["application/json"]["schema"]
            answer_schema = {**form, "components": {"schemas": SCHEMAS}}
            for reference in content.get("anyOf", [content]):
                schema = SCHEMAS[reference["$ref"].rpartition("/")[2]]
                for example in schema["examples"]:
                    status, answer = await client.post(path, example)
                    assert 200 == status
                    Draft202012Validator(answer_schema).validate(answer)
                    answered += 1
    assert 4 == answered


async def test_each_query_value_is_answered_as_the_document_says() -> None:
    """All values that it names."""
    post = openapi()["paths"]["/score"]["post"]
    [parameter] = post["parameters"]
    assert ("labels", "query") == (parameter["name"], parameter["in"])
    form = post["responses"]["200"]["content"]["application/json"]["schema"]
    async with asking(MadeUpModel(("NEGATIVE", "NEUTRAL", "POSITIVE"))) as client:
        for value in parameter["schema"]["enum"]:
            status, answer = await client.post(f"/score?labels={value}", {"inputs": "a"})
            assert 200 == status
            Draft202012Validator({**form, "components": {"schemas": SCHEMAS}}).validate(answer)


async def test_the_page_needs_nothing_else() -> None:
    """No script, image or other host; it shows each path, form and status."""
    async with asking(None) as client, client.session.get("/docs") as response:
        page = await response.text()
        assert "text/html" == response.content_type
        policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert not re.findall(r"<script|<img|<link|<iframe|\bsrc=|url\(|//", page)
    links = re.findall(r'href="([^"]*)"', page)
    anchors = {f"#{name}" for name in re.findall(r'id="([^"]*)"', page)}
    assert {"openapi.json", *anchors} == set(links)
    assert {f"#{name}" for name in SCHEMAS} == anchors
    for path, methods in openapi()["paths"].items():
        assert f"POST {path}" in page
        for parameter in methods["post"].get("parameters", ()):
            assert f"<td><code>{parameter['name']}</code></td><td>all or poles</td>" in page
        for status in methods["post"]["responses"]:
            assert f"<td>{status}</td>" in page


def test_the_page_escapes_what_it_shows() -> None:
    """In descriptions and in examples."""
    mark = "<script>alert(1)</script>"
    document = json.loads(json.dumps(openapi()).replace("Never again.", mark))
    document["info"]["title"] = document["info"]["description"] = mark
    document["components"]["schemas"]["Word"]["description"] = mark
    page = docs_page(document)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4
