"""The local stack: an emulated AWS, the API and the tick, each a process of its own."""
