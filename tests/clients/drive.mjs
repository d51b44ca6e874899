// Does with one client what it is told, a line of JSON for each act, and says what came of it in lines of JSON.
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { operations } from "./shop.js";

const { ROWLOCK_URL, ROWLOCK_TOKENS, ROWLOCK_CLIENT } = process.env;
const say = (message) => console.log(JSON.stringify(message));

// Node 20 has no WebSocket of its own; and the suite is told of each.
globalThis.WebSocket = class extends WebSocket {
  constructor(...address) {
    super(...address);
    say({ sent: "WebSocket" });
  }
};

// The pauses before a client connects again are those of the page for users, ten times as fast.
const { fetch, setTimeout } = globalThis;
globalThis.setTimeout = (act, milliseconds, ...given) => setTimeout(act, milliseconds / 10, ...given);

globalThis.fetch = (url, init) => {
  const body = JSON.parse(init.body ?? "{}");
  const { searchParams } = new URL(url);
  const hasHash = "persistedQuery" in (body.extensions ?? {}) || searchParams.has("extensions");
  say({ sent: init.method, hasHash, hasQuery: "query" in body || searchParams.has("query") });
  return fetch(url, init);
};

// What went wrong, in whichever form a client tells it.
function problem(error) {
  const [first] = Array.isArray(error) ? error : (error.errors ?? error.graphQLErrors ?? error.source?.errors ?? [error]);
  return { code: first?.extensions?.code ?? error.code ?? null, message: error.message ?? first?.message ?? "" };
}

const { connect } = await import(`./with_${ROWLOCK_CLIENT}.mjs`);
const tokens = ROWLOCK_TOKENS.split(" ");
const client = connect(ROWLOCK_URL, async () => (tokens.length > 1 ? tokens.shift() : tokens[0]));
const ends = new Map();

async function act({ id, act, name, variables }) {
  if (act === "watch") {
    ends.set(id, client.subscribe(name, operations[name], variables, {
      next: (result) => say({ id, data: result.data, errors: result.errors?.map(problem) }),
      error: (error) => say({ id, error: problem(error) }),
      complete: () => say({ id, complete: true }),
    }));
  } else if (act === "end") {
    ends.get(id)();
    say({ id, ended: true });
  } else {
    try {
      say({ id, data: await client.ask(name, operations[name], variables) });
    } catch (error) {
      say({ id, error: problem(error) });
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) await act(JSON.parse(line));
process.exit(0);
