// What only Relay's compiler reads: it refuses connections and refetching that are not to its specification.
const graphql = String.raw;

export const pages = graphql`
  fragment compliant_events on Query
  @refetchable(queryName: "compliantEventsQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" }) {
    events(first: $first, after: $after) @connection(key: "compliant_events") {
      edges {
        node {
          ...compliant_event
        }
      }
    }
  }
`;

export const event = graphql`
  fragment compliant_event on Event
  @refetchable(queryName: "compliantEventQuery")
  @argumentDefinitions(last: { type: "Int", defaultValue: 2 }, before: { type: "String" }) {
    name
    seats(last: $last, before: $before) @connection(key: "compliant_seats") {
      edges {
        node {
          index
        }
      }
    }
  }
`;

export const people = graphql`
  query compliantPeopleQuery {
    viewer {
      ...compliant_viewer
    }
  }
`;

export const viewer = graphql`
  fragment compliant_viewer on User @refetchable(queryName: "compliantViewerQuery") {
    email
  }
`;
