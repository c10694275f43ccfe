import type { PatternSet } from './notation.ts';

/** Web servers, proxies and load balancers: Apache httpd, HAProxy, Squid, Rails, AWS. */
export const webShared: PatternSet = {
  HTTPDUSER: '(?:%{EMAILADDRESS}|%{USER})',
  HTTPDERROR_DATE: '%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}',
  HTTPD_ERRORLOG: '(?:%{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG})',
  COMMONAPACHELOG: '%{HTTPD_COMMONLOG}',
  COMBINEDAPACHELOG: '%{HTTPD_COMBINEDLOG}',
};

const legacyQueues =
  '%{INT:actconn}/%{INT:feconn}/%{INT:beconn}/%{INT:srvconn}/%{NOTSPACE:retries} %{INT:srv_queue}/%{INT:backend_queue}';
const legacyHead =
  '(?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) %{IPORHOST:syslog_server} %{SYSLOGPROG}: ';
const legacyClient = String.raw`%{IP:client_ip}:%{INT:client_port} \[%{HAPROXYDATE:accept_date}\]`;
const legacyBackend = '%{NOTSPACE:frontend_name} %{NOTSPACE:backend_name}/%{NOTSPACE:server_name}';

const railsTime =
  '(?<timestamp>%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND} %{ISO8601_TIMEZONE})';

