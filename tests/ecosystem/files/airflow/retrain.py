"""A DAG that asks for nothing: what is tested is that runs of it appear."""

from airflow.sdk import DAG

with DAG("retrain", schedule=None):
    pass
