// For `node --import`: SIGUSR2 breaks every splice worker of the process. `?kill` ends their threads; `?throw` sends
// them an order that is none, at which they throw when the next one comes. Says so on standard error.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type * as WorkerThreads from 'node:worker_threads';

const threads = createRequire(import.meta.url)('node:worker_threads') as {
  Worker: typeof WorkerThreads.Worker;
  readonly isMainThread: boolean;
};
const workers = new Set<WorkerThreads.Worker>();

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
  const kills = import.meta.url.endsWith('?kill');
  process.on('SIGUSR2', () => {
    for (const worker of workers) {
      if (kills) void worker.terminate();
      else worker.postMessage(null);
    }
    process.stderr.write('{"msg":"fault"}\n');
  });
}
