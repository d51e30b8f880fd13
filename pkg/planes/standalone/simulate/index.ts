/**
 * simulate: a model provider for people without one: it speaks the APIs of OpenAI, Anthropic and Gemini on loopback.
 *
 * In:  requests as an OpenAI client sends them: `POST /v1/chat/completions` (streamed or not), `POST /v1/embeddings`,
 *      `GET /v1/models[/{id}]`; `dialects/`: Responses, Messages, Gemini. Validated as strictly as the provider does, with its error bodies.
 * Out: hand-written conversations (`conversations.ts`), streamed token by token; a bounded record of what arrived
 *      and how far each answer got, for demos and tests.
 * Never: a model, randomness (the same request gets the same bytes while the clock stands), an outgoing connection,
 *      any knowledge of the path or of policies.
 */
export type { Answer, Rule } from './conversations.ts'
export { CONVERSATIONS } from './conversations.ts'
export type { SeenRequest } from './record.ts'
export type { Simulator, SimulatorDeps, SimulatorOptions } from './simulator.ts'
export { startSimulator } from './simulator.ts'
