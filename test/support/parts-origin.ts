import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Location } from 'viaduct';
import { digestField, replyOf } from './file-origin.js';
import { rawServer } from './raw.js';

/** A request as an origin sees it. */
export interface Asked {
  readonly socket: Socket;
  readonly method: string;
  /** Undefined without `Range`; the end is included, as there. */
  readonly range: readonly [number, number] | undefined;
  /** It is for a part, not for the rest of the file. */
  readonly isPart: boolean;
}

/** Bytes of which each four tell where they belong. */
export function numbered(size: number): Buffer {
  const file = Buffer.alloc(size);
  for (let at = 0; at < size; at += 4) file.writeUInt32BE(at, at);
  return file;
}

/** A node of the test's own with one file. */
export async function partsOrigin(
  t: TestContext,
  file: Buffer,
  answer: (asked: Asked) => void,
): Promise<Location> {
  const { hop } = await rawServer(t, (socket) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      const heads = (text + bytes.toString('latin1')).split('\r\n\r\n');
      text = heads.pop() ?? '';
      for (const head of heads) {
        const [, start, end = ''] = /\r\nRange: bytes=(\d+)-(\d*)/i.exec(head) ?? [];
        const range =
          start === undefined
            ? undefined
            : ([Number(start), end === '' ? file.length - 1 : Number(end)] as const);
        answer({ socket, method: head.split(' ')[0] ?? '', range, isPart: /\r\nIf-Match:/i.test(head) });
      }
    });
  });
  return { route: [hop], path: '/file' };
}

/** The head of the right reply, and its body. */
export function reply(
  file: Buffer,
  { range, method }: Pick<Asked, 'range' | 'method'>,
  etag = '"v"',
): { readonly head: Buffer; readonly body: Buffer } {
  const body = range === undefined ? file : file.subarray(range[0], range[1] + 1);
  const fields = {
    ETag: etag,
    'Accept-Ranges': 'bytes',
    'Repr-Digest': digestField(file),
    'Content-Length': body.length,
  };
  const part = range === undefined ? {} : { 'Content-Range': `bytes ${range[0]}-${range[1]}/${file.length}` };
  const head = replyOf(range === undefined ? 200 : 206, { ...fields, ...part });
  return { head, body: method === 'HEAD' ? Buffer.alloc(0) : body };
}
