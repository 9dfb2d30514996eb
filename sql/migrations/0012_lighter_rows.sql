-- Every change of every kind locked the village's row, to see that it is there: so many lockers of one row are what
-- PostgreSQL is slowest at. No village is ever deleted, and a row of the audit or a message is written in the
-- transaction of what it tells of, whose own foreign keys hold; these two guarded nothing more.
ALTER TABLE audit DROP CONSTRAINT audit_village_id_fkey;
ALTER TABLE message DROP CONSTRAINT message_village_id_booking_id_fkey;

-- How a booking began stands in its own row: what has happened to it since is in tour_booking_event. NULL for those that
-- came out of a register, and for older ones, which have an event of their beginning.
ALTER TABLE tour_booking ADD COLUMN began_as text, ADD COLUMN began_with int;
