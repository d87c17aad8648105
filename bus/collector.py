"""Python's garbage collector while messages fly: it would look at every batch again and again and find nothing.

Messages hold no cycles and are freed by reference counts. With the default setting the collector runs after 700 new containers,
in the midst of decoding a batch; that alone costs a third of the time of reading one.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 100_000
"""New containers (lists, dicts, classes with cycles) before a collection; cycles, as in tracebacks, are still found."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Within, what exists already is left alone, and new containers are looked at seldom; afterwards all is as before."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
