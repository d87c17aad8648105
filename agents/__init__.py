"""Who acts: users, base stations, edges, the cloud; their knowledge, their models, their hosts (see README.md)."""

if __name__ != "semcast.agents":
    raise ImportError("this folder is semcast.agents: write `import semcast.agents` (after `make demo` or `pip install -e .`)")
