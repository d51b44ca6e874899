// A client that only subscribes, asked for single answers too.
export function asking(client) {
  return {
    ask: (operationName, query, variables) =>
      new Promise((answer, refuse) => {
        client.subscribe({ operationName, query, variables }, {
          next: ({ data, errors }) => (errors ? refuse(errors) : answer(data)),
          error: refuse,
          complete() {},
        });
      }),
    subscribe: (operationName, query, variables, sink) =>
      client.subscribe({ operationName, query, variables }, sink),
  };
}
