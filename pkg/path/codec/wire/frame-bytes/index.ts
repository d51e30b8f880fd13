/**
 * wire/frame-bytes: keeps the bytes of a frame whose end has not come.
 *
 * In:  pieces of one frame, in order.
 * Out: the frame in one piece, once its last piece is here.
 *
 * Pieces are copied, each once and once more into the whole, so that a small one keeps no large chunk alive. Memory
 * is that of the bytes and at most one block of 64 KiB; after a large frame only that block stays.
 *
 * Never: looks at a byte, or has a cap of its own: the splitter that uses it has one.
 */
export { FrameBytes } from './frame-bytes.ts'
