import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, describe, test } from 'node:test';
import type { HostHop, ViaductError } from 'viaduct';
import type { Reply } from '#src/client/http/reply.js';
import { type RequestOptions, request } from '#src/client/http/request.js';
import { blackHole, refusingHop } from '../../../support/black-hole.js';
import { failureOf } from '../../../support/failures.js';
import { watchDescriptors } from '../../../support/leaks.js';
import { httpHop } from '../../../support/http-hop.js';
import { readToEnd } from '../../../support/raw.js';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { PLAIN } from '../../../support/wires.js';

const HEAD = 'HTTP/1.1 200 OK\r\nViaduct: 1\r\n';
const LIMIT_MS = 300;

async function answering(t: TestContext, ...parts: readonly (string | Buffer)[]): Promise<HostHop> {
  const { hop } = await httpHop(t, (socket) => {
    for (const part of parts) socket.write(part);
    socket.end();
  });
  return hop;
}

function ask(hop: HostHop, options: RequestOptions = {}): Promise<Reply> {
  return request({ route: [hop], path: '/file' }, { ...PLAIN.options, timeoutMs: 5000, ...options });
}

/** The whole body, and the error that it ended with. */
async function bodyOf(reply: Reply): Promise<{ readonly body: Buffer; readonly error?: ViaductError }> {
  const chunks: Buffer[] = [];
  const reading = reply.read(async (chunk) => void chunks.push(Buffer.from(chunk)));
  const error = await reading.then(
    () => undefined,
    (reason: ViaductError) => reason,
  );
  return { body: Buffer.concat(chunks), ...(error && { error }) };
}

describe('a request', () => {
  test('carries the route, its fields, and no second request', async (t) => {
    const { hop, requests } = await httpHop(t, (socket) => socket.end(`${HEAD}Content-Length: 0\r\n\r\n`));
    const route = [hop, { host: '::1', port: 2 }, { host: 'h3', port: 3 }];
    const reply = await request(
      { route, path: '/a%20b' },
      { ...PLAIN.options, method: 'HEAD', fields: [['Range', 'bytes=5-']] },
    );
    reply.close();
    const lines = ['HEAD /@[::1]:2/@h3:3/a%20b HTTP/1.1', `Host: 127.0.0.1:${hop.port}`];
    const fields = ['Via: 1.1 viaduct-client', 'Range: bytes=5-', 'Connection: close'];
    assert.deepEqual(requests, [[...lines, ...fields, '', ''].join('\r\n')]);
  });

  test('with too long a route is not sent', async () => {
    const route = Array.from({ length: 17 }, () => ({ host: '127.0.0.1', port: 1 }));
    assert.equal((await failureOf(request({ route, path: '/' }, PLAIN.options))).code, 'TOO_MANY_HOPS');
  });

  test('that cannot be sent says why', async (t) => {
    const refused = await refusingHop(t);
    const { code, message, hopAddress: hop } = await failureOf(ask(refused));
    assert.deepEqual(
      [code, message, hop],
      ['REFUSED', `hop 1 (127.0.0.1:${refused.port}) refused the connection`, `127.0.0.1:${refused.port}`],
    );
    const hole = await failureOf(ask(await blackHole(t), { connectTimeoutMs: LIMIT_MS }));
    assert.equal(hole.code, 'CONNECT_TIMEOUT');
  });
});

describe('the head of a reply', () => {
  test('is read past interim ones', async (t) => {
    const reply = await ask(
      await answering(
        t,
        'HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 102 P\r\n\r\n',
        `${HEAD}A: b\r\na: c\r\nX: 1\r\n\r\nbody`,
      ),
    );
    assert.deepEqual([reply.status, reply.reason, reply.length], [200, 'OK', undefined]);
    assert.deepEqual([reply.field('x'), reply.field('a'), reply.field('b')], ['1', undefined, undefined]);
    assert.equal((await bodyOf(reply)).body.toString(), 'body');
  });

  for (const [what, answer, code, reason] of [
    ['is of something else', 'SSH-2.0-x\r\n', 'NOT_A_NODE', /is not a node: it does not speak HTTP$/],
    ['is of a web server', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'NOT_A_NODE', /is not a node$/],
    ['is malformed', 'HTTP/1.1 2000 OK\r\n\r\n', 'BAD_REPLY', /sent a malformed reply: the status line/],
    [
      'switches protocols',
      'HTTP/1.1 101 S\r\nViaduct: 1\r\n\r\n',
      'BAD_REPLY',
      /switched to another protocol$/,
    ],
    ['has no end', `${HEAD}X: ${'y'.repeat(20_000)}`, 'BAD_REPLY', /sent too large a reply head$/],
    ['is cut', HEAD, 'CUT_SHORT', /closed the connection before it replied$/],
  ] as const) {
    test(`that ${what} is an error of hop 1`, async (t) => {
      const nothingMore = watchDescriptors();
      const hop = await answering(t, answer);
      const error = await failureOf(ask(hop));
      assert.deepEqual([error.code, error.hopAddress, error.hopNumber], [code, `127.0.0.1:${hop.port}`, 1]);
      assert.match(error.message, new RegExp(`^hop 1 \\(127.0.0.1:${hop.port}\\) ${reason.source}`));
      assert.ok(nothingMore);
    });
  }
});

