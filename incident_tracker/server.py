"""The web server: gunicorn with threads; with one process the worker beats inside it."""

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from incident_tracker.config import Config
from incident_tracker.factory import create_app
from incident_tracker.worker import Worker, settle_in


class Server(BaseApplication):
    """Pages on `host:port` from `processes` processes.

    The application is made in each process after the fork: a scheduler or a database connection made before it would be
    dead or shared.
    """

    def __init__(self, config: Config, *, host: str, port: int, processes: int, threads: int, with_worker: bool) -> None:
        self._config, self._with_worker = config, with_worker
        self._options: dict[str, Any] = {
            "bind": f"{host}:{port}",
            "workers": processes,
            "threads": threads,
            "worker_class": "gthread",
            "timeout": 60,
            "graceful_timeout": 10,
            "accesslog": None,
            "loglevel": "warning",
            "preload_app": False,
            "post_worker_init": self._start_worker,
            "worker_exit": self._stop_worker,
            "control_socket_disable": True,
        }
        self._app: Flask | None = None
        self._worker: Worker | None = None
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        self._app = create_app(self._config)
        return self._app

    def _start_worker(self, _process: Any) -> None:
        if self._with_worker and self._app is not None:
            self._worker = Worker(self._app)
            self._worker.start()
        else:
            settle_in()

    def _stop_worker(self, _arbiter: Any, _process: Any) -> None:
        if self._worker is not None:
            self._worker.stop()
