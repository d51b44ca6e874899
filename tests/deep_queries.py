"""Deep queries, together through every field that reads or leads to another type."""

MONEY = "{ amount currency }"

EVENTS = f"""{{ events(first: 100) {{ totalCount pageInfo {{ endCursor }} nodes {{
    name availableSeats
    venue {{ name halls {{ code venue {{ address }} }} }}
    hall {{ name venue {{ name }} }}
    pricingTiers {{ name price {MONEY} availableSeats }}
    seats(first: 5) {{ totalCount edges {{ cursor node {{ status price {MONEY} tier {{ availableSeats }}
        event {{ name hall {{ code }} }} ticket {{ reference }} }} }} }}
    free: seats(last: 3, filter: {{status: AVAILABLE}}) {{ totalCount nodes {{ index }} }}
    seatMap {{ revision statuses plan {{ width areas {{ name }}
        sections {{ name rows {{ seats {{ index }} }} }} }} }} }} }} }}"""

VIEWER = f"""{{ viewer {{ creditBalance {MONEY} sessions {{ device current }}
    cart {{ totals {MONEY} notices {{ message }} items {{ subtotal {MONEY} event {{ name venue {{ name }} }}
        tier {{ availableSeats }} seat {{ status price {MONEY} }} }} }}
    orders(first: 100) {{ totalCount nodes {{ reference secondsLeft availableActions
        event {{ name availableSeats venue {{ name }} }}
        buyer {{ name user {{ email creditBalance {MONEY}
            sessions {{ id }} orders(first: 2) {{ totalCount }} unreadNotifications
            notificationPreferences {{ wanted }} notifications(first: 2) {{ nodes {{ message }} }} }} }}
        items {{ price {MONEY} tier {{ name }} seat {{ index price {MONEY} tier {{ name }}
            event {{ name }} ticket {{ reference owner {{ name }} order {{ reference }} }} }} }}
        tickets {{ reference order {{ reference items {{ seat {{ index }} }} }} event {{ hall {{ name }} }}
            owner {{ name user {{ email }} }} seat {{ tier {{ price {MONEY} }} }} }} }} }}
    tickets(first: 100) {{ totalCount nodes {{ reference order {{ reference event {{ name }} }}
        seat {{ row event {{ name }} }} qr {{ payload }} qrUnavailable
        availableActions }} }} }}
    transactions(first: 100) {{ totalCount pageInfo {{ endCursor }}
        edges {{ cursor node {{ amount {MONEY} }} }}
        nodes {{ amount {MONEY} user {{ name }} refundOf {{ kind }}
            order {{ reference transactions {{ kind order {{ reference }} }} }} }} }} }}"""

NOTIFICATIONS = """{ viewer { unreadNotifications notificationPreferences { wanted }
    notifications(first: 100) { totalCount pageInfo { endCursor } edges { cursor node { kind } }
        nodes { message order { reference } ticket { reference event { name } }
            transfer { status seat { index } } transaction { kind order { reference } } } } } }"""

BY_EVENT = """{ viewer { ordersByEvent(first: 100) { totalCount pageInfo { endCursor }
    edges { cursor node { event { name } } }
    nodes { event { name hall { name } } orders { reference availableActions items { tier { name } }
        tickets { reference } } } } } }"""

TRANSFERS = f"""{{ transfers(first: 100) {{ totalCount pageInfo {{ endCursor }}
    edges {{ cursor node {{ price {MONEY} }} }}
    nodes {{ status price {MONEY} seller {{ name user {{ email }} }} buyer {{ name }}
        seat {{ index event {{ name }} }}
        ticket {{ reference availableActions owner {{ name }} history {{ what who {{ name }} }}
            pendingTransfer {{ status buyer {{ name }} }} }} }} }}
    viewer {{ transfers(first: 100) {{ totalCount nodes {{ status ticket {{ reference }} }} }} }}
    transactions(first: 100) {{ nodes {{ transfer {{ status seat {{ index }} }} }} }} }}"""

OPERATORS = f"""{{ orders(first: 100) {{ totalCount nodes {{ reference buyer {{ name user {{ email
        tickets(first: 3) {{ totalCount nodes {{ reference seat {{ index }} }} }}
        paid: orders(filter: {{status: [CONFIRMED]}}) {{ nodes {{ total {MONEY} }} }}
        found: orders(filter: {{search: "nobody@example.com"}}) {{ totalCount }} }} }} }} }}
    tickets(first: 100) {{ totalCount nodes {{ owner {{ name user {{ email }} }} }} }}
    entryLog(first: 100) {{ totalCount pageInfo {{ endCursor }} edges {{ cursor node {{ result }} }}
        nodes {{ scannedBy {{ name }} undoneBy {{ name }} hall {{ code }} event {{ name }}
            seat {{ index }} ticket {{ reference }} }} }}
    venues(first: 100) {{ nodes {{ name halls {{ code venue {{ name }} }} }} }} }}"""

EDGES = f"""{{ venues(first: 100) {{ totalCount pageInfo {{ endCursor }} edges {{ cursor node {{
        name halls {{ code venue {{ name }} }} }} }} }}
    events(first: 100) {{ edges {{ cursor node {{ name hall {{ code venue {{ name }} }} availableSeats
        pricingTiers {{ availableSeats }} seats(first: 3) {{ pageInfo {{ endCursor }} edges {{ node {{
            ticket {{ reference pricePaid {MONEY} order {{ reference }} owner {{ name }} }} }} }} }} }} }} }}
    orders(first: 100) {{ pageInfo {{ endCursor }} edges {{ cursor node {{ refundedTotal {MONEY}
        event {{ venue {{ name }} }} buyer {{ name }} items {{ seat {{ tier {{ name }} }} }}
        tickets {{ seat {{ index }} owner {{ name }} }} }} }} }}
    tickets(first: 100) {{ pageInfo {{ endCursor }} edges {{ cursor node {{ reference
        order {{ buyer {{ name }} items {{ tier {{ availableSeats }} }} }} }} }} }} }}"""

ADMINS = """{ users(first: 100) { totalCount pageInfo { endCursor } nodes { email username }
    edges { cursor node { email sessions { id current } } } }
    webhookEndpoints { id url kinds }
    deadLetters(first: 100) { totalCount pageInfo { endCursor } nodes { recipient }
        edges { node { kind } } } }"""

ONE_AT_A_TIME = {"node", "event", "order", "ticket", "transfer", "user", "eventCategories", "rateLimit"}
"""What a query has once, whatever there is; `nodes` stands for many of them."""

NODES = """query ($ids: [ID!]!) { nodes(ids: $ids) { id
    ... on Event { name venue { name } availableSeats }
    ... on Seat { index tier { name } event { name } ticket { reference } }
    ... on PricingTier { name availableSeats }
    ... on Order { reference event { name } items { seat { index } } }
    ... on Cart { items { id } }
    ... on CartItem { event { name } tier { name } wanted: seat { index } }
    ... on Transaction { kind order { reference } }
    ... on Notification { message order { reference } }
    ... on Transfer { status seat { index } buyer { name } ticket { reference } }
    ... on Ticket { reference seat { index } order { reference } qr { svg } } } }"""

EVERY_QUERY = (EVENTS, VIEWER, NOTIFICATIONS, BY_EVENT, TRANSFERS, OPERATORS, EDGES, ADMINS, NODES)
