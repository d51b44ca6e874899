"""For every invariant, ways to break it behind the steps' backs."""

from collections.abc import Sequence

PLANTED: dict[str, Sequence[Sequence[str]]] = {
    "1. A seat has at most one live ticket": (
        (
            "DROP INDEX tickets_one_live_a_seat",
            """INSERT INTO tickets
                   (event_id, id, reference, order_id, index, owner_id, status, price_minor, currency)
               SELECT event_id, gen_random_uuid(), 'TWICE', order_id, index, owner_id, status, 0, currency
               FROM tickets WHERE index = 0""",
        ),
    ),
    "2. A sold seat has a live ticket": (
        ("DELETE FROM tickets WHERE index = 0",),
        ("UPDATE tickets SET status = 'REFUNDED' WHERE index = 0",),
        (
            "UPDATE tickets SET status = 'CANCELLED' WHERE index = 1",
            "UPDATE seats SET status = 'C' WHERE index = 1 AND status = 'S'",
        ),
    ),
    "2. The seat of a live ticket is sold": (
        ("UPDATE seats SET status = 'A', order_id = NULL WHERE index = 0",),
        ("UPDATE seats SET status = 'C' WHERE index = 0 AND status = 'S'",),
        ("UPDATE tickets SET status = 'CHECKED_IN' WHERE index = 0",),
    ),
    "2. A held or sold seat stands in the order that it names": (
        ("UPDATE seats SET order_id = gen_random_uuid() WHERE index = 2 AND status = 'H'",),
        ("UPDATE seats SET order_id = gen_random_uuid() WHERE index = 0 AND status = 'S'",),
    ),
    "2. A sold seat is of a paid order, and its ticket too": (
        ("UPDATE orders SET status = 'CANCELLED', payment_id = NULL WHERE status = 'CONFIRMED'",),
        (
            "DELETE FROM tickets WHERE index = 0",
            "INSERT INTO order_items SELECT event_id, (SELECT order_id FROM seats WHERE index = 2 AND "
            "status = 'H'), index, tier, price_minor FROM order_items WHERE index = 0",
            """UPDATE seats SET order_id = (SELECT order_id FROM seats WHERE index = 2 AND status = 'H')
               WHERE index = 0 AND status = 'S'""",
        ),
    ),
    "2. A PENDING ticket is of a PENDING order that is being paid by card and that its seat names": (
        ("UPDATE orders SET payment_id = NULL WHERE status = 'PENDING'",),
        ("UPDATE seats SET status = 'S', held_until = NULL WHERE index = 7 AND status = 'H'",),
        ("UPDATE tickets SET status = 'PENDING' WHERE index = 0",),
    ),
    "2. An order that is being paid by card has a ticket for every seat of it": (
        ("UPDATE tickets SET status = 'CANCELLED' WHERE index = 7",),
    ),
    "3. A hold is of a PENDING order with the same time": (
        ("UPDATE seats SET held_until = held_until + interval '1 hour' WHERE index = 2",),
        (
            """UPDATE orders SET status = 'EXPIRED', held_until = NULL, payment_id = NULL
               WHERE status = 'PENDING'""",
        ),
        ("UPDATE seats SET order_id = gen_random_uuid() WHERE index = 2 AND status = 'H'",),
    ),
    "4. A PENDING order in its time holds every seat of it": (
        ("UPDATE seats SET status = 'A', order_id = NULL, held_until = NULL WHERE index = 3",),
        ("UPDATE seats SET order_id = gen_random_uuid() WHERE index = 3 AND status = 'H'",),
        ("UPDATE seats SET status = 'S', held_until = NULL WHERE index = 3 AND status = 'H'",),
    ),
    "4. A CONFIRMED order has a ticket for every seat of it": (("DELETE FROM tickets WHERE index = 1",),),
    "4. An order's total is the sum of its items": (
        ("UPDATE orders SET total_minor = total_minor + 1",),
        ("DELETE FROM order_items WHERE index = 3",),
    ),
    "5. A seat's versions grow by 1, and the log ends with the seat as it is": (
        ("UPDATE seats SET version = version + 1 WHERE index = 0",),
        ("UPDATE seat_changes SET status = 'B' WHERE index = 0 AND version = 2",),
        (
            "UPDATE seats SET version = version + 1 WHERE index = 0",
            "UPDATE seat_changes SET version = version + 1 WHERE index = 0 AND version = 2",
        ),
    ),
    "5. A seat that changed has a log, until it is trimmed": (
        ("UPDATE streams SET revision = 0", "DELETE FROM seat_changes"),
    ),
    "6. Revisions have no gaps and end with the stream's": (
        ("DELETE FROM seat_changes WHERE revision = 2",),
        ("UPDATE streams SET revision = revision + 1",),
        ("DELETE FROM seat_changes WHERE revision = (SELECT max(revision) FROM seat_changes)",),
    ),
    "8. A balance equals its movements": (
        ("UPDATE accounts SET balance_minor = balance_minor + 1",),
        ("DELETE FROM movements WHERE kind = 'ADJUSTMENT'",),
        ("UPDATE movements SET amount_minor = amount_minor + 1 WHERE kind = 'PURCHASE'",),
        ("INSERT INTO accounts (user_id, currency, balance_minor) VALUES (gen_random_uuid(), 'EUR', 5)",),
    ),
    "8. A movement goes from one account to another, so that all of them sum to zero": (
        (
            "ALTER TABLE movements DROP CONSTRAINT movements_two_accounts",
            "UPDATE movements SET debit = 'CREDITS' WHERE kind = 'ADJUSTMENT'",
        ),
        (
            "ALTER TABLE movements DROP CONSTRAINT movements_amount_positive",
            "UPDATE movements SET amount_minor = -amount_minor WHERE kind = 'PURCHASE'",
        ),
    ),
    "9. No balance is negative": (
        (
            "ALTER TABLE accounts DROP CONSTRAINT accounts_balance_not_negative",
            "UPDATE accounts SET balance_minor = -1",
        ),
    ),
    "10. A CONFIRMED order was charged once, what it costs, unless a counter took the money": (
        ("UPDATE orders SET cashier_id = buyer_id WHERE status = 'CONFIRMED' AND payment_id IS NULL",),
        ("UPDATE orders SET payment_id = gen_random_uuid() WHERE status = 'CONFIRMED'",),
        ("UPDATE orders SET payment_id = NULL WHERE status = 'CONFIRMED'",),
        ("DELETE FROM movements WHERE kind = 'PURCHASE'",),
        ("UPDATE movements SET amount_minor = amount_minor - 1 WHERE kind = 'PURCHASE'",),
        (
            "DROP INDEX movements_one_purchase_an_order",
            """INSERT INTO movements
                   (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference)
               SELECT user_id, gen_random_uuid(), debit, credit, amount_minor, currency, kind, event_id,
                   reference FROM movements WHERE kind = 'PURCHASE'""",
        ),
    ),
    "10. What was charged is an order that was confirmed": (
        ("UPDATE movements SET reference = gen_random_uuid() WHERE kind = 'PURCHASE'",),
        ("UPDATE orders SET status = 'CANCELLED', payment_id = NULL WHERE status = 'CONFIRMED'",),
    ),
    "11. A payment that succeeded was booked once, what it is": (
        ("DELETE FROM movements WHERE kind = 'PURCHASE' AND debit = 'PROVIDER'",),
        ("DELETE FROM movements WHERE kind = 'TOP_UP'",),
        ("UPDATE movements SET amount_minor = amount_minor + 1 WHERE kind = 'TOP_UP'",),
        ("UPDATE movements SET debit = 'CORRECTIONS' WHERE kind = 'TOP_UP'",),
        ("UPDATE payments SET status = 'FAILED', settled_at = NULL, refunded_minor = 0",),
    ),
    "11. What a provider brought is a payment": (
        ("DELETE FROM refunds", "DELETE FROM payments"),
        ("UPDATE movements SET id = gen_random_uuid() WHERE kind = 'TOP_UP'",),
    ),
    "14. What an order paid back is the price of its refunded tickets, and more only with a reason": (
        ("UPDATE orders SET refunded_minor = refunded_minor - 1 WHERE status = 'REFUNDED'",),
        ("UPDATE orders SET refunded_minor = total_minor WHERE status = 'CONFIRMED'",),
        ("DELETE FROM tickets WHERE status = 'REFUNDED' AND index = 4",),
    ),
    "14. What an order paid back left the event's revenue, unless a counter took the money": (
        ("UPDATE movements SET credit = 'CORRECTIONS' WHERE kind = 'REFUND' AND debit = 'REVENUE'",),
        ("DELETE FROM movements WHERE kind = 'REFUND'",),
        (
            """INSERT INTO movements
                   (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference)
               SELECT user_id, gen_random_uuid(), debit, credit, amount_minor, currency, kind, event_id,
                   reference FROM movements WHERE kind = 'REFUND'""",
        ),
        ("UPDATE orders SET payment_id = NULL, cashier_id = buyer_id WHERE status = 'REFUNDED'",),
    ),
    "14. What went back was paid for an order, and went to its buyer or to who had its tickets at last": (
        ("UPDATE movements SET reference = gen_random_uuid() WHERE kind = 'REFUND'",),
        (
            """UPDATE movements m SET user_id = (
                   SELECT user_id FROM accounts a WHERE a.user_id <> m.user_id LIMIT 1)
               WHERE kind = 'REFUND' AND debit = 'REVENUE'""",
        ),
    ),
    "14. What goes back of a payment is its refunds": (
        ("UPDATE payments SET refunded_minor = refunded_minor - 1 WHERE refunded_minor > 0",),
        ("UPDATE refunds SET amount_minor = amount_minor - 1",),
        ("DELETE FROM refunds",),
    ),
    "14. What waits to go back to a card, and no more, is kept for it": (
        ("UPDATE refunds SET status = 'PENDING', settled_at = NULL",),
        ("UPDATE refunds SET status = 'SUCCESS', settled_at = now()",),
        ("DELETE FROM movements WHERE credit = 'ESCROW'",),
        ("DELETE FROM movements WHERE debit = 'ESCROW'",),
    ),
    "14. A refund by card left once it succeeded, and only then": (
        ("DELETE FROM movements WHERE credit = 'PROVIDER'",),
        ("UPDATE refunds SET status = 'PENDING', settled_at = NULL",),
        ("UPDATE movements SET amount_minor = amount_minor + 1 WHERE credit = 'PROVIDER'",),
    ),
    "14. A REFUNDED order has no live ticket": (
        ("UPDATE tickets SET status = 'ACTIVE' WHERE status = 'REFUNDED' AND index = 4",),
        ("UPDATE orders SET status = 'REFUNDED' WHERE status = 'CONFIRMED'",),
    ),
    "14. A cancelled event that nobody looks after any more has no live ticket, and no hold": (
        (
            """INSERT INTO cancellations (event_id, actor_id)
               SELECT event_id, gen_random_uuid() FROM tickets WHERE status = 'ACTIVE' LIMIT 1""",
        ),
        (
            "DELETE FROM scans",
            "DELETE FROM tickets WHERE status <> 'PENDING'",
            """INSERT INTO cancellations (event_id, actor_id)
               SELECT event_id, gen_random_uuid() FROM orders WHERE status = 'PENDING' LIMIT 1""",
        ),
    ),
    "16. No two sessions have the same refresh token": (
        ("UPDATE sessions SET refresh_hash = 'same'",),
        (
            """UPDATE sessions s SET previous_hash = (
                   SELECT refresh_hash FROM sessions o WHERE o.id <> s.id LIMIT 1)""",
        ),
    ),
    "17. A code is good for nothing after the third wrong try": (
        (
            "ALTER TABLE codes DROP CONSTRAINT codes_void_after_the_last_try",
            "UPDATE codes SET tries = 3",
        ),
    ),
    "17. After the third wrong try its order is neither held nor paid": (
        ("UPDATE codes SET tries = 3, digest = NULL, verified_at = NULL WHERE verified_at IS NOT NULL",),
        ("UPDATE codes SET tries = 3, digest = NULL WHERE verified_at IS NULL",),
    ),
    "17. A code was verified in its time": (
        ("UPDATE codes SET verified_at = sent_at - interval '1 second' WHERE verified_at IS NOT NULL",),
        (
            "ALTER TABLE codes DROP CONSTRAINT codes_verified_in_time",
            "UPDATE codes SET verified_at = expires_at + interval '1 second' WHERE verified_at IS NULL",
        ),
    ),
    "17. What was sent, or is not worth sending any more, is erased": (
        (
            "ALTER TABLE deliveries DROP CONSTRAINT deliveries_sealed_while_pending",
            "UPDATE deliveries SET state = 'SENT'",
        ),
    ),
    "18. An ended session was not used any more": (
        (
            "ALTER TABLE sessions DROP CONSTRAINT sessions_not_used_after_the_end",
            "UPDATE sessions SET last_used_at = now() + interval '1 hour' WHERE ended_at IS NOT NULL",
        ),
    ),
    "18. An open session is of a person who may log in": (
        ("UPDATE users SET active = false",),
        ("DELETE FROM users",),
    ),
    "19. An event has the seats that its tiers and its own number say, dense from 0": (
        ("UPDATE events SET total_seats = total_seats + 1",),
        ("UPDATE tiers SET capacity = capacity + 1",),
        ("UPDATE seats SET index = index + 1 WHERE index = 9",),
    ),
    "20. Two published events never share a hall at the same time": (
        (
            "ALTER TABLE events DROP CONSTRAINT events_hall_free",
            """UPDATE events SET hall_id = (SELECT min(hall_id::text)::uuid FROM events),
                   starts_at = now() + interval '1 day', ends_at = now() + interval '2 days'""",
        ),
    ),
}
