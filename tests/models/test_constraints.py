"""What the database itself does not let anybody write, whatever the steps above it do."""

import asyncpg
import pytest

from database import Database
from jobs.relay import number_changes_once
from live.bus import Bus
from tests.carts import put_seats
from tests.codes import order_reference, requested
from tests.doors import checked_in, ticket_at
from tests.paying import opened
from tests.people import logged_in
from tests.receiving import added
from tests.transfers import bought, initiated
from tests.world import hold, new_event, new_user, pay

MOVE = """INSERT INTO movements
              (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference)
          SELECT user_id, gen_random_uuid(), {}, {}, {}, currency, {}, {}, gen_random_uuid() FROM accounts"""
AGAIN = """INSERT INTO tickets
               (event_id, id, reference, order_id, index, owner_id, status, price_minor, currency)
           SELECT event_id, gen_random_uuid(), {}, order_id, index, owner_id, {}, price_minor, currency
           FROM tickets WHERE index = 0"""
CARRIED = """INSERT INTO cart_items (user_id, id, event_id, index, quantity, price_minor)
             SELECT user_id, gen_random_uuid(), event_id, index, quantity, price_minor FROM cart_items"""

DONE = """UPDATE transfers SET status = {}, completed_at = now(), seller_confirmed = true,
              buyer_confirmed = true"""

BACK = """INSERT INTO refunds (user_id, id, payment_id, amount_minor, currency, status)
          SELECT user_id, gen_random_uuid(), id, {}, currency, {} FROM payments"""

IMPLIED = {
    "orders_total_not_negative",  # what is refunded is at least 0 and at most the total
    "transfers_price_not_negative",  # what is owed likewise
}

PREFER = "INSERT INTO notification_preferences VALUES (gen_random_uuid(), {}, {}, true)"

