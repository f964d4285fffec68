import { runDemo } from './demo.js'
import { help, readCommand } from './options.js'
import type { Report } from './report.js'
import { startStage } from './stage.js'
import { textReport } from './text-report.js'

const write = (text: string): void => void process.stdout.write(text)

// Whoever read the lines has gone (`| head`): nobody is left to play for.
process.stdout.on('error', () => process.exit(1))

const command = readCommand(process.argv.slice(2))
switch (command.kind) {
  case 'help':
    write(help)
    break
  case 'not_understood':
    process.stderr.write(`demo: ${command.complaint}\n\n${help}`)
    process.exitCode = 2
    break
  case 'run': {
    const colour = process.stdout.isTTY === true && !process.env.NO_COLOR
    const json: Report = (line) => write(`${JSON.stringify(line)}\n`)
    await using stage = await startStage()
    const ok = await runDemo(command.options, stage, command.options.json ? json : textReport(write, colour))
    process.exitCode = ok ? 0 : 1
  }
}
