"""Source of modules, wherever they were imported from."""

from __future__ import annotations

from importlib.abc import InspectLoader
from types import ModuleType


def source_of(module: ModuleType) -> str:
    """Return a module's source, as the loader that imported it has it."""
    loader = module.__spec__.loader if module.__spec__ else None
    source = loader.get_source(module.__name__) if isinstance(loader, InspectLoader) else None
    assert source, f"{module.__name__} was imported without its source"
    return source
