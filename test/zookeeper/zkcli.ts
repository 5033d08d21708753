import { deepEqual } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { Report } from '../report.ts'
import { ZK_CLI } from './requirements.ts'
import { folder, freePort, HOST, startApache, startGateway } from './servers.ts'

const COMMANDS = `
ls /
create /a hello
create /a again
create -s /a/seq- one
create -s /a/seq- two
create -e /a/eph gone
create -c /box
create -t 100000 /ttl x
get /a
get -s /a
set /a world
set -s /a world2
set -v 7 /a nope
set -v 2 /a yes
ls -s /a
ls -R /a
stat /a
stat /nothing
get /nothing
create /no/parent x
create /a/eph/child x
getAcl /a
setAcl /a world:anyone:cdrw
getAcl -s /a
setAcl /a world:anyone:r
set /a nope
addauth digest me:secret
create /mine m auth::cdrwa
getAcl /mine
whoami
getEphemerals
getEphemerals /a
getAllChildrenNumber /
sync /a
get -w /mine
set /mine changed
stat -w /new
create /new x
ls -w /
delete /new
addWatch /deep
create /deep x
create /deep/er x
removewatches /deep
delete -v 5 /deep/er
delete /deep
deleteall /deep
create /q x
setquota -n 5 /q
listquota /q
version
reconfig -members server.1=127.0.0.1:1:2
`.trim()

/** The same lines to zkCli.sh on both servers: what it prints must be the same. */
export async function zkcli(report: Report): Promise<void> {
  const [ours, apache] = await Promise.all([startGateway(folder(), await freePort()), startApache()])
  try {
    await report.check('zkCli.sh prints the same on the gateway as on ZooKeeper', async () => {
      const told = await typed(ours.port)
      deepEqual(told, await typed(apache.port))
      for (const sure of ['Created /a/seq-0000000001', 'Node already exists: /a', '[/a/eph]'])
        if (!told.includes(sure)) throw new Error(`not printed: ${sure}`)
    })
  } finally {
    await Promise.all([ours.kill(), apache.kill()])
  }
}

/** Behind this line of an answer stands no more of the command before. */
const mark = (i: number): string => `/zookeeper/mark-${i}`

/** Its lines without what must differ: times, sessions, logging; zxids as ranks. One command at a time: what a watch says stays where it belongs. */
async function typed(port: number): Promise<string[]> {
  const cli = spawn('sh', ['-c', `exec ${ZK_CLI} -server ${HOST}:${port} 2>&1`], { stdio: ['pipe', 'pipe', 'ignore'] })
  let text = ''
  let heard = (): void => undefined
  cli.stdout.on('data', (chunk) => {
    text += chunk
    heard()
  })
  const ended = new Promise((resolve) => cli.once('exit', resolve))
  for (const [i, line] of COMMANDS.split('\n').entries()) {
    const answered = new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${line}:\n${text}`)), 15_000)
      heard = () => {
        if (!text.includes(mark(i))) return
        clearTimeout(late)
        setTimeout(resolve, 30)
      }
    })
    cli.stdin.write(`${line}\nget ${mark(i)}\n`)
    await answered.catch((error: unknown) => {
      cli.kill('SIGKILL')
      throw error
    })
  }
  cli.stdin.end('quit\n')
  await ended
  return normalised(text)
}

function normalised(text: string): string[] {
  const zxids = [...new Set(text.match(/[cmp]Zxid = 0x[0-9a-f]+/g)?.map((one) => Number(one.slice(8))) ?? [])]
  const ranks = new Map(zxids.sort((a, b) => a - b).map((zxid, rank) => [zxid, rank]))
  const lines = text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^(ctime|mtime) =|^Connecting to|\[myid:|log4j|SLF4J/.test(line))
    .map((line) => line.replace(/([cmp]Zxid = )(0x[0-9a-f]+)/, (_, name, zxid) => `${name}#${ranks.get(Number(zxid))}`))
    .map((line) => line.replace(/ephemeralOwner = 0x[0-9a-f]{2,}/, 'ephemeralOwner = some session'))
  // Another thread prints what watches say, at any time; whoami has no order. So both are sorted.
  const [events, answers]: [string[], string[][]] = [[], [[]]]
  for (const line of lines) {
    if (line.startsWith('WatchedEvent')) events.push(line)
    else if (line.includes('/zookeeper/mark-')) answers.push([])
    else if (line !== 'WATCHER::') answers.at(-1)?.push(line)
  }
  return [...answers.flatMap((group) => group.sort()), ...events.filter((line) => !line.includes('Closed')).sort()]
}
