"""nginx with the configuration of docs/how-to/behind-a-proxy.md, on ports of its own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import page
from tests.hosts.program import free_port, running

__all__ = ["Proxy", "of_the_docs", "proxy"]

# What a Linux distribution has around the files of its sites, without root.
_AROUND = """
daemon off;
error_log stderr;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {sites}
}}
"""


class Proxy:
    """An nginx that runs."""

    def __init__(self, plain: int, tls: int) -> None:
        self.url = f"http://127.0.0.1:{plain}"
        self.secure = f"https://127.0.0.1:{tls}"


def of_the_docs(name: str) -> str:
    """The file of that name, as the page has it."""
    return next(block.code for block in page("docs/how-to/behind-a-proxy.md").blocks if block.file == name)


@contextlib.contextmanager
def proxy(folder: Path, upstream: int, locations: str = "", *, before: str = "", to: str = "") -> Iterator[Proxy]:
    """The site of the docs in front of the port `upstream`, and more `locations`; without TLS too.

    `before` stands before the site, and may have an `upstream` for it `to` lead to.
    """
    plain, tls = free_port(), free_port()
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=example.com"),
            *("-keyout", folder / "example.com.key", "-out", folder / "example.com.crt"),
        ],
        check=True,
        capture_output=True,
    )
    site = of_the_docs("nginx.conf")
    for told, here in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{tls} ssl; listen 127.0.0.1:{plain};"),
        ("/etc/ssl/", f"{folder}/"),
        ("127.0.0.1:3000", to or f"127.0.0.1:{upstream}"),
    ):
        assert told in site
        site = site.replace(told, here)
    body, end = site.rstrip().removesuffix("}"), "}"
    configuration = folder / "all.conf"
    configuration.write_text(_AROUND.format(folder=folder, sites=f"{before}{body}{locations}{end}"), "utf-8")
    nginx = shutil.which("nginx")
    assert nginx, "these tests need nginx; `make test` brings it"
    subprocess.run([nginx, "-t", "-q", "-c", configuration], check=True)
    with running(folder, [nginx, "-c", str(configuration)], plain):
        yield Proxy(plain, tls)
