"""Every act of an operator, whichever face it came from: status, queue, configuration."""
