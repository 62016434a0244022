"""The fault test: a real gateway under load, its processes killed at random, and nothing acknowledged lost.

`test_kill.py` is the short form, `python -m tests.fault.soak` the long one.
"""
