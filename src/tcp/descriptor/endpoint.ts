/** A descriptor as those see it that send and receive on it, and what they report. */
export interface Endpoint {
  /** Undefined while nothing can be sent or received: it is being connected, used elsewhere, or closed. */
  readonly fd: number | undefined;
  /** FIN was received, after all bytes. */
  finReceived(): void;
  /** FIN was sent. */
  finSent(): void;
  /** @param errno negative, of a system call */
  broken(call: string, errno: number): void;
}
