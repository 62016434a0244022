"""Mail going out: where it goes, when it is tried, and one connection's conversation with a next hop."""
