"""Programs that use the client for TypeScript: a few lines of JavaScript, run by Node.js."""

import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from openapi.clients.python.batches import Limits
from openapi.clients.python.operations import Operation
from openapi.clients.python.outbox_files.items import Kind
from openapi.generate.client_model import ClientModel
from openapi.generate.client_operations import client_model
from openapi.generate.languages import packages
from tests.examples import NEWEST
from tests.service import CONTRACTS

SECONDS = 60
PRELUDE = """\
import * as api from "./package/index.js";
const { Client, Outbox, errors } = api;
const given = JSON.parse(process.argv[2]);
const show = (value) => console.log(JSON.stringify(value));
const fields = (error) => ({ ...error, name: error.name, message: error.message });
const caught = (promise) => promise.then(() => null, fields);
"""


@cache
def model(version: str = NEWEST) -> ClientModel:
    """What the client for a contract is made of."""
    return client_model(CONTRACTS[version])


def kinds() -> list[Kind]:
    """What a fake hub takes: the batches of the newest contract."""
    return [
        Kind(each.resource, Operation(each.name, each.method, each.path), each.batch.key_field, "", Limits())
        for each in model().kinds
        if each.batch
    ]


@dataclass(frozen=True)
class Programs:
    """A directory with the package."""

    directory: Path

    def run(self, code: str, **given: Any) -> list[Any]:
        """The values that a program shows; AssertionError if it fails. `given` is what it is given."""
        completed = subprocess.run(
            self._command(code, given), cwd=self.directory, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        assert completed.returncode == 0, completed.stderr + completed.stdout
        return [json.loads(line) for line in completed.stdout.splitlines()]

    @contextmanager
    def running(self, code: str, **given: Any) -> Iterator["subprocess.Popen[str]"]:
        """A program while it runs; it is killed at the end."""
        with subprocess.Popen(
            self._command(code, given), cwd=self.directory, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def _command(self, code: str, given: dict[str, Any]) -> list[str]:
        path = self.directory / f"program{abs(hash(code))}.mjs"
        path.write_text(PRELUDE + code)
        return ["node", str(path), json.dumps(given)]


def programs(directory: Path, version: str = NEWEST) -> Programs:
    """Programs with the client for a contract. Without Node.js the test is skipped; in CI it fails."""
    if not shutil.which("node"):
        (pytest.fail if "CI" in os.environ else pytest.skip)("Node.js is not installed")
    unpack(packages.npm_tarball(model(version)), directory)
    return Programs(directory)


def unpack(package: packages.Package, directory: Path) -> None:
    """Write the files of a tarball."""
    with tarfile.open(fileobj=io.BytesIO(package.content)) as archive:
        archive.extractall(directory, filter="data")
