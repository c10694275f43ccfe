import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileGrok, grokLine } from '../../../plugins/shared/grok/grok.ts';
import { patternLibrary } from '../../../plugins/shared/grok/patterns/library.ts';

type Fields = Record<string, unknown> | null;

/** A line, and the fields it must give with flat names and with Elastic Common Schema names;
 *  undefined: not part of that set. */
type Row = readonly [
  pattern: string,
  line: string,
  legacy: Fields | undefined,
  ecs: Fields | undefined,
];

const time = '17/May/2015:10:05:03 +0000';

const rows: readonly Row[] = [
  [
    'COMBINEDAPACHELOG',
    `83.149.9.216 - frank [${time}] "GET /a?b=c HTTP/1.1" 200 203023 "http://x.org/" "Mozilla/5.0 \\"q\\""`,
    {
      clientip: '83.149.9.216',
      ident: '-',
      auth: 'frank',
      timestamp: time,
      verb: 'GET',
      request: '/a?b=c',
      httpversion: '1.1',
      response: '200',
      bytes: '203023',
      referrer: '"http://x.org/"',
      agent: '"Mozilla/5.0 \\"q\\""',
    },
    {
      source: { address: '83.149.9.216' },
      user: { name: 'frank' },
      timestamp: time,
      http: {
        request: { method: 'GET', referrer: 'http://x.org/' },
        version: '1.1',
        response: { status_code: 200, body: { bytes: 203023 } },
      },
      url: { original: '/a?b=c' },
      user_agent: { original: 'Mozilla/5.0 \\"q\\"' },
    },
  ],
  [
    'COMMONAPACHELOG',
    `2001:db8::1 - - [${time}] "-" 408 -`,
    {
      clientip: '2001:db8::1',
      ident: '-',
      auth: '-',
      timestamp: time,
      rawrequest: '-',
      response: '408',
    },
    {
      source: { address: '2001:db8::1' },
      timestamp: time,
      http: { response: { status_code: 408 } },
    },
  ],
  [
    'HTTPD_ERRORLOG',
    '[Mon Aug 31 16:27:04.163150 2015] [proxy:error] [pid 1787:tid 139] (111)Connection refused: [client 1.2.3.4:80] AH00957: failed',
    {
      timestamp: 'Mon Aug 31 16:27:04.163150 2015',
      module: 'proxy',
      loglevel: 'error',
      pid: '1787',
      tid: '139',
      proxy_errorcode: '111',
      proxy_message: 'Connection refused',
      clientip: '1.2.3.4',
      clientport: '80',
      errorcode: 'AH00957',
      message: 'failed',
    },
    {
      timestamp: 'Mon Aug 31 16:27:04.163150 2015',
      apache: {
        error: {
          module: 'proxy',
          proxy: { error: { code: '111', message: 'Connection refused' } },
        },
      },
      log: { level: 'error' },
      process: { pid: 1787, thread: { id: 139 } },
      source: { address: '1.2.3.4', port: 80 },
      error: { code: 'AH00957' },
      message: 'failed',
    },
  ],
  [
    'SYSLOGLINE',
    'Mar 16 00:01:25 evita postfix/smtpd[1713]: connect from camomile.cloud9.net[168.100.1.3]',
    {
      timestamp: 'Mar 16 00:01:25',
      logsource: 'evita',
      program: 'postfix/smtpd',
      pid: '1713',
      message: 'connect from camomile.cloud9.net[168.100.1.3]',
    },
    {
      timestamp: 'Mar 16 00:01:25',
      host: { hostname: 'evita' },
      process: { name: 'postfix/smtpd', pid: 1713 },
      message: 'connect from camomile.cloud9.net[168.100.1.3]',
    },
  ],
  [
    'SYSLOG5424LINE',
    '<34>1 2012-12-19T01:45:54.001234Z rufus su 77 ID47 [meta a="1"][x b="2"] Stack unit 3',
    {
      syslog5424_pri: '34',
      syslog5424_ver: '1',
      syslog5424_ts: '2012-12-19T01:45:54.001234Z',
      syslog5424_host: 'rufus',
      syslog5424_app: 'su',
      syslog5424_proc: '77',
      syslog5424_msgid: 'ID47',
      syslog5424_sd: '[meta a="1"][x b="2"]',
      syslog5424_msg: 'Stack unit 3',
    },
    {
      log: { syslog: { priority: 34 } },
      system: { syslog: { version: '1', structured_data: '[meta a="1"][x b="2"]' } },
      timestamp: '2012-12-19T01:45:54.001234Z',
      host: { hostname: 'rufus' },
      process: { name: 'su', pid: 77 },
      event: { code: 'ID47' },
      message: 'Stack unit 3',
    },
  ],
  [
    'CRONLOG',
    'Jul 17 12:17:01 precision CRON[869568]: (root) CMD (   cd / && run-parts)',
    {
      timestamp: 'Jul 17 12:17:01',
      logsource: 'precision',
      program: 'CRON',
      pid: '869568',
      user: 'root',
      action: 'CMD',
      message: '   cd / && run-parts',
    },
    {
      timestamp: 'Jul 17 12:17:01',
      host: { hostname: 'precision' },
      process: { name: 'CRON', pid: 869568 },
      user: { name: 'root' },
      system: { cron: { action: 'CMD' } },
      message: '   cd / && run-parts',
    },
  ],
  [
    'HAPROXYHTTP',
    'Dec  9 13:01:26 localhost haproxy[28029]: 127.0.0.1:39759 [09/Dec/2013:12:59:46.633] loadbalancer default/instance8 0/51536/1/48082/99627 200 83285 - - ---- 87/87/87/1/0 0/67 {77.24.148.74} "GET /path/to/image HTTP/1.1"',
    {
      syslog_timestamp: 'Dec  9 13:01:26',
      syslog_server: 'localhost',
      program: 'haproxy',
      pid: '28029',
      client_ip: '127.0.0.1',
      client_port: '39759',
      accept_date: '09/Dec/2013:12:59:46.633',
      haproxy_monthday: '09',
      haproxy_month: 'Dec',
      haproxy_year: '2013',
      haproxy_time: '12:59:46',
      haproxy_hour: '12',
      haproxy_minute: '59',
      haproxy_second: '46',
      haproxy_milliseconds: '633',
      frontend_name: 'loadbalancer',
      backend_name: 'default',
      server_name: 'instance8',
      time_request: '0',
      time_queue: '51536',
      time_backend_connect: '1',
      time_backend_response: '48082',
      time_duration: '99627',
      http_status_code: '200',
      bytes_read: '83285',
      captured_request_cookie: '-',
      captured_response_cookie: '-',
      termination_state: '----',
      actconn: '87',
      feconn: '87',
      beconn: '87',
      srvconn: '1',
      retries: '0',
      srv_queue: '0',
      backend_queue: '67',
      captured_request_headers: '77.24.148.74',
      http_verb: 'GET',
      http_request: '/path/to/image',
      http_version: '1.1',
    },
    {
      timestamp: 'Dec  9 13:01:26',
      host: { hostname: 'localhost' },
      process: { name: 'haproxy', pid: 28029 },
      source: { address: '127.0.0.1', port: 39759, bytes: 83285 },
      haproxy: {
        request_date: '09/Dec/2013:12:59:46.633',
        frontend_name: 'loadbalancer',
        backend_name: 'default',
        server_name: 'instance8',
        http: {
          request: {
            time_wait_ms: 0,
            time_wait_without_data_ms: 48082,
            captured_headers: '77.24.148.74',
          },
        },
        total_waiting_time_ms: 51536,
        connection_wait_time_ms: 1,
        total_time_ms: '99627',
        termination_state: '----',
        connections: { active: 87, frontend: 87, backend: 87, server: 1, retries: 0 },
        server_queue: 0,
        backend_queue: 67,
      },
      http: { response: { status_code: 200 }, request: { method: 'GET' }, version: '1.1' },
      url: { original: '/path/to/image', path: '/path/to/image' },
    },
  ],
  [
    'JAVASTACKTRACEPART',
    '  at com.sample.StackTraceExample.aMethod(StackTraceExample.java:42)',
    {
      class: 'com.sample.StackTraceExample',
      method: 'aMethod',
      file: 'StackTraceExample.java',
      line: '42',
    },
    {
      java: { log: { origin: { class: { name: 'com.sample.StackTraceExample' } } } },
      log: { origin: { function: 'aMethod', file: { name: 'StackTraceExample.java', line: 42 } } },
    },
  ],
  [
    'CATALINALOG',
    'Jul 30, 2020 3:00:21 PM org.apache.Http11Protocol init\nINFO: Initializing',
    {
      timestamp: 'Jul 30, 2020 3:00:21 PM',
      class: 'org.apache.Http11Protocol',
      logmessage: 'init\nINFO: Initializing',
    },
    {
      timestamp: 'Jul 30, 2020 3:00:21 PM',
      java: { log: { origin: { class: { name: 'org.apache.Http11Protocol' } } } },
      log: { origin: { function: 'init' }, level: 'INFO' },
      message: 'Initializing',
    },
  ],
  ['POSTGRESQL', '2005/01/17-12:00:00 EST bob db1 c 4021', null, null],
  [
    'POSTGRESQL',
    '03-04-2020 12:00:00 EST bob db1 c 4021',
    { timestamp: '03-04-2020 12:00:00', user_id: 'bob', connection_id: 'db1 c', pid: '4021' },
    {
      timestamp: '03-04-2020 12:00:00',
      event: { timezone: 'EST' },
      user: { name: 'bob' },
      postgresql: { log: { connection_id: 'db1 c' } },
      process: { pid: 4021 },
    },
  ],
  [
    'REDISMONLOG',
    '1470637867.953466 [0 195.168.1.1:52500] "get" "my:key"',
    {
      timestamp: '1470637867.953466',
      database: '0',
      client: '195.168.1.1',
      port: '52500',
      command: 'get',
      params: '"my:key"',
    },
    {
      timestamp: '1470637867.953466',
      redis: { database: { id: '0' }, command: { name: 'get', args: '"my:key"' } },
      client: { ip: '195.168.1.1', port: 52500 },
    },
  ],
  [
    'NAGIOSLOGLINE',
    '[1427925600] CURRENT SERVICE STATE: host1;ssh;OK;HARD;1;SSH OK - up',
    {
      nagios_epoch: '1427925600',
      nagios_type: 'CURRENT SERVICE STATE',
      nagios_hostname: 'host1',
      nagios_service: 'ssh',
      nagios_state: 'OK',
      nagios_statetype: 'HARD',
      nagios_statecode: '1',
      nagios_message: 'SSH OK - up',
    },
    {
      timestamp: '1427925600',
      nagios: { log: { type: 'CURRENT SERVICE STATE', state_type: 'HARD', attempt: 1 } },
      host: { hostname: 'host1' },
      service: { name: 'ssh', state: 'OK' },
      message: 'SSH OK - up',
    },
  ],
  [
    'NAGIOSLOGLINE',
    '[1427925689] EXTERNAL COMMAND: DISABLE_HOST_NOTIFICATIONS;node 3',
    {
      nagios_epoch: '1427925689',
      nagios_type: 'EXTERNAL COMMAND',
      nagios_command: 'DISABLE_HOST_NOTIFICATIONS',
      nagios_hostname: 'node 3',
    },
    {
      timestamp: '1427925689',
      nagios: { log: { type: 'EXTERNAL COMMAND', command: 'DISABLE_HOST_NOTIFICATIONS' } },
      host: { hostname: 'node 3' },
    },
  ],
  [
    'CISCOFW106023',
    'Deny tcp src outside:192.168.1.1/50240 dst inside:192.168.1.2/23 by access-group "svc-outside" [0x0, 0x1]',
    {
      action: 'Deny',
      protocol: 'tcp',
      src_interface: 'outside',
      src_ip: '192.168.1.1',
      src_port: '50240',
      dst_interface: 'inside',
      dst_ip: '192.168.1.2',
      dst_port: '23',
      policy_id: 'svc-outside',
      hashcode1: '0x0',
      hashcode2: '0x1',
    },
    {
      cisco: {
        asa: { outcome: 'Deny', network: { transport: 'tcp' }, rule_name: 'svc-outside' },
      },
      observer: {
        ingress: { interface: { name: 'outside' } },
        egress: { interface: { name: 'inside' } },
      },
      source: { ip: '192.168.1.1', port: 50240 },
      destination: { ip: '192.168.1.2', port: 23 },
      '@metadata': { cisco: { asa: { hashcode1: '0x0', hashcode2: '0x1' } } },
    },
  ],
  [
    'CISCOFW302013_302014_302015_302016',
    'Teardown TCP connection 123 for outside:10.0.0.1/80 to inside:10.0.0.2/4000 duration 0:00:30 bytes 512 TCP FINs (bob)',
    {
      action: 'Teardown',
      protocol: 'TCP',
      connection_id: '123',
      src_interface: 'outside',
      src_ip: '10.0.0.1',
      src_port: '80',
      dst_interface: 'inside',
      dst_ip: '10.0.0.2',
      dst_port: '4000',
      duration: '0:00:30',
      bytes: '512',
      reason: 'TCP FINs',
      user: 'bob',
    },
    {
      cisco: {
        asa: {
          outcome: 'Teardown',
          network: { transport: 'TCP' },
          connection_id: '123',
          duration: '0:00:30',
        },
      },
      observer: {
        ingress: { interface: { name: 'outside' } },
        egress: { interface: { name: 'inside' } },
      },
      source: { ip: '10.0.0.1', port: 80 },
      destination: { ip: '10.0.0.2', port: 4000 },
      network: { bytes: 512 },
      event: { reason: 'TCP FINs' },
      user: { name: 'bob' },
    },
  ],
  [
    'IPTABLES',
    'IN=eth0 OUT= MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC=10.0.0.1 DST=10.0.0.2 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=7 DF PROTO=TCP SPT=80 DPT=443 WINDOW=1 RES=0x00 ACK SYN ',
    undefined,
    {
      observer: { ingress: { interface: { name: 'eth0' } } },
      destination: { mac: '00:11:22:33:44:55', ip: '10.0.0.2', port: 443 },
      source: { mac: '66:77:88:99:aa:bb', ip: '10.0.0.1', port: 80 },
      iptables: {
        length: 40,
        tos: '00',
        precedence_bits: '00',
        ttl: 64,
        id: '7',
        fragment_flags: 'DF',
        tcp: { window: 1, flags: 'ACK SYN ' },
        tcp_reserved_bits: '00',
      },
      network: { transport: 'TCP' },
    },
  ],
  [
    'SQUID3',
    '1525334330.556    120 120.65.1.1 TCP_REFRESH_MISS/200 2014 GET http://www.sample.com/hellow_world.txt public-user DIRECT/www.sample.com text/plain',
    {
      timestamp: '1525334330.556',
      duration: '120',
      client_address: '120.65.1.1',
      cache_result: 'TCP_REFRESH_MISS',
      status_code: '200',
      bytes: '2014',
      request_method: 'GET',
      url: 'http://www.sample.com/hellow_world.txt',
      user: 'public-user',
      hierarchy_code: 'DIRECT',
      server: 'www.sample.com',
      content_type: 'text/plain',
    },
    {
      timestamp: '1525334330.556',
      squid: { request: { duration: 120 }, hierarchy_code: 'DIRECT' },
      source: { ip: '120.65.1.1' },
      event: { action: 'TCP_REFRESH_MISS' },
      http: {
        response: { status_code: 200, bytes: 2014, mime_type: 'text/plain' },
        request: { method: 'GET' },
      },
      url: { original: 'http://www.sample.com/hellow_world.txt' },
      user: { name: 'public-user' },
      destination: { address: 'www.sample.com' },
    },
  ],
  [
    'BIND9',
    '17-Feb-2018 23:06:56.326 queries: info: client 172.26.0.1#12345 (test.example.com): query: test.example.com IN A +E(0)K (172.26.0.3)',
    {
      timestamp: '17-Feb-2018 23:06:56.326',
      loglevel: 'info',
      clientip: '172.26.0.1',
      clientport: '12345',
      query: ['test.example.com', 'test.example.com'],
      querytype: 'A +E(0)K',
      dns: '172.26.0.3',
    },
    {
      timestamp: '17-Feb-2018 23:06:56.326',
      bind: {
        log: { category: 'queries', question: { name: 'test.example.com', flags: '+E(0)K' } },
      },
      log: { level: 'info' },
      client: { ip: '172.26.0.1', port: 12345 },
      dns: { question: { name: 'test.example.com', class: 'IN', type: 'A' } },
      server: { ip: '172.26.0.3' },
    },
  ],
  [
    'EXIM',
    '2005-08-02 12:00:00 1E0ag1-0001XY-00 <= a@b.org H=mx.b.org (helo.b.org) [192.0.2.1]:99 P=esmtp S=1234 X=TLS for c@d.org',
    {
      timestamp: '2005-08-02 12:00:00',
      exim_year: '2005',
      exim_month: '08',
      exim_day: '02',
      exim_time: '12:00:00',
      exim_msgid: '1E0ag1-0001XY-00',
      exim_flags: '<=',
      exim_sender_email: 'a@b.org',
      remote_hostname: 'mx.b.org',
      remote_heloname: 'helo.b.org',
      remote_host: '192.0.2.1',
      remote_port: '99',
      protocol: 'esmtp',
      exim_msg_size: '1234',
      exim_recipient_email: 'c@d.org',
    },
    {
      timestamp: '2005-08-02 12:00:00',
      exim: {
        log: {
          message: { id: '1E0ag1-0001XY-00', size: 1234 },
          flags: '<=',
          sender: { email: 'a@b.org' },
          remote_address: 'helo.b.org',
          recipient: { email: 'c@d.org' },
        },
      },
      source: { address: 'mx.b.org', ip: '192.0.2.1', port: 99 },
      network: { protocol: 'esmtp' },
    },
  ],
  [
    'BACULA_LOGLINE',
    '11-Nov 13:28 bacula-dir JobId 11: Fatal error: bsock.c:133 Unable to connect to Client: dc0-fd on dc0.team.com:9102. ERR=Connection refused',
    {
      bts: '11-Nov 13:28',
      hostname: 'bacula-dir',
      jobid: '11',
      client: 'dc0-fd',
      berror: 'Connection refused',
    },
    {
      timestamp: '11-Nov 13:28',
      host: { hostname: 'bacula-dir' },
      bacula: { job: { id: '11' }, client: { name: 'dc0-fd' } },
      client: { address: 'dc0.team.com', port: 9102 },
      error: { message: 'Connection refused' },
    },
  ],
  [
    'RUBY_LOGGER',
    'I, [2020-01-02T03:04:05.678901 #77]  INFO -- app: hello',
    {
      timestamp: '2020-01-02T03:04:05.678901',
      pid: '77',
      loglevel: 'INFO',
      progname: 'app',
      message: 'hello',
    },
    {
      timestamp: '2020-01-02T03:04:05.678901',
      process: { pid: 77, name: 'app' },
      log: { level: 'INFO' },
      message: 'hello',
    },
  ],
  [
    'RAILS3',
    'Started POST "/api/login" for 1.2.3.4 at 2013-08-05 11:37:01 +0200\nProcessing by UsersController#login as JSON\n  line\nCompleted 200 OK in 12.3ms (Views: 1.0ms | ActiveRecord: 2.5ms)',
    {
      verb: 'POST',
      request: '/api/login',
      clientip: '1.2.3.4',
      timestamp: '2013-08-05 11:37:01 +0200',
      controller: 'UsersController',
      action: 'login',
      format: 'JSON',
      context: '\n  line\n',
      response: '200',
      totalms: '12.3',
      viewms: '1.0',
      activerecordms: '2.5',
    },
    {
      http: { request: { method: 'POST' }, response: { status_code: 200 } },
      url: { original: '/api/login' },
      source: { address: '1.2.3.4' },
      timestamp: '2013-08-05 11:37:01 +0200',
      rails: {
        controller: { class: 'UsersController', action: 'login' },
        request: {
          format: 'JSON',
          explain: { original: '\n  line\n' },
          duration: { total: 12.3, view: 1, active_record: 2.5 },
        },
      },
    },
  ],
  [
    'ELB_ACCESS_LOG',
    '2014-02-15T23:39:43.945958Z my-lb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/a?b=c HTTP/1.1"',
    {
      timestamp: '2014-02-15T23:39:43.945958Z',
      elb: 'my-lb',
      clientip: '192.168.131.39',
      clientport: 2817,
      backendip: '10.0.0.1',
      backendport: 80,
      request_processing_time: 0.000073,
      backend_processing_time: 0.001048,
      response_processing_time: 0.000057,
      response: 200,
      backend_response: 200,
      received_bytes: 0,
      bytes: 29,
      verb: 'GET',
      request: 'http://www.example.com:80/a?b=c',
      proto: 'http',
      urihost: 'www.example.com:80',
      port: '80',
      path: '/a',
      params: '?b=c',
      httpversion: '1.1',
    },
    {
      timestamp: '2014-02-15T23:39:43.945958Z',
      aws: {
        elb: {
          name: 'my-lb',
          backend: { ip: '10.0.0.1', port: 80, http: { response: { status_code: 200 } } },
          request_processing_time: { sec: 0.000073 },
          backend_processing_time: { sec: 0.001048 },
          response_processing_time: { sec: 0.000057 },
        },
      },
      source: { ip: '192.168.131.39', port: 2817 },
      http: {
        response: { status_code: 200, body: { bytes: 29 } },
        request: { body: { bytes: 0 }, method: 'GET' },
        version: '1.1',
      },
      url: {
        original: 'http://www.example.com:80/a?b=c',
        scheme: 'http',
        domain: 'www.example.com',
        port: 80,
        path: '/a',
        query: 'b=c',
      },
    },
  ],
  [
    'RT_FLOW3',
    'RT_FLOW_SESSION_DENY: session denied 1.1.1.1/43->2.2.2.2/80 junos-http 6(0) policy1 zone-a zone-b UNKNOWN',
    {
      event: 'RT_FLOW_SESSION_DENY',
      'src-ip': '1.1.1.1',
      'src-port': '43',
      'dst-ip': '2.2.2.2',
      'dst-port': '80',
      service: 'junos-http',
      'protocol-id': '6',
      'policy-name': 'policy1',
      'from-zone': 'zone-a',
      'to-zone': 'zone-b',
    },
    {
      juniper: { srx: { tag: 'RT_FLOW_SESSION_DENY', service_name: 'junos-http' } },
      source: { ip: '1.1.1.1', port: 43 },
      destination: { ip: '2.2.2.2', port: 80 },
      network: { iana_number: '6' },
      rule: { name: 'policy1' },
      observer: { ingress: { zone: 'zone-a' }, egress: { zone: 'zone-b' } },
    },
  ],
  [
    'MONGO3_LOG',
    '2014-11-03T18:28:32.450-0500 I NETWORK [initandlisten] waiting for connections',
    {
      timestamp: '2014-11-03T18:28:32.450-0500',
      severity: 'I',
      component: 'NETWORK',
      context: 'initandlisten',
      message: 'waiting for connections',
    },
    {
      timestamp: '2014-11-03T18:28:32.450-0500',
      log: { level: 'I' },
      mongodb: { component: 'NETWORK', context: 'initandlisten' },
      message: 'waiting for connections',
    },
  ],
  [
    'ZEEK_CONN',
    '1541001600.580233\tCw6aIu\t192.168.10.50\t137\t192.168.10.255\t137\tudp\tdns\t-\t-\t-\tS0\tT\tF\t0\tD\t1\t96\t0\t0\t-',
    undefined,
    {
      timestamp: '1541001600.580233',
      zeek: {
        session_id: 'Cw6aIu',
        connection: {
          state: 'S0',
          local_orig: 'T',
          local_resp: 'F',
          missed_bytes: 0,
          history: 'D',
        },
      },
      source: { ip: '192.168.10.50', port: 137, packets: 1, bytes: 96 },
      destination: { ip: '192.168.10.255', port: 137, packets: 0, bytes: 0 },
      network: { transport: 'udp', protocol: 'dns' },
    },
  ],
];

