const uid = process.geteuid?.();
const groups = new Set([process.getegid?.(), ...(process.getgroups?.() ?? [])]);

/** Permissions of a file (stat(2)). */
interface Permissions {
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
}

/** True for a file that this process can certainly read by its permissions; of others only open(2) knows, for example with ACLs. */
export function isReadable({ mode, uid: owner, gid }: Permissions): boolean {
  if (uid === 0) return true;
  if (Number(owner) === uid) return (mode & 0o400n) !== 0n;
  return (mode & (groups.has(Number(gid)) ? 0o040n : 0o004n)) !== 0n;
}
