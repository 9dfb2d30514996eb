"""A village that is large enough to be measured: registers as its clerks would keep them, and their import."""

import base64
import datetime
import pathlib
import struct
import subprocess
import time

from server import HERE, PROGRAM, Failed, peak_memory

PLOTS = 2000
HOUSEHOLDS = 200
COOPERATIVES = 4
# A cooperative beside them, with a plot and a household of its own.
SMALL = "小合作社"
VARIETY, GRADE, PRODUCT = "瑞蟠21号", "特级", "蟠桃"
TODAY = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date()
HARVESTED = TODAY - datetime.timedelta(days=2)
# The largest area that a plot may have, so that no ceiling refuses.
AREA_MU = 100_000
CEILING_GRAMS = AREA_MU * 5000 * 500
# The most that one batch may hold, in 斤.
HUGE = 200_000_000


def cooperative(plot):
    return f"第{plot % HOUSEHOLDS % COOPERATIVES + 1}合作社"


def found(server, plots=PLOTS, households=HOUSEHOLDS):
    """Imports households and plots, one of them of a cooperative of its own."""
    growers = ["户号,户主,网格,帮扶类别,合作社,人口,联系电话", f"S,户主,一网格,一般户,{SMALL},4,"]
    for number in range(households):
        growers.append(f"H{number},户主{number},一网格,一般户,{cooperative(number)},4,")
    fields = ["地块号,名称,合作社,户号,作物,面积亩,经度,纬度", f"S,小地块,{SMALL},S,{PRODUCT},{AREA_MU},,"]
    for number in range(1, plots + 1):
        fields.append(f"{number},{number}号,{cooperative(number)},H{number % households},{PRODUCT},{AREA_MU},,")
    for kind, lines in ("households", growers), ("plots", fields):
        path = server.folder / f"{kind}.csv"
        path.write_text("\n".join(lines) + "\n")
        server.taoyuan("import", kind, path)


def import_samples(server):
    """The registers of the sample village."""
    samples = HERE.parent.parent / "Tests/TestSupport/Resources/samples"
    for kind in "households", "plots", "harvest", "sales", "income", "bookings":
        server.taoyuan("import", kind, samples / f"{kind}.csv")


def harvest_register(server, prefix, rows, weight="200.0", plots=PLOTS, of_small=False):
    """A file of so many harvest slips."""
    path = server.folder / f"harvest-{prefix}.csv"
    with open(path, "w") as file:
        file.write("采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤,采收人\n")
        for row in range(rows):
            plot = "S" if of_small else row % plots + 1
            owner = SMALL if of_small else cooperative(plot)
            file.write(f"{prefix}{row},{HARVESTED},{owner},{plot},{PRODUCT},{VARIETY},{GRADE},"
                       f"{weight},张春生\n")
    return path


def import_harvest(server, path):
    """Seconds and the most megabytes that the import took."""
    taken = watched(server, "import", "harvest", path)
    path.unlink()
    return taken


def watched(server, *words):
    """Seconds and the most megabytes that a command took."""
    start = time.monotonic()
    with open(server.folder / "command.log", "w") as log:
        process = subprocess.Popen([PROGRAM, *words], env=server.environment, cwd=server.folder,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    memory = 0
    try:
        while process.poll() is None:
            memory = max(memory, peak_memory(process.pid) or 0)
            time.sleep(0.02)
    finally:
        if process.poll() is None:
            process.kill()
    if process.returncode:
        raise Failed(f"{words[0]}: {pathlib.Path(log.name).read_text().strip()[-2000:]}")
    return time.monotonic() - start, memory


def numbers(server, prefix):
    """The first and the last batch of a register; those between are its too."""
    low, high, count = map(int, server.sql(
        f"SELECT min(number), max(number), count(*) FROM batch WHERE slip LIKE '{prefix}%'").split("|"))
    if high - low + 1 != count:
        raise Failed(f"the numbers of {count} batches run from {low} to {high}")
    return low, high


def payloads(server, prefix, most=None):
    """The codes of a register's batches in no order, put together from the rows as their format says."""
    for line in server.sql(
        "SELECT c.key_id, c.batch_number, c.issued_on - DATE '2020-01-01',"
        " coalesce(c.best_before - DATE '2020-01-01', 65535), encode(c.signature, 'hex')"
        f" FROM code c JOIN batch b ON b.village_id = c.village_id AND b.number = c.batch_number"
        f" WHERE b.village_id = 1 AND b.slip LIKE '{prefix}%' AND c.serial = '' ORDER BY md5(c.batch_number::text)"
        f" LIMIT {most or 'ALL'}").splitlines():
        key, batch, issued, best_before, signature = line.split("|")
        body = struct.pack(">BHIHH", 0x11, int(key), int(batch), int(issued), int(best_before))
        yield base64.b32encode(body + bytes.fromhex(signature)).decode()
