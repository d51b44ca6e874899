// The live map of docs/clients.md, which tells what it draws.
import { follow } from "./node_modules/.docs/follow.mjs";

export const connect = (url, token) => ({
  subscribe: (name, text, { event }, { next }) => follow(url, token, event, (data) => next({ data })),
});
