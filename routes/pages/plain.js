// The plain query page: sends what is written to the address that the page came from, and shows what comes back.
"use strict";

const UPDATES_SHOWN_MAX = 50;
const KEPT_IN_THIS_TAB = ["query", "variables", "token"];

const endpoint = location.origin + location.pathname;
const by = (id) => document.getElementById(id);

// The one request that is under way: only its turn may write on the page.
let current = null;

function begin() {
  current?.abort();
  current = new AbortController();
  by("stop").disabled = false;
  return current;
}

function show(turn, status, text) {
  if (turn !== current) return;
  by("status").textContent = status;
  if (text !== undefined) by("answer").textContent = text;
}

function end(turn, status, text) {
  if (turn !== current) return;
  show(turn, status, text);
  current = null;
  by("stop").disabled = true;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function authorization() {
  const token = by("token").value.trim().replace(/^Bearer\s+/i, "");
  return token ? { Authorization: `Bearer ${token}` } : {};
}

// What stands outside of all braces, once comments and strings are gone, is one definition after the other.
function isSubscription(query) {
  let outside = query.replace(/"""[^]*?"""|"(?:\\.|[^"\\\n])*"|#.*/g, "");
  let before;
  do {
    before = outside;
    outside = outside.replace(/\{[^{}]*\}/g, ";");
  } while (outside !== before);
  return outside.split(";").some((definition) => /^subscription\b/.test(definition.trim()));
}

async function ask(turn, request) {
  show(turn, "Waiting …");
  const started = performance.now();
  try {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/graphql-response+json, application/json",
        ...authorization(),
      },
      body: JSON.stringify(request),
      signal: turn.signal,
    });
    const text = await response.text();
    const tookMs = Math.round(performance.now() - started);
    end(turn, `HTTP ${response.status}, ${tookMs} ms`, pretty(text));
  } catch (error) {
    end(turn, turn.signal.aborted ? "Stopped" : `No answer: ${error.message}`);
  }
}

// Speaks graphql-transport-ws for one subscription, the newest update on top.
function watch(turn, request) {
  const socket = new WebSocket(endpoint.replace(/^http/, "ws"), "graphql-transport-ws");
  const say = (message) => socket.send(JSON.stringify(message));
  const updates = [];
  let count = 0;

  function showUpdate(payload) {
    count += 1;
    updates.unshift(`# ${count}\n${JSON.stringify(payload, null, 2)}`);
    updates.length = Math.min(updates.length, UPDATES_SHOWN_MAX);
    show(turn, `Subscribed, updates: ${count}`, updates.join("\n\n"));
  }

  const hear = {
    connection_ack: () => {
      show(turn, "Subscribed, updates: 0");
      say({ id: "1", type: "subscribe", payload: request });
    },
    ping: () => say({ type: "pong" }),
    next: ({ payload }) => showUpdate(payload),
    error: ({ payload }) => {
      showUpdate({ errors: payload });
      socket.close(1000);
    },
    complete: () => socket.close(1000),
  };

  socket.onopen = () => say({ type: "connection_init", payload: authorization() });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    hear[message.type]?.(message);
  };
  socket.onclose = ({ code, reason }) => {
    const why = code === 1000 ? "" : `, closed with ${code} ${reason}`.trimEnd();
    end(turn, `Ended, updates: ${count}${why}`);
  };
  turn.signal.onabort = () => {
    socket.close(1000);
    end(turn, `Stopped, updates: ${count}`);
  };
  show(turn, "Connecting …", "");
}

function run() {
  const turn = begin();
  for (const id of KEPT_IN_THIS_TAB) sessionStorage.setItem(`rowlock:${id}`, by(id).value);
  let variables;
  try {
    variables = JSON.parse(by("variables").value.trim() || "{}");
  } catch (error) {
    end(turn, "Not sent", `The variables are not JSON: ${error.message}`);
    return;
  }
  const request = { query: by("query").value, variables };
  if (isSubscription(request.query)) watch(turn, request);
  else ask(turn, request);
}

by("request").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
by("stop").addEventListener("click", () => current?.abort());
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  } else if (event.key === "Escape") current?.abort();
});
for (const id of KEPT_IN_THIS_TAB) by(id).value = sessionStorage.getItem(`rowlock:${id}`) ?? by(id).value;
