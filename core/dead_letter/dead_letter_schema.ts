/**
 * The Avro schema of a dead letter: the text of `schema/dead_letter.avsc`, which a test compares.
 * It stands here too so that the agent needs no file beside its code.
 */
export const deadLetterSchemaText = `{
  "type": "record",
  "name": "DeadLetter",
  "namespace": "sluice",
  "doc": "A record that its output refused for good, or could not take within its retry limit.",
  "fields": [
    {
      "name": "record",
      "type": ["string", "bytes"],
      "doc": "The record as JSON text; bytes when it is not valid UTF-8."
    },
    {
      "name": "origin",
      "doc": "Where the record was read.",
      "type": {
        "type": "record",
        "name": "Origin",
        "fields": [
          { "name": "source", "type": "string", "doc": "For people: a path, an address, a channel." },
          { "name": "generation", "type": "string", "doc": "The source's generation, 32 hexadecimal digits." },
          { "name": "offset", "type": "long", "doc": "Position in that generation, in the source's unit." },
          { "name": "part", "type": "int", "doc": "Number among the records made from that position." }
        ]
      }
    },
    { "name": "tag", "type": "string" },
    { "name": "time_seconds", "type": "long", "doc": "The record's time, whole seconds since the epoch." },
    { "name": "time_nanos", "type": "int", "doc": "The nanoseconds beyond time_seconds." },
    { "name": "failed_at_seconds", "type": "long", "doc": "When it came here, whole seconds since the epoch." },
    { "name": "failed_at_nanos", "type": "int", "doc": "The nanoseconds beyond failed_at_seconds." },
    { "name": "output", "type": "string", "doc": "The output that refused it." },
    { "name": "reason", "type": "string", "doc": "Why, in the destination's words." },
    { "name": "reason_code", "type": "string", "doc": "Why, as a word to count by." },
    { "name": "status", "type": ["null", "int"], "default": null, "doc": "The destination's status, such as HTTP 400." },
    { "name": "attempts", "type": "int", "doc": "How often it was sent." },
    { "name": "id", "type": "string", "doc": "A hash of output and origin, 32 hexadecimal digits: equal for the same record." },
    { "name": "checksum", "type": "long", "doc": "CRC-32 of the record's bytes." },
    {
      "name": "envelope_checksum",
      "type": { "type": "fixed", "name": "Crc32", "size": 4 },
      "doc": "CRC-32, little-endian, of this entry's Avro encoding up to here."
    }
  ]
}
`;
