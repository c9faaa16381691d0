/** One piece of work. */
export type Job = () => Promise<void>;

/** Returns the next job, or undefined if there is none left; it is not called again then. */
export type JobSource = () => Job | undefined;

/**
 * Runs jobs, several at the same time. A job may push further sources; the newest source is used up first. A tree is
 * so walked in depth, and waiting jobs exist only as the sources of one path through it.
 */
export class JobStack {
  readonly #sources: JobSource[] = [];

  push(source: JobSource): void {
    this.#sources.push(source);
  }

  /**
   * Runs all jobs.
   * @param limit jobs at the same time
   * @throws the first error of a job
   */
  run(limit: number): Promise<void> {
    let running = 0;
    return new Promise((resolve, reject) => {
      const fill = (): void => {
        while (running < limit) {
          const job = this.#next();
          if (job === undefined) break;
          running += 1;
          job().then(() => {
            running -= 1;
            fill();
          }, reject);
        }
        if (running === 0) resolve();
      };
      fill();
    });
  }

  #next(): Job | undefined {
    for (;;) {
      const source = this.#sources.at(-1);
      const job = source?.();
      if (source === undefined || job !== undefined) return job;
      this.#sources.pop();
    }
  }
}
