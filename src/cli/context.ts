/**
 * What a command uses of its process: the standard streams and the exit code that it sets when it ends. Tests
 * pass other streams and run commands within their own process.
 */
export type CommandContext = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'exitCode'>;
