"""Recomputes what must always be true on a live database, and names everything that is not."""

from database import Database
from models.tickets import LIVE_TICKET

VIOLATIONS_NAMED_MAX = 100

_SEAT = "'event ' || s.event_id || ', seat ' || s.index"
_CODE = "'user ' || c.user_id || ', code for ' || c.purpose || ' ' || c.object_id"
_ORDER = "'event ' || o.event_id || ', order ' || o.reference"

INVARIANTS = {
    "1. A seat has at most one live ticket": f"""
        SELECT 'event ' || event_id || ', seat ' || index FROM tickets WHERE {LIVE_TICKET}
        GROUP BY event_id, index HAVING count(*) > 1""",
    "2. A sold seat has a live ticket": f"""
        SELECT {_SEAT} FROM seats s WHERE s.status IN ('S', 'C') AND NOT EXISTS (
            SELECT FROM tickets t WHERE t.event_id = s.event_id AND t.index = s.index AND t.{LIVE_TICKET})""",
    "2. The seat of a live ticket is sold": f"""
        SELECT {_SEAT} FROM tickets t JOIN seats s ON s.event_id = t.event_id AND s.index = t.index
        WHERE t.status IN ('ACTIVE', 'CHECKED_IN')
            AND s.status <> CASE t.status WHEN 'ACTIVE' THEN 'S' ELSE 'C' END""",
    "2. A held or sold seat stands in the order that it names": f"""
        SELECT {_SEAT} FROM seats s WHERE s.order_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM order_items i
            WHERE i.event_id = s.event_id AND i.order_id = s.order_id AND i.index = s.index)""",
    "2. A sold seat is of a paid order, and its ticket too": f"""
        SELECT {_SEAT} FROM seats s LEFT JOIN orders o ON o.event_id = s.event_id AND o.id = s.order_id
        LEFT JOIN tickets t ON t.event_id = s.event_id AND t.index = s.index AND t.{LIVE_TICKET}
        WHERE s.status IN ('S', 'C')
            AND (coalesce(o.status, '') NOT IN ('CONFIRMED', 'COMPLETED') OR t.order_id <> s.order_id)""",
    "3. A hold is of a PENDING order with the same time": f"""
        SELECT {_SEAT} FROM seats s LEFT JOIN orders o ON o.event_id = s.event_id AND o.id = s.order_id
        WHERE s.status = 'H' AND (o.status IS DISTINCT FROM 'PENDING' OR o.held_until <> s.held_until)""",
    "4. A PENDING order in its time holds every seat of it": f"""
        SELECT DISTINCT {_ORDER} FROM orders o
        JOIN order_items i ON i.event_id = o.event_id AND i.order_id = o.id
        JOIN seats s ON s.event_id = i.event_id AND s.index = i.index
        WHERE o.status = 'PENDING' AND o.held_until > statement_timestamp()
            AND (s.order_id IS DISTINCT FROM o.id OR s.status <> 'H')""",
    "4. A CONFIRMED order has a ticket for every seat of it": f"""
        SELECT {_ORDER} FROM orders o WHERE o.status = 'CONFIRMED'
            AND (SELECT count(*) FROM order_items i WHERE i.event_id = o.event_id AND i.order_id = o.id)
             <> (SELECT count(DISTINCT t.index) FROM tickets t
                 WHERE t.event_id = o.event_id AND t.order_id = o.id)""",
    "4. An order's total is the sum of its items": f"""
        SELECT {_ORDER} FROM orders o WHERE o.total_minor <> (
            SELECT coalesce(sum(i.price_minor), 0) FROM order_items i
            WHERE i.event_id = o.event_id AND i.order_id = o.id)""",
    "5. A seat's versions grow by 1, and the log ends with the seat as it is": f"""
        SELECT {_SEAT} FROM seats s JOIN LATERAL (
            SELECT max(version) AS last, min(version) AS first, count(*) AS changes,
                (array_agg(status ORDER BY version DESC))[1] AS status
            FROM seat_changes c WHERE c.event_id = s.event_id AND c.index = s.index) AS log ON log.changes > 0
        WHERE log.last <> s.version OR log.status <> s.status OR log.last - log.first + 1 <> log.changes""",
    "5. A seat that changed has a log, until it is trimmed": f"""
        SELECT {_SEAT} FROM seats s JOIN streams t ON t.event_id = s.event_id
        WHERE s.version > 0 AND t.revision = 0 AND NOT EXISTS (
            SELECT FROM seat_changes c WHERE c.event_id = s.event_id AND c.index = s.index)""",
    "6. Revisions have no gaps and end with the stream's": """
        SELECT 'event ' || t.event_id FROM streams t JOIN LATERAL (
            SELECT max(revision) AS last, min(revision) AS first, count(*) AS numbered
            FROM seat_changes c WHERE c.event_id = t.event_id AND revision IS NOT NULL) AS log
            ON log.numbered > 0
        WHERE log.last <> t.revision OR log.last - log.first + 1 <> log.numbered""",
    "8. A balance equals its movements": """
        SELECT 'user ' || a.user_id || ', ' || a.currency FROM accounts a WHERE a.balance_minor <> (
            SELECT coalesce(sum(CASE m.credit WHEN 'CREDITS' THEN m.amount_minor ELSE -m.amount_minor END), 0)
            FROM movements m WHERE m.user_id = a.user_id AND m.currency = a.currency)""",
    "8. A movement has one person's credits and one other account, so that all of them sum to zero": """
        SELECT 'user ' || user_id || ', movement ' || id FROM movements
        WHERE (debit = 'CREDITS') = (credit = 'CREDITS') OR amount_minor <= 0""",
    "9. No balance is negative": """
        SELECT 'user ' || user_id || ', ' || currency FROM accounts WHERE balance_minor < 0""",
    "10. A CONFIRMED order was charged once, what it costs, unless a counter took the money": f"""
        SELECT {_ORDER} FROM orders o WHERE o.status IN ('CONFIRMED', 'REFUNDED')
            AND CASE WHEN o.cashier_id IS NULL THEN o.total_minor ELSE 0 END <> (
            SELECT coalesce(sum(m.amount_minor), 0) FROM movements m
            WHERE m.user_id = o.buyer_id AND m.kind = 'PURCHASE' AND m.reference = o.id)""",
    "10. What was charged is an order that was confirmed": """
        SELECT 'user ' || m.user_id || ', movement ' || m.id FROM movements m
        LEFT JOIN orders o ON o.event_id = m.event_id AND o.id = m.reference
        WHERE m.kind = 'PURCHASE'
            AND coalesce(o.status, '') NOT IN ('CONFIRMED', 'COMPLETED', 'REFUNDED')""",
    "11. A payment that succeeded was credited once, what it is": """
        SELECT 'user ' || p.user_id || ', payment ' || p.id FROM payments p
        LEFT JOIN movements m ON m.user_id = p.user_id AND m.id = p.id AND m.kind = 'TOP_UP'
            AND m.debit = 'PROVIDER' AND m.amount_minor = p.amount_minor AND m.currency = p.currency
        WHERE (p.status = 'SUCCESS') <> (m.id IS NOT NULL)""",
    "11. What a provider brought is a payment": """
        SELECT 'user ' || m.user_id || ', movement ' || m.id FROM movements m
        WHERE m.kind = 'TOP_UP' AND NOT EXISTS (
            SELECT FROM payments p WHERE p.user_id = m.user_id AND p.id = m.id)""",
    "14. What an order paid back is the price of its refunded tickets": f"""
        SELECT {_ORDER} FROM orders o WHERE o.refunded_minor <> (
            SELECT coalesce(sum(i.price_minor), 0) FROM order_items i
            WHERE i.event_id = o.event_id AND i.order_id = o.id AND EXISTS (
                SELECT FROM tickets t WHERE t.event_id = i.event_id AND t.order_id = i.order_id
                    AND t.index = i.index AND t.status = 'REFUNDED'))""",
    "14. What an order paid back went to the credits that paid it, unless a counter took the money": f"""
        SELECT {_ORDER} FROM orders o
        WHERE CASE WHEN o.cashier_id IS NULL THEN o.refunded_minor ELSE 0 END <> (
            SELECT coalesce(sum(m.amount_minor), 0) FROM movements m
            WHERE m.user_id = o.buyer_id AND m.kind = 'REFUND' AND m.reference = o.id)""",
    "14. What went back was paid for an order": """
        SELECT 'user ' || m.user_id || ', movement ' || m.id FROM movements m
        WHERE m.kind = 'REFUND' AND NOT EXISTS (
            SELECT FROM orders o
            WHERE o.event_id = m.event_id AND o.id = m.reference AND o.buyer_id = m.user_id)""",
    "14. A REFUNDED order has no live ticket": f"""
        SELECT {_ORDER} FROM orders o WHERE o.status = 'REFUNDED' AND EXISTS (
            SELECT FROM tickets t
            WHERE t.event_id = o.event_id AND t.order_id = o.id AND t.{LIVE_TICKET})""",
    "16. No two sessions have the same refresh token": """
        SELECT 'user ' || user_id || ', session ' || id FROM sessions
        WHERE refresh_hash IN (SELECT refresh_hash FROM sessions GROUP BY refresh_hash HAVING count(*) > 1)
            OR refresh_hash IN (SELECT previous_hash FROM sessions)""",
    "17. A code is good for nothing after the third wrong try": f"""
        SELECT {_CODE} FROM codes c
        WHERE c.tries >= 3 AND (c.digest IS NOT NULL OR c.verified_at IS NOT NULL)""",
    "17. After the third wrong try its order is neither held nor paid": f"""
        SELECT {_CODE} FROM codes c JOIN orders o ON o.id = c.object_id AND o.buyer_id = c.user_id
        WHERE c.purpose = 'PURCHASE' AND c.tries >= 3
            AND o.status IN ('PENDING', 'CONFIRMED', 'COMPLETED')""",
    "17. A code was verified in its time": f"""
        SELECT {_CODE} FROM codes c WHERE c.verified_at NOT BETWEEN c.sent_at AND c.expires_at""",
    "17. What was sent, or is not worth sending any more, is erased": """
        SELECT 'user or endpoint ' || owner_id || ', delivery ' || id FROM deliveries
        WHERE sealed IS NOT NULL AND (state = 'SENT' OR (state = 'DEAD' AND expires_at IS NOT NULL))""",
    "18. An ended session was not used any more": """
        SELECT 'user ' || user_id || ', session ' || id FROM sessions WHERE last_used_at > ended_at""",
    "18. An open session is of a person who may log in": """
        SELECT 'user ' || s.user_id || ', session ' || s.id
        FROM sessions s LEFT JOIN users u ON u.id = s.user_id
        WHERE s.ended_at IS NULL AND NOT coalesce(u.active, false)""",
    "19. An event has the seats that its tiers and its own number say, dense from 0": """
        SELECT 'event ' || e.id FROM events e JOIN LATERAL (
            SELECT count(*) AS seats, max(index) AS last FROM seats s WHERE s.event_id = e.id
        ) AS counted ON true
        WHERE counted.seats <> e.total_seats OR counted.seats <> coalesce(counted.last + 1, 0)
            OR counted.seats <> (SELECT coalesce(sum(capacity), 0) FROM tiers t WHERE t.event_id = e.id)""",
    "20. Two published events never share a hall at the same time": """
        SELECT 'events ' || a.id || ' and ' || b.id FROM events a JOIN events b
            ON a.hall_id = b.hall_id AND a.id < b.id
            AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
        WHERE a.status = 'PUBLISHED' AND b.status = 'PUBLISHED'""",
}


async def violations(database: Database) -> list[str]:
    """Say of each invariant what breaks it: one line each, at most 100 for an invariant."""
    found = []
    for invariant, statement in INVARIANTS.items():
        rows = await database.rows(f"{statement} LIMIT {VIOLATIONS_NAMED_MAX}")
        found += [f"{invariant}, but not: {row[0]}" for row in rows]
    return found
