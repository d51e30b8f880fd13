import type { Env } from '#pkg/platform/settings'

/**
 * Never handed on: keys of providers, which the agent must not hold; what would lead a client past the facade; and the
 * token of the admin API.
 */
const WITHHELD: readonly string[] = [
  'OPENAI_API_KEY',
  'OPENAI_ADMIN_KEY',
  'OPENAI_COMPATIBLE_API_KEY',
  'AZURE_OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'GEMINI_API_KEY',
  'GOOGLE_API_KEY',
  'GOOGLE_GENAI_USE_VERTEXAI',
  'AZURE_OPENAI_AD_TOKEN',
  'AZURE_OPENAI_ENDPOINT',
  'AWS_BEARER_TOKEN_BEDROCK',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
  'OPENROUTER_API_KEY',
  'GROQ_API_KEY',
  'MISTRAL_API_KEY',
  'XAI_API_KEY',
  'DEEPSEEK_API_KEY',
  'SALLYPORT_ADMIN_TOKEN',
  'ALL_PROXY',
  'all_proxy',
]

/** The facades themselves are not asked for through the proxy. */
const NO_PROXY = '127.0.0.1,localhost'

/** What an agent is given in the place of providers: addresses of the facade, and its own token as the key of each. */
export function childEnv(env: Env, facade: string, token: string): Record<string, string> {
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && !WITHHELD.includes(name))
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...givenEnv(facade, token) } // undefined was left out
}

/** The variables that are set, as `run` documents them. */
export function givenEnv(facade: string, token: string): Record<string, string> {
  const { host } = new URL(facade)
  const proxy = `http://agent:${token}@${host}`
  return {
    OPENAI_BASE_URL: `${facade}/openai/v1`,
    OPENAI_API_KEY: token,
    ANTHROPIC_BASE_URL: `${facade}/anthropic`,
    ANTHROPIC_API_KEY: token,
    GOOGLE_GEMINI_BASE_URL: `${facade}/gemini`,
    GEMINI_API_KEY: token,
    http_proxy: proxy,
    https_proxy: proxy,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    no_proxy: NO_PROXY,
    NO_PROXY,
    NODE_USE_ENV_PROXY: '1', // Node's own fetch asks the proxy only then
  }
}
