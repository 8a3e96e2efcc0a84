/** Finds the end of a call's body in a text that comes in pieces. */
export interface CallReader {
  /** Reads on. Returns the position behind the body, or -1 if it goes on, or `notACall`. */
  read(piece: string): number;
  /** Characters of the body that were interpreted; the same for every division into pieces when it is `notACall`. */
  readonly interpreted: number;
}

/** The body cannot become that of a call any more. */
export const notACall = -2;
