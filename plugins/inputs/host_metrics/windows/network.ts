import type { Readings } from '../host_source.ts';
import type { NameFilter } from '../name_filter.ts';
import { count64 } from './windows_kernel.ts';

const rowBytes = 1352;
const descriptionAt = 542;
const descriptionBytes = 514;
const loopback = 24;
/** Drivers that only look at another interface's traffic. */
const isFilter = 2;
const isUp = 1;

/** Source: netioapi.h, MIB_IF_ROW2. The label `nic` is the description, as performance counters write
 *  it. */
export function readNetwork(table: Buffer, filter: NameFilter, readings: Readings): void {
  const count = table.readUInt32LE();
  const seen = new Map<string, number>();
  for (let row = 0; row < count; row++) {
    const at = 8 + row * rowBytes;
    if (at + rowBytes > table.length) break;
    if (table.readUInt32LE(at + 1128) === loopback) continue;
    if ((table[at + 1152]! & isFilter) !== 0) continue;
    const nic = nicName(table, at, seen);
    if (!filter.takes(nic)) continue;
    addRow(table, at, nic, readings);
  }
}

function addRow(table: Buffer, at: number, nic: string, readings: Readings): void {
  const counter = (name: string, ...offsets: number[]): void => {
    const value = offsets.reduce((sum, offset) => sum + count64(table, at + offset), 0);
    readings.counter(`windows_net_${name}`, value, { nic });
  };
  const [received, sent] = [count64(table, at + 1208), count64(table, at + 1280)];
  counter('bytes_received_total', 1208);
  counter('bytes_sent_total', 1280);
  readings.counter('windows_net_bytes_total', received + sent, { nic });
  counter('packets_received_total', 1216, 1224);
  counter('packets_sent_total', 1288, 1296);
  counter('packets_total', 1216, 1224, 1288, 1296);
  counter('packets_received_discarded_total', 1232);
  counter('packets_received_errors_total', 1240);
  counter('packets_received_unknown_total', 1248);
  counter('packets_outbound_discarded_total', 1304);
  counter('packets_outbound_errors_total', 1312);
  const bitsPerSecond = table.readBigUInt64LE(at + 1192);
  // All ones: the driver does not know.
  const isKnown = bitsPerSecond < 0xffff_ffff_ffff_ffffn;
  const bandwidth = isKnown ? Number(bitsPerSecond) / 8 : undefined;
  readings.gauge('windows_net_current_bandwidth_bytes', bandwidth, { nic });
  const up = table.readUInt32LE(at + 1156) === isUp ? 1 : 0;
  readings.gauge('windows_net_up', up, { nic });
}

function nicName(table: Buffer, at: number, seen: Map<string, number>): string {
  const from = at + descriptionAt;
  const text = table.toString('utf16le', from, from + descriptionBytes).replace(/\0.*$/s, '');
  const name = text
    .replaceAll('(', '[')
    .replaceAll(')', ']')
    .replaceAll(/[#/\\]/g, '_');
  const before = seen.get(name) ?? 0;
  seen.set(name, before + 1);
  return before === 0 ? name : `${name} _${before + 1}`;
}
