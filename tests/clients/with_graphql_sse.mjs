// graphql-sse, as docs/clients.md sets it up; each operation is a stream of events.
import { eventsFrom } from "./node_modules/.docs/events.mjs";
import { asking } from "./asking.mjs";

export const connect = (url, token) => asking(eventsFrom(url, token));
