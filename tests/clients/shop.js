// What the clients of the suite ask: the texts for all of them, and the source of Relay's compiler.
const graphql = String.raw;

export const operations = {
  shopPageQuery: graphql`
    query shopPageQuery($first: Int, $after: String) {
      events(first: $first, after: $after) {
        edges {
          cursor
          node {
            id
            name
          }
        }
        pageInfo {
          hasNextPage
          hasPreviousPage
          startCursor
          endCursor
        }
      }
    }
  `,
  shopViewerQuery: graphql`
    query shopViewerQuery {
      viewer {
        id
        email
      }
    }
  `,
  shopReserveMutation: graphql`
    mutation shopReserveMutation($event: ID!, $seats: [Int!]!) {
      reserve(input: { eventId: $event, selection: { seatIndexes: $seats } }) {
        __typename
        ... on OrderPayload {
          order {
            id
            items {
              seat {
                id
                index
              }
            }
          }
        }
        ... on Refusal {
          code
          message
          seatIds
        }
      }
    }
  `,
  shopWatchSubscription: graphql`
    subscription shopWatchSubscription($event: ID!, $after: Int) {
      seatStatus(eventId: $event, after: $after) {
        __typename
        ... on SeatStatusSnapshot {
          revision
          statuses
        }
        ... on SeatStatusChanges {
          revision
          changes {
            revision
            index
            status
          }
        }
      }
    }
  `,
};
