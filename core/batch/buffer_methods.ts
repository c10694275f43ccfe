// Node's own encoders without their argument checks: what Buffer.toString and Buffer.write call.
// Present in every Node since 0.x; the type package leaves them out.
declare global {
  interface Buffer {
    utf8Slice(start: number, end: number): string;
    latin1Slice(start: number, end: number): string;
    utf8Write(text: string, at: number, length?: number): number;
    latin1Write(text: string, at: number, length?: number): number;
  }
}

export {};
