"""Recomputes what must always be true on a live database, and names everything that is not."""

from database import Database
from models.tickets import LIVE_TICKET, TICKETS_EVER
from models.transfers import DONE

VIOLATIONS_NAMED_MAX = 100

_SEAT = "'event ' || s.event_id || ', seat ' || s.index"
_CODE = "'user ' || c.user_id || ', code for ' || c.purpose || ' ' || c.object_id"
_TRANSFER = "'event ' || t.event_id || ', transfer ' || t.id"
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
    "2. A PENDING ticket is of a PENDING order that is being paid by card and that its seat names": f"""
        SELECT {_SEAT} FROM tickets t JOIN seats s ON s.event_id = t.event_id AND s.index = t.index
        JOIN orders o ON o.event_id = t.event_id AND o.id = t.order_id
        WHERE t.status = 'PENDING' AND NOT (
            s.status = 'H' AND s.order_id = o.id AND o.status = 'PENDING' AND o.payment_id IS NOT NULL)""",
    "2. An order that is being paid by card has a ticket for every seat of it": f"""
        SELECT {_ORDER} FROM orders o JOIN order_items i ON i.event_id = o.event_id AND i.order_id = o.id
        WHERE o.status = 'PENDING' AND o.held_until > statement_timestamp() AND o.payment_id IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM tickets t WHERE t.event_id = i.event_id AND t.order_id = i.order_id
                    AND t.index = i.index AND t.status = 'PENDING')""",
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
             <> (SELECT count(DISTINCT t.index) FROM {TICKETS_EVER} t
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
            SELECT coalesce(sum(CASE 'CREDITS' WHEN m.credit THEN m.amount_minor
                WHEN m.debit THEN -m.amount_minor ELSE 0 END), 0)
            FROM movements m WHERE m.user_id = a.user_id AND m.currency = a.currency)""",
    "8. A movement goes from one account to another, so that all of them sum to zero": """
        SELECT 'user ' || user_id || ', movement ' || id FROM movements
        WHERE debit = credit OR amount_minor <= 0""",
    "9. No balance is negative": """
        SELECT 'user ' || user_id || ', ' || currency FROM accounts WHERE balance_minor < 0""",
    "10. A CONFIRMED order was charged once, what it costs, unless a counter took the money": f"""
        SELECT {_ORDER} FROM orders o WHERE o.status IN ('CONFIRMED', 'REFUNDED')
            AND CASE WHEN o.cashier_id IS NULL THEN o.total_minor ELSE 0 END <> (
            SELECT coalesce(sum(m.amount_minor), 0) FROM movements m
            WHERE m.user_id = o.buyer_id AND m.kind = 'PURCHASE' AND m.reference = o.id
                AND m.debit = CASE WHEN o.payment_id IS NULL THEN 'CREDITS' ELSE 'PROVIDER' END
                AND m.id = coalesce(o.payment_id, m.id))""",
    "10. What was charged is an order that was confirmed": """
        SELECT 'user ' || m.user_id || ', movement ' || m.id FROM movements m
        LEFT JOIN orders o ON o.event_id = m.event_id AND o.id = m.reference
        WHERE m.kind = 'PURCHASE' AND m.credit = 'REVENUE'
            AND coalesce(o.status, '') NOT IN ('CONFIRMED', 'COMPLETED', 'REFUNDED')""",
    "11. A payment that succeeded was booked once, what it is": """
        SELECT 'user ' || p.user_id || ', payment ' || p.id FROM payments p
        LEFT JOIN movements m ON m.user_id = p.user_id AND m.id = p.id
            AND m.kind = CASE WHEN p.order_id IS NULL THEN 'TOP_UP' ELSE 'PURCHASE' END
            AND m.debit = 'PROVIDER' AND m.amount_minor = p.amount_minor AND m.currency = p.currency
        WHERE (p.status = 'SUCCESS') <> (m.id IS NOT NULL)""",
    "11. What a provider brought is a payment": """
        SELECT 'user ' || m.user_id || ', movement ' || m.id FROM movements m
        WHERE m.debit = 'PROVIDER' AND NOT EXISTS (
            SELECT FROM payments p WHERE p.user_id = m.user_id AND p.id = m.id)""",
    "12. A transfer that was done moved its price from the buyer to the seller, and no other moved any": f"""
        SELECT {_TRANSFER} FROM transfers t
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(m.amount_minor) FILTER (WHERE m.debit = 'CREDITS'), 0) AS paid
            FROM movements m WHERE m.user_id = t.buyer_id AND m.kind = 'TRANSFER' AND m.reference = t.id
        ) AS buyers CROSS JOIN LATERAL (
            SELECT coalesce(sum(m.amount_minor) FILTER (WHERE m.credit = 'CREDITS'), 0) AS got
            FROM movements m WHERE m.user_id = t.seller_id AND m.kind = 'TRANSFER' AND m.reference = t.id
        ) AS sellers
        WHERE (buyers.paid, sellers.got) <> (
            SELECT due, due FROM (
                SELECT CASE WHEN t.completed_at IS NULL THEN 0 ELSE t.price_minor END AS due) AS price)""",
    "12. What moved for a transfer is of one of its two": """
        SELECT 'user ' || m.user_id || ', movement ' || m.id FROM movements m
        WHERE m.kind IN ('TRANSFER', 'DISPUTE', 'REVERSAL') AND NOT EXISTS (
            SELECT FROM transfers t WHERE t.event_id = m.event_id AND t.id = m.reference
                AND m.user_id IN (t.seller_id, t.buyer_id))""",
    "12. A ticket belongs to the buyer of its last transfer, or else of its order": f"""
        SELECT 'event ' || k.event_id || ', ticket ' || k.reference FROM tickets k
        JOIN orders o ON o.event_id = k.event_id AND o.id = k.order_id
        WHERE k.owner_id <> coalesce((
            SELECT t.buyer_id FROM transfers t
            WHERE t.event_id = k.event_id AND t.ticket_id = k.id AND t.{DONE}
            ORDER BY t.completed_at DESC LIMIT 1), o.buyer_id)""",
    "12. Escrow has the price of a transfer while it is disputed, and else nothing of it": f"""
        SELECT {_TRANSFER} FROM transfers t
        WHERE CASE t.status WHEN 'DISPUTED' THEN t.price_minor ELSE 0 END <> (
            SELECT coalesce(sum(CASE m.credit WHEN 'ESCROW' THEN m.amount_minor ELSE -m.amount_minor END), 0)
            FROM movements m WHERE m.user_id IN (t.seller_id, t.buyer_id) AND m.reference = t.id
                AND 'ESCROW' IN (m.debit, m.credit))""",
    "12. What was undone went back to its buyer": f"""
        SELECT {_TRANSFER} FROM transfers t
        WHERE CASE t.status WHEN 'REVERSED' THEN t.price_minor ELSE 0 END <> (
            SELECT coalesce(sum(m.amount_minor), 0) FROM movements m
            WHERE m.user_id = t.buyer_id AND m.kind = 'REVERSAL' AND m.reference = t.id)""",
    "12. What a seller owes of a transfer is what the house lent": f"""
        SELECT {_TRANSFER} FROM transfers t WHERE t.receivable_minor <> (
            SELECT coalesce(sum(
                CASE m.debit WHEN 'RECEIVABLES' THEN m.amount_minor ELSE -m.amount_minor END), 0)
            FROM movements m WHERE m.user_id = t.seller_id AND m.reference = t.id
                AND 'RECEIVABLES' IN (m.debit, m.credit))""",
    "13. A ticket that is checked in was let in once, and one that may still come was not": """
        SELECT 'event ' || t.event_id || ', ticket ' || t.reference FROM tickets t JOIN LATERAL (
            SELECT count(*) AS admissions FROM scans s
            WHERE s.event_id = t.event_id AND s.ticket_id = t.id
                AND s.result = 'SUCCESS' AND s.undone_at IS NULL) AS counted ON true
        WHERE CASE t.status WHEN 'CHECKED_IN' THEN admissions <> 1
            WHEN 'ACTIVE' THEN admissions > 0 WHEN 'PENDING' THEN admissions > 0 ELSE admissions > 1 END""",
    "13. A seat is checked in when its ticket is": f"""
        SELECT {_SEAT} FROM seats s WHERE (s.status = 'C') <> EXISTS (
            SELECT FROM tickets t
            WHERE t.event_id = s.event_id AND t.index = s.index AND t.status = 'CHECKED_IN')""",
    "14. What an order paid back is the price of its refunded tickets, and more only with a reason": f"""
        SELECT {_ORDER} FROM orders o
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(i.price_minor), 0) AS minor FROM order_items i
            WHERE i.event_id = o.event_id AND i.order_id = o.id AND EXISTS (
                SELECT FROM {TICKETS_EVER} t WHERE t.event_id = i.event_id AND t.order_id = i.order_id
                    AND t.index = i.index AND t.status = 'REFUNDED')) AS returned
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(m.amount_minor), 0) AS minor FROM movements m
            WHERE m.user_id = o.buyer_id AND m.kind = 'REFUND' AND m.reference = o.id
                AND m.reason IS NOT NULL) AS corrected
        WHERE o.refunded_minor NOT BETWEEN returned.minor AND returned.minor + corrected.minor""",
    "14. What an order paid back left the event's revenue, unless a counter took the money": f"""
        SELECT {_ORDER} FROM orders o LEFT JOIN (
            SELECT m.event_id, m.reference, b.payment_id IS NOT NULL AND m.user_id = b.buyer_id AS to_card,
                m.credit, sum(m.amount_minor) AS minor
            FROM movements m JOIN orders b ON b.event_id = m.event_id AND b.id = m.reference
            WHERE m.kind = 'REFUND' AND m.debit = 'REVENUE' GROUP BY 1, 2, 3, 4
        ) AS went ON went.event_id = o.event_id AND went.reference = o.id
            AND went.credit = CASE WHEN went.to_card THEN 'ESCROW' ELSE 'CREDITS' END
        GROUP BY o.event_id, o.id
        HAVING CASE WHEN o.cashier_id IS NULL THEN o.refunded_minor ELSE 0 END
            <> coalesce(sum(went.minor), 0)""",
    "14. What went back was paid for an order, and went to its buyer or to who had its tickets at last": f"""
        SELECT 'user ' || m.user_id || ', movement ' || m.id FROM movements m
        WHERE m.kind = 'REFUND' AND m.debit = 'REVENUE' AND NOT EXISTS (
            SELECT FROM orders o
            WHERE o.event_id = m.event_id AND o.id = m.reference AND o.buyer_id = m.user_id)
        AND (
            SELECT sum(s.amount_minor) FROM movements s
            WHERE s.user_id = m.user_id AND s.kind = 'REFUND' AND s.reference = m.reference
        ) > (
            SELECT coalesce(sum(t.price_minor), 0) FROM {TICKETS_EVER} t
            WHERE t.event_id = m.event_id AND t.order_id = m.reference AND t.owner_id = m.user_id
                AND t.status = 'REFUNDED')""",
    "14. What goes back of a payment is its refunds": """
        SELECT 'user ' || p.user_id || ', payment ' || p.id FROM payments p WHERE p.refunded_minor <> (
            SELECT coalesce(sum(r.amount_minor), 0) FROM refunds r
            WHERE r.user_id = p.user_id AND r.payment_id = p.id)""",
    "14. What waits to go back to a card, and no more, is kept for it": """
        SELECT 'user ' || p.user_id || ', payment ' || p.id FROM payments p
        WHERE (SELECT coalesce(sum(r.amount_minor), 0) FROM refunds r
            WHERE r.user_id = p.user_id AND r.payment_id = p.id AND r.status = 'PENDING')
        <> (SELECT coalesce(sum(CASE m.credit WHEN 'ESCROW' THEN m.amount_minor ELSE -m.amount_minor END), 0)
            FROM movements m WHERE m.user_id = p.user_id AND 'ESCROW' IN (m.debit, m.credit)
                AND m.kind IN ('PURCHASE', 'REFUND')
                AND (m.reference = p.id OR EXISTS (SELECT FROM orders o
                    WHERE o.payment_id = p.id AND o.event_id = p.event_id AND o.id = m.reference)))""",
    "14. A refund by card left once it succeeded, and only then": """
        SELECT 'user ' || r.user_id || ', refund ' || r.id FROM refunds r
        LEFT JOIN movements m ON m.user_id = r.user_id AND m.id = r.id AND m.debit = 'ESCROW'
            AND m.credit = 'PROVIDER' AND m.amount_minor = r.amount_minor AND m.currency = r.currency
        WHERE (r.status = 'SUCCESS') <> (m.id IS NOT NULL)""",
    "14. A REFUNDED order has no live ticket": f"""
        SELECT {_ORDER} FROM orders o WHERE o.status = 'REFUNDED' AND EXISTS (
            SELECT FROM tickets t
            WHERE t.event_id = o.event_id AND t.order_id = o.id AND t.{LIVE_TICKET})""",
    "14. A cancelled event that nobody looks after any more has no live ticket, and no hold": f"""
        SELECT 'event ' || c.event_id FROM cancellations c WHERE c.look_at IS NULL AND (
            EXISTS (SELECT FROM tickets t WHERE t.event_id = c.event_id AND t.{LIVE_TICKET})
            OR EXISTS (SELECT FROM orders o WHERE o.event_id = c.event_id AND o.status = 'PENDING'))""",
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
    "17. After the third wrong try its transfer has failed": f"""
        SELECT {_CODE} FROM codes c JOIN transfers t
            ON t.id = c.object_id AND c.user_id IN (t.seller_id, t.buyer_id)
        WHERE c.purpose = 'TRANSFER' AND c.tries >= 3 AND t.status <> 'FAILED'""",
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
