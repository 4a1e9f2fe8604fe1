"""Find the residue of an addon in a database's structure and in every row."""

from __future__ import annotations

from psycopg2 import sql

from tools.postgres import Server

_STRUCTURE = {
    "table": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
    "column": """SELECT table_name || '.' || column_name FROM information_schema.columns
                  WHERE table_schema = 'public'""",
    "index": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'",
    "constraint": "SELECT conrelid::regclass || ': ' || conname FROM pg_constraint",
    "sequence": "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'",
    "function": """SELECT proname FROM pg_proc
                    WHERE pronamespace = 'public'::regnamespace""",
    "trigger": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


def structure(server: Server, database: str) -> set[tuple[str, str]]:
    """List tables, columns, indexes and the like.

    :param server: the database server
    :param database: the database's name on it
    :return: pairs of kind and name
    """
    return {
        (kind, name)
        for kind, query in _STRUCTURE.items()
        for (name,) in server.query(database, query)
    }


def indexes(server: Server, database: str, word: str) -> set[str]:
    """List indexes of tables and columns that have a word in their names.

    :param server: the database server
    :param database: the database's name on it
    :param word: such as ``keycrm``
    :return: the statements that would make them
    """
    query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE %s"
    return {statement for (statement,) in server.query(database, query, (f"%{word}%",))}


def rows_with(server: Server, database: str, word: str) -> dict[str, list[str]]:
    """Find a word in every row of every table.

    :param server: the database server
    :param database: the database's name on it
    :param word: the word, case-insensitive
    :return: the rows as text, by table
    """
    found = {}
    for kind, table in sorted(structure(server, database)):
        if kind != "table":
            continue
        query = sql.SQL("SELECT r::text FROM {} AS r WHERE r::text ILIKE %s").format(
            sql.Identifier(table)
        )
        if rows := [row for (row,) in server.query(database, query, (f"%{word}%",))]:
            found[table] = rows
    return found