export const webLegacy: PatternSet = {
  HTTPD_COMMONLOG: String.raw`%{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} \[%{HTTPDATE:timestamp}\] "(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" ~{NUMBER:response} ~{NUMBER:bytes}`,
  HTTPD_COMBINEDLOG: '%{HTTPD_COMMONLOG} %{QS:referrer} %{QS:agent}',
  HTTPD20_ERRORLOG: String.raw`\[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:loglevel}\] (?:\[client %{IPORHOST:clientip}\] )?%{GREEDYDATA:message}`,
  HTTPD24_ERRORLOG: String.raw`\[%{HTTPDERROR_DATE:timestamp}\] \[%{WORD:module}:%{LOGLEVEL:loglevel}\] \[pid %{POSINT:pid}(?::tid %{NUMBER:tid})?\](?: \(%{POSINT:proxy_errorcode}\)%{DATA:proxy_message}:)?(?: \[client %{IPORHOST:clientip}:%{POSINT:clientport}\])?(?: %{DATA:errorcode}:)? %{GREEDYDATA:message}`,

  HAPROXYTIME: '%{HOUR:haproxy_hour}:%{MINUTE:haproxy_minute}:%{SECOND:haproxy_second}(?![0-9])',
  HAPROXYDATE:
    '%{MONTHDAY:haproxy_monthday}/%{MONTH:haproxy_month}/%{YEAR:haproxy_year}:%{HAPROXYTIME:haproxy_time}.%{INT:haproxy_milliseconds}',
  HAPROXYCAPTUREDREQUESTHEADERS: '%{DATA:captured_request_headers}',
  HAPROXYCAPTUREDRESPONSEHEADERS: '%{DATA:captured_response_headers}',
  HAPROXYHTTPBASE: String.raw`${legacyClient} ${legacyBackend} %{INT:time_request}/%{INT:time_queue}/%{INT:time_backend_connect}/%{INT:time_backend_response}/%{NOTSPACE:time_duration} %{INT:http_status_code} %{NOTSPACE:bytes_read} %{DATA:captured_request_cookie} %{DATA:captured_response_cookie} %{NOTSPACE:termination_state} ${legacyQueues} (?:\{%{HAPROXYCAPTUREDREQUESTHEADERS}\})? ?(?:\{%{HAPROXYCAPTUREDRESPONSEHEADERS}\})? ?"(?:<BADREQ>|%{WORD:http_verb} (?:%{URIPROTO:http_proto}://)?(?:%{USER:http_user}(?::[^@]*)?@)?(?:%{URIHOST:http_host})?(?:%{URIPATHPARAM:http_request})?(?: HTTP/%{NUMBER:http_version})?)?"?`,
  HAPROXYHTTP: `${legacyHead}%{HAPROXYHTTPBASE}`,
  HAPROXYTCP: `${legacyHead}${legacyClient} ${legacyBackend} %{INT:time_queue}/%{INT:time_backend_connect}/%{NOTSPACE:time_duration} %{NOTSPACE:bytes_read} %{NOTSPACE:termination_state} ${legacyQueues}`,
  HAPROXYERROR: `${legacyHead}${legacyClient} %{NOTSPACE:frontend_name}/%{NOTSPACE:bind_name}: %{GREEDYDATA:error_message}`,

  SQUID3: String.raw`%{NUMBER:timestamp}\s+%{NUMBER:duration}\s%{IP:client_address}\s%{WORD:cache_result}/%{NONNEGINT:status_code}\s%{NUMBER:bytes}\s%{WORD:request_method}\s%{NOTSPACE:url}\s(?:%{NOTSPACE:user}|-)\s%{WORD:hierarchy_code}/%{IPORHOST:server}\s%{NOTSPACE:content_type}`,

  RCONTROLLER: String.raw`(?<controller>[^#]+)#(?<action>\w+)`,
  RAILS3HEAD: `(?m)Started %{WORD:verb} "%{URIPATHPARAM:request}" for %{IPORHOST:clientip} at ${railsTime}`,
  RPROCESSING: String.raw`\W*Processing by %{RCONTROLLER} as (?<format>\S+)(?:\W*Parameters: \{%{DATA:params}\}\W*)?`,
  RAILS3: rails('context'),
  RAILS3PROFILE: String.raw`(?:\((?:Views: %{NUMBER:viewms}ms \| ActiveRecord: %{NUMBER:activerecordms}ms|ActiveRecord: %{NUMBER:activerecordms}ms))?`,
  RAILS3FOOT:
    'Completed %{NUMBER:response}%{DATA} in %{NUMBER:totalms}ms %{RAILS3PROFILE}%{GREEDYDATA}',

  S3_REQUEST_LINE:
    '(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})',
  S3_ACCESS_LOG: String.raw`%{WORD:owner} %{NOTSPACE:bucket} \[%{HTTPDATE:timestamp}\] (?:%{IP:clientip}|-) %{NOTSPACE:requester} %{NOTSPACE:request_id} %{NOTSPACE:operation} %{NOTSPACE:key} (?:"%{S3_REQUEST_LINE}"|"-"|-) (?:%{INT:response:int}|-) ~{NOTSPACE:error_code} (?:%{INT:bytes:int}|-) (?:%{INT:object_size:int}|-) (?:%{INT:request_time_ms:int}|-) (?:%{INT:turnaround_time_ms:int}|-) (?:%{QS:referrer}|-) (?:"?%{QS:agent}"?|-) ~{NOTSPACE:version_id}`,
  ELB_URIPATHPARAM: '%{URIPATH:path}(?:%{URIPARAM:params})?',
  ELB_URI:
    '%{URIPROTO:proto}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST:urihost})?(?:%{ELB_URIPATHPARAM})?',
  ELB_REQUEST_LINE:
    '(?:%{WORD:verb} %{ELB_URI:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})',
  ELB_ACCESS_LOG:
    '%{TIMESTAMP_ISO8601:timestamp} %{NOTSPACE:elb} %{IP:clientip}:%{INT:clientport:int} (?:%{IP:backendip}:?:%{INT:backendport:int}|-) %{NUMBER:request_processing_time:float} %{NUMBER:backend_processing_time:float} %{NUMBER:response_processing_time:float} %{INT:response:int} ~{INT:backend_response:int} %{INT:received_bytes:int} %{INT:bytes:int} "%{ELB_REQUEST_LINE}"',
  CLOUDFRONT_ACCESS_LOG: [
    String.raw`(?<timestamp>%{YEAR}-%{MONTHNUM}-%{MONTHDAY}\t%{TIME})`,
    '%{WORD:x_edge_location}',
    '(?:%{NUMBER:sc_bytes:int}|-)',
    '%{IPORHOST:clientip}',
    '%{WORD:cs_method}',
    '%{HOSTNAME:cs_host}',
    '%{NOTSPACE:cs_uri_stem}',
    '%{NUMBER:sc_status:int}',
    ...['referrer', 'agent', 'cs_uri_query', 'cookies'].map((name) => `%{GREEDYDATA:${name}}`),
    '%{WORD:x_edge_result_type}',
    '%{NOTSPACE:x_edge_request_id}',
    '%{HOSTNAME:x_host_header}',
    '%{URIPROTO:cs_protocol}',
    '%{INT:cs_bytes:int}',
    '%{GREEDYDATA:time_taken:float}',
    ...['x_forwarded_for', 'ssl_protocol', 'ssl_cipher', 'x_edge_response_result_type'].map(
      (name) => `%{GREEDYDATA:${name}}`,
    ),
  ].join(String.raw`\t`),
};

