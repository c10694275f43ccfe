import type { FieldNaming, PatternSet } from './notation.ts';

/** Cisco ASA messages by number. Source: Cisco ASA Series Syslog Messages. */
export function ciscoPatterns(naming: FieldNaming): PatternSet {
  return { ...shared, ...failover(naming), ...(naming === 'legacy' ? legacy() : ecs()) };
}

const shared: PatternSet = {
  CISCOTIMESTAMP: '%{MONTH} +%{MONTHDAY}(?: %{YEAR})? %{TIME}',
  CISCOTAG: '[A-Z0-9]+-%{INT}-[A-Z0-9_]+',
  CISCO_ACTION: `(?:${[
    'Built',
    'Teardown',
    'Deny',
    'Denied',
    'denied',
    'requested',
    'permitted',
    'denied by ACL',
    'discarded',
    'est-allowed',
    'Dropping',
    'created',
    'deleted',
  ].join('|')})`,
  // Last come words with blanks between them; the form leaves one way to divide them.
  CISCO_REASON: String.raw`(?:${[
    'Duplicate TCP SYN',
    'Failed to locate egress interface',
    'Invalid transport field',
    'No matching connection',
    'DNS Response',
    'DNS Query',
  ].join('|')}|(?:%{WORD}\s+)*(?:%{WORD})?)`,
  CISCO_DIRECTION: '(?:Inbound|inbound|Outbound|outbound)',
  CISCO_INTERVAL: '(?:first hit|%{INT}-second interval)',
  CISCO_XLATE_TYPE: '(?:static|dynamic)',
};

function failover(naming: FieldNaming): PatternSet {
  const reason = naming === 'legacy' ? 'switch_reason' : 'event.reason';
  const name =
    naming === 'legacy' ? '%{GREEDYDATA:interface_name}' : '%{NOTSPACE:network.interface.name}';
  const unit = String.raw`\((?:Primary|Secondary)\) `;
  return {
    CISCOFW104001: `${unit}Switching to ACTIVE - %{GREEDYDATA:${reason}}`,
    CISCOFW104002: `${unit}Switching to STANDBY - %{GREEDYDATA:${reason}}`,
    CISCOFW104003: String.raw`${unit}Switching to FAILED\.`,
    CISCOFW104004: String.raw`${unit}Switching to OK\.`,
    CISCOFW105003: `${unit}Monitoring on [Ii]nterface ${name} waiting`,
    CISCOFW105004: `${unit}Monitoring on [Ii]nterface ${name} normal`,
    CISCOFW105005: `${unit}Lost Failover communications with mate on [Ii]nterface ${name}`,
    CISCOFW105008: `${unit}Testing [Ii]nterface ${name}`,
    CISCOFW105009: `${unit}Testing on [Ii]nterface ${name} (?:Passed|Failed)`,
  };
}

