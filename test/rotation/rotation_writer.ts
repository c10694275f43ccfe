import {
  appendFileSync,
  copyFileSync,
  existsSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the writing process does: numbered lines at a rate, and a rotation at every period. */
export interface WriterPlan {
  readonly directory: string;
  readonly way: 'rename' | 'copytruncate';
  readonly linesPerSecond: number;
  readonly rotateMs: number;
  readonly runMs: number;
  /** Older files that are kept. */
  readonly keep: number;
  /** Lines written between the copy and the truncation: the rotation's own loss. */
  readonly lateLines: number;
}

export interface WriterResult {
  readonly written: number;
  readonly rotations: number;
  /** First numbers of the late lines. */
  readonly late: readonly number[];
}

const tickMs = 10;

/** Runs a plan in this process. */
export async function writeAndRotate(plan: WriterPlan): Promise<WriterResult> {
  const at = (index: number) => path.join(plan.directory, index === 0 ? 'a.log' : `a.log.${index}`);
  const late: number[] = [];
  let written = 0;
  let rotations = 0;
  const write = (count: number) => {
    let text = '';
    for (let i = 0; i < count; i++) text += `${lineOf(written++)}\n`;
    if (count > 0) appendFileSync(at(0), text);
  };
  const rotate = () => {
    if (existsSync(at(plan.keep))) unlinkSync(at(plan.keep));
    for (let index = plan.keep - 1; index >= 1; index--) {
      if (existsSync(at(index))) renameSync(at(index), at(index + 1));
    }
    if (plan.way === 'rename') {
      renameSync(at(0), at(1));
      writeFileSync(at(0), '');
    } else {
      copyFileSync(at(0), at(1));
      if (plan.lateLines > 0) late.push(written);
      write(plan.lateLines);
      truncateSync(at(0), 0);
    }
    rotations++;
  };
  const beganMs = performance.now();
  let rotatedMs = beganMs;
  let owed = 0;
  let tickedMs = beganMs;
  while (performance.now() - beganMs < plan.runMs) {
    await sleep(tickMs);
    const nowMs = performance.now();
    owed += ((nowMs - tickedMs) * plan.linesPerSecond) / 1000;
    tickedMs = nowMs;
    write(Math.floor(owed));
    owed -= Math.floor(owed);
    if (nowMs - rotatedMs < plan.rotateMs) continue;
    rotatedMs = nowMs;
    rotate();
  }
  return { written, rotations, late };
}

/** Line `number`: it begins with it. */
export function lineOf(number: number): string {
  return `${number} GET /v1/items/${number % 9973} 200 ${'.'.repeat(number % 61)}`;
}

const plan = process.argv[2];
if (plan !== undefined && process.argv[1]!.endsWith('rotation_writer.js')) {
  const result = await writeAndRotate(JSON.parse(plan) as WriterPlan);
  process.stdout.write(JSON.stringify(result));
}
