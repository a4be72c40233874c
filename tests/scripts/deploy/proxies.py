"""HAProxy and nginx with the configurations of the project, each on a free port, and replicas behind them."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.test_layers import ROOT

DEPLOY = ROOT / "scripts" / "deploy"
NGINX_MAIN = """
daemon off; pid {directory}/pid; error_log {directory}/error.log; worker_processes 1; worker_rlimit_nofile 4096;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {directory}/bodies; proxy_temp_path {directory}/answers;
    fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    include {directory}/nginx.conf;
}}
"""

Proxy = Callable[[int, int], AbstractContextManager[str]]


def program(name: str) -> str:
    """The path of the program `name`. Without it the test is skipped; in CI it fails."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"{name} is not installed")
    return path


def free_port() -> int:
    """A port of the loopback interface that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def unprivileged_directory() -> Iterator[Path]:
    """A temporary directory of the user that the proxies run as."""
    with tempfile.TemporaryDirectory(prefix="ir-proxy-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, "nobody")
        yield Path(name)


@contextmanager
def running(port: int, *command: str, **environment: str) -> Iterator[str]:
    """The URL of the proxy that `command` starts on `port`, as a user without rights."""
    user = "nobody" if os.geteuid() == 0 else None
    process = subprocess.Popen(command, env=os.environ | environment, user=user)
    try:
        wait_until_listening(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once `process` accepts connections on `port`."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args!r} ended"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError(f"{process.args!r} does not listen on {port}")


def haproxy_environment(port: int, first: int, second: int) -> dict[str, str]:
    """The variables of haproxy.cfg for these ports."""
    replicas = {"PROXY_REPLICA_1": f"127.0.0.1:{first}", "PROXY_REPLICA_2": f"127.0.0.1:{second}"}
    return {"PROXY_BIND": f"127.0.0.1:{port}", **replicas}


@contextmanager
def haproxy(first: int, second: int) -> Iterator[str]:
    """The URL of HAProxy in front of replicas on two ports."""
    port = free_port()
    configuration = str(DEPLOY / "haproxy.cfg")
    with unprivileged_directory() as directory:
        shutil.copy(configuration, directory)  # the user may be unable to read the project
        command = [program("haproxy"), "-db", "-f", str(directory / "haproxy.cfg")]
        with running(port, *command, **haproxy_environment(port, first, second)) as url:
            yield url


def nginx_files(directory: Path, port: int, first: int, second: int) -> Path:
    """Write nginx.conf with these ports into `directory`, and a main file that includes it; the path of the latter."""
    text = (DEPLOY / "nginx.conf").read_text()
    for line, number in (
        ("listen 127.0.0.1:8000", port),
        ("server 127.0.0.1:8081", first),
        ("server 127.0.0.1:8082", second),
    ):
        assert text.count(f"    {line}") == 1
        text = text.replace(line, f"{line.rpartition(':')[0]}:{number}")
    (directory / "nginx.conf").write_text(text)
    main = directory / "main.conf"
    main.write_text(NGINX_MAIN.format(directory=directory))
    return main


@contextmanager
def nginx(first: int, second: int) -> Iterator[str]:
    """The URL of nginx in front of replicas on two ports."""
    port = free_port()
    with unprivileged_directory() as directory:
        main = nginx_files(directory, port, first, second)
        error_log = str(directory / "start.log")
        with running(port, program("nginx"), "-e", error_log, "-p", str(directory), "-c", str(main)) as url:
            yield url


PROXIES: list[Proxy] = [haproxy, nginx]
