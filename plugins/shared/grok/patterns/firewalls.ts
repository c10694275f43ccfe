import type { PatternSet } from './notation.ts';

/** Packet filters beside Cisco's: NetScreen, iptables, Shorewall, SuSEfirewall2. */
export const firewallLegacy: PatternSet = {
  NETSCREENSESSIONLOG: [
    '%{SYSLOGTIMESTAMP:date} %{IPORHOST:device} %{IPORHOST}: NetScreen device_id=%{WORD:device_id}%{DATA}:',
    'start_time=%{QUOTEDSTRING:start_time} duration=%{INT:duration} policy_id=%{INT:policy_id}',
    'service=%{DATA:service} proto=%{INT:proto} src zone=%{WORD:src_zone} dst zone=%{WORD:dst_zone}',
    'action=%{WORD:action} sent=%{INT:sent} rcvd=%{INT:rcvd} src=%{IPORHOST:src_ip} dst=%{IPORHOST:dst_ip}',
    'src_port=%{INT:src_port} dst_port=%{INT:dst_port}',
    'src-xlated ip=%{IPORHOST:src_xlated_ip} port=%{INT:src_xlated_port}',
    'dst-xlated ip=%{IPORHOST:dst_xlated_ip} port=%{INT:dst_xlated_port}',
    'session_id=%{INT:session_id} reason=%{GREEDYDATA:reason}',
  ].join(' '),
  SHOREWALL: [
    '%{SYSLOGTIMESTAMP:timestamp} %{WORD:nf_host} .*Shorewall:(?:%{WORD:nf_action1})?:(?:%{WORD:nf_action2})?',
    '.*IN=(?:%{USERNAME:nf_in_interface})?',
    '.*(?:OUT= *MAC=%{COMMONMAC:nf_dst_mac}:(?:%{COMMONMAC:nf_src_mac})?|OUT=%{USERNAME:nf_out_interface})',
    '.*SRC=%{IPV4:nf_src_ip}.*DST=%{IPV4:nf_dst_ip}',
    '.*LEN=%{WORD:nf_len}.?*TOS=%{WORD:nf_tos}.?*PREC=%{WORD:nf_prec}.?*TTL=%{INT:nf_ttl}',
    '.?*ID=%{INT:nf_id}.?*PROTO=%{WORD:nf_protocol}',
    '.?*SPT=%{INT:nf_src_port}?.*DPT=%{INT:nf_dst_port}?.*',
  ].join(''),
  SFW2: [
    String.raw`(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp})\s*%{HOSTNAME}\s*kernel\S+\s*`,
    String.raw`(?:%{NAGIOSTIME}\s*)?SFW2-INext-%{NOTSPACE:nf_action}\s*IN=%{USERNAME:nf_in_interface}`,
    String.raw`.*OUT=(?:\s*%{USERNAME:nf_out_interface}|\s*)`,
    String.raw`MAC=(?:%{COMMONMAC:nf_dst_mac}:%{COMMONMAC:nf_src_mac}|\s*)`,
    String.raw`.*SRC=%{IP:nf_src_ip}\s*DST=%{IP:nf_dst_ip}.*PROTO=%{WORD:nf_protocol}`,
    '(?:.*SPT=%{INT:nf_src_port}.*DPT=%{INT:nf_dst_port}.*|)',
  ].join(''),
};

const number = (label: string, field: string) => `${label}=(?:%{INT:${field}:int})?`;
const gap = String.raw`\s+`;