FORBIDDEN = {
    "accounts_balance_not_negative": "UPDATE accounts SET balance_minor = -1",
    "announcements_kind_known": "UPDATE announcements SET kind = 'ticket.eaten'",
    "cart_items_price_not_negative": "UPDATE cart_items SET price_minor = -1",
    "cart_items_quantity_positive": "UPDATE cart_items SET quantity = 0",
    "cart_items_seat_key": CARRIED,
    "cart_items_seat_once": "UPDATE cart_items SET quantity = 2 WHERE index IS NOT NULL",
    "cart_items_seat_or_places": "UPDATE cart_items SET tier = 1",
    "cart_items_tier_key": "UPDATE cart_items SET index = NULL, tier = 1 WHERE quantity = 1",
    "codes_purpose_known": "UPDATE codes SET purpose = 'FUN'",
    "codes_tries_bounded": "UPDATE codes SET tries = -1",
    "codes_verified_in_time": "UPDATE codes SET verified_at = expires_at + interval '1 second'",
    "codes_verified_is_not_void": "UPDATE codes SET digest = NULL, verified_at = sent_at",
    "codes_void_after_the_last_try": "UPDATE codes SET tries = 3",
    "deleted_tickets_were_over": """
        INSERT INTO deleted_tickets (event_id, id, reference, order_id, index, owner_id, status, price_minor,
            currency, purchased_at, deleted_by)
        SELECT event_id, id, reference, order_id, index, owner_id, 'ACTIVE', price_minor, currency,
            purchased_at, owner_id FROM tickets""",
    "deliveries_attempts_not_negative": "UPDATE deliveries SET attempts = -1",
    "deliveries_kind_known": "UPDATE deliveries SET kind = 'PIGEON'",
    "deliveries_sealed_while_pending": "UPDATE deliveries SET state = 'SENT'",
    "deliveries_state_known": "UPDATE deliveries SET state = 'LOST', sealed = NULL",
    "events_end_after_start": "UPDATE events SET ends_at = starts_at",
    "events_hall_free": "UPDATE events SET hall_id = (SELECT id FROM halls LIMIT 1), starts_at = now()",
    "events_sales_end_after_start": "UPDATE events SET sales_start_at = now(), sales_end_at = now()",
    "events_status_known": "UPDATE events SET status = 'OPEN'",
    "events_total_seats_not_negative": "UPDATE events SET total_seats = -1",
    "halls_code_key": "UPDATE halls SET venue_id = (SELECT id FROM venues LIMIT 1)",
    "identities_subject_key": """
        INSERT INTO identities (user_id, issuer, subject) SELECT id, 'i', 's' FROM users""",
    "movements_amount_positive": MOVE.format("'CREDITS'", "'CORRECTIONS'", "0", "'ADJUSTMENT'", "NULL"),
    "movements_credit_known": MOVE.format("'CREDITS'", "'POCKET'", "1", "'ADJUSTMENT'", "NULL"),
    "movements_debit_known": MOVE.format("'POCKET'", "'CREDITS'", "1", "'ADJUSTMENT'", "NULL"),
    "movements_event_of_what_it_is_for": MOVE.format("'CREDITS'", "'REVENUE'", "1", "'ADJUSTMENT'", "NULL"),
    "movements_kind_known": MOVE.format("'CREDITS'", "'CORRECTIONS'", "1", "'GIFT'", "NULL"),
    "movements_two_accounts": MOVE.format("'CREDITS'", "'CREDITS'", "1", "'ADJUSTMENT'", "NULL"),
    "movements_one_purchase_an_order": """
        INSERT INTO movements (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference)
        SELECT user_id, gen_random_uuid(), debit, credit, amount_minor, currency, kind, event_id, reference
        FROM movements WHERE kind = 'PURCHASE'""",
    "movements_why_adjusted": MOVE.format("'CORRECTIONS'", "'CREDITS'", "1", "'ADJUSTMENT'", "NULL"),
    "notification_preferences_channel_known": PREFER.format("'TOP_UP_SUCCEEDED'", "'PIGEON'"),
    "notification_preferences_kind_known": PREFER.format("'LOST'", "'SMS'"),
    "notifications_kind_known": "UPDATE notifications SET kind = 'LOST'",
    "notifications_one_a_cancelled_event": """
        INSERT INTO notifications (user_id, id, kind, event_id)
        SELECT user_id, gen_random_uuid(), 'EVENT_CANCELLED', event_id
        FROM notifications, generate_series(1, 2)""",
    "orders_payment_while_it_counts": """
        UPDATE orders SET payment_id = id, cashier_id = buyer_id WHERE status = 'CONFIRMED'""",
    "payments_amount_positive": "UPDATE payments SET amount_minor = 0",
    "payments_one_open_an_order": """
        INSERT INTO payments (user_id, id, provider, amount_minor, currency, event_id, order_id, held_until)
        SELECT user_id, gen_random_uuid(), provider, amount_minor, currency, id, id, now()
        FROM payments, generate_series(1, 2)""",
    "payments_order_whole": "UPDATE payments SET order_id = id",
    "payments_provider_known": "UPDATE payments SET provider = 'UNCLE'",
    "payments_refunded_at_most_paid": "UPDATE payments SET refunded_minor = 1",
    "payments_settled_once_paid": "UPDATE payments SET status = 'SUCCESS'",
    "payments_status_known": "UPDATE payments SET status = 'LOST'",
    "order_items_price_not_negative": "UPDATE order_items SET price_minor = -1",
    "orders_cashier_once_paid": "UPDATE orders SET cashier_id = buyer_id WHERE status = 'PENDING'",
    "orders_held_until_while_pending": "UPDATE orders SET held_until = NULL WHERE status = 'PENDING'",
    "orders_reference_key": "UPDATE orders SET reference = 'SAME'",
    "orders_refunded_at_most_total": "UPDATE orders SET refunded_minor = total_minor + 1",
    "orders_status_known": "UPDATE orders SET status = 'LOST' WHERE status = 'CONFIRMED'",
    "scans_admit_to_own_event": "UPDATE scans SET ticket_event_id = gen_random_uuid()",
    "scans_found_a_ticket": "UPDATE scans SET ticket_event_id = NULL, ticket_id = NULL",
    "scans_one_admission_a_ticket": """
        INSERT INTO scans (event_id, id, scanned_by, hall_id, result, ticket_event_id, ticket_id)
        SELECT event_id, gen_random_uuid(), scanned_by, hall_id, result, ticket_event_id, ticket_id
        FROM scans""",
    "scans_result_known": "UPDATE scans SET result = 'WHO KNOWS'",
    "scans_ticket_has_event": "UPDATE scans SET ticket_event_id = NULL, result = 'EXPIRED'",
    "scans_undone_admissions_only": """
        UPDATE scans SET result = 'EXPIRED', undone_at = now(), undone_by = scanned_by, undone_reason = ''""",
    "scans_undone_by_somebody": "UPDATE scans SET undone_at = now(), undone_by = scanned_by",
    "seat_changes_revision_key": "UPDATE seat_changes SET revision = 1",
    "seat_changes_status_known": "UPDATE seat_changes SET status = 'X'",
    "refunds_amount_positive": BACK.format("0", "'PENDING'"),
    "refunds_settled_once_paid": BACK.format("1", "'SUCCESS'"),
    "refunds_status_known": BACK.format("1", "'LOST'"),
    "seats_held_until_while_held": "UPDATE seats SET held_until = NULL WHERE status = 'H'",
    "seats_index_not_negative": "UPDATE seats SET index = -1 WHERE index = 9",
    "seats_order_while_taken": "UPDATE seats SET order_id = NULL WHERE status = 'S'",
    "seats_status_known": "UPDATE seats SET status = 'X' WHERE status = 'S'",
    "seats_version_not_negative": "UPDATE seats SET version = -1",
    "sessions_ended_by_known": "UPDATE sessions SET ended_at = last_used_at, ended_by = 'MAGIC'",
    "sessions_ended_by_something": "UPDATE sessions SET ended_at = last_used_at",
    "sessions_not_used_after_the_end": """
        UPDATE sessions SET ended_at = last_used_at - interval '1 second', ended_by = 'LOGOUT'""",
    "sessions_refresh_token_is_new": "UPDATE sessions SET previous_hash = refresh_hash",
    "tickets_one_live_a_seat": AGAIN.format("'OTHER'", "'ACTIVE'"),
    "tickets_price_not_negative": "UPDATE tickets SET price_minor = -1",
    "tickets_reference_key": AGAIN.format("reference", "'REFUNDED'"),
    "tickets_status_known": "UPDATE tickets SET status = 'LOST'",
    "tiers_capacity_positive": "UPDATE tiers SET capacity = 0",
    "tiers_name_key": """
        INSERT INTO tiers (event_id, number, name, price_minor, currency, general_admission, capacity)
        SELECT event_id, number + 1, name, price_minor, currency, general_admission, capacity FROM tiers""",
    "tiers_price_not_negative": "UPDATE tiers SET price_minor = -1",
    "transfers_between_two": "UPDATE transfers SET buyer_id = seller_id",
    "transfers_completed_once_done": "UPDATE transfers SET status = 'COMPLETED'",
    "transfers_disputed_at": DONE.format("'DISPUTED'"),
    "transfers_done_by_both": "UPDATE transfers SET status = 'COMPLETED', completed_at = now()",
    "transfers_one_pending_a_ticket": """
        INSERT INTO transfers (event_id, id, ticket_id, index, ticket_version, seller_id, buyer_id,
            price_minor, currency, expires_at)
        SELECT event_id, gen_random_uuid(), ticket_id, index, ticket_version, seller_id, buyer_id,
            price_minor, currency, expires_at FROM transfers""",
    "transfers_receivable_at_most_price": "UPDATE transfers SET receivable_minor = price_minor + 1",
    "transfers_reversed_at": DONE.format("'REVERSED'"),
    "transfers_status_known": "UPDATE transfers SET status = 'LOST'",
    "users_email_key": "UPDATE users SET email = 'A@example.com' WHERE email <> 'a@example.com'",
    "users_language_known": "UPDATE users SET language = 'tlh'",
    "users_roles_known": "UPDATE users SET roles = ARRAY['KING']",
    "users_username_key": "UPDATE users SET username = 'alice'",
    "webhook_endpoints_old_secret_ends": "UPDATE webhook_endpoints SET old_secret_until = now()",
    "webhook_endpoints_some_kinds": "UPDATE webhook_endpoints SET kinds = '{}'",
    "webhook_endpoints_secret_but_the_broker": "UPDATE webhook_endpoints SET secret = NULL",
}


