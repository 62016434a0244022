"""One revision of the configuration as live objects, built beside the running one and swapped in by one assignment."""
