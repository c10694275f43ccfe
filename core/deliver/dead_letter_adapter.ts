import type { DeadLetterInput } from '../dead_letter/dead_letter.ts';
import type { DeadLetterStore as Files } from '../dead_letter/dead_letter_store.ts';
import type { DeadLetter, DeadLetterStore } from './dead_letter_desk.ts';

/** Gives the files of `core/dead_letter` the shape that delivery knows. */
export function deadLetterAdapter(files: Files): DeadLetterStore {
  return {
    append: (letters) => files.append(letters.map(toInput)),
    close: () => files.close(),
  };
}

function toInput(letter: DeadLetter): DeadLetterInput {
  const { source, generation, offset, part, tag, seconds, nanos } = letter.origin;
  return {
    record: Buffer.from(letter.record),
    origin: { source, generation, offset, part },
    tag,
    time: { seconds, nanos },
    reason: letter.reason,
    reasonCode: letter.code,
    status: letter.status,
    attempts: letter.attempts,
  };
}
