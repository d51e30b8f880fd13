import type { Duplex } from 'node:stream'
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import {
  type Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { SallyportError } from '#pkg/model/errors'
import type { Log } from '#pkg/platform/log'
import { grpcStatusOf } from './codes.ts'

/** What a method knows of its call besides the request. */
export type RpcCall = {
  /** Every value of that metadata key, as text. */
  metadata(name: string): readonly string[]
  /** Aborts when the caller is gone, or the server ends. */
  readonly signal: AbortSignal
}

type Handler<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: RpcCall) => Promise<MessageInitShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, call: RpcCall) => AsyncIterable<MessageInitShape<O>>
      : never

/** One function for each method. It may throw a SallyportError: its code becomes the status. */
export type RpcHandlers<S extends DescService> = { readonly [K in keyof S['method']]: Handler<S['method'][K]> }

/** Everything has a default. */
export type RpcServerOptions = {
  /** Bytes of one request. Default 64 KiB. */
  readonly maxRequestBytes?: number
  /** Bytes of the metadata of one call. Default 8 KiB. */
  readonly maxMetadataBytes?: number
  /** Calls of one connection at a time. Default 100. */
  readonly maxCalls?: number
}

/** Services without a listener. */
export type RpcServer = {
  add<S extends DescService>(service: S, handlers: RpcHandlers<S>): void
  /** Serves one connection. */
  serve(connection: Duplex): void
  /** Ends every call and connection. */
  close(): void
}

/** Makes a server without services. Its connections are as trusted as whoever opened them. */
export function newRpcServer({ log }: { readonly log: Log }, options: RpcServerOptions = {}): RpcServer {
  const { maxRequestBytes = 64 * 1024, maxMetadataBytes = 8 * 1024, maxCalls = 100 } = options
  const server = new Server({
    'grpc.max_receive_message_length': maxRequestBytes,
    'grpc.max_metadata_size': maxMetadataBytes,
    'grpc.max_concurrent_streams': maxCalls,
  })
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const ending = new AbortController()
  return {
    add: (service, handlers) => {
      const definitions: Record<string, MethodDefinition<unknown, unknown>> = {}
      const functions: Record<string, unknown> = {}
      for (const [name, method] of Object.entries(service.method)) {
        const handler = (handlers as Readonly<Record<string, Handler<DescMethod>>>)[name] // the type has one for each method
        definitions[name] = definitionOf(service, method)
        functions[name] =
          method.methodKind === 'unary'
            ? unary(method, handler, { log, ending })
            : streaming(method, handler, { log, ending })
      }
      server.addService(definitions, functions as Parameters<Server['addService']>[1]) // of the kinds that the definitions name
    },
    serve: (connection) => injector.injectConnection(connection),
    close: () => {
      ending.abort()
      injector.destroy()
      server.forceShutdown()
    },
  }
}

function definitionOf(service: DescService, method: DescMethod): MethodDefinition<unknown, unknown> {
  const bytesOf = (schema: DescMessage) => (message: unknown) =>
    Buffer.from(toBinary(schema, message as MessageShape<DescMessage>)) // made by `create` of the same schema
  return {
    path: `/${service.typeName}/${method.name}`,
    requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    requestSerialize: bytesOf(method.input),
    requestDeserialize: (bytes) => fromBinary(method.input, bytes),
    responseSerialize: bytesOf(method.output),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  }
}

type Parts = { readonly log: Log; readonly ending: AbortController }
type Message = MessageShape<DescMessage>

function unary(method: DescMethod, handler: unknown, { log, ending }: Parts) {
  const run = handler as (request: Message, call: RpcCall) => Promise<MessageInitShape<DescMessage>> // by the method's kind
  return (call: ServerUnaryCall<Message, Message>, reply: sendUnaryData<Message>): void => {
    const { about, release } = callOf(call.metadata, call, ending)
    run(call.request, about)
      .then(
        (answer) => reply(null, create(method.output, answer)),
        (error: unknown) => reply(faultOf(error, method, log)),
      )
      .finally(release)
  }
}

function streaming(method: DescMethod, handler: unknown, { log, ending }: Parts) {
  const run = handler as (request: Message, call: RpcCall) => AsyncIterable<MessageInitShape<DescMessage>> // by the method's kind
  return async (call: ServerWritableStream<Message, Message>): Promise<void> => {
    const { about, release } = callOf(call.metadata, call, ending)
    try {
      for await (const answer of run(call.request, about)) {
        if (about.signal.aborted) break
        if (!call.write(create(method.output, answer))) await drained(call, about.signal)
      }
      call.end()
    } catch (error) {
      call.emit('error', faultOf(error, method, log))
    } finally {
      release()
    }
  }
}

type Cancellable = { once(event: 'cancelled', listener: () => void): unknown }

function callOf(metadata: Metadata, call: Cancellable, ending: AbortController) {
  const gone = new AbortController()
  const end = (): void => gone.abort()
  call.once('cancelled', end)
  ending.signal.addEventListener('abort', end, { once: true })
  if (ending.signal.aborted) end()
  const about: RpcCall = {
    metadata: (name) => metadata.get(name).map((value) => value.toString()),
    signal: gone.signal,
  }
  return { about, release: () => ending.signal.removeEventListener('abort', end) }
}

/** Waits until a slow reader has taken what it was sent, or is gone. */
function drained(call: ServerWritableStream<Message, Message>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    call.once('drain', done)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}

function faultOf(error: unknown, method: DescMethod, log: Log): { code: number; details: string } {
  if (error instanceof SallyportError && error.code !== 'INTERNAL')
    return { code: grpcStatusOf(error.code), details: error.message }
  log.error('rpc-failed', { method: method.name, error })
  return { code: grpcStatusOf('INTERNAL'), details: 'the call failed in itself; the log says why' }
}
