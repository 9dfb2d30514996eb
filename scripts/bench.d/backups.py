"""Backing up a village of many batches and restoring it, by turns with PostgreSQL's programs alone."""

import shutil
import time

import village
from server import run


def once(server, turn):
    """Seconds of backup, `pg_dump`, restore and `pg_restore`, and the most megabytes that the program took.

    Restoring makes a cluster and grants anew, too; `pg_restore` has a database to restore into.
    """
    def timed(*words):
        start = time.monotonic()
        run(words, env=server.environment)
        return time.monotonic() - start

    file, plain, target = (server.folder / f"{name}{turn}" for name in ("backup", "dump", "restored"))
    login = "-h", server.data / "run", "-U", "taoyuan_admin"
    backup, memory = village.watched(server, "backup", file)
    dump = timed("pg_dump", *login, "-Fc", "-f", plain, "taoyuan")
    restore, more = village.watched(
        server, "restore", file, "--data-dir", target, "--key-passphrase-file", server.data / "key-passphrase")
    run(["createdb", *login, f"beside{turn}"], env=server.environment)
    pg_restore = timed("pg_restore", *login, "-1", "-d", f"beside{turn}", plain)
    run(["dropdb", *login, f"beside{turn}"], env=server.environment)
    for path in file, plain:
        path.unlink()
    shutil.rmtree(target)
    return backup, dump, restore, pg_restore, max(memory, more)
