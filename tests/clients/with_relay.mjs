// Relay, as docs/clients.md sets it up, with what its compiler made of the operations.
import { createRequire } from "node:module";
import { commitMutation, fetchQuery, requestSubscription } from "relay-runtime";
import { relay } from "./node_modules/.docs/relay.mjs";

const require = createRequire(import.meta.url);
const compiled = (name) => require(`./node_modules/.relay/${name}.graphql.js`);

export function connect(url, token) {
  const environment = relay(url, token);
  return {
    ask(name, text, variables) {
      if (!name.endsWith("Mutation")) return fetchQuery(environment, compiled(name), variables).toPromise();
      return new Promise((onCompleted, onError) => {
        commitMutation(environment, { mutation: compiled(name), variables, onCompleted, onError });
      });
    },
    subscribe(name, text, variables, { next, error, complete }) {
      const config = { subscription: compiled(name), variables };
      const onNext = (data) => next({ data });
      const ending = requestSubscription(environment, { ...config, onNext, onError: error, onCompleted: complete });
      return () => ending.dispose();
    },
  };
}
