// Starts GraphiQL on the address that this page came from: queries over POST, subscriptions over WebSocket.
"use strict";

const place = document.getElementById("graphiql");
const endpoint = location.origin + location.pathname;

// With a subscription the headers travel as the payload of connection_init.
const send = GraphiQL.createFetcher({
  url: endpoint,
  subscriptionUrl: endpoint.replace(/^http/, "ws"),
});

// HTTP takes a header's name in any case; a payload's key is taken as it is spelled.
function spelled(headers = {}) {
  const names = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase() === "authorization" ? "Authorization" : name,
    value,
  ]);
  return Object.fromEntries(names);
}

const page = React.createElement(GraphiQL, {
  fetcher: (request, options) => send(request, { ...options, headers: spelled(options?.headers) }),
  defaultQuery: place.dataset.example,
  isHeadersEditorEnabled: true,
  shouldPersistHeaders: true,
});
ReactDOM.createRoot(place).render(page);
