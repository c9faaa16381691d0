// For `node --import`: SIGUSR2 breaks every splice worker of the process. `?kill` ends their threads; `?throw` sends
// them an order that is none, at which they throw when the next one comes; `?spin` one at which they never rest
// again, when the next one comes. Says so on standard error.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type * as WorkerThreads from 'node:worker_threads';

const threads = createRequire(import.meta.url)('node:worker_threads') as {
  Worker: typeof WorkerThreads.Worker;
  receiveMessageOnPort: typeof WorkerThreads.receiveMessageOnPort;
  readonly isMainThread: boolean;
};
const workers = new Set<WorkerThreads.Worker>();
const SPIN = 'spin';

if (threads.isMainThread) {
  threads.Worker = class extends threads.Worker {
    constructor(...args: ConstructorParameters<typeof WorkerThreads.Worker>) {
      super(...args);
      if (!String(args[0]).endsWith('/splice/worker.js')) return;
      workers.add(this);
      this.once('exit', () => workers.delete(this));
    }
  };
  syncBuiltinESMExports();
  const fault = new URL(import.meta.url).search.slice(1);
  process.on('SIGUSR2', () => {
    for (const worker of workers) {
      if (fault === 'kill') void worker.terminate();
      else worker.postMessage(fault === SPIN ? SPIN : null);
    }
    process.stderr.write('{"msg":"fault"}\n');
  });
} else {
  const { receiveMessageOnPort } = threads;
  threads.receiveMessageOnPort = (port) => {
    const received = receiveMessageOnPort(port);
    if (received?.message === SPIN) for (;;);
    return received;
  };
  syncBuiltinESMExports();
}