describe('the pattern library', () => {
  for (const [pattern, line, legacy, ecs] of rows) {
    for (const [mode, expected] of [
      ['disabled', legacy],
      ['v1', ecs],
    ] as const) {
      if (expected === undefined) continue;
      test(`${pattern} (${mode}) reads ${JSON.stringify(line.slice(0, 50))}`, () => {
        const grok = compileGrok({ patterns: [`%{${pattern}}`], ecsCompatibility: mode });
        assert.deepEqual(grokLine(grok, line), expected);
      });
    }
  }

  test('every pattern of both sets compiles, and nearly all run on the native engine', () => {
    for (const [naming, mode] of [
      ['legacy', 'disabled'],
      ['ecs', 'v1'],
    ] as const) {
      const names = Object.keys(patternLibrary(naming));
      assert.ok(names.length > 300, naming);
      const slow = names.filter((name) => {
        const grok = compileGrok({ patterns: [`%{${name}}`], ecsCompatibility: mode });
        return grok.patterns[0]!.regex.engine === 'matcher';
      });
      assert.deepEqual(
        slow.filter((name) => !name.startsWith('EXIM')),
        [],
      );
    }
  });
});

/** Whole matches of base patterns, from their first possible place; null: no match. */
const words: readonly (readonly [string, string, string | null])[] = [
  ['NUMBER', 'a -12.50.3', '-12.50'],
  ['NUMBER', '1.', '1'],
  ['NUMBER', '.5x', '.5'],
  ['INT', '+7', '+7'],
  ['POSINT', '007 10', '10'],
  ['BASE16NUM', '0xFFg', '0xFF'],
  ['WORD', 'naïve word', 'word'],
  ['QUOTEDSTRING', `x "a \\"b\\" c" y`, '"a \\"b\\" c"'],
  ['QUOTEDSTRING', '""', '""'],
  ['QUOTEDSTRING', '"open', null],
  ['UUID', '123e4567-e89b-12d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
  ['IPV4', '256.1.1.1 10.0.0.255', '10.0.0.255'],
  ['IPV6', '::1', '::1'],
  ['IPV6', 'fe80::1:2', 'fe80::1:2'],
  ['IPV6', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['IPV6', '::ffff:192.168.1.1', '::ffff:192.168.1.1'],
  ['IPV6', '12:30', null],
  ['HOSTNAME', 'web-1.example.com.', 'web-1.example.com.'],
  ['MAC', '00-11-22-AA-BB-CC', '00-11-22-AA-BB-CC'],
  ['UNIXPATH', '/usr/lib/x_y-z é', '/usr/lib/x_y-z'],
  ['UNIXPATH', '/grüße/x', '/grüße/x'],
  ['WINPATH', 'C:\\Windows\\a.txt', 'C:\\Windows\\a.txt'],
  ['URI', 'see http://u:p@ex.org:80/a/b?c=d#e', 'http://u:p@ex.org:80/a/b?c=d#e'],
  ['EMAILADDRESS', 'to a.b+c@ex.org', 'a.b+c@ex.org'],
  ['MONTH', 'März', 'März'],
  ['MONTHNUM', '12', '1'],
  ['TIMESTAMP_ISO8601', '2020-02-03T04:05:06.789+01:00', '2020-02-03T04:05:06.789+01:00'],
  ['DATESTAMP_RFC2822', 'Mon, 02 Jan 2006 15:04:05 -0700', 'Mon, 02 Jan 2006 15:04:05 -0700'],
  ['HTTPDATE', time, time],
  ['LOGLEVEL', 'x WARNING y', 'WARNING'],
  ['LOGLEVEL', 'Information', 'Information'],
  ['MAVEN_VERSION', '1.1.0-SNAPSHOT', '1.1.0-SNAPSHOT'],
];

describe('base patterns', () => {
  for (const [name, text, expected] of words) {
    test(`${name} in ${JSON.stringify(text)}`, () => {
      const grok = compileGrok({ patterns: [`%{${name}:it}`] });
      assert.equal(grokLine(grok, text)?.['it'] ?? null, expected);
    });
  }
});
