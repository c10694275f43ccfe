import { copy } from './bytes';
import { writeText } from './escape';

/** What the TypeScript side (`object_writer.ts`) puts into memory before a call. */
@unmanaged
class Objects {
  /** The objects to write: index of the event, number of members, then the members. */
  listEnd: usize;
  rootStart: usize;
  rootEnd: usize;
  rootKind: usize;
  lists: usize;
  out: usize;
  outEnd: usize;
}

/** One member of an object to write. */
@unmanaged
class Member {
  /** `,"key":"`. */
  prefix: usize;
  /** Its bytes, and 2^16 times the kind of the value: 1 text, 2 JSON. */
  prefixBytesAndKind: u32;
  start: usize;
  end: usize;
}

const memberBytes: usize = 16;

// Behind every piece: what copies in steps of 64 write too much.
const slack: usize = 96;

/** Writes objects from the one at `at` on and makes them the roots of their events. Returns the
 *  address of the first object that it has no room for, or the end of the list. */
export function writeObjects(frame: Objects, at: usize): usize {
  let out = frame.out;
  while (at < frame.listEnd) {
    const index = <usize>load<u32>(at);
    const membersEnd = at + 8 + <usize>load<u32>(at, 4) * memberBytes;
    const end = writeMembers(at + 8, membersEnd, out, frame.outEnd);
    if (!end) break;
    store<u32>(frame.rootStart + (index << 2), <u32>out);
    store<u32>(frame.rootEnd + (index << 2), <u32>end);
    store<u32>(frame.lists + (index << 2), 0);
    store<u8>(frame.rootKind + index, 1);
    out = end;
    at = membersEnd;
  }
  frame.out = out;
  return at;
}

function writeMembers(at: usize, membersEnd: usize, out: usize, outEnd: usize): usize {
  const begin = out;
  if (out + slack > outEnd) return 0;
  // An object without members.
  store<u16>(out, 0x7d7b);
  if (at == membersEnd) return out + 2;
  for (; at < membersEnd; at += memberBytes) {
    const member = changetype<Member>(at);
    const prefixBytes = <usize>(member.prefixBytesAndKind & 0xffff);
    const start = member.start;
    const end = member.end;
    if (out + prefixBytes + (end - start) * 6 + slack > outEnd) return 0;
    out = copy(out, member.prefix, prefixBytes);
    if (member.prefixBytesAndKind >> 16 == 2) {
      // In the place of the quote that a text begins with.
      out = copy(out - 1, start, end - start);
      continue;
    }
    out = writeText(out, start, end);
    store<u8>(out++, 0x22);
  }
  store<u8>(begin, 0x7b);
  store<u8>(out, 0x7d);
  return out + 1;
}
