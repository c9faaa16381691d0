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
  #running = 0;
  #alongside = 0;
  #fill: () => void = () => {};

  push(source: JobSource): void {
    this.#sources.push(source);
  }

  /** Runs something beside the jobs, which are not done before it is. It may push further sources. It must not fail. */
  alongside(work: Promise<void>): void {
    this.#alongside += 1;
    void work.finally(() => {
      this.#alongside -= 1;
      this.#fill();
    });
  }

  /**
   * Runs all jobs.
   * @param limit jobs at the same time
   * @throws the first error of a job
   */
  run(limit: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#fill = () => {
        while (this.#running < limit) {
          const job = this.#next();
          if (job === undefined) break;
          this.#running += 1;
          job().then(() => {
            this.#running -= 1;
            this.#fill();
          }, reject);
        }
        if (this.#running + this.#alongside === 0) resolve();
      };
      this.#fill();
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

/** A source of one job. */
export function once(job: Job): JobSource {
  let isTaken = false;
  return () => {
    if (isTaken) return undefined;
    isTaken = true;
    return job;
  };
}
