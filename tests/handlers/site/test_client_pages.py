"""The clients and collections that a service makes from its contracts."""

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from handlers.contracts import client_packages
from handlers.contracts.client_packages import ClientPackages
from handlers.contracts.publications import Publications
from openapi.generate.client_operations import client_model
from openapi.generate.collections import http_file, postman
from openapi.generate.languages.packages import Package, npm_tarball, python_wheel
from openapi.problems import Problem
from tests.handlers.site.test_contract_pages import oldest_as
from tests.service import CONTRACTS, Service


@pytest.fixture
def public(newest: Service) -> Iterator[httpx.Client]:
    """A client without credentials, of a service that tests share."""
    with httpx.Client(base_url=newest.url, timeout=30) as client:
        yield client


def test_each_client_is_listed_with_its_digest_and_its_installation(newest: Service, public: httpx.Client) -> None:
    """The digest is that of the file, which is the one that the contract makes, and that the command installs."""
    page = public.get("/contracts/1.1/clients").json()
    assert page["version"] == "1.1"
    assert [client["language"] for client in page["clients"]] == ["python", "typescript"]
    for client, make, program in zip(page["clients"], (python_wheel, npm_tarball), ("pip", "npm"), strict=True):
        made = make(client_model(CONTRACTS["1.1"]))
        assert client["file_name"] == made.file_name
        assert client["sha256"] == hashlib.sha256(made.content).hexdigest()
        assert client["bytes"] == len(made.content)
        assert client["install"] == f"{program} install {newest.url}/contracts/1.1/clients/{made.file_name}"
        for name in (client["language"], made.file_name):
            assert public.get(f"/contracts/1.1/clients/{name}").content == made.content


@pytest.mark.parametrize("path", ["clients/python", "clients/typescript", "collection", "http"])
def test_a_file_has_a_name_and_its_digest_as_tag(public: httpx.Client, path: str) -> None:
    """So that it is saved under that name, and is not sent again to those that have it."""
    whole = public.get(f"/contracts/2.0/{path}")
    assert whole.status_code == 200
    assert whole.headers["etag"] == f'"{hashlib.sha256(whole.content).hexdigest()}"'
    assert whole.headers["content-disposition"].startswith('attachment; filename="interaction')
    again = public.get(f"/contracts/2.0/{path}", headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = public.head(f"/contracts/2.0/{path}")
    assert (head.headers["content-length"], head.content) == (str(len(whole.content)), b"")


def test_collections_name_the_url_of_the_service(newest: Service, public: httpx.Client) -> None:
    """So that they work as they are."""
    assert public.get("/contracts/1.1/collection").text == postman.emit(CONTRACTS["1.1"], newest.url)
    assert public.get("/contracts/1.1/http").text == http_file.emit(CONTRACTS["1.1"], newest.url)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/contracts/1.1/clients/cobol", "there is no client for cobol"),
        ("/contracts/1.1/clients/interaction_reporting_client-2.0.1-py3-none-any.whl", "no client for this language"),
        ("/contracts/1.1/clients/%2e%2e", "there is no client for this language"),
        ("/contracts/1.1/clients/..%2Fx", "there is nothing at this path"),
        ("/contracts/1.1/clients/%22%0d%0ax", "there is no client for this language"),
        ("/contracts/9.9/clients", "there is no published contract of this version"),
        ("/contracts/9.9/clients/python", "there is no published contract of this version"),
        ("/contracts/%2e%2e/clients/python", "there is no published contract of this version"),
    ],
)
def test_what_is_not_there_is_404(newest: Service, path: str, error: str) -> None:
    """With what is there instead."""
    host, _, port = newest.url.removeprefix("http://").partition(":")
    with httpx.Client() as client:
        url = httpx.URL(scheme="http", host=host, port=int(port), raw_path=path.encode())
        response = client.get(url)
    assert response.status_code == 404
    assert error in response.json()["error"]


def test_a_retired_contract_has_no_clients(newest: Service, public: httpx.Client) -> None:
    """They could call nothing."""
    with oldest_as(newest, status="retired"):
        for path in ("clients", "clients/python", "collection", "http"):
            assert public.get(f"/contracts/1.0/{path}").status_code == 410
    assert public.get("/contracts/1.0/clients").status_code == 200


def test_a_draft_has_no_clients(newest: Service, public: httpx.Client) -> None:
    """It looks absent, like its document."""
    with oldest_as(newest, status="draft"):
        assert public.get("/contracts/1.0/clients/python").status_code == 404


def test_many_requests_make_a_client_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept until the contract changes."""
    made = []

    def counted(model: object) -> Package:
        made.append(model)
        return Package("a.whl", "application/zip", b"content")

    monkeypatch.setattr(client_packages, "LANGUAGES", {"python": (counted, "pip install {url}")})
    publications, packages = Publications(), ClientPackages(CONTRACTS["1.1"])

    async def ask() -> None:
        await asyncio.gather(*[publications.build(partial(packages.representation, "python")) for _ in range(200)])

    asyncio.run(ask())
    assert len(made) == 1


def test_a_contract_that_no_client_can_call_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the place and the reason, never with half a client."""
    contract = CONTRACTS["1.1"]
    monkeypatch.setitem(contract.document["components"]["schemas"], "Usage", {"allOf": [{}, {"type": "string"}]})
    with pytest.raises(Problem) as error:
        ClientPackages(contract).representation("python")
    assert error.value.status == 404
    assert "/components/schemas/Usage" in error.value.error


@pytest.mark.slow
def test_pip_installs_the_client_by_its_url_alone(public: httpx.Client, tmp_path: Path) -> None:
    """Without an index, and the package says which contract it is made from."""
    install = public.get("/contracts/1.1/clients").json()["clients"][0]["install"].split()
    subprocess.run([sys.executable, "-m", "venv", tmp_path], check=True)
    subprocess.run([tmp_path / "bin" / "pip", *install[1:], "--no-index", "--quiet"], check=True)
    shown = "import interaction_reporting as package; print(package.VERSION, package.DIGEST)"
    ran = subprocess.run([tmp_path / "bin" / "python", "-c", shown], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == ["1.1", CONTRACTS["1.1"].digest]
