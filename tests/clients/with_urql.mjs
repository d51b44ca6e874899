// urql, as docs/clients.md sets it up.
import { urql } from "./node_modules/.docs/urql.mjs";

export function connect(url, token) {
  const client = urql(url, token);
  return {
    async ask(name, text, variables) {
      const asking = name.endsWith("Mutation") ? client.mutation(text, variables) : client.query(text, variables);
      const { data, error } = await asking.toPromise();
      if (error) throw error;
      return data;
    },
    subscribe(name, text, variables, { next, error }) {
      const subscription = client.subscription(text, variables).subscribe((result) => {
        if (result.error) error(result.error.networkError ?? result.error);
        else next(result);
      });
      return () => subscription.unsubscribe();
    },
  };
}
