import type { Socket } from 'node:net'

/** Status and text of what the parser cannot read as HTTP. Never 408: the SDKs would send the same again. */
function answerFor(code: string): { readonly status: string; readonly text: string } {
  if (code === 'HPE_HEADER_OVERFLOW')
    return { status: '431 Request Header Fields Too Large', text: 'the head of the request is larger than the limit' }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: '400 Bad Request', text: 'the request did not come in time' }
  return { status: '400 Bad Request', text: 'the request is not HTTP/1.1' }
}

/** Answers, on the bare socket, what no request could be made of, and closes the connection. */
export function refuseUnparsed(socket: Socket, code: string): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const { status, text } = answerFor(code)
  const reason = 'WIRE_HEADER_INVALID'
  const body = JSON.stringify({ error: { message: `sallyport: ${reason}: ${text}`, type: 'sallyport', code: reason } })
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'x-should-retry: false',
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroySoon()
}
