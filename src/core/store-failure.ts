/** The store cannot be read or written. The message is for the operator, since it names the place of the store. */
export class StoreFailure extends Error {}
