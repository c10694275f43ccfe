import type { PatternSet } from './notation.ts';

/** Databases, name servers, mail and routers: MongoDB, BIND, Exim, Junos. */
export const servicesShared: PatternSet = {
  MONGO_WORDDASH: String.raw`\b[\w-]+\b`,
  MONGO_QUERY: String.raw`\{ .*(?= \} ntoreturn:) \}`,
  MONGO3_SEVERITY: String.raw`\w`,
  BIND9_TIMESTAMP: '%{MONTHDAY}-%{MONTH}-%{YEAR} %{TIME}',
  EXIM_MSGID: '[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}',
  EXIM_QT: String.raw`(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?`,
  EXIM_EXCLUDE_TERMS: `(?:${[
    'Message is frozen',
    '(?:Start|End) queue run',
    ' Warning: ',
    ' retry time not reached ',
    ' no (?:IP address|host name) found for (?:IP address|host) ',
    ' unexpected disconnection while reading SMTP command ',
    ' no immediate delivery: ',
    'another process is handling this message',
  ].join('|')})`,
  EXIM: '%{EXIM_MESSAGE_ARRIVAL}',
};

export const servicesLegacy: PatternSet = {
  MONGO_LOG: String.raw`%{SYSLOGTIMESTAMP:timestamp} \[%{WORD:component}\] %{GREEDYDATA:message}`,
  MONGO_SLOWQUERY: String.raw`%{WORD} %{MONGO_WORDDASH:database}\.%{MONGO_WORDDASH:collection} %{WORD}: %{MONGO_QUERY:query} %{WORD}:%{NONNEGINT:ntoreturn} %{WORD}:%{NONNEGINT:ntoskip} %{WORD}:%{NONNEGINT:nscanned}.*nreturned:%{NONNEGINT:nreturned}..+ (?<duration>[0-9]+)ms`,
  MONGO3_COMPONENT: '(?:%{WORD}|-)',
  MONGO3_LOG: String.raw`%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:severity} %{MONGO3_COMPONENT:component}%{SPACE}(?:\[%{DATA:context}\])? %{GREEDYDATA:message}`,

  BIND9: String.raw`%{BIND9_TIMESTAMP:timestamp} queries: %{LOGLEVEL:loglevel}: client(?: @0x[0-9A-Fa-f]+)? %{IP:clientip}#%{POSINT:clientport} \(%{GREEDYDATA:query}\): query: %{GREEDYDATA:query} IN %{GREEDYDATA:querytype} \(%{IP:dns}\)`,

  EXIM_FLAGS: '(?:<=|[-=>*]>|[*]{2}|==)',
  EXIM_DATE: '%{YEAR:exim_year}-%{MONTHNUM:exim_month}-%{MONTHDAY:exim_day} %{TIME:exim_time}',
  EXIM_PID: String.raw`\[%{POSINT:pid}\]`,
  EXIM_REMOTE_HOST: String.raw`H=(?:%{NOTSPACE:remote_hostname} )?(?:\(%{NOTSPACE:remote_heloname}\) )?\[%{IP:remote_host}\](?::%{POSINT:remote_port})?`,
  EXIM_INTERFACE: String.raw`I=\[%{IP:exim_interface}\]:%{NUMBER:exim_interface_port}`,
  EXIM_PROTOCOL: 'P=%{NOTSPACE:protocol}',
  EXIM_MSG_SIZE: 'S=%{NUMBER:exim_msg_size}',
  EXIM_HEADER_ID: 'id=%{NOTSPACE:exim_header_id}',
  EXIM_SUBJECT: 'T=%{QS:exim_subject}',
  EXIM_UNKNOWN_FIELD: '[A-Za-z0-9]{1,4}=%{NOTSPACE}',
  EXIM_NAMED_FIELDS: namedMailFields(),
  EXIM_MESSAGE_ARRIVAL:
    '%{EXIM_DATE:timestamp} (?:%{EXIM_PID} )?%{EXIM_MSGID:exim_msgid} (?<exim_flags><=) (?<exim_status>[a-z:] )?%{EMAILADDRESS:exim_sender_email}%{EXIM_NAMED_FIELDS}(?:(?: from <?%{DATA:exim_sender_original}>?)? for %{EMAILADDRESS:exim_recipient_email})?',

  RT_FLOW_EVENT: '(?:RT_FLOW_SESSION_CREATE|RT_FLOW_SESSION_CLOSE|RT_FLOW_SESSION_DENY)',
  ...junosLegacy(),
};

