"""Who may log in: accounts for mail, and operators."""
