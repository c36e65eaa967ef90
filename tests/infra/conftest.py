from tests.api.conftest import api, clock, store

__all__ = ["api", "clock", "store"]
