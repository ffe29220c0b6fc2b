"""A DAG that asks for nothing: what is tested is that runs of it appear."""

from datetime import UTC, datetime

from airflow import DAG

with DAG("retrain", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):  # noqa: AIR311 - this one is for Airflow 2
    pass
