"""A look at somebody's file without a database: what `charges check` reads, judges and shows."""
