"""An Airflow plugin that kills tasks: a seeded tenth of all that start. The soak copies it into the server's home."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import hookimpl

SHARE, SEED = float(os.environ.get("SOAK_SHARE", "0.1")), os.environ.get("SOAK_SEED", "1")
LONGEST_SECONDS = 4.0
LOG = Path(os.environ["AIRFLOW_HOME"]) / "task-faults"


class Faults:
    """Kills the task's process some seconds after its start."""

    @hookimpl
    def on_task_instance_running(self, previous_state, task_instance):  # type: ignore[no-untyped-def]
        with LOG.open("ab") as log:
            log.write(b".")
            log.flush()
            number = os.fstat(log.fileno()).st_size
        draw = random.Random(f"{SEED}:{number}")
        if draw.random() >= SHARE:
            return
        seconds = draw.uniform(0, LONGEST_SECONDS)
        with LOG.with_suffix(".killed").open("a") as killed:
            killed.write(f"{number} {task_instance.dag_id} {task_instance.task_id} {seconds:.1f}\n")

        def kill() -> None:
            time.sleep(seconds)
            os.kill(os.getpid(), signal.SIGKILL)

        threading.Thread(target=kill, daemon=True).start()


class TaskFaultsPlugin(AirflowPlugin):
    """Makes Airflow tell of starting tasks."""

    name = "task_faults"
    listeners = (Faults(),)
