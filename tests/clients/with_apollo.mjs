// Apollo Client, as docs/clients.md sets it up.
import { gql } from "@apollo/client";
import { apollo } from "./node_modules/.docs/apollo.mjs";

export function connect(url, token) {
  const client = apollo(url, token);
  return {
    async ask(name, text, variables) {
      const document = gql(text);
      const { data, error } = name.endsWith("Mutation")
        ? await client.mutate({ mutation: document, variables })
        : await client.query({ query: document, variables, fetchPolicy: "network-only" });
      if (error) throw error;
      return data;
    },
    subscribe(name, text, variables, { next, error, complete }) {
      const results = client.subscribe({ query: gql(text), variables, fetchPolicy: "no-cache" });
      const subscription = results.subscribe({
        next: (result) => (result.error ? error(result.error) : next(result)),
        error,
        complete,
      });
      return () => subscription.unsubscribe();
    },
  };
}
