"""A small certificate authority for tests, made by openssl."""

import subprocess
from pathlib import Path

TIMEOUT_SECONDS = 30.0
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Signs keys of servers and clients; all files lie in its folder and live for two days."""

    def __init__(self, folder: Path, *, name: str = "authority") -> None:
        self._folder, self._name = folder, name
        self.certificate = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        self._openssl("-subj", f"/CN={name}", "-keyout", str(self._key), "-out", str(self.certificate))

    def issue(self, subject: str) -> tuple[Path, Path]:
        """A key and a certificate for a server on 127.0.0.1, or for a client of that name."""
        key, certificate = (self._folder / f"{self._name}-{subject}.{kind}" for kind in ("key", "pem"))
        signed = ["-CA", str(self.certificate), "-CAkey", str(self._key)]
        extensions = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
        self._openssl("-subj", f"/CN={subject}", *signed, *extensions, "-keyout", str(key), "-out", str(certificate))
        return key, certificate

    def issue_expired(self, subject: str) -> tuple[Path, Path]:
        """As `issue`, with a certificate that ended yesterday."""
        key, request, certificate = (
            self._folder / f"{self._name}-{subject}-expired.{kind}" for kind in ("key", "csr", "pem")
        )
        named = ["-subj", f"/CN={subject}", "-addext", "subjectAltName=IP:127.0.0.1"]
        _run("req", "-new", *_KEY, *named, "-keyout", str(key), "-out", str(request))
        signed = ["-CA", str(self.certificate), "-CAkey", str(self._key), "-copy_extensions", "copy"]
        _run("x509", "-req", "-days", "-1", "-in", str(request), *signed, "-out", str(certificate))
        return key, certificate

    def _openssl(self, *options: str) -> None:
        _run("req", "-x509", *_KEY, "-days", "2", *options)


def _run(*command: str) -> None:
    done = subprocess.run(
        ["openssl", *command], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"openssl could not make a certificate: {done.stderr[-500:]}")
