// graphql-ws with a socket that is open from the first moment, also while nothing is asked.
import { socketTo } from "./node_modules/.docs/socket.mjs";
import { asking } from "./asking.mjs";

export const connect = (url, token) => asking(socketTo(url, token, { lazy: false, onNonLazyError() {} }));
