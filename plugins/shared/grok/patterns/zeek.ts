import type { FieldNaming, PatternSet } from './notation.ts';

const tab = String.raw`\t`;

/** Zeek's (once Bro's) tab-separated logs, column by column. `?` before a column: a hyphen stands for
 *  nothing. Source: Zeek log file reference. */
export function zeekPatterns(naming: FieldNaming): PatternSet {
  return naming === 'legacy' ? legacy() : ecs();
}

function legacy(): PatternSet {
  const greedy = (names: string) => names.split(' ').map((name) => `%{GREEDYDATA:${name}}`);
  const notSpace = (names: string) => names.split(' ').map((name) => `%{NOTSPACE:${name}}`);
  const flow = [
    '%{NUMBER:ts}',
    '%{NOTSPACE:uid}',
    '%{IP:orig_h}',
    '%{INT:orig_p}',
    '%{IP:resp_h}',
    '%{INT:resp_p}',
  ];
  return {
    BRO_HTTP: [
      ...flow,
      '%{INT:trans_depth}',
      ...greedy('method domain uri referrer user_agent'),
      '%{NUMBER:request_body_len}',
      '%{NUMBER:response_body_len}',
      ...greedy('status_code status_msg info_code info_msg filename bro_tags username password'),
      ...greedy('proxied orig_fuids orig_mime_types resp_fuids resp_mime_types'),
    ].join(tab),
    BRO_DNS: [
      ...flow,
      '%{WORD:proto}',
      '%{INT:trans_id}',
      ...greedy('query qclass qclass_name qtype qtype_name rcode rcode_name'),
      ...greedy('AA TC RD RA Z answers TTLs rejected'),
    ].join(tab),
    BRO_CONN: [
      ...flow,
      '%{WORD:proto}',
      ...greedy('service'),
      ...notSpace('duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes'),
      ...notSpace('history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents'),
      ...notSpace('orig_cc resp_cc sensorname'),
    ].join(tab),
    BRO_FILES: [
      '%{NUMBER:ts}',
      '%{NOTSPACE:fuid}',
      '%{IP:tx_hosts}',
      '%{IP:rx_hosts}',
      '%{NOTSPACE:conn_uids}',
      ...greedy('source depth analyzers mime_type filename duration local_orig is_orig'),
      ...greedy('seen_bytes total_bytes missing_bytes overflow_bytes timedout parent_fuid'),
      ...greedy('md5 sha1 sha256 extracted'),
    ].join(tab),
  };
}

function ecs(): PatternSet {
  return {
    BRO_BOOL: '[TF]',
    BRO_DATA: String.raw`[^\t]+`,
    ZEEK_BOOL: '[TF]',
    ZEEK_DATA: String.raw`[^\t]+`,
    BRO_HTTP: http('BRO'),
    ZEEK_HTTP: http('ZEEK'),
    BRO_DNS: dns('BRO'),
    ZEEK_DNS: dns('ZEEK'),
    BRO_CONN: connection('BRO'),
    ZEEK_CONN: connection('ZEEK'),
    BRO_FILES: files('BRO', '~{IP:server.ip}', '~{IP:client.ip}'),
    ZEEK_FILES_TX_HOSTS: hosts('server.ip', 'zeek.files.tx_hosts'),
    ZEEK_FILES_RX_HOSTS: hosts('client.ip', 'zeek.files.rx_hosts'),
    ZEEK_FILES: `${files('ZEEK', '%{ZEEK_FILES_TX_HOSTS}', '%{ZEEK_FILES_RX_HOSTS}')}(?:${tab}~{ZEEK_BOOL:zeek.files.extracted_cutoff}${tab}~{INT:zeek.files.extracted_size:int})?`,
  };
}

type Flavour = 'BRO' | 'ZEEK';

const flow = [
  '%{NUMBER:timestamp}',
  '%{NOTSPACE:zeek.session_id}',
  '%{IP:source.ip}',
  '%{INT:source.port:int}',
  '%{IP:destination.ip}',
  '%{INT:destination.port:int}',
];

function http(flavour: Flavour): string {
  const text = (...fields: string[]) => fields.map((field) => `~{${flavour}_DATA:${field}}`);
  const zeek = flavour === 'ZEEK';
  return [
    ...flow,
    '%{INT:zeek.http.trans_depth:int}',
    '~{WORD:http.request.method}',
    ...text('url.domain', 'url.original', 'http.request.referrer'),
    ...(zeek ? ['~{NUMBER:http.version}'] : []),
    ...text('user_agent.original'),
    ...(zeek ? text('zeek.http.origin') : []),
    '~{NUMBER:http.request.body.bytes:int}',
    '~{NUMBER:http.response.body.bytes:int}',
    '~{POSINT:http.response.status_code:int}',
    '~{DATA:zeek.http.status_msg}',
    '~{POSINT:zeek.http.info_code:int}',
    '~{DATA:zeek.http.info_msg}',
    ...(zeek ? [] : text('zeek.http.filename')),
    String.raw`(?:\(empty\)|%{${flavour}_DATA:zeek.http.tags})`,
    ...text('url.username', 'url.password', 'zeek.http.proxied', 'zeek.http.orig_fuids'),
    ...(zeek ? text('zeek.http.orig_filenames') : []),
    ...text('http.request.mime_type', 'zeek.http.resp_fuids'),
    ...(zeek ? text('zeek.http.resp_filenames') : []),
    ...text('http.response.mime_type'),
  ].join(tab);
}

