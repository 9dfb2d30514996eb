-- Takes a seat without a service: the conditional UPDATE over the CHECK, and the INSERT of the booking.
\set session random(:first, :last)
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL taoyuan.village = 1;
SET LOCAL taoyuan.cooperative = 0;
UPDATE tour_session SET held = held + 1
WHERE village_id = :village AND id = :session AND state = 'open' AND held + booked + 1 <= capacity;
INSERT INTO tour_booking (village_id, reference, unit, unit_kind, headcount, leader, phone, state, hold_until, fee_fen,
    actor)
VALUES (:village, translate(upper(substr(md5(random()::text), 1, 12)), '0189', 'GHIJ'), '区委党校主体班', 'party_school', 1,
    '韩老师', '13' || lpad((random() * 999999999)::bigint::text, 9, '0'), 'requested', now() + interval '2 days', 6800, 'public');
COMMIT;
