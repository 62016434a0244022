"""Sealgate, an open secure email gateway that shows, governs and proves the TLS it speaks."""

__version__ = "0.1.0"
