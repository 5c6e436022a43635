"""What the DAG files need from Airflow; the only package here that imports it."""
