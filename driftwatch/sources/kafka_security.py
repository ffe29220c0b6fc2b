"""How to prove who we are to Kafka: `security = { … }` of a Kafka source, turned into the client's settings."""

import os
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from driftwatch.errors import ConfigError
from driftwatch.spec import LocatedPath, Spec


class SecuritySpec(Spec):
    """`security` of a Kafka source. The password is never written here: it stands in a file or in the environment.

    The broker's certificate and host name are always verified; `ca_file` replaces the system's authorities.
    """

    hints: ClassVar = {"password": "secrets do not stand in this file: write password_file or password_env"}

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str = ""
    password_file: LocatedPath = ""
    password_env: str = ""
    ca_file: LocatedPath = ""
    cert_file: LocatedPath = ""
    key_file: LocatedPath = ""

    @model_validator(mode="after")
    def _fits_protocol(self) -> Self:
        named = bool(self.mechanism), bool(self.username), bool(self.password_file) != bool(self.password_env)
        if self.protocol.startswith("SASL") and not all(named):
            raise ValueError(f"{self.protocol} needs mechanism, username, and either password_file or password_env")
        if not self.protocol.startswith("SASL") and (any(named) or self.password_file):
            raise ValueError(f"{self.protocol} takes no mechanism, username or password: use SASL_SSL")
        if not self.protocol.endswith("SSL") and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError(f"{self.protocol} takes no ca_file, cert_file or key_file: use SSL or SASL_SSL")
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("cert_file and key_file belong together")
        return self

    def settings(self) -> dict[str, Any]:
        """Give the settings of kafka-python, with the password as its file or variable holds it now.

        ConfigError when the password or a certificate file cannot be read.
        """
        found: dict[str, Any] = {"security_protocol": self.protocol}
        for key, setting in (("ca_file", "ssl_cafile"), ("cert_file", "ssl_certfile"), ("key_file", "ssl_keyfile")):
            path = getattr(self, key)
            if path and not Path(path).is_file():
                raise ConfigError(f"security.{key}: there is no file {path}; make it readable or name another")
            if path:
                found[setting] = path
        if self.mechanism:
            found |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self._password(),
            }
        return found

    def _password(self) -> str:
        if self.password_env:
            password = os.environ.get(self.password_env, "")
            where = f"security.password_env: the environment variable {self.password_env}"
        else:
            where = f"security.password_file: {self.password_file}"
            try:
                password = Path(self.password_file).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                raise ConfigError(f"{where} cannot be read: {reason}") from error
        if not password:
            raise ConfigError(f"{where} holds no password")
        return password
