from tests.api.conftest import api, clock, store, tables

__all__ = ["api", "clock", "store", "tables"]