function legacy(): PatternSet {
  const action = '%{CISCO_ACTION:action}';
  const direction = '%{CISCO_DIRECTION:direction}';
  const protocol = '%{WORD:protocol}';
  const built = `${action}(?: ${direction})? ${protocol} connection`;
  const reason = '%{CISCO_REASON:reason}';
  const end = (side: string) => `%{IP:${side}_ip}/%{INT:${side}_port}`;
  const via = (side: string) => `%{DATA:${side}_interface}:`;
  const user = (field: string) => String.raw`(?:\(%{DATA:${field}}\))?`;
  const login = String.raw`(?: \(%{DATA:user}\))?`;
  const mapped = (side: string) =>
    String.raw`(?: \(%{IP:${side}_mapped_ip}/%{INT:${side}_mapped_port}\))?`;
  const icmp = (prefix: string) =>
    String.raw`\(type %{INT:${prefix}icmp_type}, code %{INT:${prefix}icmp_code}\)`;
  const hashes = String.raw`\[%{DATA:hashcode1}, %{DATA:hashcode2}\]`;
  const hits = `hit-cnt %{INT:hit_count} %{CISCO_INTERVAL:interval} ${hashes}`;
  const flags = (use: string) => `flags %{${use}:tcp_flags} on interface %{GREEDYDATA:interface}`;
  const listed = (side: string) =>
    String.raw`%{DATA:${side}_interface}/%{IP:${side}_ip}\(%{INT:${side}_port}\)`;
  const original = (side: string) =>
    `%{IP:orig_${side}_ip}/%{INT:orig_${side}_port}${user(`orig_${side}_fwuser`)}`;
  return {
    CISCO_TAGGED_SYSLOG:
      '^<%{POSINT:syslog_pri}>%{CISCOTIMESTAMP:timestamp}(?: %{SYSLOGHOST:sysloghost})? ?: %%{CISCOTAG:ciscotag}:',
    CISCOFW106001: `${direction} ${protocol} connection ${action} from ${end('src')} to ${end('dst')} ${flags('GREEDYDATA')}`,
    CISCOFW106006_106007_106010: `${action} ${direction} ${protocol} (?:from|src) ${end('src')}${user('src_fwuser')} (?:to|dst) ${end('dst')}${user('dst_fwuser')} (?:on interface %{DATA:interface}|due to ${reason})`,
    CISCOFW106014: `${action} ${direction} ${protocol} src ${via('src')}%{IP:src_ip}${user('src_fwuser')} dst ${via('dst')}%{IP:dst_ip}${user('dst_fwuser')} ${icmp('')}`,
    CISCOFW106015: String.raw`${action} ${protocol} \(%{DATA:policy_id}\) from ${end('src')} to ${end('dst')} ${flags('DATA')}`,
    CISCOFW106021: `${action} ${protocol} reverse path check from %{IP:src_ip} to %{IP:dst_ip} on interface %{GREEDYDATA:interface}`,
    CISCOFW106023: `${action}(?: protocol)? ${protocol} src ${via('src')}%{DATA:src_ip}(?:/%{INT:src_port})?${user('src_fwuser')} dst ${via('dst')}%{DATA:dst_ip}(?:/%{INT:dst_port})?${user('dst_fwuser')}(?: ${icmp('')})? by access-group "?%{DATA:policy_id}"? ${hashes}`,
    CISCOFW106100_2_3: `access-list %{NOTSPACE:policy_id} ${action} ${protocol} for user '%{DATA:src_fwuser}' ${listed('src')} -> ${listed('dst')} ${hits}`,
    CISCOFW106100: `access-list %{NOTSPACE:policy_id} ${action} ${protocol} ${listed('src')}${user('src_fwuser')} -> ${listed('dst')}${user('src_fwuser')} ${hits}`,
    CISCOFW304001: `%{IP:src_ip}${user('src_fwuser')} Accessed URL %{IP:dst_ip}:%{GREEDYDATA:dst_url}`,
    CISCOFW110002: `${reason} for ${protocol} from ${via('src')}${end('src')} to ${end('dst')}`,
    CISCOFW302010: '%{INT:connection_count} in use, %{INT:connection_count_max} most used',
    CISCOFW302013_302014_302015_302016: `${built} %{INT:connection_id} for ${via('src')}${end('src')}${mapped('src')}${user('src_fwuser')} to ${via('dst')}${end('dst')}${mapped('dst')}${user('dst_fwuser')}(?: duration %{TIME:duration} bytes %{INT:bytes})?(?: ${reason})?${login}`,
    CISCOFW302020_302021: `${built} for faddr %{IP:dst_ip}/%{INT:icmp_seq_num}${user('fwuser')} gaddr %{IP:src_xlated_ip}/%{INT:icmp_code_xlated} laddr %{IP:src_ip}/%{INT:icmp_code}${login}`,
    CISCOFW305011: `${action} %{CISCO_XLATE_TYPE:xlate_type} ${protocol} translation from ${via('src')}%{IP:src_ip}(?:/%{INT:src_port})?${user('src_fwuser')} to ${via('src_xlated')}%{IP:src_xlated_ip}/%{DATA:src_xlated_port}`,
    CISCOFW313001_313004_313008: `${action} ${protocol} type=%{INT:icmp_type}, code=%{INT:icmp_code} from %{IP:src_ip} on interface %{DATA:interface}(?: to %{IP:dst_ip})?`,
    CISCOFW313005: String.raw`${reason} for ${protocol} error message: %{WORD:err_protocol} src ${via('err_src')}%{IP:err_src_ip}${user('err_src_fwuser')} dst ${via('err_dst')}%{IP:err_dst_ip}${user('err_dst_fwuser')} ${icmp('err_')} on %{DATA:interface} interface\.  Original IP payload: ${protocol} src ${original('src')} dst ${original('dst')}`,
    CISCOFW321001:
      "Resource '%{WORD:resource_name}' limit of %{POSINT:resource_limit} reached for system",
    CISCOFW402117: String.raw`${protocol}: Received a non-IPSec packet \(protocol= %{WORD:orig_protocol}\) from %{IP:src_ip} to %{IP:dst_ip}`,
    CISCOFW402119: String.raw`${protocol}: Received an %{WORD:orig_protocol} packet \(SPI= %{DATA:spi}, sequence number= %{DATA:seq_num}\) from %{IP:src_ip} \(user= %{DATA:user}\) to %{IP:dst_ip} that failed anti-replay checking`,
    CISCOFW419001: `${action} ${protocol} packet from ${via('src')}${end('src')} to ${via('dst')}${end('dst')}, reason: %{GREEDYDATA:reason}`,
    CISCOFW419002: `${reason} from ${via('src')}${end('src')} to ${via('dst')}${end('dst')} with different initial sequence number`,
    CISCOFW500004: `${reason} for protocol=${protocol}, from ${end('src')} to ${end('dst')}`,
    CISCOFW602303_602304: String.raw`${protocol}: An ${direction} %{GREEDYDATA:tunnel_type} SA \(SPI= %{DATA:spi}\) between %{IP:src_ip} and %{IP:dst_ip} \(user= %{DATA:user}\) has been ${action}`,
    CISCOFW710001_710002_710003_710005_710006: `${protocol} (?:request|access) ${action} from ${end('src')} to ${via('dst')}${end('dst')}`,
    CISCOFW713172: nat('GREEDYDATA:group', 'src_ip', 'is_remote_natted', 'is_local_natted'),
    CISCOFW733100: burst('drop_type', 'drop_rate_id', [
      'drop_rate_current_burst',
      'drop_rate_max_burst',
      'drop_rate_current_avg',
      'drop_rate_max_avg',
      'drop_total_count',
    ]),
  };
}

