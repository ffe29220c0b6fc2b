import pytest
from pydantic import ValidationError

from driftwatch.errors import ConfigError
from driftwatch.sources.kafka_security import SecuritySpec
from driftwatch.sources.kafka_spec import KafkaSpec

SASL = {"protocol": "SASL_SSL", "mechanism": "SCRAM-SHA-512", "username": "reader"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"protocol": "TLS"}, "protocol"),
        ({"protocol": "SASL_SSL"}, "SASL_SSL needs mechanism, username, and either password_file or password_env"),
        (SASL, "needs mechanism, username, and either password_file or password_env"),
        (SASL | {"password_file": "f", "password_env": "E"}, "either password_file or password_env"),
        (SASL | {"password": "secret"}, "secrets do not stand in this file: write password_file or password_env"),
        (SASL | {"password_env": "E", "mechanism": "GSSAPI"}, "mechanism"),
        ({"protocol": "SSL", "username": "reader"}, "SSL takes no mechanism, username or password"),
        ({"protocol": "PLAINTEXT", "password_file": "f"}, "PLAINTEXT takes no mechanism, username or password"),
        ({"protocol": "PLAINTEXT", "ca_file": "ca.pem"}, "PLAINTEXT takes no ca_file, cert_file or key_file"),
        ({"protocol": "SSL", "cert_file": "cert.pem"}, "cert_file and key_file belong together"),
    ],
)
def test_wrong_security_is_named(wrong, message):
    """Each contradiction is refused with a message that says what to write."""
    with pytest.raises(ValidationError, match=message):
        SecuritySpec(**wrong)


def test_password_from_a_file_is_read_again(tmp_path):
    """A rotated password is used by the next connection."""
    file = tmp_path / "password"
    file.write_text("first\n")
    spec = SecuritySpec(**SASL, password_file=str(file))
    assert spec.settings() == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "reader",
        "sasl_plain_password": "first",
    }
    file.write_text("second")
    assert spec.settings()["sasl_plain_password"] == "second"


def test_password_from_the_environment(monkeypatch):
    """A password may stand in the environment, and is not part of the spec."""
    monkeypatch.setenv("DW_TEST_PASSWORD", "from-outside")
    spec = SecuritySpec(**SASL, password_env="DW_TEST_PASSWORD")
    assert spec.settings()["sasl_plain_password"] == "from-outside"
    assert "from-outside" not in repr(spec)


def test_certificates_are_passed_on(tmp_path):
    """The files of a client certificate reach the client under its names."""
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    spec = SecuritySpec(
        protocol="SSL",
        ca_file=f"{tmp_path}/ca.pem",
        cert_file=f"{tmp_path}/cert.pem",
        key_file=f"{tmp_path}/key.pem",
    )
    assert spec.settings() == {
        "security_protocol": "SSL",
        "ssl_cafile": f"{tmp_path}/ca.pem",
        "ssl_certfile": f"{tmp_path}/cert.pem",
        "ssl_keyfile": f"{tmp_path}/key.pem",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SASL | {"password_file": "/nowhere/password"}, "password_file: /nowhere/password cannot be read"),
        (SASL | {"password_env": "DW_TEST_UNSET"}, "environment variable DW_TEST_UNSET holds no password"),
        ({"protocol": "SSL", "ca_file": "/nowhere/ca.pem"}, "there is no file /nowhere/ca.pem"),
    ],
)
def test_absent_secrets_are_configuration_errors(options, message):
    """What cannot be read is named in one line."""
    with pytest.raises(ConfigError, match=message):
        SecuritySpec(**options).settings()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"brokers": []}, "at least 1 item"),
        ({"brokers": ["localhost"]}, "match pattern"),
        ({"predictions": [], "labels": []}, "name at least one topic in predictions or labels"),
        ({"predictions": ["a", "b"], "labels": ["b"]}, "so name it once: b"),
        ({"predictions": ["a b"]}, "match pattern"),
        ({"group": ""}, "at least 1 character"),
        ({"discover": 30}, "write a duration as text"),
    ],
)
def test_wrong_kafka_source_is_named(wrong, message):
    """Each mistake in a Kafka source is refused with a message that says what to write."""
    right = {"type": "kafka", "brokers": ["localhost:9092"], "predictions": ["predictions"]}
    with pytest.raises(ValidationError, match=message):
        KafkaSpec(**(right | wrong))


def test_consumer_never_decides_by_itself():
    """Whatever is configured, positions are ours and only committed records are read."""
    settings = KafkaSpec(type="kafka", brokers=["localhost:9092"], predictions=["p"]).settings()
    assert settings["enable_auto_commit"] is False
    assert settings["isolation_level"] == "read_committed"
    assert settings["auto_offset_reset"] == "none"
