"""Processes that work side by side and do not outlive the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """A pool of so many processes; none is started before there is work.

    They are spawned: forked ones would share the store's connection and the writer's lock.
    """
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=_die_with_parent)


def _die_with_parent() -> None:
    """End this process when its parent ends, however it does.

    The pool itself tells its workers only when it is shut down; after a kill -9 they would
    wait for work for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
