/** The package has no types of its own; this is the part that is used. */
declare module 'fs-native-extensions' {
  /**
   * Locks the whole file for this open file, if nobody else has it: OFD locks on Linux, `flock` on macOS, `LockFileEx` on
   * Windows. The system takes it back when the file is closed, however the process ends.
   */
  export function tryLock(fd: number): boolean
}