function ecs(): PatternSet {
  const asa = 'cisco.asa';
  const action = `%{CISCO_ACTION:${asa}.outcome}`;
  const direction = `%{CISCO_DIRECTION:${asa}.network.direction}`;
  const protocol = `%{WORD:${asa}.network.transport}`;
  const kind = `%{WORD:${asa}.network.type}`;
  const built = `${action}(?: ${direction})? ${protocol} connection`;
  const reason = '%{CISCO_REASON:event.reason}';
  const end = (side: string) => `%{IP:${side}.ip}/%{INT:${side}.port:int}`;
  const user = (side: string) => String.raw`(?:\(%{DATA:${side}.user.name}\))?`;
  const login = String.raw`(?: \(%{DATA:user.name}\))?`;
  const port = (use: string, side: string) => `%{${use}:observer.${side}.interface.name}`;
  const nated = (side: string) =>
    String.raw`(?: \(%{IP:${side}.nat.ip}/%{INT:${side}.nat.port:int}\))?`;
  const icmp = String.raw`\(type %{INT:${asa}.icmp_type:int}, code %{INT:${asa}.icmp_code:int}\)`;
  const hashes = String.raw`\[%{DATA:@metadata.${asa}.hashcode1}, %{DATA:@metadata.${asa}.hashcode2}\]`;
  const rule = `%{NOTSPACE:${asa}.rule_name}`;
  const tcpFlags = `flags %{DATA:${asa}.tcp_flags} on interface ${port('NOTSPACE', 'egress')}`;
  const listed = (direct: string, side: string) =>
    String.raw`${port('DATA', direct)}/%{IP:${side}.ip}\(%{INT:${side}.port:int}\)`;
  const addressed = (direct: string, side: string) =>
    `${port('NOTSPACE', direct)}:(?:%{IP:${side}.ip}|%{HOSTNAME:${side}.address})(?:/%{INT:${side}.port:int})?${user(side)}`;
  const payload = (side: string) => {
    const field = `${asa}.original_ip_payload.${side}`;
    return `%{IP:${field}.ip}/%{INT:${field}.port:int}${user(field)}`;
  };
  const toEgress = `${port('DATA', 'egress')}:${end('destination')}`;
  return {
    CISCO_TAGGED_SYSLOG: `^<%{POSINT:log.syslog.priority:int}>%{CISCOTIMESTAMP:timestamp}(?: %{SYSLOGHOST:host.hostname})? ?: %%{CISCOTAG:${asa}.tag}:`,
    CISCO_HITCOUNT_INTERVAL: `hit-cnt %{INT:${asa}.hit_count:int} (?:first hit|%{INT:${asa}.interval:int}-second interval)`,
    CISCO_SRC_IP_USER: `${port('NOTSPACE', 'ingress')}:%{IP:source.ip}${user('source')}`,
    CISCO_DST_IP_USER: `${port('NOTSPACE', 'egress')}:%{IP:destination.ip}${user('destination')}`,
    CISCO_SRC_HOST_PORT_USER: addressed('ingress', 'source'),
    CISCO_DST_HOST_PORT_USER: addressed('egress', 'destination'),
    CISCOFW106001: `${direction} ${protocol} connection ${action} from ${end('source')} to ${end('destination')} ${tcpFlags}`,
    CISCOFW106006_106007_106010: `${action} ${direction} ${protocol} (?:from|src) ${end('source')}${user('source')} (?:to|dst) ${end('destination')}${user('destination')} (?:on interface ${port('NOTSPACE', 'egress')}|due to ${reason})`,
    CISCOFW106014: String.raw`${action} ${direction} ${protocol} src %{CISCO_SRC_IP_USER} dst %{CISCO_DST_IP_USER}\s?${icmp}`,
    CISCOFW106015: String.raw`${action} ${protocol} \(%{DATA:${asa}.rule_name}\) from ${end('source')} to ${end('destination')} ${tcpFlags}`,
    CISCOFW106021: `${action} ${protocol} reverse path check from %{IP:source.ip} to %{IP:destination.ip} on interface ${port('NOTSPACE', 'egress')}`,
    CISCOFW106023: `${action}(?: protocol)? ${protocol} src %{CISCO_SRC_HOST_PORT_USER} dst %{CISCO_DST_HOST_PORT_USER}(?: ${icmp})? by access-group "?%{DATA:${asa}.rule_name}"? ${hashes}`,
    CISCOFW106100_2_3: `access-list ${rule} ${action} ${protocol} for user '%{DATA:user.name}' ${listed('ingress', 'source')} -> ${listed('egress', 'destination')} %{CISCO_HITCOUNT_INTERVAL} ${hashes}`,
    CISCOFW106100: `access-list ${rule} ${action} ${protocol} ${listed('ingress', 'source')}${user('source')} -> ${listed('egress', 'destination')}${user('source')} hit-cnt %{INT:${asa}.hit_count:int} %{CISCO_INTERVAL} ${hashes}`,
    CISCOFW304001: `%{IP:source.ip}${user('source')} Accessed URL %{IP:destination.ip}:%{GREEDYDATA:url.original}`,
    CISCOFW110002: `${reason} for ${protocol} from ${port('DATA', 'ingress')}:${end('source')} to ${end('destination')}`,
    CISCOFW302010: `%{INT:${asa}.connections.in_use:int} in use, %{INT:${asa}.connections.most_used:int} most used`,
    CISCOFW302013_302014_302015_302016: `${built} %{INT:${asa}.connection_id} for ${port('NOTSPACE', 'ingress')}:${end('source')}${nated('source')}${user('source')} to ${port('NOTSPACE', 'egress')}:${end('destination')}${nated('destination')}${user('destination')}(?: duration %{TIME:${asa}.duration} bytes %{INT:network.bytes:int})?(?: ${reason})?${login}`,
    CISCOFW302020_302021: String.raw`${built} for faddr %{IP:destination.ip}/%{INT:${asa}.icmp_seq:int}${user('destination')} gaddr %{IP:source.nat.ip}/%{INT:${asa}.icmp_type:int} laddr %{IP:source.ip}/%{INT}(?: \(%{DATA:source.user.name}\))?`,
    CISCOFW305011: `${action} %{CISCO_XLATE_TYPE} ${protocol} translation from ${port('DATA', 'ingress')}:%{IP:source.ip}(?:/%{INT:source.port:int})?${user('source')} to ${toEgress}`,
    CISCOFW313001_313004_313008: `${action} ${protocol} type=%{INT:${asa}.icmp_type:int}, code=%{INT:${asa}.icmp_code:int} from %{IP:source.ip} on interface ${port('NOTSPACE', 'egress')}(?: to %{IP:destination.ip})?`,
    CISCOFW313005: String.raw`${reason} for ${protocol} error message: %{WORD} src %{CISCO_SRC_IP_USER} dst %{CISCO_DST_IP_USER} ${icmp} on %{NOTSPACE} interface\.\s+Original IP payload: %{WORD:${asa}.original_ip_payload.network.transport} src ${payload('source')} dst ${payload('destination')}`,
    CISCOFW321001: `Resource '%{DATA:${asa}.resource.name}' limit of %{POSINT:${asa}.resource.limit:int} reached for system`,
    CISCOFW402117: String.raw`${kind}: Received a non-IPSec packet \(protocol=\s?${protocol}\) from %{IP:source.ip} to %{IP:destination.ip}\.?`,
    CISCOFW402119: String.raw`${kind}: Received an %{WORD:${asa}.ipsec.protocol} packet \(SPI=\s?%{DATA:${asa}.ipsec.spi}, sequence number=\s?%{DATA:${asa}.ipsec.seq_num}\) from %{IP:source.ip} \(user=\s?%{DATA:source.user.name}\) to %{IP:destination.ip} that failed anti-replay checking\.?`,
    CISCOFW419001: `${action} ${protocol} packet from ${port('NOTSPACE', 'ingress')}:${end('source')} to ${port('NOTSPACE', 'egress')}:${end('destination')}, reason: %{GREEDYDATA:event.reason}`,
    CISCOFW419002: `${reason} from ${port('DATA', 'ingress')}:${end('source')} to ${toEgress} with different initial sequence number`,
    CISCOFW500004: `${reason} for protocol=${protocol}, from ${end('source')} to ${end('destination')}`,
    CISCOFW602303_602304: String.raw`${kind}: An ${direction} %{DATA:${asa}.ipsec.tunnel_type} SA \(SPI=\s?%{DATA:${asa}.ipsec.spi}\) between %{IP:source.ip} and %{IP:destination.ip} \(user=\s?%{DATA:source.user.name}\) has been ${action}`,
    CISCOFW710001_710002_710003_710005_710006: `${protocol} (?:request|access) ${action} from ${end('source')} to ${toEgress}`,
    CISCOFW713172: nat(
      `DATA:${asa}.source.group`,
      'source.ip',
      `@metadata.${asa}.remote_nat`,
      `@metadata.${asa}.local_nat`,
    ),
    CISCOFW733100: burst(
      `${asa}.burst.object`,
      `${asa}.burst.id`,
      [
        'current_rate',
        'configured_rate',
        'avg_rate',
        'configured_avg_rate',
        'cumulative_count',
      ].map((name) => `${asa}.burst.${name}:int`),
    ),
  };
}

function nat(group: string, address: string, remote: string, local: string): string {
  const behind = 'behind a NAT device';
  return String.raw`Group = %{${group}}, IP = %{IP:${address}}, Automatic NAT Detection Status:\s+Remote end\s*%{DATA:${remote}}\s*${behind}\s+This\s+end\s*%{DATA:${local}}\s*${behind}`;
}

function burst(object: string, id: string, counts: readonly string[]): string {
  const [current, limit, average, averageLimit, total] = counts;
  const max = 'per second, max configured rate is';
  return String.raw`\[\s*%{DATA:${object}}\s*\] drop %{DATA:${id}} exceeded. Current burst rate is %{INT:${current}} ${max} %{INT:${limit}}; Current average rate is %{INT:${average}} ${max} %{INT:${averageLimit}}; Cumulative total count is %{INT:${total}}`;
}