async def test_every_rule_of_the_database_is_known_here(database: Database) -> None:
    rules = await database.rows(
        """SELECT conname FROM pg_constraint
           WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'x')
           UNION SELECT indexrelid::regclass::text FROM pg_index
           WHERE indisunique AND NOT indisprimary AND indrelid::regclass::text = ANY (
               SELECT tablename::text FROM pg_tables WHERE schemaname = 'public')"""
    )
    assert {row["conname"] for row in rules} == set(FORBIDDEN) | IMPLIED


@pytest.mark.parametrize("rule", FORBIDDEN)
async def test_what_a_rule_forbids_cannot_be_written(database: Database, rule: str) -> None:
    await added(database, "https://hook.example")
    event = await new_event(database)
    await new_event(database)
    alice = await new_user(database, credits_minor=5_000, email="a@example.com")
    await pay(database, alice, await hold(database, alice, event, [0, 1]))
    await checked_in(database, await ticket_at(database, event.id, 1))
    bob = await new_user(database, email="b@example.com")
    await initiated(database, alice, await bought(database, alice, event, 5), bob, price_minor=0)
    await requested(database, alice, order_reference(await hold(database, alice, event, [2])))
    await logged_in(database, alice)
    await opened(database, alice)
    await put_seats(database, alice, event, 3, 4)
    await number_changes_once(database, Bus(None))
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        async with database.transaction() as tx:
            await tx.rows(FORBIDDEN[rule])
    assert refused.value.constraint_name == rule  # type: ignore[attr-defined]


async def test_a_seat_has_a_new_ticket_once_the_old_one_is_dead(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    await pay(database, alice, await hold(database, alice, event, [0]))
    async with database.transaction() as tx:
        for status in ("REFUNDED", "CANCELLED"):
            await tx.rows("UPDATE tickets SET status = $1 WHERE status = 'ACTIVE'", status)
            await tx.rows(AGAIN.format(f"'AFTER {status}'", "'ACTIVE'") + " LIMIT 1")


async def test_a_draft_and_another_hall_or_time_are_in_nobodys_way(database: Database) -> None:
    await new_event(database)
    await new_event(database)
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET starts_at = now(), ends_at = now() + interval '1 h'")
        await tx.rows("UPDATE events SET status = 'DRAFT'")
        await tx.rows("UPDATE events SET hall_id = (SELECT id FROM halls LIMIT 1)")
