/** What is known of the machine that Redis runs on, where that is this machine. */

export interface HostValues {
  /** `vm.overcommit_memory`: 0 guess, 1 always, 2 never. */
  readonly overcommit: number
}
