"""The servers: each is started once for the tests of its file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ecosystem.servers import Product, Server, free_port, run

FILES = Path(__file__).parent / "files"
AIRFLOW = Product("airflow", ("apache-airflow==3.3.2",))
AIRFLOW_2 = Product("airflow2", ("apache-airflow==2.11.2",))
# Newer releases of FastAPI no longer have what this release of Prefect calls.
PREFECT = Product("prefect", ("prefect==3.8.8", "fastapi==0.150.0"))
DAGSTER = Product("dagster", ("dagster==1.13.27", "dagster-webserver==1.13.27"))
USER, PASSWORD = "admin", "only-for-tests"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Airflow with the DAG `retrain`."""
    folder, programs, port = tmp_path_factory.mktemp("airflow"), AIRFLOW.install(), free_port()
    (folder / "passwords.json").write_text(json.dumps({USER: PASSWORD}))
    settings = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(FILES / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "AIRFLOW__API__WORKERS": "1",
    }
    run([str(programs / "airflow"), "db", "migrate"], folder, settings)
    run([str(programs / "airflow"), "dags", "reserialize"], folder, settings)
    command = [str(programs / "airflow"), "api-server", "--host", "127.0.0.1", "--port", str(port)]
    with Server(command, folder, settings, port, "/api/v2/version") as server:
        yield server


@pytest.fixture(scope="module")
def airflow_2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Airflow 2 with the DAG `retrain`."""
    folder, programs, port = tmp_path_factory.mktemp("airflow2"), AIRFLOW_2.install(), free_port()
    settings = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(FILES / "airflow2"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth",
        "AIRFLOW__WEBSERVER__WORKERS": "1",
    }
    command = str(programs / "airflow")
    someone = ["-u", USER, "-p", PASSWORD, "-r", "Admin", "-e", "admin@example.com", "-f", "A", "-l", "B"]
    run([command, "db", "migrate"], folder, settings)
    run([command, "users", "create", *someone], folder, settings)
    run([command, "dags", "reserialize"], folder, settings)
    with Server([command, "webserver", "-p", str(port)], folder, settings, port, "/health") as server:
        yield server


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of Prefect that asks for a password."""
    folder, programs, port = tmp_path_factory.mktemp("prefect"), PREFECT.install(), free_port()
    settings = {
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_API_AUTH_STRING": f"{USER}:{PASSWORD}",
    }
    command = [str(programs / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with Server(command, folder, settings, port, "/api/health") as server:
        yield server


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Dagster with the job `retrain`."""
    folder, programs, port = tmp_path_factory.mktemp("dagster"), DAGSTER.install(), free_port()
    settings = {"DAGSTER_HOME": str(folder), "DAGSTER_DISABLE_TELEMETRY": "yes"}
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    job = str(FILES / "dagster" / "pipelines.py")
    command = [str(programs / "dagster-webserver"), "-h", "127.0.0.1", "-p", str(port), "-f", job]
    with Server(command, folder, settings, port, "/server_info") as server:
        yield server


@pytest.fixture
def password(tmp_path: Path) -> str:
    """The path of a file with the password."""
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return str(path)
