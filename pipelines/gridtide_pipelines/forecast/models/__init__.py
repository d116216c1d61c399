"""The forecast models, one module each with its ``MODEL``, and the processes that run them.

There is no list to edit: a module in this folder with a ``MODEL`` is a model.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pkgutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import cache

from gridtide.errors import BadInput
from gridtide_pipelines.errors import NotEnoughHistory
from gridtide_pipelines.forecast.forecaster import (
    Fitted,
    Forecaster,
    ForecastSlots,
    Known,
    newest_versions,
)

DEFAULT = "default"
# The default is the first of these with enough history. On January to June 2021 of eight zones
# prophet has the lowest error over 72 h (10.8 %; naive 12.3, weekly 15.3) and captures most of
# what perfect foresight saves a 4 h job within 72 h (69 %). weekly stands before naive
# because it captures more (57 against 53 %), although its error is higher.
CHAIN = ("prophet", "weekly", "naive")


@cache
def models() -> Mapping[str, Forecaster]:
    """Return every forecast model, by its name with version."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    found = [module.MODEL for module in modules if hasattr(module, "MODEL")]
    return {model.name: model for model in sorted(found, key=lambda model: model.name)}


def chain(name: str) -> tuple[Forecaster, ...]:
    """Return the models to try in turn: one, or for ``default`` those from best to most frugal.

    Args:
        name: with version (``weekly@1``), without for the newest, or ``default``.

    Raises:
        BadInput: no forecaster has that name; lists those there are.
    """
    by_name = {**models(), **newest_versions(models())}
    if name == DEFAULT:
        return tuple(by_name[part] for part in CHAIN)
    if name not in by_name:
        raise BadInput(
            f"unknown model {name!r}; give {DEFAULT} or one of "
            f"{', '.join(sorted(newest_versions(models())))}"
        )
    return (by_name[name],)


def predict_in_turn(
    models: Sequence[Forecaster],
    known: Known,
    horizon: timedelta,
    *,
    fitted: Callable[[Forecaster, Known], Fitted],
    interval: bool = True,
) -> tuple[str, ForecastSlots]:
    """Forecast with the first model that is able; return its name and the slots.

    Args:
        fitted: gives a model's fit for what is known: a kept or a new one.
        interval: as `Fitted.predict` takes it.

    Raises:
        NotEnoughHistory: none is able; says why for each.
    """
    refusals = []
    for model in models:
        try:
            made = fitted(model, known).predict(known, known.at, horizon, interval=interval)
        except NotEnoughHistory as error:
            refusals.append(str(error))
        else:
            return model.name, made
    raise NotEnoughHistory("; ".join(refusals))


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of that many processes; none is started before there is work.

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
