-- A calendar that people subscribe to has to go on telling of a session that takes no more bookings, and has to tell
-- that one is cancelled; public_tour_session, from which they book, shows neither.
CREATE VIEW public_tour_calendar AS
SELECT s.village_id, s.id, s.day, s.starts_at, s.ends_at, t.name AS site, p.name AS programme,
    s.state = 'cancelled' AS is_cancelled, s.version
FROM tour_session s
JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id;

GRANT SELECT ON public_tour_calendar TO taoyuan_public;
