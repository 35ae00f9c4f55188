const express = require('express')
const fs = require('fs')

const version = fs.readFileSync('version', 'utf8').trim()
const app = express()
app.set('trust proxy', true)
app.use(express.json({ limit: '1mb' }))

app.get('/', (req, res) => {
  console.log('GET / for', req.hostname)
  res.type('text').send(`express v${version} says ${process.env.GREETING} from ${process.env.HOSTNAME}\n`)
})
app.post('/sum', (req, res) => res.json({ sum: req.body.numbers.reduce((a, b) => a + b, 0), by: req.ip }))

const server = app.listen(process.env.PORT, () => console.log('listening on', process.env.PORT))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