export const servicesEcs: PatternSet = {
  MONGO_LOG: String.raw`%{SYSLOGTIMESTAMP:timestamp} \[%{WORD:mongodb.component}\] %{GREEDYDATA:message}`,
  MONGO_SLOWQUERY: String.raw`%{WORD:mongodb.profile.op} %{MONGO_WORDDASH:mongodb.database}\.%{MONGO_WORDDASH:mongodb.collection} %{WORD}: %{MONGO_QUERY:mongodb.query.original} ntoreturn:%{NONNEGINT:mongodb.profile.ntoreturn:int} ntoskip:%{NONNEGINT:mongodb.profile.ntoskip:int} nscanned:%{NONNEGINT:mongodb.profile.nscanned:int}.*? nreturned:%{NONNEGINT:mongodb.profile.nreturned:int}.*? %{INT:mongodb.profile.duration:int}ms`,
  MONGO3_COMPONENT: '%{WORD}',
  MONGO3_LOG: String.raw`%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:log.level} ~{MONGO3_COMPONENT:mongodb.component}%{SPACE}(?:\[%{DATA:mongodb.context}\])? %{GREEDYDATA:message}`,

  BIND9_DNSTYPE:
    '(?:A|AAAA|CAA|CDNSKEY|CDS|CERT|CNAME|CSYNC|DLV|DNAME|DNSKEY|DS|HINFO|LOC|MX|NAPTR|NS|NSEC|NSEC3|OPENPGPKEY|PTR|RRSIG|RP|SIG|SMIMEA|SOA|SRV|TSIG|TXT|URI)',
  BIND9_CATEGORY: 'queries',
  BIND9_QUERYLOGBASE: String.raw`client(?::? @0x[0-9A-Fa-f]+)? %{IP:client.ip}#%{POSINT:client.port:int} \(%{GREEDYDATA:bind.log.question.name}\): query: %{GREEDYDATA:dns.question.name} (?<dns.question.class>IN) %{BIND9_DNSTYPE:dns.question.type}(?::? %{DATA:bind.log.question.flags})? \(%{IP:server.ip}\)`,
  BIND9_QUERYLOG:
    '%{BIND9_TIMESTAMP:timestamp} %{BIND9_CATEGORY:bind.log.category}: %{LOGLEVEL:log.level}: %{BIND9_QUERYLOGBASE}',
  BIND9: '%{BIND9_QUERYLOG}',

  EXIM_FLAGS: String.raw`(?:<=|=>|->|\*>|\*\*|==|<>|>>)`,
  EXIM_DATE: ':?%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{TIME}',
  EXIM_PID: String.raw`\[%{POSINT:process.pid:int}\]`,
  EXIM_REMOTE_HOST: String.raw`H=(?:%{NOTSPACE:source.address} )?(?:\(%{NOTSPACE:exim.log.remote_address}\) )?\[%{IP:source.ip}\](?::%{POSINT:source.port:int})?`,
  EXIM_INTERFACE: String.raw`I=\[%{IP:destination.ip}\]:%{NUMBER:destination.port:int}`,
  EXIM_PROTOCOL: 'P=%{NOTSPACE:network.protocol}',
  EXIM_MSG_SIZE: 'S=%{NUMBER:exim.log.message.size:int}',
  EXIM_HEADER_ID: 'id=%{NOTSPACE:exim.log.header_id}',
  EXIM_QUOTED_CONTENT: String.raw`[^\\"]*(?:\\.[^\\"]*)*`,
  EXIM_SUBJECT: 'T="%{EXIM_QUOTED_CONTENT:exim.log.message.subject}"',
  EXIM_UNKNOWN_FIELD: '[A-Za-z0-9]{1,4}=(?:%{QUOTEDSTRING}|%{NOTSPACE})',
  EXIM_NAMED_FIELDS: namedMailFields(),
  EXIM_MESSAGE_ARRIVAL:
    '%{EXIM_DATE:timestamp} (?:%{EXIM_PID} )?%{EXIM_MSGID:exim.log.message.id} (?<exim.log.flags><=) (?<exim.log.status>[a-z:] )?%{EMAILADDRESS:exim.log.sender.email}%{EXIM_NAMED_FIELDS}(?:(?: from <?%{DATA:exim.log.sender.original}>?)? for %{EMAILADDRESS:exim.log.recipient.email})?',

  RT_FLOW_TAG: '(?:RT_FLOW_SESSION_CREATE|RT_FLOW_SESSION_CLOSE|RT_FLOW_SESSION_DENY)',
  RT_FLOW_EVENT: 'RT_FLOW_TAG',
  ...junosEcs(),
};

