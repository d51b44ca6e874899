// graphql-ws, as docs/clients.md sets it up; all operations go over the socket.
import { socketTo } from "./node_modules/.docs/socket.mjs";
import { asking } from "./asking.mjs";

export const connect = (url, token) => asking(socketTo(url, token));
