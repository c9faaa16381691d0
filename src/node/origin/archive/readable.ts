/** Permissions of a file (stat(2)). */
interface Permissions {
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
}

/** As whom a process opens files; without user on Windows. */
interface User {
  readonly uid: number | undefined;
  readonly groups: ReadonlySet<number | undefined>;
}

const OWN: User = {
  uid: process.geteuid?.(),
  groups: new Set([process.getegid?.(), ...(process.getgroups?.() ?? [])]),
};

/** True for a file that can certainly be read by its permissions; of others only open(2) knows, for example with ACLs. */
export function isReadable({ mode, uid, gid }: Permissions, user = OWN): boolean {
  if (user.uid === 0) return true;
  if (Number(uid) === user.uid) return (mode & 0o400n) !== 0n;
  return (mode & (user.groups.has(Number(gid)) ? 0o040n : 0o004n)) !== 0n;
}
