"""A county: many villages in one database, each with a key of its own and batches whose codes are good."""

import base64
import concurrent.futures
import ctypes
import ctypes.util
import datetime
import hashlib
import os
import random
import struct
import subprocess

import village
from server import CORES, Failed

BATCHES = 1_000
# As many codes as are asked for at most, however many there are.
ASKED = 200_000
EPOCH = datetime.date(2020, 1, 1)
# What a village consists of, each table after those that it points to.
COPIED = ("cooperative", "product", "variety", "grade", "household", "household_period", "plot", "plot_period",
          "plot_season", "batch", "stock_movement")


def host(number):
    return f"village-{number}.example.cn"


def found(server, villages):
    """Copies of the village that the program has made, as its founding and its imports would have left them.

    Answers hosts and paths of codes of all of them, in no order. Foreign keys hold in the copies as in the original.
    """
    village.found(server, plots=20, households=20)
    village.import_harvest(server, village.harvest_register(server, "C", BATCHES, plots=20))
    others = f"generate_series(2, {villages}) g"
    statements = [
        "SET ROLE taoyuan_owner",
        f"INSERT INTO village (id, name, brand) SELECT g, '村' || g, '品牌' || g FROM {others}",
        "INSERT INTO village_origin (origin, village_id) SELECT 'village-' || g || '.example.cn', g"
        f" FROM {others} ORDER BY g",
    ]
    # A few at a time: a transaction locks each sequence that it makes.
    for first in range(2, villages + 1, 100):
        statements.append(
            f"SELECT count(create_own_numbers(g)) FROM generate_series({first}, {min(first + 99, villages)}) g")
    statements.append("RESET ROLE")
    for table in COPIED:
        columns = server.sql(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
            f" AND attgenerated = '' AND attrelid = '{table}'::regclass AND attname <> 'village_id'")
        statements.append(
            f"INSERT INTO {table} (village_id, {columns}) OVERRIDING SYSTEM VALUE SELECT g, {columns}"
            f" FROM {others} CROSS JOIN {table} WHERE village_id = 1")
    server.psql("-c", "SET session_replication_role = replica", *(w for s in statements for w in ("-c", s)))
    template = [line.split("|") for line in server.sql(
        "SELECT batch_number, cooperative_id, issued_on, best_before FROM code WHERE village_id = 1").splitlines()]
    # Of the village that the program has made, its own codes are asked too.
    share = min(1, ASKED / (villages * len(template)))
    asked = [f"localhost:8080 /api/v1/codes/{payload}"
             for payload in village.payloads(server, "C", most=round(share * len(template)))]
    # Threads are enough: OpenSSL signs outside of Python's lock.
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        parts = [range(2 + n, villages + 1, CORES) for n in range(CORES)]
        for lines in pool.map(lambda part: issue(server, part, template, share), parts):
            asked += lines
    server.sql("VACUUM ANALYZE")
    server.sql("CHECKPOINT")
    random.Random(1).shuffle(asked)
    return asked


def issue(server, villages, template, share):
    """Gives each of the villages a key and signs its codes; answers the share of them that is asked for."""
    chance = random.Random(villages.start)
    keys, asked = [], []
    with subprocess.Popen(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", server.data / "run", "-U", "taoyuan_admin",
             "-d", "taoyuan", "-c", "\\copy code (village_id, batch_number, cooperative_id, key_id, issued_on,"
                                    " best_before, signature) FROM STDIN"],
            env=server.environment | {"PGOPTIONS": "-c session_replication_role=replica"}, stdin=subprocess.PIPE,
            text=True) as psql:
        for number in villages:
            key = Key(host(number))
            keys.append(f"({number}, {key.id}, '{host(number)}', 'ed25519', '\\x{key.public.hex()}')")
            rows = []
            for batch, cooperative, issued, best_before in template:
                body = struct.pack(">BHIHH", 0x11, key.id, int(batch), days(issued), days(best_before))
                signature = key.sign(body)
                rows.append(f"{number}\t{batch}\t{cooperative}\t{key.id}\t{issued}\t{best_before}\t"
                            f"\\\\x{signature.hex()}\n")
                if chance.random() < share:
                    payload = base64.b32encode(body + signature).decode()
                    asked.append(f"{host(number)} /api/v1/codes/{payload}")
            psql.stdin.write("".join(rows))
        psql.stdin.close()
    if psql.returncode:
        raise Failed("the codes of the county could not be copied")
    server.sql("INSERT INTO signing_key (village_id, key_id, origin, algorithm, public_key) VALUES " + ", ".join(keys))
    return asked


def days(day):
    return (datetime.date.fromisoformat(day) - EPOCH).days


class Key:
    """An Ed25519 key that signs codes as docs/CODE-FORMAT.md says. `openssl` would need a process for each."""

    def __init__(self, origin):
        library = ctypes.CDLL(ctypes.util.find_library("crypto"))
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        library.EVP_PKEY_new_raw_private_key.restype = library.EVP_MD_CTX_new.restype = pointer
        library.EVP_PKEY_new_raw_private_key.argtypes = [ctypes.c_int, pointer, ctypes.c_char_p, size]
        library.EVP_PKEY_get_raw_public_key.argtypes = [pointer, ctypes.c_char_p, ctypes.POINTER(size)]
        library.EVP_DigestSignInit.argtypes = [pointer] * 5
        library.EVP_DigestSign.argtypes = [pointer, ctypes.c_char_p, ctypes.POINTER(size), ctypes.c_char_p, size]
        self.library = library
        ed25519 = 1087
        self.key = library.EVP_PKEY_new_raw_private_key(ed25519, None, os.urandom(32), 32)
        self.context = library.EVP_MD_CTX_new()
        library.EVP_DigestSignInit(self.context, None, None, None, self.key)
        raw, length = ctypes.create_string_buffer(32), size(32)
        library.EVP_PKEY_get_raw_public_key(self.key, raw, ctypes.byref(length))
        self.public = bytes.fromhex("302a300506032b6570032100") + raw.raw
        self.id = int.from_bytes(hashlib.sha256(origin.encode() + b"\n\x01" + self.public).digest()[:2], "big")
        self.prefix = f"taoyuan-code/v1\n{origin}\n".encode()

    def sign(self, body):
        message = self.prefix + body
        signature, length = ctypes.create_string_buffer(64), ctypes.c_size_t(64)
        if self.library.EVP_DigestSign(self.context, signature, ctypes.byref(length), message, len(message)) != 1:
            raise Failed("OpenSSL does not sign")
        return signature.raw
