/** Writes to the store what must not fail the answer: a failure is logged by `warn`, and the result is then false. */
export async function trySave(
  save: () => Promise<void>,
  warn: (message: string, error: unknown) => void,
): Promise<boolean> {
  try {
    await save();
    return true;
  } catch (error) {
    warn("a conversation could not be noted in the store", error);
    return false;
  }
}
