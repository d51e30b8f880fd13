import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'

/** Finds an nginx: the system's, or the one that {@link unpackNginx} put into `folder`. null = none. */
export function findNginx(folder: string): string | null {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', join(folder, 'usr/sbin')]
  return places.map((place) => join(place, 'nginx')).find((path) => existsSync(path)) ?? null
}

/** Downloads Debian's own package and unpacks it into `folder`: nothing is installed, no service starts, no root. */
export function unpackNginx(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const quiet = { cwd: folder, stdio: 'ignore' } as const
  execFileSync('apt-get', ['download', 'nginx'], quiet)
  const archive = readdirSync(folder).find((name) => name.endsWith('.deb'))
  if (archive === undefined) throw new Error('apt-get download left no package')
  execFileSync('dpkg-deb', ['-x', archive, '.'], quiet)
}

/** Writes the smallest fair configuration for streams and returns nginx's arguments. Everything stays inside `prefix`. */
export function nginxArguments(prefix: string, port: number, upstreamPort: number): readonly string[] {
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${prefix}/${name};`)
    .join('\n')
  const user = process.getuid?.() === 0 ? 'user root;\n' : '' // its temp folders belong to us
  const text = `${user}worker_processes 1;
daemon off;
pid ${prefix}/nginx.pid;
error_log ${prefix}/error.log warn;
events { worker_connections 1024; }
http {
  access_log off;
${temps}
  tcp_nodelay on;
  keepalive_requests 1000000;
  upstream mock { server 127.0.0.1:${upstreamPort}; keepalive 128; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`
  const conf = join(prefix, 'nginx.conf')
  writeFileSync(conf, text)
  return ['-p', prefix, '-e', join(prefix, 'error.log'), '-c', conf]
}

/** A port that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** Resolves when something listens on the port. */
export async function listening(port: number, withinMs = 5_000): Promise<void> {
  const limit = performance.now() + withinMs
  while (!(await answers(port))) {
    if (performance.now() > limit) throw new Error(`nothing listens on ${port} after ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
