-- How many visitors scanned a code on a day, kept beside the scans: to count them anew at each would take the longer the
-- more there are. Only the day's own counts are kept, as the day's key is.
CREATE TABLE scan_count (
    village_id int NOT NULL,
    day date NOT NULL,
    batch_number bigint NOT NULL,
    serial bytea NOT NULL DEFAULT '',
    visitors bigint NOT NULL CHECK (visitors >= 0),
    PRIMARY KEY (village_id, day, batch_number, serial),
    FOREIGN KEY (village_id, batch_number, serial) REFERENCES code
);
INSERT INTO scan_count (village_id, day, batch_number, serial, visitors)
SELECT s.village_id, s.day, s.batch_number, s.serial, count(*) FROM scan s
JOIN scan_key k ON k.village_id = s.village_id AND k.day = s.day
GROUP BY s.village_id, s.day, s.batch_number, s.serial;

ALTER TABLE scan_count ENABLE ROW LEVEL SECURITY;
CREATE POLICY scan_count_scope ON scan_count
    USING (nullif(village_id = nullif(current_setting('taoyuan.village', true), '')::int, false) IS NOT NULL);
