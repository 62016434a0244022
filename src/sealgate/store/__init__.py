"""Everything that is kept in a database, and all SQL. Nobody outside this room knows which engine it is."""