describe('a body', () => {
  for (const size of [0, 1, 3_000_001]) {
    const bytes = randomBytes(size);
    test(`of ${size} bytes with a length arrives as it is`, async (t) => {
      const reply = await ask(await answering(t, `${HEAD}Content-Length: ${size}\r\n\r\n`, bytes));
      assert.equal(reply.length, size);
      const { body, error } = await bodyOf(reply);
      assert.equal(error, undefined);
      assert.ok(body.equals(bytes));
      assert.equal(reply.received, size);
    });

    test(`of ${size} bytes in chunks arrives as it is`, async (t) => {
      const chunk = size === 0 ? [] : [`${size.toString(16)}\r\n`, bytes, '\r\n'];
      const reply = await ask(
        await answering(t, `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, ...chunk, '0\r\n\r\n'),
      );
      const { body, error } = await bodyOf(reply);
      assert.equal(error, undefined);
      assert.ok(body.equals(bytes));
    });
  }

  test('ends the connection with FIN', async (t) => {
    const ending = new Promise<string>((resolve) => {
      void httpHop(t, (socket) => {
        socket.write(`${HEAD}Content-Length: 1\r\n\r\nx`);
        void readToEnd(socket).then(({ how }) => resolve(how));
      }).then(async ({ hop }) => bodyOf(await ask(hop)));
    });
    assert.equal(await ending, 'end');
  });

  for (const [what, fields, sent, code, reason] of [
    [
      'ends too early',
      'Content-Length: 10',
      'short',
      'CUT_SHORT',
      /closed the connection after 5 of 10 bytes: /,
    ],
    [
      'lacks its last chunk',
      'Transfer-Encoding: chunked',
      '1\r\nx\r\n',
      'CUT_SHORT',
      /closed the connection after 1 bytes: /,
    ],
    [
      'is too long',
      'Content-Length: 2',
      'long',
      'BAD_REPLY',
      /sent more than the 2 bytes that it announced$/,
    ],
    [
      'has a broken chunk',
      'Transfer-Encoding: chunked',
      'z\r\n',
      'BAD_REPLY',
      /sent a malformed chunk: a malformed size$/,
    ],
  ] as const) {
    test(`that ${what} is noticed`, async (t) => {
      const { error } = await bodyOf(await ask(await answering(t, `${HEAD}${fields}\r\n\r\n${sent}`)));
      assert.equal(error?.code, code);
      assert.match(error.message, reason);
    });
  }

  test('that is reset is noticed, with what came before', async (t) => {
    const { hop } = await httpHop(t, (socket) => {
      socket.write(`${HEAD}Content-Length: 10\r\n\r\nhello`, () =>
        setImmediate(() => socket.resetAndDestroy()),
      );
    });
    const reply = await ask(hop);
    const { error } = await bodyOf(reply);
    assert.equal(error?.code, 'CUT_SHORT');
    assert.match(error.message, /reset the connection after \d of 10 bytes: /);
  });

  test('that falls silent is given up, but not while it is being taken', async (t) => {
    const { hop } = await httpHop(t, (socket) => socket.write(`${HEAD}Content-Length: 10\r\n\r\nhello`));
    const reply = await ask(hop, { timeoutMs: LIMIT_MS });
    const startedAt = performance.now();
    const error = await failureOf(
      reply.read(() => new Promise((resolve) => setTimeout(resolve, 3 * LIMIT_MS))),
    );
    assert.equal(error.code, 'TIMEOUT');
    assert.ok(performance.now() - startedAt >= 4 * LIMIT_MS - 50);
  });

  test('ends with the reason of the signal, and with the error of the sink', async (t) => {
    const abort = new AbortController();
    const { hop } = await httpHop(t, (socket) => {
      socket.write(`${HEAD}Content-Length: 10\r\n\r\nhello`);
      socket.once('close', () => {});
    });
    const reply = await ask(hop, { signal: abort.signal });
    const reason = new Error('enough');
    await assert.rejects(
      reply.read(() => {
        abort.abort(reason);
        return new Promise(() => {});
      }),
      reason,
    );
    const failing = await ask(hop);
    await assert.rejects(
      failing.read(() => Promise.reject(reason)),
      reason,
    );
  });
});

describe('an error reply', () => {
  const problem = JSON.stringify({ code: 'NOT_FOUND', detail: 'hop 2 (h2:2): there is no file "x"', hop: 2 });
  test('is the error that it tells of', async (t) => {
    const fields = `Viaduct: 1\r\nContent-Type: application/problem+json\r\nContent-Length: ${problem.length}\r\n`;
    const error = await failureOf(
      ask(await answering(t, `HTTP/1.1 404 Not Found\r\n${fields}\r\n${problem}`)),
    );
    assert.deepEqual([error.code, error.message], ['NOT_FOUND', 'hop 2 (h2:2): there is no file "x"']);
  });

  test('says by its head what its body cannot', async (t) => {
    const { hop } = await httpHop(t, (socket) => {
      socket.write('HTTP/1.1 503 Busy\r\nViaduct: 1\r\nContent-Length: 9\r\n\r\nx', () =>
        socket.resetAndDestroy(),
      );
      once(socket, 'close').catch(() => {});
    });
    const error = await failureOf(ask(hop));
    assert.deepEqual([error.code, outcomeOf(error).exit], ['UNAVAILABLE', 22]);
    assert.match(error.message, /503 \(Busy\)/);
  });
});
