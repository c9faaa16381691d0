import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Source } from 'viaduct';
import { rawServer } from './raw.js';

/** An origin of the test's own: reads a message up to its empty line and answers as it is told. */
export async function rawOrigin(
  t: TestContext,
  answer: (socket: Socket, message: string) => void,
): Promise<Source & { readonly messages: readonly string[] }> {
  const messages: string[] = [];
  const { hop } = await rawServer(t, (socket) => {
    let message = '';
    socket.on('data', (chunk: Buffer) => {
      message += chunk.toString();
      if (!message.endsWith('\n\n')) return;
      messages.push(message);
      answer(socket, message);
    });
  });
  return { name: 'folder/file', route: [hop], messages };
}