const httpVersion = '(?: HTTP/%{NUMBER:http.version})?';
const ecsHead =
  '(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp}) %{IPORHOST:host.hostname} %{SYSLOGPROG}: ';
const ecsClient = String.raw`%{IP:source.address}:%{INT:source.port:int} \[%{HAPROXYDATE:haproxy.request_date}\] %{NOTSPACE:haproxy.frontend_name} %{NOTSPACE:haproxy.backend_name}/(?:<NOSRV>|%{NOTSPACE:haproxy.server_name})`;
const ecsQueues = `${['active', 'frontend', 'backend', 'server', 'retries']
  .map((name) => `%{INT:haproxy.connections.${name}:int}`)
  .join('/')} %{INT:haproxy.server_queue:int}/%{INT:haproxy.backend_queue:int}`;
const orMinusOne = (field: string) => `(?:-1|%{INT:${field}:int})`;

export const webEcs: PatternSet = {
  HTTPD_COMMONLOG: String.raw`%{IPORHOST:source.address} ~{HTTPDUSER:apache.access.user.identity} ~{HTTPDUSER:user.name} \[%{HTTPDATE:timestamp}\] "(?:%{WORD:http.request.method} %{NOTSPACE:url.original}${httpVersion}|%{DATA})" ~{INT:http.response.status_code:int} ~{INT:http.response.body.bytes:int}`,
  HTTPD_COMBINEDLOG:
    '%{HTTPD_COMMONLOG} "~{DATA:http.request.referrer}" "~{DATA:user_agent.original}"',
  HTTPD20_ERRORLOG: String.raw`\[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:log.level}\] (?:\[client %{IPORHOST:source.address}\] )?%{GREEDYDATA:message}`,
  HTTPD24_ERRORLOG: String.raw`\[%{HTTPDERROR_DATE:timestamp}\] \[(?:%{WORD:apache.error.module})?:%{LOGLEVEL:log.level}\] \[pid %{POSINT:process.pid:int}(?::tid %{INT:process.thread.id:int})?\](?: \(%{POSINT:apache.error.proxy.error.code}\)%{DATA:apache.error.proxy.error.message}:)?(?: \[client %{IPORHOST:source.address}(?::%{POSINT:source.port:int})?\])?(?: %{DATA:error.code}:)? %{GREEDYDATA:message}`,

  HAPROXYTIME: '%{HOUR}:%{MINUTE}:%{SECOND}(?![0-9])',
  HAPROXYDATE: '%{MONTHDAY}/%{MONTH}/%{YEAR}:%{HAPROXYTIME}.%{INT}',
  HAPROXYCAPTUREDREQUESTHEADERS: '%{DATA:haproxy.http.request.captured_headers}',
  HAPROXYCAPTUREDRESPONSEHEADERS: '%{DATA:haproxy.http.response.captured_headers}',
  HAPROXYURI: String.raw`(?:%{URIPROTO:url.scheme}://)?(?:%{USER:url.username}(?::[^@]*)?@)?(?:%{IPORHOST:url.domain}(?::%{POSINT:url.port:int})?)?(?:%{URIPATH:url.path}(?:\?%{URIQUERY:url.query})?)?`,
  HAPROXYHTTPREQUESTLINE: `(?:<BADREQ>|%{WORD:http.request.method} %{HAPROXYURI:url.original}${httpVersion})`,
  HAPROXYHTTPBASE: String.raw`${ecsClient} ${orMinusOne('haproxy.http.request.time_wait_ms')}/${orMinusOne('haproxy.total_waiting_time_ms')}/${orMinusOne('haproxy.connection_wait_time_ms')}/${orMinusOne('haproxy.http.request.time_wait_without_data_ms')}/%{NOTSPACE:haproxy.total_time_ms} %{INT:http.response.status_code:int} %{INT:source.bytes:int} ~{DATA:haproxy.http.request.captured_cookie} ~{DATA:haproxy.http.response.captured_cookie} %{NOTSPACE:haproxy.termination_state} ${ecsQueues}(?: \{%{HAPROXYCAPTUREDREQUESTHEADERS}\}(?: \{%{HAPROXYCAPTUREDRESPONSEHEADERS}\})?)?(?: "%{HAPROXYHTTPREQUESTLINE}"?)?`,
  HAPROXYHTTP: `${ecsHead}%{HAPROXYHTTPBASE}`,
  HAPROXYTCP: `${ecsHead}${ecsClient} ${orMinusOne('haproxy.total_waiting_time_ms')}/${orMinusOne('haproxy.connection_wait_time_ms')}/%{NOTSPACE:haproxy.total_time_ms} %{INT:source.bytes:int} %{NOTSPACE:haproxy.termination_state} ${ecsQueues}`,

  SQUID3_STATUS: '(?:%{POSINT:http.response.status_code:int}|0|000)',
  SQUID3: String.raw`%{NUMBER:timestamp}\s+%{NUMBER:squid.request.duration:int}\s%{IP:source.ip}\s%{WORD:event.action}/%{SQUID3_STATUS}\s%{INT:http.response.bytes:int}\s%{WORD:http.request.method}\s%{NOTSPACE:url.original}\s~{NOTSPACE:user.name}\s%{WORD:squid.hierarchy_code}/~{IPORHOST:destination.address}\s~{NOTSPACE:http.response.mime_type}`,

  RCONTROLLER: String.raw`(?<rails.controller.class>[^#]+)#(?<rails.controller.action>\w+)`,
  RAILS3HEAD: `(?m)Started %{WORD:http.request.method} "%{URIPATHPARAM:url.original}" for %{IPORHOST:source.address} at ${railsTime}`,
  RPROCESSING: String.raw`\W*Processing by %{RCONTROLLER} as (?<rails.request.format>\S+)(?:\W*Parameters: \{%{DATA:rails.request.params}\}\W*)?`,
  RAILS3: rails('rails.request.explain.original'),
  RAILS3PROFILE: String.raw`(?:\((?:Views: %{NUMBER:rails.request.duration.view:float}ms \| ActiveRecord: %{NUMBER:rails.request.duration.active_record:float}ms|ActiveRecord: %{NUMBER:rails.request.duration.active_record:float}ms))?`,
  RAILS3FOOT:
    'Completed %{POSINT:http.response.status_code:int}%{DATA} in %{NUMBER:rails.request.duration.total:float}ms %{RAILS3PROFILE}%{GREEDYDATA}',

  S3_REQUEST_LINE: `%{WORD:http.request.method} %{NOTSPACE:url.original}${httpVersion}`,
  S3_ACCESS_LOG: String.raw`%{WORD:aws.s3access.bucket_owner} %{NOTSPACE:aws.s3access.bucket} \[%{HTTPDATE:timestamp}\] ~{IP:client.ip} ~{NOTSPACE:client.user.id} %{NOTSPACE:aws.s3access.request_id} %{NOTSPACE:aws.s3access.operation} ~{NOTSPACE:aws.s3access.key} (?:-|"%{S3_REQUEST_LINE:aws.s3access.request_uri}") ~{INT:http.response.status_code:int} ~{NOTSPACE:aws.s3access.error_code} ~{INT:aws.s3access.bytes_sent:int} ~{INT:aws.s3access.object_size:int} ~{INT:aws.s3access.total_time:int} ~{INT:aws.s3access.turn_around_time:int} "~{DATA:http.request.referrer}" "~{DATA:user_agent.original}" ~{NOTSPACE:aws.s3access.version_id}(?: ~{NOTSPACE:aws.s3access.host_id} ~{NOTSPACE:aws.s3access.signature_version} ~{NOTSPACE:tls.cipher} ~{NOTSPACE:aws.s3access.authentication_type} ~{NOTSPACE:aws.s3access.host_header} ~{NOTSPACE:aws.s3access.tls_version})?`,
  ELB_URIHOST: '%{IPORHOST:url.domain}(?::%{POSINT:url.port:int})?',
  ELB_URIPATHQUERY: String.raw`%{URIPATH:url.path}(?:\?%{URIQUERY:url.query})?`,
  ELB_URIPATHPARAM: '%{ELB_URIPATHQUERY}',
  ELB_URI:
    '%{URIPROTO:url.scheme}://(?:%{USER:url.username}(?::[^@]*)?@)?(?:%{ELB_URIHOST})?(?:%{ELB_URIPATHQUERY})?',
  ELB_REQUEST_LINE: `%{WORD:http.request.method} %{ELB_URI:url.original}${httpVersion}`,
  ELB_V1_HTTP_LOG: `%{TIMESTAMP_ISO8601:timestamp} %{NOTSPACE:aws.elb.name} %{IP:source.ip}:%{INT:source.port:int} (?:-|%{IP:aws.elb.backend.ip}:%{INT:aws.elb.backend.port:int}) ${[
    'request',
    'backend',
    'response',
  ]
    .map((part) => `(?:-1|%{NUMBER:aws.elb.${part}_processing_time.sec:float})`)
    .join(
      ' ',
    )} %{INT:http.response.status_code:int} ~{INT:aws.elb.backend.http.response.status_code:int} %{INT:http.request.body.bytes:int} %{INT:http.response.body.bytes:int} "%{ELB_REQUEST_LINE}"(?: "~{DATA:user_agent.original}" ~{NOTSPACE:tls.cipher} ~{NOTSPACE:aws.elb.ssl_protocol})?`,
  ELB_ACCESS_LOG: '%{ELB_V1_HTTP_LOG}',
  CLOUDFRONT_ACCESS_LOG: cloudFront(),
};

