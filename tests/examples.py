"""How many worlds a property is tried on."""

from __future__ import annotations

from hypothesis import settings


def examples(count: int) -> settings:
    """So many, each as long as it takes; under the profile `quick` a quarter of them."""
    share = settings.default.max_examples / 100
    return settings(max_examples=max(1, round(count * share)), deadline=None)
