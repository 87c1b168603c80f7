"""Logs as lines of key and value. Nothing that a person typed goes in, nor any secret."""

import logging
import sys
from pathlib import Path

import structlog


def configure(level: str) -> None:
    """Write to standard error from `level` on (DEBUG, INFO, WARNING, ERROR)."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    logging.basicConfig(level=number, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(max(number, logging.WARNING))
    logging.getLogger("apscheduler").setLevel(max(number, logging.WARNING))
    # even its warnings hold whole addresses, and those of channels are secrets
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The log of one module."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(module=name)
    return bound


def place_of(error: BaseException) -> str:
    """File and line where an error came up; nothing of its message, which can hold what a person typed."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
