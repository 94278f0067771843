"""Certificates for tests, signed by themselves."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

__all__ = ["certificate", "trusting"]


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """Write a new certificate for localhost and its key; their paths. `name` is its subject."""
    folder.mkdir(exist_ok=True)
    file, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(file)),
        ],
        check=True,
        capture_output=True,
    )
    return file, key


def trusting(*files: Path) -> ssl.SSLContext:
    """A client's context that trusts these certificates alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for file in files:
        context.load_verify_locations(file)
    return context
