"""Runs iris-pgwire as `python -m iris_pgwire.server` does, but for its log.

The server prints a line for every row that it sends, and several for every statement,
which takes three quarters of its time. Here its log begins at warnings.
"""

import logging
import runpy

import structlog

_make = structlog.make_filtering_bound_logger
structlog.make_filtering_bound_logger = lambda level: _make(max(level, logging.WARNING))
runpy.run_module("iris_pgwire.server", run_name="__main__", alter_sys=True)