function dns(flavour: Flavour): string {
  const zeek = flavour === 'ZEEK';
  // The newer log always has these five.
  const flag = (use: string) => (zeek ? `%{${use}}` : `~{${use}}`);
  return [
    ...flow,
    '%{WORD:network.transport}',
    '~{INT:dns.id:int}',
    ...(zeek ? ['~{NUMBER:zeek.dns.rtt:float}'] : []),
    `~{${flavour}_DATA:dns.question.name}`,
    '~{INT:zeek.dns.qclass:int}',
    `~{${flavour}_DATA:zeek.dns.qclass_name}`,
    '~{INT:zeek.dns.qtype:int}',
    `~{${flavour}_DATA:dns.question.type}`,
    '~{INT:zeek.dns.rcode:int}',
    `~{${flavour}_DATA:dns.response_code}`,
    ...['AA', 'TC', 'RD', 'RA'].map((name) => flag(`${flavour}_BOOL:zeek.dns.${name}`)),
    flag('NONNEGINT:zeek.dns.Z:int'),
    `~{${flavour}_DATA:zeek.dns.answers}`,
    '~{DATA:zeek.dns.TTLs}',
    `~{${flavour}_BOOL:zeek.dns.rejected}`,
  ].join(tab);
}

function connection(flavour: Flavour): string {
  const zeek = flavour === 'ZEEK';
  const localResponder = `~{${flavour}_BOOL:zeek.connection.local_resp}${tab}`;
  const head = [
    ...flow,
    '%{WORD:network.transport}',
    `~{${flavour}_DATA:network.protocol}`,
    '~{NUMBER:zeek.connection.duration:float}',
    '~{INT:zeek.connection.orig_bytes:int}',
    '~{INT:zeek.connection.resp_bytes:int}',
    `~{${flavour}_DATA:zeek.connection.state}`,
    `~{${flavour}_BOOL:zeek.connection.local_orig}`,
    '',
  ].join(tab);
  const tail = [
    '~{INT:zeek.connection.missed_bytes:int}',
    `~{${flavour}_DATA:zeek.connection.history}`,
    '~{INT:source.packets:int}',
    '~{INT:source.bytes:int}',
    '~{INT:destination.packets:int}',
    '~{INT:destination.bytes:int}',
  ].join(tab);
  const parents = zeek
    ? `~{ZEEK_DATA:zeek.connection.tunnel_parents}(?:${tab}~{COMMONMAC:source.mac}${tab}~{COMMONMAC:destination.mac})?`
    : String.raw`(?:\(empty\)|%{BRO_DATA:zeek.connection.tunnel_parents})`;
  return `${head}${zeek ? localResponder : `(?:${localResponder})?`}${tail}${tab}${parents}`;
}

function files(flavour: Flavour, sender: string, receiver: string): string {
  const text = (field: string) => `~{${flavour}_DATA:${field}}`;
  const bool = (field: string) => `~{${flavour}_BOOL:${field}}`;
  const number = (field: string) => `~{INT:${field}:int}`;
  return [
    '%{NUMBER:timestamp}',
    '%{NOTSPACE:zeek.files.fuid}',
    sender,
    receiver,
    text('zeek.files.session_ids'),
    text('zeek.files.source'),
    number('zeek.files.depth'),
    text('zeek.files.analyzers'),
    text('file.mime_type'),
    text('file.name'),
    '~{NUMBER:zeek.files.duration:float}',
    text('zeek.files.local_orig'),
    bool('zeek.files.is_orig'),
    number('zeek.files.seen_bytes'),
    number('file.size'),
    number('zeek.files.missing_bytes'),
    number('zeek.files.overflow_bytes'),
    bool('zeek.files.timedout'),
    text('zeek.files.parent_fuid'),
    ...['md5', 'sha1', 'sha256'].map((name) => text(`file.hash.${name}`)),
    text('zeek.files.extracted'),
  ].join(tab);
}

function hosts(first: string, all: string): string {
  return String.raw`(?:~{IP:${first}}|(?<${all}>%{IP:${first}}(?:[\s,]%{IP})+))`;
}
