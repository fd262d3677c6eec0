"""Bundles: a folder of tables that carries schools, people and ledgers in and out, all or nothing."""
