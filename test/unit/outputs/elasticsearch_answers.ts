/** Answers of Elasticsearch 8.19.21 to bulk requests, as recorded; those of 9.5.3 differ in ids
 *  alone, but for the one that is said to be in pieces, which only 9 gives. The names say what was asked. */
export const answers = {
  'accepted short': {
    status: 200,
    body: '{"errors":false}',
  },
  'mixed short': {
    status: 200,
    body: '{"errors":true}',
  },
  'conflict types': {
    status: 200,
    body: '{"errors":true,"items":[{"create":{"error":{"type":"version_conflict_engine_exception"}}},{"create":{"error":{"type":"version_conflict_engine_exception"}}}]}',
  },
  'mixed types': {
    status: 200,
    body: '{"errors":true,"items":[{"create":{"error":{"type":"version_conflict_engine_exception"}}},{"create":{"error":{"type":"document_parsing_exception"}}}]}',
  },
  'mixed details': {
    status: 200,
    body: '{"errors":true,"items":[{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"[1]: version conflict, document already exists (current version [1])","index_uuid":"HH4mSh3kR4-qOCJWZvEgcw","shard":"0","index":"lines"}}},{"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"[1:6] failed to parse field [n] of type [long] in document with id \'4\'. Preview of field\'s value: \'x\'","caused_by":{"type":"illegal_argument_exception","reason":"For input string: \\"x\\""}}}},{"create":{"status":201}}]}',
  },
  'accepted details': {
    status: 200,
    body: '{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}',
  },
  'no such index': {
    status: 200,
    body: '{"errors":true,"items":[{"create":{"status":404,"error":{"type":"index_not_found_exception","reason":"no such index [elsewhere] and [action.auto_create_index] ([lines*,logs*]) doesn\'t match","index_uuid":"_na_","index":"elsewhere"}}},{"create":{"status":201}}]}',
  },
  'invalid index name': {
    status: 200,
    body: '{"errors":true,"items":[{"create":{"status":400,"error":{"type":"invalid_index_name_exception","reason":"Invalid index name [lines-A], must be lowercase","index_uuid":"_na_","index":"lines-A"}}}]}',
  },
  'pipeline missing': {
    status: 200,
    body: '{"errors":true,"items":[{"create":{"status":400,"error":{"type":"illegal_argument_exception","reason":"pipeline with id [nope] does not exist"}}}]}',
  },
  'unknown parameter': {
    status: 400,
    body: '{"error":{"root_cause":[{"type":"illegal_argument_exception","reason":"request [/_bulk] contains unrecognized parameter: [nonsense]"}],"type":"illegal_argument_exception","reason":"request [/_bulk] contains unrecognized parameter: [nonsense]"},"status":400}',
  },
  'malformed action': {
    status: 400,
    body: '{"error":{"root_cause":[{"type":"x_content_e_o_f_exception","reason":"[1:6] Unexpected end of file"}],"type":"x_content_e_o_f_exception","reason":"[1:6] Unexpected end of file","caused_by":{"type":"json_e_o_f_exception","reason":"Unexpected end-of-input within/between Object entries\\n at [Source: (byte[])\\"{\\"a\\":\\"; line: 1, column: 6]"}},"status":400}',
  },
  'id too long': {
    status: 400,
    body: '{"error":{"root_cause":[{"type":"action_request_validation_exception","reason":"Validation Failed: 1: id [xxx] is too long, must be no longer than 512 bytes but was: 513;"}],"type":"action_request_validation_exception","reason":"Validation Failed: 1: id [xxx] is too long, must be no longer than 512 bytes but was: 513;"},"status":400}',
  },
  'id empty': {
    status: 200,
    body: '{"errors":true,"items":[{"create":{"status":400,"error":{"type":"illegal_argument_exception","reason":"if _id is specified it must not be empty"}}}]}',
  },
  unauthorized: {
    status: 401,
    body: '{"error":{"root_cause":[{"type":"security_exception","reason":"unable to authenticate user [x] for REST request [/_bulk?filter_path=errors,items.*.status,items.*.error]","header":{"WWW-Authenticate":["Basic realm=\\"security\\", charset=\\"UTF-8\\"","ApiKey"]}}],"type":"security_exception","reason":"unable to authenticate user [x] for REST request [/_bulk?filter_path=errors,items.*.status,items.*.error]","header":{"WWW-Authenticate":["Basic realm=\\"security\\", charset=\\"UTF-8\\"","ApiKey"]}},"status":401}',
  },
  'too large': {
    status: 413,
    body: '',
  },
  'too busy': {
    status: 429,
    body: '{"error":{"root_cause":[{"type":"es_rejected_execution_exception","reason":"rejected execution of coordinating operation [coordinating_and_primary_bytes=0, replica_bytes=0, all_bytes=0, coordinating_operation_bytes=1500288, max_coordinating_bytes=1048576]"}],"type":"es_rejected_execution_exception","reason":"rejected execution of coordinating operation [coordinating_and_primary_bytes=0, replica_bytes=0, all_bytes=0, coordinating_operation_bytes=1500288, max_coordinating_bytes=1048576]"},"status":429}',
  },
  'too busy in pieces': {
    status: 429,
    body: '{"error":{"type":"es_rejected_execution_exception","reason":"rejected execution of coordinating operation [coordinating_and_primary_bytes=800310, replica_bytes=0, all_bytes=800310, coordinating_operation_bytes=800310, max_coordinating_bytes=1048576]"},"status":429}',
  },
  'write block': {
    status: 200,
    body: '{"errors":true,"items":[{"create":{"status":403,"error":{"type":"cluster_block_exception","reason":"index [lines-ro] blocked by: [FORBIDDEN/8/index write (api)];"}}},{"create":{"status":201}}]}',
  },
  'data stream without time': {
    status: 200,
    body: '{"errors":true,"items":[{"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"[1:7] failed to parse: data stream timestamp field [@timestamp] is missing","caused_by":{"type":"illegal_argument_exception","reason":"data stream timestamp field [@timestamp] is missing"}}}},{"create":{"status":201}}]}',
  },
  'forbidden index': {
    status: 200,
    body: '{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":403,"error":{"type":"security_exception","reason":"action [indices:data/write/bulk[s]] is unauthorized for API key id [JZrG_aEBvONzH9D03gMf] of user [elastic] on indices [lines], this action is granted by the index privileges [create_doc,create,delete,index,write,all]"}}}]}',
  },
  'wrong path': {
    status: 400,
    body: '{"error":"no handler found for uri [/nowhere/_bulk/x/y] and method [POST]"}',
  },
} as const;
