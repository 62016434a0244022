"""Benchmarks: Sealgate against a private Postfix, on this machine, in one run, as both are installed.

`python -m bench.run` prints the relay table, `python -m bench.memory` the memory of many large messages,
`python -m bench.handshake` handshakes alone.  README.md says what is measured and how to read it.
"""