export const firewallEcs: PatternSet = {
  NETSCREENSESSIONLOG: [
    '%{SYSLOGTIMESTAMP:timestamp} %{IPORHOST:observer.hostname} %{NOTSPACE:observer.name}:',
    '(?<observer.product>NetScreen) device_id=%{WORD:netscreen.device_id}',
    String.raw`.*?(?:system-\w+-%{NONNEGINT:event.code}\(%{WORD:netscreen.session.type}\))?:`,
    'start_time="%{DATA:netscreen.session.start_time}" duration=%{INT:netscreen.session.duration:int}',
    'policy_id=%{INT:netscreen.policy_id} service=%{DATA:netscreen.service}',
    'proto=%{INT:netscreen.protocol_number:int}',
    'src zone=%{WORD:observer.ingress.zone} dst zone=%{WORD:observer.egress.zone}',
    'action=%{WORD:event.action} sent=%{INT:source.bytes:int} rcvd=%{INT:destination.bytes:int}',
    'src=%{IPORHOST:source.address} dst=%{IPORHOST:destination.address}(?: src_port=%{INT:source.port:int} dst_port=%{INT:destination.port:int})?(?: src-xlated ip=%{IP:source.nat.ip} port=%{INT:source.nat.port:int} dst-xlated ip=%{IP:destination.nat.ip} port=%{INT:destination.nat.port:int})?(?: session_id=%{INT:netscreen.session.id} reason=%{GREEDYDATA:netscreen.session.reason})?',
  ].join(' '),
  IPTABLES_TCP_FLAGS: '(?:(?:CWR|ECE|URG|ACK|PSH|RST|SYN|FIN) )*',
  IPTABLES_TCP_PART: String.raw`(?:SEQ=%{INT:iptables.tcp.seq:int}\s+)?(?:ACK=%{INT:iptables.tcp.ack:int}\s+)?WINDOW=%{INT:iptables.tcp.window:int}\s+RES=0x%{BASE16NUM:iptables.tcp_reserved_bits}\s+%{IPTABLES_TCP_FLAGS:iptables.tcp.flags}`,
  IPTABLES4_FRAG: '(?:(?<= )(?:CE|DF|MF))*',
  IPTABLES4_PART: [
    'SRC=%{IPV4:source.ip}',
    'DST=%{IPV4:destination.ip}',
    number('LEN', 'iptables.length'),
    'TOS=(?:0|0x%{BASE16NUM:iptables.tos})?',
    'PREC=(?:0x%{BASE16NUM:iptables.precedence_bits})?',
    number('TTL', 'iptables.ttl'),
    'ID=(?:%{INT:iptables.id})?',
    String.raw`(?:%{IPTABLES4_FRAG:iptables.fragment_flags})?(?:\s+FRAG: %{INT:iptables.fragment_offset:int})?`,
  ].join(gap),
  IPTABLES6_PART: [
    'SRC=%{IPV6:source.ip}',
    'DST=%{IPV6:destination.ip}',
    number('LEN', 'iptables.length'),
    'TC=(?:0|0x%{BASE16NUM:iptables.tos})?',
    number('HOPLIMIT', 'iptables.ttl'),
    'FLOWLBL=(?:%{INT:iptables.flow_label})?',
  ].join(gap),
  IPTABLES: [
    'IN=(?:%{NOTSPACE:observer.ingress.interface.name})?',
    'OUT=(?:%{NOTSPACE:observer.egress.interface.name})?',
    [
      String.raw`(?:MAC=(?:%{COMMONMAC:destination.mac})?(?::%{COMMONMAC:source.mac})?(?::[A-Fa-f0-9]{2}:[A-Fa-f0-9]{2})?\s+)?`,
      '(?::?%{IPTABLES4_PART}|%{IPTABLES6_PART}).*?PROTO=(?:%{WORD:network.transport})?',
    ].join(''),
    number('SPT', 'source.port'),
    number('DPT', 'destination.port'),
    '(?:%{IPTABLES_TCP_PART})?',
  ].join(gap),
  SHOREWALL:
    '%{SYSLOGTIMESTAMP:timestamp} %{WORD:observer.hostname} .*Shorewall:(?:%{WORD:shorewall.firewall.type})?:(?:%{WORD:shorewall.firewall.action})?.*%{IPTABLES}',
  SFW2_LOG_PREFIX: 'SFW2-INext-%{NOTSPACE:suse.firewall.action}',
  SFW2: String.raw`(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp})\s*%{HOSTNAME:observer.hostname}.*?%{SFW2_LOG_PREFIX:suse.firewall.log_prefix}\s*%{IPTABLES}`,
};
