"""Whom a target's connection trusts, and as whom it shows itself: certificates, read again when their files change."""

import ssl
from pathlib import Path

import httpx

from driftwatch.errors import SinkError
from driftwatch.sinks.targets.spec import TargetSpec

_Stamp = tuple[int, int, int]


class Certificates:
    """The TLS settings of one target. The server's certificate and name are verified always; TLS 1.2 is the least."""

    def __init__(self, spec: TargetSpec) -> None:
        self._spec = spec
        self._files = {
            key: path
            for key, path in (("ca_file", spec.ca_file), ("cert_file", spec.cert_file), ("key_file", spec.key_file))
            if path
        }
        self._seen: tuple[_Stamp, ...] = ()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """Give the settings, made anew when a file is not the one it was.

        Without ca_file the public authorities are trusted, with it those of the file alone. Raises SinkError when a
        file cannot be read or does not hold what it should.
        """
        seen = tuple(self._stamp(key, path) for key, path in self._files.items())
        if self._context is None or seen != self._seen:
            self._context, self._seen = self._made(), seen
        return self._context

    def check(self) -> None:
        """Read every file once. Raises SinkError as `context` does."""
        if self._files:
            self.context()

    def _stamp(self, key: str, path: str) -> _Stamp:
        try:
            status = Path(path).stat()
        except OSError as error:
            raise SinkError(f"target {self._spec.name}: {key} {path}: {error.strerror}") from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _made(self) -> ssl.SSLContext:
        spec = self._spec
        if spec.ca_file is None:
            context = httpx.create_ssl_context(trust_env=False)
        else:
            try:
                context = ssl.create_default_context(cafile=spec.ca_file)
            except OSError as error:
                raise self._wrong("ca_file", spec.ca_file, error) from error
        if spec.cert_file is not None:
            try:
                # An encrypted key must not ask the terminal for its password.
                context.load_cert_chain(spec.cert_file, spec.key_file, password=lambda: b"")
            except OSError as error:
                raise self._wrong("cert_file", spec.cert_file, error) from error
        return context

    def _wrong(self, key: str, path: str, error: OSError) -> SinkError:
        if not isinstance(error, ssl.SSLError):
            return SinkError(f"target {self._spec.name}: {key} {path}: {error.strerror}")
        what = "no certificate in PEM form" if key == "ca_file" else "no certificate with its unencrypted key, as PEM"
        return SinkError(f"target {self._spec.name}: {key} {path}: {what}")
