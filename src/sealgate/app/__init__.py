"""Assembly: every process of the gateway is put together here from the rooms below, and nothing else happens here."""
