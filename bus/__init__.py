"""What lies between two agents: messages, subjects, simulated time, transport, trace, radio channel (see README.md)."""

if __name__ != "semcast.bus":
    raise ImportError("this folder is semcast.bus: write `import semcast.bus` (after `make demo` or `pip install -e .`)")
