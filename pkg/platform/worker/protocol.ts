/** What the pool sends to a thread. `id` tells a late answer from the one that is awaited. */
export type ToWorker<Job> = { readonly id: number; readonly job: Job }

/** What a thread sends to the pool; `heapBytes` is its own measure of its heap, WASM and buffers included. */
export type FromWorker<Result> =
  | { readonly kind: 'ready'; readonly heapBytes: number }
  | { readonly kind: 'done'; readonly id: number; readonly value: Result; readonly heapBytes: number }
  | { readonly kind: 'failed'; readonly id: number; readonly error: string }
