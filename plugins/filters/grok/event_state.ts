/** What has become of an event, or of one of its texts. */
export const eventState = {
  /** No pattern has matched yet. */
  pending: 0,
  matched: 1,
  timedOut: 2,
  /** Not selected; or of a text: done with, without a match. */
  aside: 3,
} as const;