/** Between head and foot stand whole lines, up to the last line feed. */
function rails(context: string): string {
  return String.raw`%{RAILS3HEAD}(?:%{RPROCESSING})?(?<${context}>(?:.*\n)?)(?:%{RAILS3FOOT})?`;
}

/** Tab-separated columns; the later ones came with newer versions of the log. */
function cloudFront(): string {
  const tab = String.raw`\t`;
  const request = 'aws.cloudfront.http.request';
  const columns = [
    String.raw`(?<timestamp>%{YEAR}-%{MONTHNUM}-%{MONTHDAY}\t%{TIME})`,
    '%{NOTSPACE:aws.cloudfront.x_edge_location}',
    '~{INT:destination.bytes:int}',
    '%{IPORHOST:source.ip}',
    '%{WORD:http.request.method}',
    '%{HOSTNAME:url.domain}',
    '%{NOTSPACE:url.path}',
    '(?:000|%{INT:http.response.status_code:int})',
    '~{DATA:http.request.referrer}',
    '%{DATA:user_agent.original}',
    '~{DATA:url.query}',
    `~{DATA:${request}.cookie}`,
    '%{WORD:aws.cloudfront.x_edge_result_type}',
    '%{NOTSPACE:aws.cloudfront.x_edge_request_id}',
    `%{HOSTNAME:${request}.host}`,
    '%{URIPROTO:network.protocol}',
    '~{INT:source.bytes:int}',
    '%{NUMBER:aws.cloudfront.time_taken:float}',
    '~{IP:network.forwarded_ip}',
    '~{DATA:aws.cloudfront.ssl_protocol}',
    '~{NOTSPACE:tls.cipher}',
    '%{WORD:aws.cloudfront.x_edge_response_result_type}',
  ];
  const newer = [
    '(?:-|HTTP/%{NUMBER:http.version})',
    '~{DATA:aws.cloudfront.fle_status}',
    '~{DATA:aws.cloudfront.fle_encrypted_fields}',
    '%{INT:source.port:int}',
    '%{NUMBER:aws.cloudfront.time_to_first_byte:float}',
    '~{DATA:aws.cloudfront.x_edge_detailed_result_type}',
    '~{NOTSPACE:http.request.mime_type}',
    `~{INT:${request}.size:int}`,
    `~{INT:${request}.range.start:int}`,
    `~{INT:${request}.range.end:int}`,
  ];
  return `${columns.join(tab)}(?:${tab}${newer.join(tab)})?`;
}
