// A chat: whatever one says, all of this instance hear. Asked to stop, it says
// goodbye and ends once everybody has left.
const http = require('http')
const fs = require('fs')
const { WebSocketServer } = require('ws')

const version = fs.readFileSync('version', 'utf8').trim()
const server = http.createServer((req, res) => {
  res.end(`chat v${version} says ${process.env.GREETING} from ${process.env.HOSTNAME}\n`)
})
const room = new WebSocketServer({ server, path: '/chat' })

room.on('connection', (person) => {
  console.log('one came,', room.clients.size, 'are here')
  person.on('message', (text) => room.clients.forEach((other) => other.send(String(text))))
})
server.listen(process.env.PORT)
process.on('SIGTERM', () => {
  room.clients.forEach((person) => person.close(1001, 'a new version comes'))
  server.close(() => process.exit(0))
})
