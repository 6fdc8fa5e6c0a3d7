/** Which VMs the daemon may act on: all, or the share a stage of promotion grants. */
export interface ActScope {
  /** Why it may not, or undefined if it may. */
  refusal(vmId: string): string | undefined;
}

export const everywhere: ActScope = { refusal: () => undefined };