/** `KEY=value` parts of an arrival line, in any order. */
function namedMailFields(): string {
  const known = ['REMOTE_HOST', 'INTERFACE', 'PROTOCOL', 'MSG_SIZE', 'HEADER_ID', 'SUBJECT'];
  return `(?: (?:${[...known, 'UNKNOWN_FIELD'].map((part) => `%{EXIM_${part}}`).join('|')}))*`;
}

function junosLegacy(): PatternSet {
  const flow = '%{IP:src-ip}/%{INT:src-port}->%{IP:dst-ip}/%{INT:dst-port} %{DATA:service}';
  const nat =
    '%{IP:nat-src-ip}/%{INT:nat-src-port}->%{IP:nat-dst-ip}/%{INT:nat-dst-port} %{DATA:src-nat-rule-name} %{DATA:dst-nat-rule-name}';
  const policy = '%{DATA:policy-name} %{DATA:from-zone} %{DATA:to-zone}';
  return {
    RT_FLOW1: String.raw`%{RT_FLOW_EVENT:event}: %{GREEDYDATA:close-reason}: ${flow} ${nat} %{INT:protocol-id} ${policy} %{INT:session-id} \d+\(%{DATA:sent}\) \d+\(%{DATA:received}\) %{INT:elapsed-time} .*`,
    RT_FLOW2: `%{RT_FLOW_EVENT:event}: session created ${flow} ${nat} %{INT:protocol-id} ${policy} %{INT:session-id} .*`,
    RT_FLOW3: String.raw`%{RT_FLOW_EVENT:event}: session denied ${flow} %{INT:protocol-id}\(\d\) ${policy} .*`,
  };
}

function junosEcs(): PatternSet {
  const tag = '%{RT_FLOW_TAG:juniper.srx.tag}';
  const flow =
    '%{IP:source.ip}/%{INT:source.port:int}->%{IP:destination.ip}/%{INT:destination.port:int} %{DATA:juniper.srx.service_name}';
  const rule = (side: string) => `(?:None|%{DATA:juniper.srx.${side}_nat_rule_name})`;
  const nat = `%{IP:source.nat.ip}/%{INT:source.nat.port:int}->%{IP:destination.nat.ip}/%{INT:destination.nat.port:int} ${rule('src')} ${rule('dst')} %{INT:network.iana_number}`;
  const policy = '%{DATA:rule.name} %{DATA:observer.ingress.zone} %{DATA:observer.egress.zone}';
  const session = '%{INT:juniper.srx.session_id}';
  return {
    RT_FLOW1: String.raw`${tag}: %{GREEDYDATA:juniper.srx.reason}: ${flow} ${nat} ${policy} ${session} \d+\(%{INT:source.bytes:int}\) \d+\(%{INT:destination.bytes:int}\) %{INT:juniper.srx.elapsed_time:int} .*`,
    RT_FLOW2: `${tag}: session created ${flow} ${nat} ${policy} ${session} .*`,
    RT_FLOW3: String.raw`${tag}: session denied ${flow} %{INT:network.iana_number}\(\d\) ${policy} .*`,
  };
}
