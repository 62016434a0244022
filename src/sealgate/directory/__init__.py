"""Who may log in: local accounts."""
